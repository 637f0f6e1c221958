"""How good predictions were: area under the curve with its interval, calibration, lift and gain.

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), computed by mid-ranks as in X. Sun & W. Xu, IEEE Signal
Processing Letters 21 (2014); Brier score, G. W. Brier, Monthly Weather Review 78 (1950); interval of a share,
E. B. Wilson, JASA 22 (1927).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from patron.intelligence.mining.arrays import Flags, Real, Whole

_Z95: Final = 1.959963984540054
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Area:
    """Area under the ROC curve: the chance that who left was ranked above who stayed; 95 % interval by DeLong."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """Customers in order of predicted risk, one of ten equal parts; 1 is the most endangered."""

    number: int
    customers: int
    predicted: float
    left: int
    observed: float
    low: float
    high: float
    lift: float
    gain: float
    baseline_gain: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What a set of predicted probabilities was worth."""

    customers: int
    left: int
    area: Area
    brier: float
    brier_of_base_rate: float
    log_loss: float
    calibration_error: float
    top_tenth_lift: float


def mid_ranks(values: Real) -> Real:
    """Ranks from 1; equal values share the middle of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(values) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def auc(scores: Real, left: Flags) -> float:
    """Area under the ROC curve; a half where nobody left or nobody stayed."""
    leavers, stayers = int(left.sum()), int((~left).sum())
    if not leavers or not stayers:
        return 0.5
    above = mid_ranks(scores)[left].sum() - leavers * (leavers + 1) / 2
    return float(above / (leavers * stayers))


def area(scores: Real, left: Flags) -> Area:
    """:func:`auc` with its 95 % interval; 0 to 1 where one of the groups has fewer than two."""
    value = auc(scores, left)
    if left.sum() < 2 or (~left).sum() < 2:
        return Area(value, 0.0, 1.0)
    error = math.sqrt(_covariance([scores], left)[0, 0])
    return Area(value, max(value - _Z95 * error, 0.0), min(value + _Z95 * error, 1.0))


def area_gain(scores: Real, others: Real, left: Flags) -> Area:
    """How much larger the area of ``scores`` is than that of ``others``, on the same customers (paired DeLong)."""
    value = auc(scores, left) - auc(others, left)
    if left.sum() < 2 or (~left).sum() < 2:
        return Area(value, -1.0, 1.0)
    covariance = _covariance([scores, others], left)
    error = math.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0))
    return Area(value, value - _Z95 * error, value + _Z95 * error)


def _covariance(scores: list[Real], left: Flags) -> NDArray[np.float64]:
    leavers, stayers = int(left.sum()), int((~left).sum())
    of_leavers, of_stayers = [], []
    for each in scores:
        ranks = mid_ranks(each)
        of_leavers.append((ranks[left] - mid_ranks(each[left])) / stayers)
        of_stayers.append(1 - (ranks[~left] - mid_ranks(each[~left])) / leavers)

    within: NDArray[np.float64] = np.atleast_2d(np.cov(of_leavers)) / leavers
    among: NDArray[np.float64] = np.atleast_2d(np.cov(of_stayers)) / stayers
    return within + among


def wilson(hits: Whole | int, trials: Whole | int) -> tuple[Real, Real]:
    """95 % interval of a share; 0 to 1 where there are no trials."""
    n = np.maximum(np.asarray(trials, dtype=np.float64), _TINY)
    p, z2 = np.asarray(hits) / n, _Z95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def bands(probability: Real, baseline: Real, left: Flags, *, count: int = 10) -> tuple[Band, ...]:
    """Equal parts by predicted risk, the most endangered first; ``baseline_gain`` orders by ``baseline`` instead."""
    total, base = int(left.sum()), float(left.mean()) if len(left) else 0.0
    order, other = (np.argsort(-each, kind="stable") for each in (probability, baseline))
    edges = [round(len(left) * place / count) for place in range(count + 1)]
    made = []
    for number, (begin, end) in enumerate(pairwise(edges), start=1):
        if end == begin:
            continue
        inside = left[order[begin:end]]
        hits = int(inside.sum())
        low, high = wilson(hits, len(inside))
        made.append(
            Band(
                number=number,
                customers=len(inside),
                predicted=float(probability[order[begin:end]].mean()),
                left=hits,
                observed=hits / len(inside),
                low=float(low),
                high=float(high),
                lift=hits / len(inside) / base if base else 0.0,
                gain=float(left[order[:end]].sum()) / total if total else 0.0,
                baseline_gain=float(left[other[:end]].sum()) / total if total else 0.0,
            )
        )
    return tuple(made)


def log_loss(probability: Real, left: Flags) -> float:
    """Mean of −ln of the probability given to what happened."""
    given = np.where(left, probability, 1 - probability)
    return float(-np.log(np.clip(given, _TINY, 1)).mean())


def quality(probability: Real, left: Flags) -> Quality:
    """Every figure of one back-test; ``left`` has at least one entry."""
    parts = bands(probability, probability, left)
    base = float(left.mean())
    error = sum(part.customers * abs(part.predicted - part.observed) for part in parts) / len(left)
    return Quality(
        customers=len(left),
        left=int(left.sum()),
        area=area(probability, left),
        brier=float(((probability - left) ** 2).mean()),
        brier_of_base_rate=base * (1 - base),
        log_loss=log_loss(probability, left),
        calibration_error=error,
        top_tenth_lift=parts[0].lift,
    )
