"""Redundant rules: those that a more general rule already says at least as strongly.

The rule A ⇒ c is redundant when some A′ ⊂ A (a true subset, also the empty one) has confidence(A′ ⇒ c) ≥
confidence(A ⇒ c), or when its improvement, the difference, is less than what is asked for (R. J. Bayardo, R. Agrawal
and D. Gunopulos, Constraint-Based Rule Mining in Large, Dense Databases, Data Mining and Knowledge Discovery 4, 2000,
section 3). The empty A′ has confidence support(c), so every rule with a lift of at most 1 is redundant.

A subset loses one item at a time, so the best confidence over all of them is found level by level. Confidences are
quotients of whole numbers below 2**26, which as doubles are equal exactly when the fractions are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.patterns.itemsets import Itemsets


def antecedent_counts(itemsets: Itemsets) -> Iterator[Whole]:
    """For each level from two items on: [itemset, position] → the count of the itemset without that item."""
    for place in range(1, len(itemsets.levels)):
        below = itemsets.levels[place - 1].counts
        length = itemsets.levels[place].length
        yield np.column_stack([below[itemsets.without(place, position)] for position in range(length)])


def redundant(itemsets: Itemsets, *, min_improvement: float = 0.0) -> Iterator[Flags]:
    """For each level from two items on: [itemset, position of the consequent] → whether that rule is redundant."""
    if len(itemsets.levels) < 2:
        return
    # The best confidence of the rules with the same consequent whose antecedent is a subset, itself included.
    best: Real = itemsets.levels[0].counts[:, None] / max(itemsets.size, 1)
    for place, counts in enumerate(antecedent_counts(itemsets), start=1):
        confidence = itemsets.levels[place].counts[:, None] / counts
        general = _best_below(itemsets, place, best)
        yield (confidence <= general) | (confidence - general < min_improvement)
        best = np.maximum(confidence, general)


def _best_below(itemsets: Itemsets, place: int, best: Real) -> Real:
    length = itemsets.levels[place].length
    general = np.full((len(itemsets.levels[place].counts), length), -np.inf)
    for removed in range(length):
        smaller = best[itemsets.without(place, removed)]
        kept = [position for position in range(length) if position != removed]
        general[:, kept] = np.maximum(general[:, kept], smaller)
    return general
