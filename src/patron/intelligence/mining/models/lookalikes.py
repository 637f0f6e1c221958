"""Look-alikes: who among prospects or ordinary customers is like the members of a chosen segment?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import counts
from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.rows import Rows


@dataclass(frozen=True)
class LookalikesParameters(Parameters):
    """What counts as a band, and the split of the cross-validation."""

    min_rows: int = parameter(20, "a value of a feature with fewer rows joins the others", minimum=1)
    seed: int = parameter(7, "of the split into five parts for the test", minimum=0, maximum=2**32 - 1)


def compute(rows: Rows, as_of: dt.date, parameters: LookalikesParameters) -> Outcome:  # noqa: ARG001 (no dates here)
    """One row per prospect (without prospects: per customer outside the segment), the most alike first."""
    from patron.intelligence.mining.attracting.banding import banded
    from patron.intelligence.mining.attracting.scorecard import fit, reasons_of
    from patron.intelligence.mining.attracting.tables import read_cases, yes_or_no

    cases = read_cases(rows, key="customer", outcome="member", extra=("prospect",))
    prospect = np.zeros(cases.table.num_rows, dtype=np.bool_)
    if "prospect" in cases.table.column_names:
        prospect = yes_or_no(cases.table["prospect"], "prospect")[1]
    learned = cases.known & ~prospect
    bands, design = banded(cases.table, cases.features, learned, min_rows=parameters.min_rows)
    card = fit(design[learned], bands, cases.outcome[learned], seed=parameters.seed)
    # A customer outside the segment helped to learn what is outside: score such rows as held-out ones.
    chance = card.chances(design)
    chance[learned] = card.held_out
    scored = np.flatnonzero(prospect if prospect.any() else ~cases.outcome)
    order = scored[np.lexsort((scored, -chance[scored]))]
    code, reason = reasons_of(card, design[order])
    table = pa.table(
        {
            "customer": cases.table["customer"].combine_chunks().take(pa.array(order)),
            "rank": counts(np.arange(1, len(order) + 1)),
            "confidence": pa.array(chance[order]),
            "times_average": pa.array(chance[order] / card.rate),
            "reason_code": code,
            "reason": reason,
        }
    )
    weights = {
        f"{bands.features[bands.feature[place]]}={name}": float(card.weights[place])
        for place, name in enumerate(bands.names)
    }
    return Outcome(
        table=table,
        metrics={
            "members": int(cases.outcome[learned].sum()),
            "learned": int(learned.sum()),
            "scored": len(order),
            "auc": card.area.value,
            "auc_low": card.area.low,
            "auc_high": card.area.high,
            "top_tenth_lift": card.top_lift,
        },
        fitted={"ridge": card.ridge, "intercept": card.intercept, **weights},
        notes=()
        if card.area.low > 0.5
        else ("These features do not tell members from others better than chance: do not pay for this list.",),
    )


MODEL: Final = Model(
    card=ModelCard(
        name="lookalikes",
        title="Look-alikes",
        question="Who among prospects, or customers outside it, is most like the members of a chosen segment?",
        roles=(
            Role("customer", "who; one row each", required=True),
            Role("member", "whether in the segment: 1 or 0; of prospects it is not read"),
            Role("features", "what is known of them before they buy much", required=True, many=True),
            Role("prospect", "1 for those to be scored; without it everybody outside the segment is"),
        ),
        method=(
            "Features become bands; a ridge logistic regression learns what tells members from the others; the "
            "penalty is chosen, and the result judged, by five-fold cross-validation. Confidence is the chance of "
            "being a member."
        ),
        source=(
            "S. le Cessie and J. van Houwelingen, Ridge estimators in logistic regression, Applied Statistics 41 "
            "(1992); interval of the area: DeLong et al., Biometrics 44 (1988)."
        ),
        limits=(
            "It finds people like today's members, so it repeats whatever made them members, fair or not.",
            "Features that only members can have (their spending) would tell all and teach nothing: leave them out.",
            "Being alike is not yet buying: try the list on a small sample first.",
        ),
        reads="table",
    ),
    parameters=LookalikesParameters,
    compute=compute,
)
