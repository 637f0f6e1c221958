"""How many groups? The number whose groups are far apart and come back when customers are drawn again.

* **Silhouette** (P. Rousseeuw, J. Comput. Appl. Math. 20, 1987): for each customer (b − a) ÷ max(a, b), with a the mean
  distance to the own group and b to the nearest other one; the mean over a sample. Above 0.5 the groups stand apart,
  below 0.25 they are cuts through one cloud (L. Kaufman and P. Rousseeuw, Finding Groups in Data, 1990, p. 88).
* **Stability** (after Y. Fang and J. Wang, Comput. Statist. Data Anal. 56, 2012): the groups are found anew on
  bootstrap samples, and the mean adjusted Rand index (L. Hubert and P. Arabie, J. Classification 2, 1985) says how far
  both partitions of the customers agree: 1 is the same groups, 0 is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32
from patron.intelligence.mining.clustering.groupings import Fitting, Grouping, sampled

#: Below this silhouette groups are cuts through one cloud.
WEAK_SILHOUETTE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Candidate:
    """One number of groups and what speaks for it; ``within`` is the mean squared distance to the own centre."""

    k: int
    silhouette: float
    stability: float
    within: float
    smallest_share: float


@dataclass(frozen=True, slots=True)
class Trials:
    """How numbers are tried: rows for the trials and for the silhouette, bootstrap samples, and what is good enough."""

    rows: int = 5000
    silhouette_rows: int = 3000
    resamples: int = 10
    min_stability: float = 0.75


def candidates(matrix: Real, numbers: Sequence[int], fitting: Fitting, trials: Trials) -> tuple[Candidate, ...]:
    """Each number of groups, tried on a sample of ``matrix``. Numbers are 2 or more, at most the different rows."""
    few = sampled(matrix, min(trials.rows, fitting.most_trial_rows), fitting.seed)
    shown = sampled(few, trials.silhouette_rows, fitting.seed)
    distances = pairwise(shown) if numbers else np.zeros((0, 0))
    found = fitting.fit_each(few, numbers)
    members = {k: found[k].members(few).cluster for k in numbers}
    agreements: dict[int, list[float]] = {k: [] for k in numbers}
    for draw in range(trials.resamples if numbers else 0):
        again = _drawn_again(few, numbers, fitting, draw)
        for k, grouping in again.items():
            agreements[k].append(adjusted_rand(members[k], grouping.members(few).cluster))
    return tuple(
        _candidate(k, few, members[k], found[k], silhouette(distances, found[k].members(shown).cluster), agreements[k])
        for k in numbers
    )


def chosen(tried: Sequence[Candidate], *, min_stability: float) -> Candidate:
    """The highest silhouette among the stable ones, of equals the fewest groups; the most stable if none is."""
    stable = [each for each in tried if each.stability >= min_stability]
    if stable:
        return max(stable, key=lambda each: (round(each.silhouette, 6), -each.k))
    return max(tried, key=lambda each: (round(each.stability, 6), -each.k))


def _drawn_again(few: Real, numbers: Sequence[int], fitting: Fitting, draw: int) -> dict[int, Grouping]:
    """The groups of a bootstrap sample, for those numbers that it has different rows for."""
    generator = np.random.default_rng((fitting.seed, draw))
    drawn = few[generator.integers(0, len(few), len(few))]
    most = max(numbers)
    different = len(np.unique(drawn[: 50 * most], axis=0))
    if different < most:
        different = len(np.unique(drawn, axis=0))
    return fitting.quick(seed=fitting.seed + draw + 1).fit_each(drawn, [k for k in numbers if k <= different])


def _candidate(
    k: int, few: Real, cluster: Whole32, grouping: Grouping, apart: float, agreements: Sequence[float]
) -> Candidate:
    distance = few - grouping.centres[cluster]
    return Candidate(
        k=k,
        silhouette=apart,
        stability=float(np.mean(agreements)) if agreements else 0.0,
        within=float(np.einsum("ij,ij->i", distance, distance).mean()),
        smallest_share=float(np.bincount(cluster, minlength=k).min() / len(few)),
    )


def pairwise(matrix: Real) -> Real:
    """Distances between all rows; 8 bytes for each pair."""
    squares = np.einsum("ij,ij->i", matrix, matrix)
    distances = squares[:, None] + squares[None, :] - 2 * (matrix @ matrix.T)
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    roots: Real = np.sqrt(distances, out=distances)
    return roots


def silhouette(distances: Real, cluster: Whole32 | Whole) -> float:
    """Mean silhouette of all rows; a row alone in its group counts 0, as does everything in a single group."""
    names, place = np.unique(cluster, return_inverse=True)
    if len(names) < 2:
        return 0.0
    rows = np.arange(len(place))
    belongs = np.zeros((len(place), len(names)))
    belongs[rows, place] = 1
    sizes = belongs.sum(axis=0)
    sums = distances @ belongs
    own = sums[rows, place] / np.maximum(sizes[place] - 1, 1)
    others = sums / sizes
    others[rows, place] = np.inf
    nearest = others.min(axis=1)
    larger = np.maximum(own, nearest)
    scores = np.divide(nearest - own, larger, out=np.zeros(len(rows)), where=larger > 0)
    scores[sizes[place] == 1] = 0
    return float(scores.mean())


def adjusted_rand(left: Whole32 | Whole, right: Whole32 | Whole) -> float:
    """Agreement of two partitions of the same rows: 1 the same, 0 as much as chance; symmetric."""
    width = int(right.max(initial=0)) + 1
    both = np.bincount(left.astype(np.int64) * width + right)
    pairs = _pairs(both)
    in_left, in_right = _pairs(np.bincount(left)), _pairs(np.bincount(right))
    expected = in_left * in_right / max(_pairs(np.array([len(left)])), 1)
    most = (in_left + in_right) / 2
    return 1.0 if most == expected else float((pairs - expected) / (most - expected))


def _pairs(counts: Whole) -> float:
    numbers = counts.astype(np.float64)
    return float((numbers * (numbers - 1) / 2).sum())
