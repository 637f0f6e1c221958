"""Life cycle: in which stage each customer is, judged by the customer's own purchase rhythm."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Whole, counts, dates, decimals, half_up
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.stages import (
    REASON_CODES,
    STAGES,
    Facts,
    Judgement,
    LifecycleParameters,
    full_table,
    judgements,
)
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, MONEY_UNITS, Purchases


def compute(purchases: Purchases, as_of: dt.date, parameters: LifecycleParameters) -> Outcome:
    """One row per customer who has purchased by ``as_of``, by customer; rules: ``docs/algorithms/lifecycle.md``."""
    (judged,) = judgements(purchases, [as_of], parameters)
    table = full_table(purchases.days, judged)
    return Outcome(table=table.append_column("reason", _reasons(judged)), metrics=_metrics(table))


def _reasons(judged: Judgement) -> pa.Array:
    templates = _templates(judged.facts)
    return sentences(judged.reason, {REASON_CODES.index(code): template for code, template in templates.items()})


def _templates(f: Facts) -> dict[str, Template]:
    def usually(rows: Whole) -> list[Piece]:
        return ["Usually comes every ", pa.array(f.typical[rows]), " days"]

    def compared(verb: str, recent: pa.Array, before: pa.Array, unit: str, period: pa.Array) -> list[Piece]:
        return [
            verb,
            recent,
            f"{unit} in the last ",
            period,
            " days, ",
            before,
            f"{unit} in the ",
            period,
            " days before.",
        ]

    return {
        "silent": lambda rows: [
            "Usually came every ",
            pa.array(f.typical[rows]),
            " days; silent for ",
            counts(f.silence[rows]),
            " days, and more than ",
            counts(f.lost_after[rows]),
            " count as lost.",
        ],
        "came_back": lambda rows: [
            "Came back on ",
            dates(f.came_back_day[rows]),
            " after ",
            counts(f.away_days[rows]),
            " days away.",
        ],
        "first_purchase": lambda rows: [
            "First bought on ",
            dates(f.first_day[rows]),
            "; purchase days so far: ",
            counts(f.visits[rows]),
            ".",
        ],
        "overdue": lambda rows: [*usually(rows), ", now silent for ", counts(f.silence[rows]), " days."],
        "spend_falling": lambda rows: compared(
            "Spent ", _cents(f.spend_recent[rows]), _cents(f.spend_before[rows]), "", counts(f.trend_days[rows])
        ),
        "visits_falling": lambda rows: compared(
            "Came ", counts(f.visits_recent[rows]), counts(f.visits_before[rows]), " times", counts(f.trend_days[rows])
        ),
        "on_rhythm": lambda rows: [*usually(rows), "; last came ", counts(f.silence[rows]), " days ago."],
        "habit_forming": lambda rows: [
            "Purchase days since ",
            dates(f.first_day[rows]),
            ": ",
            counts(f.visits[rows]),
            "; a habit is forming.",
        ],
    }


def _cents(units: Whole) -> pa.Array:
    return decimals(half_up(units / (MONEY_UNITS / 100)), scale=2)


def _metrics(table: pa.Table) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {
        "customers": table.num_rows,
        "active": int(pc.sum(pc.not_equal(table["stage"], "lost")).as_py() or 0),
        "at_risk": int(pc.sum(table["at_risk"]).as_py() or 0),
    }
    grouped = table.group_by("stage").aggregate([("customer", "count"), ("money_per_year", "sum")]).to_pylist()
    by_stage = {row["stage"]: (row["customer_count"], row["money_per_year_sum"]) for row in grouped}
    for stage in STAGES:
        count, money = by_stage.get(stage, (0, Decimal(0)))
        metrics[stage] = count
        metrics[f"{stage}_money_per_year"] = float(money)
    return metrics


MODEL: Final = Model(
    card=ModelCard(
        name="lifecycle",
        title="Life cycle",
        question="Which customers are new, growing, settled, slipping away, lost or back?",
        roles=(CUSTOMER, DATE, AMOUNT),
        method=(
            "Takes the typical gap between a customer's last visits, drawn towards everybody's for those with few "
            "visits, and compares today's silence, spending and visits with it."
        ),
        source=(
            "Stages: the customer life cycle of retail practice. Typical gap: mean of log-normal gaps with a conjugate "
            "prior, see A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), section 2.5."
        ),
        limits=(
            "A season moves everybody: spending that falls after a feast looks like decline.",
            "Without earlier history everyone looks new in the first weeks.",
            "Only purchases are seen; a customer who wrote, called or moved house is not known to have done so.",
        ),
    ),
    parameters=LifecycleParameters,
    compute=compute,
)
