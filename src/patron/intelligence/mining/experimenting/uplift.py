"""Whom does a treatment move most? Uplift scores by T- and X-learner, judged by Qini on customers they have not seen.

- T-learner and X-learner: S. R. Künzel, J. S. Sekhon, P. J. Bickel, B. Yu, "Metalearners for estimating heterogeneous
  treatment effects using machine learning", PNAS 116 (2019) 4156-4165.
- Qini curve: N. J. Radcliffe, "Using control groups to target on predicted lift", Direct Marketing Analytics Journal
  (2007) 14-21.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.errors import InputError

#: A fold must hold this many customers of each group to learn from.
LEAST_PER_GROUP: Final = 50
FOLDS: Final = 3
LEARNERS: Final = ("t", "x")
_LUCK: Final = 200
_LARGE: Final = 50_000


@dataclass(frozen=True, slots=True)
class Qini:
    """The curve: share of customers treated, best scores first → successes gained per customer; and its coefficient.

    ``coefficient`` is the area between the curve and the straight line of treating at random, per customer: 0 when the
    order tells nothing. ``luck`` is the 95th percentile of the coefficients of orders drawn by lot.
    """

    shares: Real
    gains: Real
    coefficient: float
    luck: float

    @property
    def better_than_luck(self) -> bool:
        """Whether the order tells more than 19 of 20 orders drawn by lot."""
        return self.coefficient > self.luck


@dataclass(frozen=True, slots=True)
class Fifth:
    """A fifth of the customers by score, best first: what was foretold for them, and the lift they showed."""

    customers: int
    foretold: float
    lift: float


@dataclass(frozen=True, slots=True)
class Uplift:
    """Scores of every customer by each learner, made by models that had not seen the customer; and their Qini."""

    scores: dict[str, Real]
    qini: dict[str, Qini]

    @property
    def best(self) -> str:
        """The learner with the larger coefficient."""
        return max(self.qini, key=lambda name: self.qini[name].coefficient)


def uplift(features: Real, treated: Flags, outcome: Real, *, seed: int = 0, folds: int = FOLDS) -> Uplift:
    """Scores by both learners with ``folds``-fold cross-fitting.

    ``features``: customers × features, not a number where missing. Raises :class:`InputError` where a group is too
    small to learn from.
    """
    smaller = int(min(treated.sum(), (~treated).sum()))
    if smaller < LEAST_PER_GROUP:
        raise InputError(
            f"To see whom it moves most takes at least {LEAST_PER_GROUP} customers in each group; the smaller "
            f"has {smaller}."
        )
    from threadpoolctl import threadpool_limits

    fold = _folds(treated, folds, seed)
    scores = {name: np.empty(len(outcome)) for name in LEARNERS}
    # Small fits lose more by waiting for one another's threads than they gain.
    with threadpool_limits(None if len(outcome) > _LARGE else 1):
        for each in range(folds):
            out = fold == each
            found = _fit_and_score(features[~out], treated[~out], outcome[~out], features[out], seed)
            for name, values in found.items():
                scores[name][out] = values
    return Uplift(scores, {name: qini(values, treated, outcome, seed=seed) for name, values in scores.items()})


def _folds(treated: Flags, folds: int, seed: int) -> Whole:
    """Folds of equal size within each group."""
    random = np.random.default_rng(seed)
    fold = np.empty(len(treated), dtype=np.int64)
    for group in (treated, ~treated):
        fold[group] = random.permutation(np.arange(group.sum()) % folds)
    return fold


def _fit_and_score(features: Real, treated: Flags, outcome: Real, asked: Real, seed: int) -> dict[str, Real]:
    fit = _learner(seed)
    with_it = fit(features[treated], outcome[treated])
    without = fit(features[~treated], outcome[~treated])
    # X: what each treated customer gained over a like one untreated, and what each untreated one missed.
    gained = fit(features[treated], outcome[treated] - without(features[treated]))
    missed = fit(features[~treated], with_it(features[~treated]) - outcome[~treated])
    share = float(treated.mean())
    return {
        "t": with_it(asked) - without(asked),
        # Weighted by the share treated: the estimate made from the larger group's predictions counts more.
        "x": share * missed(asked) + (1 - share) * gained(asked),
    }


def _learner(seed: int) -> Callable[[Real, Real], Callable[[Real], Real]]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fit(features: Real, target: Real) -> Callable[[Real], Real]:
        model: Any = HistGradientBoostingRegressor(
            max_iter=50,
            learning_rate=0.08,
            max_leaf_nodes=8,
            min_samples_leaf=20,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # A feature of which nothing is known in a fold cannot be binned, and is not used.
            warnings.filterwarnings("ignore", message="(Mean of empty slice|All-NaN)", category=RuntimeWarning)
            model.fit(features, target)
        predict: Callable[[Real], Real] = model.predict
        return predict

    return fit


def qini(scores: Real, treated: Flags, outcome: Real, *, seed: int = 0) -> Qini:
    """How well ``scores`` put those first whom the treatment moves.

    At each share φ of customers the gain is (successes of the treated − successes of the control × treated ÷ control
    among them) ÷ all treated: the lift in that share, per treated customer of the whole. Customers of equal score
    enter together.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    shares, gains = _curve(treated[order], outcome[order], last)
    random = np.random.default_rng(seed)
    lucky = []
    for _ in range(_LUCK):
        drawn = random.permutation(len(order))
        lucky.append(_area(*_curve(treated[drawn], outcome[drawn], np.arange(len(order)))))
    return Qini(shares, gains, _area(shares, gains), float(np.quantile(lucky, 0.95)))


def _curve(treated: Flags, outcome: Real, last: Whole) -> tuple[Real, Real]:
    given, kept = np.cumsum(treated)[last], np.cumsum(~treated)[last]
    got = np.cumsum(np.where(treated, outcome, 0.0))[last]
    had = np.cumsum(np.where(treated, 0.0, outcome))[last]
    scale = np.where(kept > 0, given / np.maximum(kept, 1), 0.0)
    gains = (got - had * scale) / max(int(treated.sum()), 1)
    return np.append(0.0, (last + 1) / len(treated)), np.append(0.0, gains)


def _area(shares: Real, gains: Real) -> float:
    """Area under the curve less that under the straight line to its end."""
    return float(np.trapezoid(gains, shares) - gains[-1] / 2)


def fifths(scores: Real, treated: Flags, outcome: Real, *, parts: int = 5) -> tuple[Fifth, ...]:
    """The lift seen in each fifth by score, best first; not a number for a fifth without treated or control."""
    order = np.argsort(-scores, kind="stable")
    rows = []
    for part in np.array_split(order, parts):
        given, kept = outcome[part][treated[part]], outcome[part][~treated[part]]
        lift = float(given.mean() - kept.mean()) if len(given) and len(kept) else float("nan")
        rows.append(Fifth(len(part), float(scores[part].mean()) if len(part) else float("nan"), lift))
    return tuple(rows)
