"""Who is likely to leave, what that would cost, how well it was foretold before, and what leavers did before."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH
from patron.intelligence.mining.churning.schedule import ChurnParameters
from patron.intelligence.mining.errors import InputError
from patron.kernel.exports import ExportColumn

if TYPE_CHECKING:
    from patron.intelligence.mining.churning.study import Study
    from patron.intelligence.mining.churning.trial import Trial
    from patron.intelligence.mining.transactions import Purchases

CUSTOMERS = Mart(
    name="churn_customers",
    meaning="Everybody who bought lately, with the probability of not coming back within the horizon, and why.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("rank", "int32", "Place by expected loss, 1 is the highest."),
        ExportColumn("risk", "string", "high, medium or low, by the probability."),
        ExportColumn("vip", "bool", "Among the 20 % who bring most."),
        ExportColumn("probability", "float64", "Of no purchase within the horizon, 0 to 1."),
        ExportColumn("low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("high", "float64", "Upper end of its 95 % interval."),
        ExportColumn("money_per_year", "decimal(18,2)", "Spent in the last 365 days, net of returns."),
        ExportColumn("expected_loss", "decimal(18,2)", "Probability × money per year."),
        ExportColumn("days_since_last", "int32", "Days since the last visit."),
        ExportColumn("typical_gap_days", "float64", "The customer's typical gap between visits."),
        ExportColumn("silence_ratio", "float64", "Days since the last visit in typical gaps."),
        ExportColumn("visits", "int32", "Visits in the time looked back to."),
        ExportColumn("visits_recent", "int32", "Visits in the last horizon."),
        ExportColumn("visits_before", "int32", "Visits in the horizon before."),
        ExportColumn("spend_recent", "decimal(18,2)", "Spent in the last horizon."),
        ExportColumn("spend_before", "decimal(18,2)", "Spent in the horizon before."),
        ExportColumn("basket", "decimal(18,2)", "Spent per visit in the last horizon."),
        ExportColumn("kinds_recent", "int32", "Kinds of goods bought in the last horizon."),
        ExportColumn("kinds_before", "int32", "Kinds of goods bought in the horizon before."),
        ExportColumn("tenure_days", "int32", "Days since the first visit, as far as looked back to."),
        ExportColumn("reason_code", "string", "What adds most to the risk."),
        ExportColumn("reason_code_2", "string", "What adds next; may be empty."),
        ExportColumn("reason_code_3", "string", "What adds third; may be empty."),
        ExportColumn("reason", "string", "The first reason in words, English."),
    ),
    order="rank",
)
BACKTEST = Mart(
    name="churn_backtest",
    meaning="The test day: customers in ten parts by foretold risk, the most endangered first, and how many left.",
    columns=(
        ExportColumn("band", "int32", "1 is the most endangered tenth."),
        ExportColumn("customers", "int32", "Customers in it."),
        ExportColumn("predicted", "float64", "Mean probability foretold."),
        ExportColumn("left", "int32", "How many left."),
        ExportColumn("observed", "float64", "Share that left."),
        ExportColumn("low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("high", "float64", "Upper end of its 95 % interval."),
        ExportColumn("lift", "float64", "That share by the share of all who left."),
        ExportColumn("gain", "float64", "Share of all leavers in this part and those before it."),
        ExportColumn("baseline_gain", "float64", "The same when customers are ordered by the best simple rule."),
    ),
    order="band",
)
CONTEST = Mart(
    name="churn_models",
    meaning="What each model and each simple rule was worth on the test day.",
    columns=(
        ExportColumn("position", "int32", "Models first, then rules."),
        ExportColumn("model", "string", "logistic, boosting, silence_ratio or silence_days."),
        ExportColumn("chosen", "bool", "Whether today's probabilities come from it."),
        ExportColumn("validation_auc", "float64", "Area under the curve on the day that chose; empty for rules."),
        ExportColumn("auc", "float64", "Area under the curve on the test day."),
        ExportColumn("low", "float64", "Lower end of its 95 % interval."),
        ExportColumn("high", "float64", "Upper end of its 95 % interval."),
    ),
    order="position",
)
PATTERN = Mart(
    name="churn_pattern",
    meaning="Figures of those who left and of those who stayed, before it was known, the largest difference first.",
    columns=(
        ExportColumn("position", "int32", "1 is the largest difference."),
        ExportColumn("figure", "string", "Which figure."),
        ExportColumn("left", "float64", "Mean of those who left."),
        ExportColumn("stayed", "float64", "Mean of those who stayed."),
        ExportColumn("standardised", "float64", "Difference in standard deviations."),
    ),
    order="position",
)
COURSE = Mart(
    name="churn_course",
    meaning="Visits per customer in each week before the cut-off, of those who then left and of those who stayed.",
    columns=(
        ExportColumn("week", "int32", "-1 is the last week before the cut-off."),
        ExportColumn("left", "float64", "Visits per customer who left."),
        ExportColumn("stayed", "float64", "Visits per customer who stayed."),
    ),
    order="week",
)
KNOWN = Mart(
    name="churn_known",
    meaning="The days whose leavers are known: what they served for, how many were at risk and how many left.",
    columns=(
        ExportColumn("day", "date", "The cut-off."),
        ExportColumn("use", "string", "training, validation or test."),
        ExportColumn("customers", "int32", "Customers at risk."),
        ExportColumn("left", "int32", "How many of them left."),
    ),
    order="day",
)


def find(context: Context) -> Findings:
    """Learn, test by date, score. Raises InputError where history is too short for a probability."""
    from patron.intelligence.mining.churning.study import study
    from patron.intelligence.mining.models.churn import study_metrics

    found = study(purchases_with_baskets(context), context.until, context.parameters(ChurnParameters))
    if found.state == "too_short":
        raise InputError(" ".join(found.notes) or "Churn needs purchases of identified customers; there are none yet.")
    customers = _customers(context, found)
    return Findings(
        tables={
            CUSTOMERS.name: customers,
            BACKTEST.name: _dataclasses(BACKTEST, found.trial.bands if found.trial else (), number="band"),
            CONTEST.name: _contest(found.trial),
            PATTERN.name: _dataclasses(PATTERN, found.pattern.differences, name="figure"),
            COURSE.name: _dataclasses(COURSE, found.pattern.course),
            KNOWN.name: _dataclasses(KNOWN, found.known, on="day"),
        },
        parameters=context.parameters(ChurnParameters).as_dict(),
        metrics=study_metrics(found)
        | {
            "horizon_days": found.plan.horizon,
            "active_days": found.plan.active,
            "lookback_days": found.plan.lookback,
            "left_known": found.pattern.left,
            "stayed_known": found.pattern.stayed,
            "learned_from": (EPOCH + dt.timedelta(min(found.plan.known()))).isoformat(),
        },
        insights=_insights(context, customers, horizon=found.plan.horizon),
        proof=_proof(found.trial),
        notes=found.notes,
    )


def purchases_with_baskets(context: Context) -> Purchases:
    """The receipts by day, and lines with the kind of goods and what was taken off."""
    lines = context.lines()
    finest = lines.category_3.coalesce(lines.category_2, lines.category_1)
    return dataclasses.replace(
        context.purchases(), lines=lines.select("customer", "date", "amount", "discount", category=finest)
    )


def _customers(context: Context, found: Study) -> pa.Table:
    ranked = "customer_value" in context.warehouse.names
    vip = "customer_id IN (SELECT customer_id FROM customer_value WHERE vip)" if ranked else "false"
    known = context.warehouse.arrow(
        f"SELECT customer_id AS customer, home_branch_id AS branch_id, {vip} AS vip FROM customers"  # noqa: S608 (ours)
    )
    of_each = known.take(pc.index_in(found.table["customer"], known["customer"]).combine_chunks())
    return (
        found.table.rename_columns({"customer": "customer_id"})
        .append_column("branch_id", of_each["branch_id"])
        .append_column("vip", of_each["vip"])
        .append_column("rank", pa.array(range(1, found.table.num_rows + 1), pa.int32()))
    )


def _dataclasses(mart: Mart, rows: Sequence[object], **renamed: str) -> pa.Table:
    """Dataclasses as a mart's table; ``renamed``: field → column where they are called differently."""
    fields = {column: field for field, column in renamed.items()}
    columns = {}
    for place, column in enumerate(mart.columns):
        if column.name == "position":
            values: list[object] = list(range(1, len(rows) + 1))
        else:
            values = [getattr(row, fields.get(column.name, column.name)) for row in rows]
        columns[mart.columns[place].name] = pa.array(values, _TYPES[column.type])
    return pa.table(columns)


_TYPES: Final = {
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "date": pa.date32(),
    "bool": pa.bool_(),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Contestant:
    model: str
    chosen: bool
    validation_auc: float | None
    auc: float
    low: float
    high: float


def _contest(trial: Trial | None) -> pa.Table:
    rows: list[_Contestant] = []
    if trial is not None:
        rows += [
            _Contestant(
                each.kind,
                each.kind == trial.champion,
                each.validation_auc,
                each.test.value,
                each.test.low,
                each.test.high,
            )
            for each in trial.candidates
        ]
        rows += [
            _Contestant(name, False, None, area.value, area.low, area.high) for name, area in trial.baselines.items()
        ]
    return _dataclasses(CONTEST, rows)


def _proof(trial: Trial | None) -> Proof | None:
    if trial is None:
        return None
    rule = trial.baselines[trial.baseline]
    return Proof(
        metric="AUC",
        value=trial.quality.area.value,
        baseline=rule.value,
        why=f"The baseline calls those first who have been silent for longest ({trial.baseline}).",
    )


def _insights(context: Context, customers: pa.Table, *, horizon: int) -> pa.Table:
    connection = context.warehouse.connection
    connection.register("churn_found", customers)
    try:
        return context.warehouse.arrow(
            f"""
            SELECT customer_id, risk AS label, probability AS score, rank, reason_code, reason,
                   to_json({{
                       'probability': round(probability, 4), 'low': round(low, 4), 'high': round(high, 4),
                       'horizon_days': {horizon}, 'expected_loss': expected_loss::DECIMAL(18,2)::VARCHAR,
                       'money_per_year': money_per_year::DECIMAL(18,2)::VARCHAR,
                       'reasons': list_filter([reason_code, reason_code_2, reason_code_3], lambda x: x IS NOT NULL),
                       'days_since_last': days_since_last, 'typical_gap_days': typical_gap_days, 'visits': visits,
                       'visits_recent': visits_recent, 'visits_before': visits_before,
                       'spend_recent': spend_recent::VARCHAR, 'spend_before': spend_before::VARCHAR,
                       'kinds_recent': kinds_recent, 'kinds_before': kinds_before, 'tenure_days': tenure_days
                   }})::VARCHAR AS facts
            FROM churn_found ORDER BY rank
            """  # noqa: S608 (a whole number)
        )
    finally:
        connection.unregister("churn_found")


ANALYSIS: Final = Analysis(
    name="churn",
    title="Churn",
    marts=(CUSTOMERS, BACKTEST, CONTEST, PATTERN, COURSE, KNOWN),
    find=find,
)
