"""Lead scoring: which open opportunities are worth the next call? A scorecard of 0 to 100 points."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole, counts, half_up
from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.attracting.banding import Bands
    from patron.intelligence.mining.rows import Rows


@dataclass(frozen=True)
class LeadsParameters(Parameters):
    """What counts as a band, and where hot and warm begin."""

    min_rows: int = parameter(10, "a value of a feature with fewer closed leads joins the others", minimum=1)
    hot: float = parameter(1.5, "hot: chance at least so many times the usual", minimum=1)
    warm: float = parameter(0.75, "warm: chance at least so many times the usual; below it is cold", minimum=0)
    seed: int = parameter(7, "of the split into five parts for the test", minimum=0, maximum=2**32 - 1)


def points_of(weights: Real, bands: Bands) -> Whole:
    """Whole points of each band: the worst band of a feature has 0, the best of all features together about 100."""
    low = np.full(len(bands.features), np.inf)
    high = np.full(len(bands.features), -np.inf)
    np.minimum.at(low, bands.feature, weights)
    np.maximum.at(high, bands.feature, weights)
    span = float((high - low).sum())
    return (
        half_up((weights - low[bands.feature]) * (100 / span)) if span > 0 else np.zeros(len(weights), dtype=np.int64)
    )


def compute(rows: Rows, as_of: dt.date, parameters: LeadsParameters) -> Outcome:  # noqa: ARG001 (no dates here)
    """One row per open lead (of all, where none is open), the most points first."""
    from patron.intelligence.mining.attracting.banding import banded
    from patron.intelligence.mining.attracting.scorecard import fit, reasons_of
    from patron.intelligence.mining.attracting.tables import read_cases

    cases = read_cases(rows, key="lead", outcome="outcome")
    bands, design = banded(cases.table, cases.features, cases.known, min_rows=parameters.min_rows)
    outcome = cases.outcome[cases.known]
    card = fit(design[cases.known], bands, outcome, seed=parameters.seed)
    points = points_of(card.weights, bands)
    score = np.minimum(np.asarray(design @ points).astype(np.int64), 100)
    chance = card.chances(design)
    scored = np.flatnonzero(~cases.known if not cases.known.all() else cases.known)
    order = scored[np.lexsort((scored, -chance[scored], -score[scored]))]
    ratio = chance[order] / card.rate
    warmth = np.where(ratio >= parameters.hot, "hot", np.where(ratio >= parameters.warm, "warm", "cold"))
    code, reason = reasons_of(card, design[order])
    table = pa.table(
        {
            "lead": cases.table["lead"].combine_chunks().take(pa.array(order)),
            "score": counts(score[order]),
            "confidence": pa.array(chance[order]),
            "band": pa.array(warmth.astype(object), pa.string()),
            "reason_code": code,
            "reason": reason,
        }
    )
    return Outcome(
        table=table,
        metrics={
            "closed": int(cases.known.sum()),
            "won": int(outcome.sum()),
            "win_rate": card.rate,
            "scored": len(order),
            "auc": card.area.value,
            "auc_low": card.area.low,
            "auc_high": card.area.high,
            "top_tenth_lift": card.top_lift,
        },
        fitted={
            f"{bands.features[bands.feature[place]]}={name}": int(points[place])
            for place, name in enumerate(bands.names)
        },
        notes=()
        if card.area.low > 0.5
        else ("These features do not tell won from lost leads better than chance: do not sort calls by them.",),
    )


MODEL: Final = Model(
    card=ModelCard(
        name="leads",
        title="Lead scoring",
        question="Which open leads are likeliest to be won, and why?",
        roles=(
            Role("lead", "the lead or opportunity; one row each", required=True),
            Role("outcome", "won or lost; empty: still open and to be scored"),
            Role("features", "what is known of a lead while it is open", required=True, many=True),
        ),
        method=(
            "Bands and a ridge logistic regression on closed leads, judged by five-fold cross-validation; the weights "
            "become whole points, 0 for the worst band of a feature, about 100 for the best of all. Confidence is the "
            "chance to be won."
        ),
        source=(
            "L. Thomas, D. Edelman and J. Crook, Credit Scoring and Its Applications, 2nd ed. (2017), chapters 2 and 4."
        ),
        limits=(
            "It learns from leads that were followed up; those nobody called look lost.",
            "What is only known after closing (a discount given, a visit made because it went well) must be left out.",
            "Points are rounded, so two leads with equal points may differ a little in chance.",
        ),
        reads="table",
        key=("lead",),
    ),
    parameters=LeadsParameters,
    compute=compute,
)
