"""Baskets: what is bought together? Association rules with one item on the right."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.patterns.transactions import Baskets, least_count
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

BASKET: Final = Role("basket", "what was bought together: an invoice, a visit, a customer", required=True)
ITEM: Final = Role("item", "what was bought, at the level the rules shall speak of", required=True, kind="text")


@dataclass(frozen=True)
class BasketParameters(Parameters):
    """Which rules are worth having."""

    min_support: str = parameter(
        "0.01",
        "items of a rule together: in at least this share of baskets (0.001, 1%; 1.0 is all) or so many of them (50)",
    )
    min_confidence: float = parameter(
        0.1, "of the baskets with the left side, at least this share also hold the right one", minimum=0, maximum=1
    )
    min_lift: float = parameter(0.0, "at least so many times as often as in all baskets", minimum=0)
    max_length: int = parameter(0, "items of a rule, both sides together; 0: any number", minimum=0)
    prune: bool = parameter(False, "leave out rules that a more general one says at least as strongly")
    min_improvement: float = parameter(
        0.0, "with prune: by how much confidence must exceed that of every more general rule", minimum=0, maximum=1
    )


def compute(rows: Rows, _as_of: dt.date, parameters: BasketParameters) -> Outcome:
    """One row per rule, highest lift first; see ``docs/algorithms/baskets.md``."""
    from patron.intelligence.mining.patterns.rules import association_rules
    from patron.intelligence.mining.patterns.vertical import frequent_itemsets

    table = rows.arrow("basket", "item")
    baskets = Baskets.of(table["basket"], table["item"])
    min_count = least_count(parameters.min_support, baskets.size)
    itemsets = frequent_itemsets(baskets, min_count=min_count, max_length=parameters.max_length)
    rules = association_rules(
        itemsets,
        min_confidence=parameters.min_confidence,
        min_lift=parameters.min_lift,
        prune=parameters.prune,
        min_improvement=parameters.min_improvement,
    )
    notes = (f"{baskets.dropped} rows without a basket or an item were left out.",) if baskets.dropped else ()
    return Outcome(
        table=rules,
        metrics={
            "baskets": baskets.size,
            "items": len(baskets.names),
            "rows_left_out": baskets.dropped,
            "min_count": min_count,
            "itemsets": len(itemsets),
            "longest_itemset": len(itemsets.levels),
            "rules": rules.num_rows,
        },
        series={
            "itemsets_by_length": tuple((float(level.length), float(len(level.counts))) for level in itemsets.levels)
        },
        notes=notes,
    )


MODEL: Final = Model(
    card=ModelCard(
        name="baskets",
        title="Baskets",
        question="What is bought together, and how much more often than by chance?",
        roles=(BASKET, ITEM),
        method=(
            "Finds every set of items that enough baskets hold, by vertical bitsets, and makes of each set every rule "
            "with one item on the right; support, confidence, lift, leverage and conviction by counting."
        ),
        source=(
            "Itemsets: M. J. Zaki, Scalable Algorithms for Association Mining, IEEE TKDE 12(3), 2000 (Eclat). Rules: "
            "R. Agrawal, T. Imieliński and A. Swami, SIGMOD 1993; lift and conviction: S. Brin et al., SIGMOD 1997; "
            "leverage: G. Piatetsky-Shapiro, 1991. Redundant rules: R. J. Bayardo et al., Data Mining and Knowledge "
            "Discovery 4, 2000."
        ),
        limits=(
            "A rule tells what is together, not what causes what: an offer on one side may be behind it.",
            "Rules of few baskets have a high lift by luck; raise min_support before believing them.",
            "Quantities and the order within a basket do not count.",
        ),
        reads="table",
        key=("antecedent", "consequent"),
    ),
    parameters=BasketParameters,
    compute=compute,
)
