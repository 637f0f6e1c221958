"""Next best product: what will each customer buy next, and what that they never bought before?"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome
from patron.intelligence.mining.recommending.parameters import NextProductParameters
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, PRODUCT, Purchases

_NO_HISTORY = "The history is too short to compare the methods: no back-test, and no confidence."


def compute(purchases: Purchases, as_of: dt.date, parameters: NextProductParameters) -> Outcome:
    """Up to ``top`` rows per customer and list, by customer, list and rank."""
    from patron.intelligence.mining.recommending.recommend import VALIDATION, recommend

    found = recommend(purchases, as_of, parameters)
    metrics: dict[str, Metric] = {"customers": found.customers, "products": found.products}
    for kind, method in found.methods.items():
        metrics[f"{kind}.method"] = method
        metrics[f"{kind}.promised"] = found.promised.get(kind)
        metrics[f"{kind}.kept"] = found.kept.get(kind)
    for each in found.comparisons:
        prefix = f"{each.window}.{each.kind}.{each.method}"
        figures = each.figures
        metrics |= {
            f"{prefix}.customers": figures.customers,
            f"{prefix}.precision": figures.precision,
            f"{prefix}.hit_rate": figures.hit_rate,
            f"{prefix}.recall": figures.recall,
            f"{prefix}.coverage": figures.coverage,
            f"{prefix}.novelty": figures.novelty,
        }
    notes = [] if any(each.window == VALIDATION for each in found.comparisons) else [_NO_HISTORY]
    if not found.products:
        notes.append(f"No product has {parameters.min_customers} customers or more, so none is offered.")
    return Outcome(table=found.table, metrics=metrics, notes=tuple(notes))


MODEL: Final = Model(
    card=ModelCard(
        name="next_product",
        title="Next best product",
        question="What will each customer buy next, and what that they never bought before?",
        roles=(CUSTOMER, DATE, AMOUNT, replace(PRODUCT, required=True)),
        method=(
            "Eleven candidates (popularity, take-up, own rhythm, products bought by the same people, association "
            "rules, sequences, nearest neighbours, matrix factors, and a regression over them) learn up to a past day "
            "and are tested on what was bought after it. The one that did best in the validation window offers; its "
            "figures are those of a later test window. Confidence is the share of offers at that rank, to customers "
            "who come as often, that were bought within the horizon."
        ),
        source=(
            "Item-to-item: G. Linden, B. Smith and J. York, Amazon.com recommendations, IEEE Internet Computing 7 "
            "(2003). Factors: Y. Hu, Y. Koren and C. Volinsky, Collaborative filtering for implicit feedback datasets, "
            "ICDM (2008). Repeats: due-ness as in A. Bhagat et al., Buy it again, KDD (2018)."
        ),
        limits=(
            "It knows what was bought, not what was in stock, on offer or on the shelf.",
            "The reason is the strongest single sign; the score may rest on several.",
            "Products with few customers are left out: nothing can be learned of them.",
        ),
        key=("customer", "list", "rank"),
    ),
    parameters=NextProductParameters,
    compute=compute,
)
