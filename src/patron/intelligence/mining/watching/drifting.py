"""Do two samples look alike? Population stability index, and a test that knows how large the samples are.

- PSI = Σ (c − r) · ln(c ÷ r) over bins with the shares r (reference) and c (current): N. Siddiqi, *Credit Risk
  Scorecards* (2006), with the usual marks 0.1 and 0.25. Without any change it is about (1/n + 1/m) · χ² with bins − 1
  degrees (B. Yurdakul, *Statistical Properties of Population Stability Index* (2018)): small samples pass 0.1 by luck,
  so a feature must pass its own limit as well.
- Numbers: two-sample test of Kolmogorov and Smirnov; categories: chi-square test.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, chdtri, kolmogorov

from patron.intelligence.mining.arrays import Real, Whole

MISSING: Final = "(missing)"
OTHERS: Final = "(others)"
#: So many categories are told apart; rarer ones count together.
CATEGORIES: Final = 20


@dataclass(frozen=True, slots=True)
class Shift:
    """How one feature moved. ``limit``: the PSI that luck stays under at the level asked for; ``bins``: label → shares.

    ``statistic`` is that of the test: the largest distance of the distributions for numbers, chi-square for categories.
    """

    kind: str
    reference_n: int
    current_n: int
    reference_missing: float
    current_missing: float
    reference_mean: float | None
    current_mean: float | None
    psi: float
    limit: float
    statistic: float
    p_value: float
    bins: tuple[tuple[str, float, float], ...]

    @property
    def moved_most(self) -> tuple[str, float, float]:
        """The bin whose share changed most: its label, the share before and after."""
        return max(self.bins, key=lambda each: abs(each[2] - each[1]))

    def level(self, *, watch: float, shifted: float) -> str:
        """stable, watch or shifted: large enough to matter, and more than luck explains."""
        if self.psi < watch or self.psi <= self.limit:
            return "stable"
        return "shifted" if self.psi >= shifted else "watch"


def numbers_shift(reference: Real, current: Real, *, bins: int, alpha: float) -> Shift:
    """Of a number; not a number stands for missing. Bins hold equal shares of the reference, and the missing ones."""
    # Sorted: a mean added up in another order differs in its last place.
    known, now = (np.sort(each[np.isfinite(each)]) for each in (reference, current))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    # One value that most share would leave its bin without a name of its own: values at an edge go below it.
    labels = _ranges(edges)
    before = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(labels))
    after = np.bincount(np.searchsorted(edges, now, side="left"), minlength=len(labels))
    distance, p_value = ks_test(known, now)
    gaps = (len(reference) - len(known), len(current) - len(now))
    return _shift(
        "number",
        [*labels, MISSING],
        np.append(before, gaps[0]),
        np.append(after, gaps[1]),
        means=(float(known.mean()) if len(known) else None, float(now.mean()) if len(now) else None),
        test=(distance, p_value) if len(known) and len(now) else None,
        alpha=alpha,
    )


def categories_shift(labels: list[str], before: Whole, after: Whole, *, alpha: float) -> Shift:
    """Of a category, from counts by label (:data:`MISSING` for none); rare labels of the reference count together."""
    order = np.argsort(-(before + after), kind="stable")
    kept = [place for place in order if labels[place] != MISSING][:CATEGORIES]
    missing = [place for place, label in enumerate(labels) if label == MISSING]
    rest = [place for place in order if place not in kept and place not in missing]
    names = [*(labels[place] for place in kept), OTHERS, MISSING]
    groups = [[place] for place in kept] + [rest, missing]
    counted = [np.array([int(side[group].sum()) for group in groups]) for side in (before, after)]
    return _shift("category", names, *counted, means=(None, None), test=None, alpha=alpha)


def ks_test(first: Real, second: Real) -> tuple[float, float]:
    """The largest distance between two distributions and its p-value (asymptotic); 0 and 1 where one is empty."""
    if not len(first) or not len(second):
        return 0.0, 1.0
    first, second = np.sort(first), np.sort(second)
    both = np.concatenate([first, second])
    apart = np.searchsorted(first, both, side="right") / len(first)
    apart = np.abs(apart - np.searchsorted(second, both, side="right") / len(second))
    distance = float(apart.max())
    size = np.sqrt(len(first) * len(second) / (len(first) + len(second)))
    return distance, float(kolmogorov(size * distance))


def chi_square_test(before: Whole, after: Whole) -> tuple[float, float]:
    """That both rows of counts have the same shares: statistic and p-value; 0 and 1 with fewer than two bins."""
    used = (before + after) > 0
    table = np.array([before[used], after[used]], dtype=np.float64)
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 0.0, 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(table.shape[1] - 1, statistic))


def stability_index(before: Whole, after: Whole) -> float:
    """PSI of two rows of counts; half a count is added to each bin that holds anything, so that none is empty."""
    used = (before + after) > 0
    if used.sum() < 2 or not before.sum() or not after.sum():
        return 0.0
    shares = [(side[used] + 0.5) / (side[used] + 0.5).sum() for side in (before, after)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _shift(
    kind: str,
    labels: list[str],
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    *,
    means: tuple[float | None, float | None],
    test: tuple[float, float] | None,
    alpha: float,
) -> Shift:
    sizes = int(before.sum()), int(after.sum())
    used = int(((before + after) > 0).sum())
    statistic, p_value = test if test is not None else chi_square_test(before, after)
    limit = float(chdtri(used - 1, alpha)) * sum(1 / max(size, 1) for size in sizes) if used > 1 else 0.0
    shares = [side / max(int(side.sum()), 1) for side in (before, after)]
    rows = tuple(
        (label, float(r), float(c)) for label, r, c, n in zip(labels, *shares, before + after, strict=True) if n
    )
    return Shift(
        kind, *sizes, float(shares[0][-1]), float(shares[1][-1]), *means, stability_index(before, after), limit,
        statistic, p_value, rows or ((MISSING, 0.0, 0.0),),
    )  # fmt: skip


def _ranges(edges: Real) -> list[str]:
    if not len(edges):
        return ["all"]
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:g}", *inner, f"above {edges[-1]:g}"]
