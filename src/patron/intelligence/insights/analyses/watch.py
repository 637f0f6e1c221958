"""The watch: every customer beside their own rhythm, those who matter first, and whether past alarms were right."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.models.watch import MODEL
from patron.intelligence.mining.watching.backtest import OWN, RULE, Check, checks
from patron.intelligence.mining.watching.parameters import WatchParameters
from patron.kernel.exports import ExportColumn

CUSTOMERS = Mart(
    name="watch_customers",
    meaning="Every customer: whether they behave unlike themselves on the last whole day of the data, and how.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("vip", "bool", "Whether among the top 20 % of customers."),
        ExportColumn("value_class", "string", "A, B or C; empty for who is outside the value window."),
        ExportColumn("stage", "string", "Life-cycle stage."),
        ExportColumn("state", "string", "unusual, usual, or unknown (too few visits to judge)."),
        ExportColumn("severity", "string", "unusual, very or extreme: tenfold rarer each; empty for others."),
        ExportColumn("p_value", "float64", "Chance of it had nothing changed."),
        ExportColumn("usual", "float64", "What is usual: days between visits, money a window, money a visit, returns."),
        ExportColumn("now", "float64", "What is seen now, in the same unit."),
        ExportColumn("since", "date", "Day from which it is unusual."),
        ExportColumn("fresh", "bool", "Whether that day lies in the last 28."),
        ExportColumn("also", "string", "Other kinds that are unusual too, by comma."),
        ExportColumn("money_per_year", "decimal(18,2)", "Spent in the last 365 days."),
        ExportColumn("reason_code", "string", "silence, spend_low, spend_high, basket_low, basket_high, returns, …"),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="state, fresh DESC, money_per_year DESC, customer_id",
)

CHECKS = Mart(
    name="watch_checks",
    meaning="Alarms of past days against what customers did in the 28 days after, and the same for other rules.",
    columns=(
        ExportColumn("as_of", "date", "Day of the alarm."),
        ExportColumn("rule", "string", "own_rhythm, thirty_days (silent for a month), others (no alarm)."),
        ExportColumn("customers", "int64", "Customers it pointed at."),
        ExportColumn("confirmed", "int64", "Those who then spent less than half of what is usual."),
        ExportColumn("money_per_year", "float64", "What they had spent in the year before."),
    ),
    order="as_of, rule",
)


def find(context: Context) -> Findings:
    """Runs the model as of today and as of three past days."""
    parameters = context.parameters(WatchParameters)
    purchases = context.purchases()
    result = MODEL.run(purchases, as_of=context.until, parameters=parameters)
    checked = list(checks(purchases, context.until, parameters))
    customers = _customers(context, result.table)
    context.warehouse.connection.register("watched", customers)
    insights = context.warehouse.arrow(_INSIGHTS)
    context.warehouse.connection.unregister("watched")
    metrics = dict(result.report.metrics)
    return Findings(
        tables={CUSTOMERS.name: customers, CHECKS.name: _table(checked)},
        parameters=result.report.parameters,
        metrics=metrics,
        insights=insights,
        proof=_proof(checked),
        notes=result.report.notes,
    )


def _customers(context: Context, table: pa.Table) -> pa.Table:
    duck = context.warehouse.connection
    duck.register("watch_found", table)
    joined = context.warehouse.arrow(
        """
        SELECT w.customer AS customer_id, c.home_branch_id AS branch_id, coalesce(v.vip, false) AS vip,
               coalesce(v.value_class, '') AS value_class, coalesce(s.stage, '') AS stage,
               w.* EXCLUDE (customer, confidence)
        FROM watch_found w LEFT JOIN customers c ON c.customer_id = w.customer
        LEFT JOIN customer_value v ON v.customer_id = w.customer
        LEFT JOIN customer_stage s ON s.customer_id = w.customer
        """
    )
    duck.unregister("watch_found")
    return joined


_INSIGHTS: Final = """
    SELECT customer_id, reason_code::VARCHAR AS label, round(1 - p_value, 6) AS score,
           row_number() OVER (ORDER BY money_per_year DESC, customer_id) AS rank, reason_code::VARCHAR AS reason_code,
           reason, to_json({since: since::VARCHAR, severity: severity::VARCHAR, usual: round(usual, 2),
                            now: round("now", 2), fresh: fresh})::VARCHAR AS facts
    FROM watched WHERE state::VARCHAR = 'unusual' ORDER BY customer_id
"""


def _table(checked: list[Check]) -> pa.Table:
    return pa.table(
        {
            "as_of": pa.array([each.as_of for each in checked], pa.date32()),
            "rule": pa.array([each.rule for each in checked], pa.string()),
            "customers": pa.array([each.customers for each in checked], pa.int64()),
            "confirmed": pa.array([each.confirmed for each in checked], pa.int64()),
            "money_per_year": pa.array([each.money_per_year for each in checked], pa.float64()),
        }
    )


def _proof(checked: list[Check]) -> Proof | None:
    """All days together; none where a rule pointed at fewer than 10 customers."""
    pointed = {rule: sum(each.customers for each in checked if each.rule == rule) for rule in (OWN, RULE)}
    if min(pointed.values()) < 10:
        return None
    right = {rule: sum(each.confirmed for each in checked if each.rule == rule) for rule in (OWN, RULE)}
    return Proof(
        metric="share of alarms after which the customer spent less than half",
        value=right[OWN] / pointed[OWN],
        baseline=right[RULE] / pointed[RULE],
        why="Baseline: customers silent for 30 to 57 days, on the same days.",
    )


ANALYSIS: Final = Analysis(name="watch", title="Watch", marts=(CUSTOMERS, CHECKS), find=find)
