"""Three ways to find groups, and one way to ask which group a customer belongs to.

* **k-means** (S. Lloyd, IEEE Trans. Inform. Theory 28, 1982; started by k-means++, D. Arthur and S. Vassilvitskii,
  2007): the best of several starts on a sample begins the run over all rows.
* **Gaussian mixture** (A. Dempster, N. Laird, D. Rubin, JRSS B 39, 1977): fitted on a sample, applied to all rows.
* **Ward** (J. Ward, JASA 58, 1963): up to ``micro_clusters`` rows as they are; more rows first become as many small
  groups, each weighing what it holds (``ward.py``).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32
from patron.intelligence.mining.clustering.ward import cut, ward_groups, ward_joins

Method: TypeAlias = Literal["kmeans", "mixture", "ward"]
METHODS: Final[tuple[Method, ...]] = ("kmeans", "mixture", "ward")

#: Numbers held at a time while rows are compared with centres: 32 MB.
_BLOCK: Final = 4_000_000
#: Up to so many rows one thread is enough.
_SMALL: Final = 20_000
#: Threads add up in any order; beyond this many digits a centre is noise.
_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class Membership:
    """For each row: its group, the group it would belong to otherwise, how sure that is, and how far from the middle.

    ``confidence`` is 0 on the border and 1 in the middle: for a mixture the probability of the group, else
    1 − distance to the own centre ÷ distance to the next (the simplified silhouette of E. Hruschka et al., 2004).
    With a single group ``other`` is that group and confidence is 1.
    """

    cluster: Whole32
    other: Whole32
    confidence: Real
    distance: Real

    def renumbered(self, order: Whole) -> Membership:
        """The same where the group that was ``order[i]`` is now i; all groups with a row are in ``order``.

        Only for groups none of which is left out: ``other`` may be one without a row.
        """
        place = np.zeros(int(order.max()) + 1, dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return replace(self, cluster=place[self.cluster], other=place[self.other])


class Grouping(Protocol):
    """Groups that any row can be put into; ``centres`` are groups × features."""

    @property
    def centres(self) -> Real: ...

    def members(self, matrix: Real) -> Membership:
        """The group of each row."""

    def reordered(self, order: Whole) -> Grouping:
        """The same groups, of which the one that was ``order[i]`` is now i; those not named are no more."""


@dataclass(frozen=True, slots=True)
class NearestCentre:
    """A row belongs to the group of the nearest point. ``owner`` gives the group of each of ``points``, ascending."""

    points: Real
    owner: Whole
    centres: Real

    def members(self, matrix: Real) -> Membership:
        """See :class:`Grouping`."""
        first = np.searchsorted(self.owner, np.arange(len(self.centres)))
        squares = np.einsum("ij,ij->i", self.points, self.points)
        parts = []
        for rows in _blocks(matrix, len(self.points)):
            distances = squares - 2 * (rows @ self.points.T)
            distances += np.einsum("ij,ij->i", rows, rows)[:, None]
            np.maximum(distances, 0, out=distances)
            if len(self.points) > len(self.centres):
                distances = np.minimum.reduceat(distances, first, axis=1)
            parts.append(_nearest(distances))
        return _joined(parts)

    def reordered(self, order: Whole) -> NearestCentre:
        """See :class:`Grouping`."""
        rows = [np.flatnonzero(self.owner == old) for old in order]
        owner = np.repeat(np.arange(len(order)), [len(each) for each in rows])
        return NearestCentre(points=self.points[np.concatenate(rows)], owner=owner, centres=self.centres[order])


@dataclass(frozen=True, slots=True)
class Mixture:
    """Normal distributions: weights, means, and the roots of the precisions (features × features each)."""

    weights: Real
    centres: Real
    roots: Real

    def members(self, matrix: Real) -> Membership:
        """See :class:`Grouping`."""
        parts = []
        for rows in _blocks(matrix, max(self.centres.size, 1)):
            squares = np.empty((len(rows), len(self.weights)))
            for place, (centre, root) in enumerate(zip(self.centres, self.roots, strict=True)):
                scaled = (rows - centre) @ root
                squares[:, place] = np.einsum("ij,ij->i", scaled, scaled)
            determinants = np.log(np.abs(np.diagonal(self.roots, axis1=1, axis2=2))).sum(axis=1)
            logs = np.log(self.weights) + determinants - squares / 2
            logs -= logs.max(axis=1, keepdims=True)
            shares = np.exp(logs)
            shares /= shares.sum(axis=1, keepdims=True)
            parts.append(_likeliest(shares, squares))
        return _joined(parts)

    def reordered(self, order: Whole) -> Mixture:
        """See :class:`Grouping`."""
        return replace(self, weights=self.weights[order], centres=self.centres[order], roots=self.roots[order])


@dataclass(frozen=True, slots=True)
class Fitting:
    """How groups are looked for. ``sample``: rows for the starts of k-means and for the mixture."""

    method: Method = "kmeans"
    restarts: int = 10
    sample: int = 20_000
    micro_clusters: int = 1000
    seed: int = 1

    def fit(self, matrix: Real, k: int) -> Grouping:
        """Groups of ``matrix``: ``k`` of them, which is at most the number of different rows."""
        ways: dict[Method, Callable[[Real, int, Fitting], Grouping]] = {"mixture": _mixture, "ward": _ward}
        find = ways.get(self.method, _kmeans)
        with calmly(len(matrix)):
            return find(matrix, k, self)

    def fit_each(self, matrix: Real, numbers: Sequence[int]) -> dict[int, Grouping]:
        """Groups for each of ``numbers``; Ward's joins are found once for all of them."""
        if self.method == "ward":
            with calmly(len(matrix)):
                points, weights = _ward_points(matrix, self)
                joins = ward_joins(points, weights)
                return {k: _ward_cut(points, weights, cut(joins, len(points), k), k) for k in numbers}
        return {k: self.fit(matrix, k) for k in numbers}

    @property
    def most_trial_rows(self) -> int:
        """Rows beyond which a trial takes too long: a mixture is slow, and Ward would be given small groups."""
        return {"mixture": 2000, "ward": self.micro_clusters}.get(self.method, self.sample)

    def quick(self, *, seed: int) -> Fitting:
        """The same with one start: for the many trials of a choice."""
        return replace(self, restarts=1, seed=seed)


@contextmanager
def calmly(rows: int) -> Iterator[None]:
    """A single thread for small work: on a busy machine threads would wait for each other longer than they compute."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1 if rows <= _SMALL else None):
        yield


def sampled(matrix: Real, rows: int, seed: int) -> Real:
    """At most ``rows`` rows, drawn without replacement, in their order."""
    if len(matrix) <= rows:
        return matrix
    chosen = np.random.default_rng(seed).choice(len(matrix), size=rows, replace=False)
    return matrix[np.sort(chosen)]


def _kmeans(matrix: Real, k: int, how: Fitting) -> NearestCentre:
    from sklearn.cluster import KMeans

    few = sampled(matrix, how.sample, how.seed)
    best = KMeans(n_clusters=k, n_init=how.restarts, random_state=how.seed).fit(few)
    if len(few) < len(matrix):
        best = KMeans(n_clusters=k, init=best.cluster_centers_, n_init=1).fit(matrix)
    centres = np.round(best.cluster_centers_, _DIGITS)
    return NearestCentre(points=centres, owner=np.arange(k), centres=centres)


def _mixture(matrix: Real, k: int, how: Fitting) -> Mixture:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    few = sampled(matrix, how.sample, how.seed)
    model = GaussianMixture(
        k, covariance_type="full", reg_covar=1e-4, n_init=min(how.restarts, 2), random_state=how.seed, max_iter=200
    )
    with warnings.catch_warnings():
        # 200 steps without settling leave groups that are as good as settled; the stability figure says if not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(few)
    return Mixture(
        weights=np.maximum(np.round(model.weights_, _DIGITS), 1e-9),
        centres=np.round(model.means_, _DIGITS),
        roots=np.round(model.precisions_cholesky_, _DIGITS),
    )


def _ward(matrix: Real, k: int, how: Fitting) -> NearestCentre:
    points, weights = _ward_points(matrix, how)
    return _ward_cut(points, weights, ward_groups(points, weights, k), k)


def _ward_points(matrix: Real, how: Fitting) -> tuple[Real, Real]:
    """What Ward's method joins, and what each weighs: the rows, or small groups of them."""
    if len(matrix) > how.micro_clusters:
        return _micro_clusters(matrix, how)
    return matrix, np.ones(len(matrix))


def _ward_cut(points: Real, weights: Real, group: Whole, k: int) -> NearestCentre:
    order = np.argsort(group, kind="stable")
    owner, ordered, heavy = group[order], points[order], weights[order]
    first = np.searchsorted(owner, np.arange(k))
    mass = np.add.reduceat(heavy, first)
    centres = np.add.reduceat(ordered * heavy[:, None], first, axis=0) / mass[:, None]
    return NearestCentre(points=ordered, owner=owner, centres=np.round(centres, _DIGITS))


def _micro_clusters(matrix: Real, how: Fitting) -> tuple[Real, Real]:
    from sklearn.cluster import KMeans

    few = sampled(matrix, how.sample, how.seed)
    count = min(how.micro_clusters, len(np.unique(few, axis=0)))
    fitted = KMeans(n_clusters=count, n_init=1, max_iter=10, tol=0, random_state=how.seed).fit(few)
    points = np.round(fitted.cluster_centers_, _DIGITS)
    each = NearestCentre(points=points, owner=np.arange(count), centres=points)
    weights = np.bincount(each.members(matrix).cluster, minlength=count).astype(np.float64)
    held = weights > 0
    return points[held], weights[held]


def _blocks(matrix: Real, width: int) -> Iterator[Real]:
    step = max(_BLOCK // width, 1)
    return (matrix[start : start + step] for start in range(0, len(matrix), step))


def _nearest(squares: Real) -> Membership:
    """From squared distances to each group's nearest point; they are used up."""
    rows = np.arange(len(squares))
    cluster = squares.argmin(axis=1)
    nearest = squares[rows, cluster]
    if squares.shape[1] == 1:
        return Membership(_whole(cluster), _whole(cluster), np.ones(len(rows)), np.sqrt(nearest))
    squares[rows, cluster] = math.inf
    other = squares.argmin(axis=1)
    beyond = squares[rows, other]
    ratio = np.sqrt(np.divide(nearest, beyond, out=np.ones(len(rows)), where=beyond > 0))
    return Membership(_whole(cluster), _whole(other), 1 - ratio, np.sqrt(nearest))


def _likeliest(shares: Real, squares: Real) -> Membership:
    rows = np.arange(len(shares))
    cluster = shares.argmax(axis=1)
    confidence = shares[rows, cluster]
    if shares.shape[1] > 1:
        shares[rows, cluster] = -1
    return Membership(
        _whole(cluster), _whole(shares.argmax(axis=1)), confidence, np.sqrt(squares[rows, cluster])
    )  # fmt: skip


def _joined(parts: list[Membership]) -> Membership:
    if not parts:
        nobody = np.zeros(0, dtype=np.int32)
        return Membership(nobody, nobody, np.zeros(0), np.zeros(0))
    return Membership(
        cluster=np.concatenate([part.cluster for part in parts]),
        other=np.concatenate([part.other for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        distance=np.concatenate([part.distance for part in parts]),
    )


def _whole(values: Whole) -> Whole32:
    return values.astype(np.int32)
