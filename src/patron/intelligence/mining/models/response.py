"""Response: who will respond to an offer, learned from a small test?"""

from __future__ import annotations

import datetime as dt
import math
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
class ResponseParameters(Parameters):
    """What counts as a band, and when a test counts as large enough."""

    min_rows: int = parameter(20, "a value of a feature with fewer rows in the test joins the others", minimum=1)
    responders_per_feature: int = parameter(10, "responders that each feature needs to be learned", minimum=1)
    seed: int = parameter(7, "of the split into five parts for the test", minimum=0, maximum=2**32 - 1)


def responders_needed(features: int, *, each: int) -> int:
    """At least so many responders, or ``each`` for every feature."""
    return max(each * features, 50)


def compute(rows: Rows, as_of: dt.date, parameters: ResponseParameters) -> Outcome:  # noqa: ARG001 (no dates here)
    """One row per customer who was not in the test (of all, where everybody was), the likeliest first."""
    from patron.intelligence.mining.attracting.banding import banded
    from patron.intelligence.mining.attracting.scorecard import fit, reasons_of
    from patron.intelligence.mining.attracting.tables import read_cases

    cases = read_cases(rows, key="customer", outcome="outcome")
    bands, design = banded(cases.table, cases.features, cases.known, min_rows=parameters.min_rows)
    outcome = cases.outcome[cases.known]
    card = fit(design[cases.known], bands, outcome, seed=parameters.seed)
    chance = card.chances(design)
    chance[cases.known] = card.held_out
    scored = np.flatnonzero(~cases.known if not cases.known.all() else cases.known)
    order = scored[np.lexsort((scored, -chance[scored]))]
    code, reason = reasons_of(card, design[order])
    needed = responders_needed(len(bands.features), each=parameters.responders_per_feature)
    size = math.ceil(needed / card.rate)
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
    notes = []
    if outcome.sum() < needed:
        notes.append(
            f"The test is small: {int(outcome.sum())} responded, {needed} are needed for {len(bands.features)} "
            f"features ({size} customers at this response). Read the interval of the area before you use the list."
        )
    if card.area.low <= 0.5:
        notes.append("The features do not tell who responds better than chance: offer it at random, or to all.")
    return Outcome(
        table=table,
        metrics={
            "tested": int(cases.known.sum()),
            "responded": int(outcome.sum()),
            "response_rate": card.rate,
            "scored": len(order),
            "auc": card.area.value,
            "auc_low": card.area.low,
            "auc_high": card.area.high,
            "top_tenth_lift": card.top_lift,
            "responders_needed": needed,
            "test_size_needed": size,
        },
        fitted={
            "ridge": card.ridge,
            "intercept": card.intercept,
            **{
                f"{bands.features[bands.feature[place]]}={name}": float(card.weights[place])
                for place, name in enumerate(bands.names)
            },
        },
        notes=tuple(notes),
    )


MODEL: Final = Model(
    card=ModelCard(
        name="response",
        title="Response model",
        question="Who will respond to an offer that was tried on a small sample?",
        roles=(
            Role("customer", "who; one row each", required=True),
            Role("outcome", "1 responded, 0 did not; empty: was not in the test and is to be scored"),
            Role("features", "what was known of them before the test", required=True, many=True),
        ),
        method=(
            "As look-alikes: bands, ridge logistic regression, penalty and judgement by five-fold cross-validation. "
            "Confidence is the chance to respond. It says how large a test would have to be."
        ),
        source=(
            "le Cessie and van Houwelingen, Applied Statistics 41 (1992); responders per feature: P. Peduzzi et al., "
            "Journal of Clinical Epidemiology 49 (1996)."
        ),
        limits=(
            "It learns from who was tested: a test of regulars says nothing of strangers.",
            "Responding is not being won over: those who would have bought anyway respond too. Use an experiment.",
            "Ten responders for each feature is a rule of thumb; the interval of the area is the better witness.",
        ),
        reads="table",
    ),
    parameters=ResponseParameters,
    compute=compute,
)
