"""Growing a tree and pruning it until what is left holds beyond the cases it was learned from.

Source: L. Breiman, J. Friedman, R. Olshen & C. Stone, Classification and Regression Trees (1984): Gini splits,
cost-complexity pruning by cross-validation, and the smallest tree within one standard error of the best (sect. 3.4.3).
Trees are compared by the loss of their probabilities (−ln), so that a rule that lifts a rare class counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Real, Whole

_FOLDS: Final = 5
_PRUNINGS: Final = 16
_CV_ROWS: Final = 20_000
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a grown tree: -1 as ``column`` is a leaf; codes up to ``threshold`` go to ``below``."""

    column: int
    threshold: float
    below: int
    above: int


@dataclass(frozen=True, slots=True)
class Grown:
    """The pruned tree, the first node its root, and what pruning it took."""

    nodes: tuple[Node, ...]
    pruning: float

    def leaf_of(self, matrix: Matrix) -> Whole:
        """The leaf in which each row ends."""
        place = np.zeros(len(matrix), dtype=np.int64)
        column, threshold, below, above = (
            np.array([getattr(node, name) for node in self.nodes]) for name in ("column", "threshold", "below", "above")
        )
        inner = column[place] >= 0
        while inner.any():
            rows = np.flatnonzero(inner)
            at = place[rows]
            goes_below = matrix[rows, column[at]] <= threshold[at]
            place[rows] = np.where(goes_below, below[at], above[at])
            inner = column[place] >= 0
        return place


def grow(matrix: Matrix, target: Whole, *, depth: int, least: int, classes: int, seed: int) -> Grown:
    """The pruned tree for ``target`` (0 to ``classes`` − 1); leaves have at least ``least`` rows."""
    full = _tree(depth, least, seed)
    path = full.cost_complexity_pruning_path(matrix, target)
    prunings = np.unique(np.maximum(path.ccp_alphas, 0))
    # Between two steps of the path the tree is the same: the middle (geometric) stands for each.
    middles = np.sqrt(prunings * np.append(prunings[1:], prunings[-1] * 2))
    if len(middles) > _PRUNINGS:
        middles = middles[np.unique(np.linspace(0, len(middles) - 1, _PRUNINGS).round().astype(int))]
    pruning = _chosen(matrix, target, middles, depth=depth, least=least, classes=classes, seed=seed)
    tree = _tree(depth, least, seed, pruning).fit(matrix, target).tree_
    nodes = zip(tree.feature, tree.threshold, tree.children_left, tree.children_right, strict=True)
    return Grown(
        tuple(
            Node(int(column) if below >= 0 else -1, float(cut), int(below), int(above))
            for column, cut, below, above in nodes
        ),
        pruning,
    )


def _tree(depth: int, least: int, seed: int, pruning: float = 0.0) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=least, ccp_alpha=pruning, random_state=seed)


def _chosen(matrix: Matrix, target: Whole, prunings: Real, *, depth: int, least: int, classes: int, seed: int) -> float:
    """The strongest pruning whose loss is within one standard error of the least."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(target))[:_CV_ROWS]
    # Dealt out class by class, so that every fold has its part of a rare one.
    order = order[np.argsort(target[order], kind="stable")]
    fold = np.arange(len(order)) % _FOLDS
    least_here = max(round(least * len(order) / len(target)), 2)
    losses = np.zeros((len(prunings), _FOLDS))
    for number in range(_FOLDS):
        learn, test = order[fold != number], order[fold == number]
        for place, pruning in enumerate(prunings):
            tree = _tree(depth, least_here, seed, float(pruning)).fit(matrix[learn], target[learn])
            losses[place, number] = _loss(tree, matrix[learn], target[learn], matrix[test], target[test], classes)
    mean = losses.mean(axis=1)
    best = int(mean.argmin())
    error = losses[best].std(ddof=1) / np.sqrt(_FOLDS)
    return float(prunings[np.flatnonzero(mean <= mean[best] + error)[-1]])


def _loss(tree: Any, matrix: Matrix, target: Whole, held: Matrix, truth: Whole, classes: int) -> float:
    counts = np.zeros((tree.tree_.node_count, classes))
    np.add.at(counts, (tree.apply(matrix), target), 1)
    # A half case of each class more: a leaf never calls anything impossible.
    shares = (counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 0.5 * classes)
    return float(-np.log(shares[tree.apply(held), truth]).mean())
