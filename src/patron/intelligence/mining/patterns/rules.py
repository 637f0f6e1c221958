"""Association rules with one item on the right, computed for a whole level of itemsets at a time.

Measures: support and confidence (R. Agrawal, T. Imieliński and A. Swami, SIGMOD 1993), lift and conviction (S. Brin,
R. Motwani, J. D. Ullman and S. Tsur, SIGMOD 1997), leverage (G. Piatetsky-Shapiro 1991). For n baskets::

    support = n(A∪C) / n          confidence = n(A∪C) / n(A)          lift = confidence / support(C)
    leverage = support(A∪C) − support(A) · support(C)                 conviction = (1 − support(C)) / (1 − confidence)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, decimals, half_up
from patron.intelligence.mining.patterns.itemsets import Itemsets, lists
from patron.intelligence.mining.patterns.pruning import antecedent_counts, redundant
from patron.intelligence.mining.sentences import Piece, Template, sentences

REASON_CODES: Final = ("more_often", "as_often", "less_often")


@dataclass(frozen=True, slots=True)
class _Rules:
    """One row per rule: its antecedent (ascending codes, −1 after the last), consequent, and how often each occurs."""

    antecedent: Whole
    consequent: Whole
    both: Whole
    antecedent_count: Whole
    consequent_count: Whole

    def take(self, rows: Whole | Flags) -> _Rules:
        return _Rules(
            self.antecedent[rows],
            self.consequent[rows],
            self.both[rows],
            self.antecedent_count[rows],
            self.consequent_count[rows],
        )

    @property
    def confidence(self) -> Real:
        each: Real = self.both / self.antecedent_count
        return each

    def lift(self, size: int) -> Real:
        """Written so that it is exactly equal for A ⇒ C and C ⇒ A: rounding must not order the rules."""
        each: Real = (self.both * size) / (self.antecedent_count * self.consequent_count)
        return each


def association_rules(
    itemsets: Itemsets,
    *,
    min_confidence: float = 0.0,
    min_lift: float = 0.0,
    prune: bool = False,
    min_improvement: float = 0.0,
) -> pa.Table:
    """Every rule A ⇒ c (c one item) whose items together are frequent.

    With ``prune`` without those that a more general rule makes redundant: their confidence is not higher than its, by
    at least ``min_improvement`` (``pruning.py``). Columns: ``antecedent``
    (list of names, ascending), ``consequent``, ``support``, ``confidence``, ``lift``, ``leverage``, ``conviction``
    (null where confidence is 1: infinite), ``count``, ``antecedent_support``, ``consequent_support``,
    ``reason_code``, ``reason``. Order: lift, confidence and count, highest first; then shorter A, then by name.
    """
    width = max(len(itemsets.levels) - 1, 1)
    rules = _all(itemsets, width)
    kept = (rules.confidence >= min_confidence) & (rules.lift(itemsets.size) >= min_lift)
    if prune:
        flags = [level.T.ravel() for level in redundant(itemsets, min_improvement=min_improvement)]
        kept &= ~np.concatenate([np.empty(0, dtype=np.bool_), *flags])
    rules = rules.take(kept)
    length = (rules.antecedent >= 0).sum(axis=1)
    names = [rules.antecedent[:, place] for place in reversed(range(width))]
    order = np.lexsort((rules.consequent, *names, length, -rules.both, -rules.confidence, -rules.lift(itemsets.size)))
    return _table(itemsets, rules.take(order))


def _all(itemsets: Itemsets, width: int) -> _Rules:
    """Level by level, and within a level by the position of the consequent."""
    none: Whole = np.empty(0, dtype=np.int64)
    antecedents, parts = [np.empty((0, width), dtype=np.int64)], [(none, none, none)]
    single = np.zeros(len(itemsets.names), dtype=np.int64)
    if itemsets.levels:
        single[itemsets.levels[0].members[:, 0]] = itemsets.levels[0].counts
    for level, counts in zip(itemsets.levels[1:], antecedent_counts(itemsets), strict=True):
        for position in range(level.length):
            antecedent = np.full((len(level.counts), width), -1, dtype=np.int64)
            antecedent[:, : level.length - 1] = np.delete(level.members, position, axis=1)
            antecedents.append(antecedent)
            parts.append((level.members[:, position], level.counts, counts[:, position]))
    consequent, both, antecedent_count = (np.concatenate([part[place] for part in parts]) for place in range(3))
    return _Rules(np.concatenate(antecedents), consequent, both, antecedent_count, single[consequent])


def _table(itemsets: Itemsets, rules: _Rules) -> pa.Table:
    size = max(itemsets.size, 1)
    confidence, lift = rules.confidence, rules.lift(size)
    certain = rules.both == rules.antecedent_count
    support, a_support, c_support = rules.both / size, rules.antecedent_count / size, rules.consequent_count / size
    leverage = (rules.both * size - rules.antecedent_count * rules.consequent_count) / float(size) ** 2
    conviction = (1 - c_support) / np.where(certain, 1.0, 1 - confidence)
    held = rules.antecedent >= 0
    antecedent = lists(itemsets.names, rules.antecedent[held], held.sum(axis=1))
    consequent = itemsets.names.take(pa.array(rules.consequent))
    # More often than, as often as, or less often than in all baskets: compared in whole numbers.
    code = 1 - np.sign(rules.both * size - rules.antecedent_count * rules.consequent_count)
    return pa.table({
        "antecedent": antecedent,
        "consequent": consequent,
        "support": pa.array(support),
        "confidence": pa.array(confidence),
        "lift": pa.array(lift),
        "leverage": pa.array(leverage),
        "conviction": pa.array(conviction, mask=certain),
        "count": pa.array(rules.both),
        "antecedent_support": pa.array(a_support),
        "consequent_support": pa.array(c_support),
        "reason_code": pa.array(REASON_CODES).take(pa.array(code)),
        "reason": _reasons(code.astype(np.int8), antecedent, consequent, rules, lift),
    })  # fmt: skip


def _reasons(code: np.ndarray, antecedent: pa.Array, consequent: pa.Array, rules: _Rules, lift: Real) -> pa.Array:
    bought = pc.binary_join(antecedent, ", ")
    percent = decimals(half_up(rules.confidence * 1000), scale=1)
    times = decimals(half_up(lift * 100), scale=2)

    def start(rows: Whole) -> list[Piece]:
        where = pa.array(rows)
        return [
            "Of the ",
            pa.array(rules.antecedent_count[rows]),
            " baskets with ",
            bought.take(where),
            ", ",
            pa.array(rules.both[rows]),
            " (",
            percent.take(where),
            " %) also hold ",
            consequent.take(where),
        ]

    templates: dict[int, Template] = {
        0: lambda rows: [*start(rows), ": ", times.take(pa.array(rows)), " times as often as all baskets."],
        1: lambda rows: [*start(rows), ": as often as all baskets."],
        2: lambda rows: [*start(rows), ": only ", times.take(pa.array(rows)), " times as often as all baskets."],
    }
    return sentences(code, templates)
