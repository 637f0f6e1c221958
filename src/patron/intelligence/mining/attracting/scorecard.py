"""A logistic regression on bands, its ridge chosen by cross-validation, judged on rows it had not seen.

Source: S. le Cessie and J. van Houwelingen, Ridge estimators in logistic regression, Applied Statistics 41 (1992). The
penalty keeps it sober where a test is small; each band counts by how much it differs from the mean of its feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy import sparse

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.attracting.banding import Bands, Design
from patron.intelligence.mining.churning.judging import Area, area
from patron.intelligence.mining.errors import InputError

_RIDGES: Final = (1.0, 3.0, 10.0, 30.0, 100.0)
_FOLDS: Final = 5
_STEPS: Final = 30
#: At most so many rows teach, evenly spread: more change the weights in the third place only.
_TAUGHT: Final = 50_000
#: Fewer of either outcome teach nothing.
LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``weights`` by band (odds: exp), centred so that each feature's mean over the learned rows is 0.

    ``area`` and ``top_lift`` (share among the best tenth ÷ share of all) are of predictions for held-out rows, which
    are ``held_out``, in the order of the learned rows.
    """

    bands: Bands
    intercept: float
    weights: Real
    ridge: float
    area: Area
    top_lift: float
    rate: float
    held_out: Real

    def chances(self, design: Design) -> Real:
        """The chance of each row."""
        return _chance(self.intercept + design @ self.weights)


def fit(design: Design, bands: Bands, outcome: Flags, *, seed: int) -> Scorecard:
    """Learn from all rows of ``design``. Raises :class:`InputError` with fewer than ten of either outcome."""
    good, bad = int(outcome.sum()), int((~outcome).sum())
    if min(good, bad) < LEAST:
        raise InputError(
            f"There are {good} rows with the outcome and {bad} without; at least {LEAST} of each are needed to learn "
            "what tells them apart."
        )
    taught = np.arange(len(outcome))
    if len(outcome) > _TAUGHT:
        taught = np.linspace(0, len(outcome) - 1, _TAUGHT).astype(np.int64)
    lesson, truth = design[taught], outcome[taught]
    if min(truth.sum(), (~truth).sum()) < LEAST:
        raise InputError("One outcome is too rare to be learned from an even sample; give fewer rows without it.")
    fold = _folds(truth, seed)
    trials = {ridge: _held_out(lesson, truth, fold, ridge) for ridge in _RIDGES}
    ridge = min(trials, key=lambda each: (_loss(trials[each], truth), -each))
    intercept, weights = _newton(lesson, truth, ridge)
    intercept, weights = _centred(intercept, weights, design, bands)
    held_out = _chance(intercept + design @ weights)
    held_out[taught] = trials[ridge]
    tenth = max(len(outcome) // 10, 1)
    best = np.lexsort((np.arange(len(outcome)), -held_out))[:tenth]
    rate = good / len(outcome)
    return Scorecard(
        bands=bands,
        intercept=intercept,
        weights=weights,
        ridge=ridge,
        area=area(held_out, outcome),
        top_lift=float(outcome[best].mean()) / rate,
        rate=rate,
        held_out=held_out,
    )


def _chance(logit: Real) -> Real:
    chance: Real = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    return chance


def _folds(outcome: Flags, seed: int) -> Whole:
    """Both outcomes spread evenly over the folds."""
    fold = np.empty(len(outcome), dtype=np.int64)
    random = np.random.default_rng(seed)
    for value in (False, True):
        rows = np.flatnonzero(outcome == value)
        fold[random.permutation(rows)] = np.arange(len(rows)) % _FOLDS
    return fold


def _held_out(design: Design, outcome: Flags, fold: Whole, ridge: float) -> Real:
    told = np.empty(len(outcome))
    for number in range(_FOLDS):
        inside = fold != number
        intercept, weights = _newton(design[inside], outcome[inside], ridge)
        told[~inside] = _chance(intercept + design[~inside] @ weights)
    return told


def _loss(chance: Real, outcome: Flags) -> float:
    # Rounded: a difference in the twelfth place must not choose the ridge.
    return round(float(-np.log(np.maximum(np.where(outcome, chance, 1 - chance), 1e-12)).mean()), 9)


def _newton(design: Design, outcome: Flags, ridge: float) -> tuple[float, Real]:
    full = sparse.hstack((sparse.csr_matrix(np.ones((design.shape[0], 1))), design), format="csr")
    penalty = np.full(full.shape[1], ridge)
    penalty[0] = 1e-6
    weights = np.zeros(full.shape[1])
    weights[0] = float(np.log(outcome.mean() / (1 - outcome.mean())))
    for _ in range(_STEPS):
        chance = _chance(full @ weights)
        slope = full.T @ (outcome - chance) - penalty * weights
        scaled = full.multiply((chance * (1 - chance))[:, np.newaxis])
        curve = (full.T @ scaled).toarray() + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), weights[1:]


def _centred(intercept: float, weights: Real, design: Design, bands: Bands) -> tuple[float, Real]:
    share = np.asarray(design.mean(axis=0)).ravel()
    mean = np.bincount(bands.feature, weights=share * weights, minlength=len(bands.features))
    return intercept + float(mean.sum()), weights - mean[bands.feature]


def strongest(card: Scorecard, design: Design) -> tuple[Whole, Whole]:
    """For each row the two bands that raise its chance the most; -1 for none that raises it."""
    width = len(card.bands.features)
    places = design.indices.reshape(-1, width)
    order = np.argsort(-card.weights[places], axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(places, order, axis=1).astype(np.int64)
    best = np.where(card.weights[best] > 0.05, best, -1)
    return best[:, 0], (best[:, 1] if width > 1 else np.full(len(best), -1))


def reasons_of(card: Scorecard, design: Design) -> tuple[pa.Array, pa.Array]:
    """Code and sentence for each row, one text per combination of bands."""
    first, second = strongest(card, design)
    size = len(card.bands) + 1
    distinct, where = np.unique((first + 1) * size + second + 1, return_inverse=True)
    told, codes = [], []
    for each in distinct.tolist():
        named = [_named(card, place - 1) for place in divmod(each, size) if place > 0]
        codes.append("alike" if named else "ordinary")
        told.append(f"{' and '.join(named)}." if named else "Nothing sets this one apart from the others.")
    place = pa.array(where)
    return pa.array(codes, pa.string()).take(place), pa.array(told, pa.string()).take(place)


def _named(card: Scorecard, place: int) -> str:
    feature = card.bands.features[card.bands.feature[place]]
    return f"{feature}: {card.bands.names[place]} ({np.exp(card.weights[place]):.1f} × the odds)"
