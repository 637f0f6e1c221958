"""Learning who leaves: logistic regression and histogram boosting, and the scaling of scores to probabilities.

Sources: logistic regression, D. R. Cox, JRSS B 20 (1958); histogram boosting, G. Ke et al., LightGBM, NeurIPS (2017),
as scikit-learn's ``HistGradientBoostingClassifier``; scaling, J. Platt, Probabilistic Outputs for Support Vector
Machines, in Advances in Large Margin Classifiers (1999), with his targets (n + 1)/(n + 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real
from patron.intelligence.mining.churning.features import BY_NAME, Matrix, Snapshot
from patron.intelligence.mining.churning.judging import auc
from patron.intelligence.mining.churning.schedule import ChurnParameters

#: A single figure that tells leavers apart so well has seen what came after.
LEAK_AUC: Final = 0.99
_LEAK_ROWS: Final = 100_000
#: Figures further from the mean than so many standard deviations count as so many.
_FURTHEST: Final = 6.0
_PENALTY: Final = 10.0
_NEWTON_STEPS: Final = 30
_SETTLED: Final = 1e-8
#: From so many rows on, boosting takes bigger trees and stops by itself.
_MANY: Final = 20_000
_BINS: Final = 64
_Z95: Final = 1.959963984540054


class Scorer(Protocol):
    """A learned model: log-odds of leaving are a constant plus a part for each figure, whose sum is exact."""

    @property
    def kind(self) -> str:
        """``logistic`` or ``boosting``."""

    @property
    def constant(self) -> float:
        """What is added to the parts of all figures."""

    def part(self, place: int, values: Real) -> Real:
        """What the figure at ``place`` adds for each of ``values``."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A part is coefficient × standardised figure; skewed figures enter as logarithms."""

    skewed: Flags
    mean: Real
    spread: Real
    coefficients: Real
    constant: float
    kind: str = "logistic"

    def part(self, place: int, values: Real) -> Real:
        plain = _unskewed(values) if self.skewed[place] else values
        scaled: Real = np.clip((plain - self.mean[place]) / self.spread[place], -_FURTHEST, _FURTHEST)
        added: Real = scaled * self.coefficients[place]
        return added


@dataclass(frozen=True, slots=True)
class Boosting:
    """A part is a step function: ``heights`` between the ``edges`` of a figure, the sum of all trees on it."""

    edges: tuple[Real, ...]
    heights: tuple[Real, ...]
    constant: float
    kind: str = "boosting"

    def part(self, place: int, values: Real) -> Real:
        heights: Real = self.heights[place][np.searchsorted(self.edges[place], values)]
        return heights


def log_odds(scorer: Scorer, matrix: Matrix) -> Real:
    """One number per row, higher for those more likely to leave; not yet calibrated."""
    total = np.full(len(matrix), scorer.constant)
    for place in range(matrix.shape[1]):
        total += scorer.part(place, matrix[:, place].astype(np.float64))
    return total


@dataclass(frozen=True, slots=True)
class Scaling:
    """probability = 1 / (1 + exp(−(a + b · log-odds))), with the covariance of a and b."""

    a: float
    b: float
    covariance: Real

    def probability(self, scores: Real) -> Real:
        """Between 0 and 1."""
        return expit(self.a + self.b * scores)

    def interval(self, scores: Real) -> tuple[Real, Real]:
        """95 % interval of the share who leave among customers with such log-odds (delta method on the logit)."""
        (aa, ab), (_, bb) = self.covariance
        error = np.sqrt(np.maximum(aa + 2 * ab * scores + bb * scores**2, 0))
        middle = self.a + self.b * scores
        return expit(middle - _Z95 * error), expit(middle + _Z95 * error)


def expit(values: Real) -> Real:
    """1 / (1 + exp(−x)) without overflow."""
    result: Real = 0.5 * (1 + np.tanh(0.5 * values))
    return result


def leaks(snapshots: Sequence[Snapshot]) -> tuple[str, ...]:
    """Figures that alone tell those who left from those who stayed with an AUC of 0.99 or more, either way round.

    Behaviour before a day cannot know so much of what came after it: such a figure was taken after the fact.
    """
    # A leak shows in any part of so many rows: every n-th will do.
    step = max(sum(len(each.labels()) for each in snapshots) // _LEAK_ROWS, 1)
    left = np.concatenate([each.labels()[::step] for each in snapshots])
    names = snapshots[0].names
    columns = (np.concatenate([each.matrix[::step, place] for each in snapshots]) for place in range(len(names)))
    areas = [auc(column.astype(np.float64), left) for column in columns]
    return tuple(name for name, area in zip(names, areas, strict=True) if max(area, 1 - area) >= LEAK_AUC)


def training_rows(
    snapshots: Sequence[Snapshot], names: Sequence[str], parameters: ChurnParameters
) -> tuple[Matrix, Flags]:
    """Figures ``names`` and labels of all snapshots together; a random sample of them where there are too many."""
    chosen = [snapshots[0].names.index(name) for name in names]
    left = np.concatenate([each.labels() for each in snapshots])
    if len(left) <= parameters.max_training_rows:
        return np.concatenate([each.matrix[:, chosen] for each in snapshots]), left
    draw = np.random.default_rng(parameters.seed)
    picked = np.sort(draw.choice(len(left), size=parameters.max_training_rows, replace=False))
    edges = np.cumsum([0, *(len(each.who) for each in snapshots)])
    parts = [
        each.matrix[np.ix_(picked[(picked >= begin) & (picked < end)] - begin, chosen)]
        for each, begin, end in zip(snapshots, edges[:-1], edges[1:], strict=True)
    ]
    return np.concatenate(parts), left[picked]


def fit_logistic(matrix: Matrix, left: Flags, names: Sequence[str]) -> Logistic:
    """Maximum likelihood by Newton's method; a light quadratic penalty lets like figures share the weight."""
    skewed = np.array([BY_NAME[name].skewed for name in names])
    plain = matrix.astype(np.float64)
    plain[:, skewed] = _unskewed(plain[:, skewed])
    mean, spread = plain.mean(axis=0), plain.std(axis=0)
    spread[spread == 0] = 1
    design = np.column_stack((np.ones(len(plain)), np.clip((plain - mean) / spread, -_FURTHEST, _FURTHEST)))
    penalty = np.append(0.0, np.full(len(names), _PENALTY))
    value = np.append(np.log((left.sum() + 0.5) / ((~left).sum() + 0.5)), np.zeros(len(names)))
    loss = _penalised_loss(design, left, value, penalty)
    for _ in range(_NEWTON_STEPS):
        p = expit(design @ value)
        information = design.T @ (design * (p * (1 - p))[:, None]) + np.diag(penalty)
        step = np.linalg.solve(information, design.T @ (left - p) - penalty * value)
        # A full step may overshoot where nearly everybody stayed: halved until it is an improvement.
        while (tried := _penalised_loss(design, left, value + step, penalty)) > loss and np.abs(step).max() > _SETTLED:
            step = step / 2
        value, loss = value + step, tried
        if np.abs(step).max() < _SETTLED:
            break
    return Logistic(skewed=skewed, mean=mean, spread=spread, coefficients=value[1:], constant=float(value[0]))


def fit_boosting(matrix: Matrix, left: Flags, parameters: ChurnParameters) -> Boosting:
    """Histogram boosting whose trees look at one figure each, so that a score is a sum of parts that can be told.

    With many rows it stops as soon as a tenth kept aside gains nothing more.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    many = len(left) >= _MANY
    edges = tuple(_edges(matrix[:, place]) for place in range(matrix.shape[1]))
    codes = np.column_stack(
        [np.searchsorted(edges[place], matrix[:, place].astype(np.float64)) for place in range(matrix.shape[1])]
    ).astype(np.float64)
    trees = HistGradientBoostingClassifier(
        learning_rate=0.2 if many else 0.08,
        max_iter=100 if many else 120,
        max_leaf_nodes=6 if many else 4,
        min_samples_leaf=100 if many else 25,
        l2_regularization=5.0,
        interaction_cst="no_interactions",
        max_bins=_BINS,
        early_stopping=many,
        validation_fraction=0.1,
        n_iter_no_change=8,
        random_state=parameters.seed,
    )
    trees.fit(codes, left)
    origin = np.zeros((1, len(edges)))
    constant = float(trees.decision_function(origin)[0])
    heights = []
    for place, own in enumerate(edges):
        steps = np.repeat(origin, len(own) + 1, axis=0)
        steps[:, place] = np.arange(len(own) + 1)
        heights.append(trees.decision_function(steps) - constant)
    return Boosting(edges=edges, heights=tuple(heights), constant=constant)


def _edges(values: Matrix) -> Real:
    """Limits of at most 64 intervals with about as many rows each; a value on a limit belongs below it."""
    quantiles = np.quantile(values.astype(np.float64), np.arange(1, _BINS) / _BINS, method="inverted_cdf")
    edges = np.unique(quantiles)
    below: Real = edges[edges < values.max(initial=-np.inf)]
    return below


def fit_scaling(scores: Real, left: Flags) -> Scaling:
    """Newton's method on the likelihood of a and b; b is kept from turning the order round."""
    leavers, stayers = int(left.sum()), int((~left).sum())
    target = np.where(left, (leavers + 1) / (leavers + 2), 1 / (stayers + 2))
    design = np.column_stack((np.ones(len(scores)), scores))
    value = np.array([0.0, 1.0])
    for _ in range(_NEWTON_STEPS):
        p = expit(design @ value)
        information = design.T @ (design * (p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (target - p))
        value = value + np.clip(step, -2, 2)
        if np.abs(step).max() < _SETTLED:
            break
    return Scaling(
        a=float(value[0]), b=float(max(value[1], 1e-3)), covariance=np.linalg.inv(information).astype(np.float64)
    )


def _penalised_loss(design: Real, left: Flags, value: Real, penalty: Real) -> float:
    scores = design @ value
    return float(np.logaddexp(0, np.where(left, -scores, scores)).sum() + (penalty * value**2).sum() / 2)


def _unskewed(values: Real) -> Real:
    plain: Real = np.sign(values) * np.log1p(np.abs(values))
    return plain
