"""Drift: whether the last four weeks look like the twelve before, in facts, in branches and in what the models say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.drift import MODEL, DriftParameters, feature_row
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.watching.drifting import categories_shift
from patron.intelligence.mining.watching.tails import count_tail
from patron.kernel.exports import ExportColumn

CURRENT_DAYS: Final = 28
REFERENCE_DAYS: Final = 84
#: So many rows of a sample tell a shift; more cost time and memory.
SAMPLE: Final = 100_000
#: A branch is silent when so few receipts would come once in so many checks of all branches.
BRANCH_LEVEL: Final = 0.001

FEATURES = Mart(
    name="drift_features",
    meaning="Key facts of the last 28 whole days beside the 84 days before: how far each moved, if it matters.",
    columns=(
        ExportColumn("unit", "string", "receipts, lines, customers or model: what a row of the sample is."),
        ExportColumn("feature", "string", "The fact."),
        ExportColumn("kind", "string", "number or category."),
        ExportColumn("reference_n", "int64", "Rows before."),
        ExportColumn("current_n", "int64", "Rows now."),
        ExportColumn("reference_missing", "float64", "Share without the fact before."),
        ExportColumn("current_missing", "float64", "Share without it now."),
        ExportColumn("reference_mean", "float64", "Mean before; empty for categories."),
        ExportColumn("current_mean", "float64", "Mean now."),
        ExportColumn("psi", "float64", "Population stability index: 0.1 is to be watched, 0.25 has shifted."),
        ExportColumn("psi_limit", "float64", "Index that luck stays under."),
        ExportColumn("statistic", "float64", "Of the test: largest distance, or chi-square."),
        ExportColumn("p_value", "float64", "Of the test."),
        ExportColumn("level", "string", "stable, watch or shifted."),
        ExportColumn("moved", "string", "The range or category whose share moved most."),
        ExportColumn("moved_before", "float64", "Its share before."),
        ExportColumn("moved_after", "float64", "Its share now."),
        ExportColumn("reason", "string", "In words, English."),
    ),
    order="psi DESC, unit, feature",
)

BRANCHES = Mart(
    name="drift_branches",
    meaning="Receipts of each branch in the last 7 whole days beside the 12 weeks before: a silent till shows.",
    columns=(
        ExportColumn("branch_id", "int64", "Branch."),
        ExportColumn("usual", "float64", "Receipts a week in the 12 weeks before."),
        ExportColumn("now", "int64", "Receipts in the last 7 whole days."),
        ExportColumn("last_on", "date", "Day of the last receipt."),
        ExportColumn("p_value", "float64", "Chance of so few had nothing changed."),
        ExportColumn("level", "string", "stable, or low: fewer than luck explains."),
    ),
    order="level, p_value, branch_id",
)

DAYS = Mart(
    name="drift_days",
    meaning="Receipts a day over 13 weeks, and whether the day is whole.",
    columns=(
        ExportColumn("date", "date", "The day."),
        ExportColumn("receipts", "int64", "Receipts that count."),
        ExportColumn("known", "float64", "Share with an identified customer; empty without receipts."),
        ExportColumn("whole", "bool", "Whether the day lies in or before the last whole day of the data."),
    ),
    order="date",
)


def find(context: Context) -> Findings:
    """The three marts. Refuses a house with less than 112 days of data."""
    parameters = context.parameters(DriftParameters)
    until = _until(context)
    opened = until - timedelta(CURRENT_DAYS - 1)
    rows: list[dict[str, Any]] = []
    for unit, features, query in _SAMPLES:
        rows += _compared(context, unit, features, query, opened, until, parameters)
    rows += _stages(context, parameters)
    features_table = pa.Table.from_pylist(rows)
    branches = _branches(context, until)
    levels = [row["level"] for row in rows]
    return Findings(
        tables={FEATURES.name: features_table, BRANCHES.name: branches, DAYS.name: _days(context, until)},
        parameters={**parameters.as_dict(), "current_days": CURRENT_DAYS, "reference_days": REFERENCE_DAYS},
        metrics={
            "features": len(rows),
            "shifted": levels.count("shifted"),
            "watch": levels.count("watch"),
            "branches": branches.num_rows,
            "branches_low": branches["level"].to_pylist().count("low"),
            "opened": opened.isoformat(),
            "until": until.isoformat(),
            "days_behind": (context.as_of - until).days,
        },
    )


def _until(context: Context) -> date:
    """The last whole day of the data. Refuses where fewer days are there than two samples need."""
    [(first,)] = context.warehouse.rows("SELECT min(occurred_on) FROM purchases WHERE NOT is_voided")
    needed = CURRENT_DAYS + REFERENCE_DAYS
    there = (context.until - first).days + 1 if first else 0
    if there < needed:
        raise InputError(f"To see drift takes {needed} days of purchases; there are {max(there, 0)} so far.")
    return context.until


def _compared(
    context: Context,
    unit: str,
    features: tuple[str, ...],
    query: str,
    opened: date,
    until: date,
    parameters: DriftParameters,
) -> list[dict[str, Any]]:
    """The features of one unit; nothing where one of the samples is empty."""
    sampled = context.warehouse.arrow(
        f"""
        SELECT * EXCLUDE (key) FROM ({query})
        QUALIFY row_number() OVER (PARTITION BY sample ORDER BY hash(key)) <= {SAMPLE}
        """,  # noqa: S608 (our own SQL)
        [parameters.reference, parameters.current, opened, opened - timedelta(REFERENCE_DAYS), until, context.currency],
    )
    names = set(sampled["sample"].to_pylist())
    if names != {parameters.reference, parameters.current}:
        return []
    result = MODEL.run(Rows.of(sampled, features=features), as_of=context.until, parameters=parameters)
    return [{"unit": unit, **row} for row in result.table.drop_columns(["confidence", "reason_code"]).to_pylist()]


_SAMPLES: Final = (
    (
        "receipts",
        ("amount", "lines", "discount_share", "weekday", "identified"),
        """
        SELECT CASE WHEN occurred_on >= $3 THEN $2 ELSE $1 END AS sample, purchase_id AS key,
               net_amount::DOUBLE AS amount, line_count::DOUBLE AS lines,
               (discount_amount / nullif(gross_amount, 0))::DOUBLE AS discount_share,
               dayname(occurred_on) AS weekday, CASE WHEN customer_id IS NULL THEN 'no' ELSE 'yes' END AS identified
        FROM purchases WHERE NOT is_voided AND kind = 'sale' AND currency = $6 AND occurred_on BETWEEN $4 AND $5
        """,
    ),
    (
        "lines",
        ("category", "price", "quantity"),
        """
        SELECT CASE WHEN l.occurred_on >= $3 THEN $2 ELSE $1 END AS sample,
               l.purchase_id * 1000 + l.line_no AS key, p.category_1 AS category,
               l.unit_price::DOUBLE AS price, l.quantity::DOUBLE AS quantity
        FROM purchase_lines l LEFT JOIN products p USING (product_id)
        WHERE NOT l.is_voided AND l.kind = 'sale' AND l.currency = $6 AND l.occurred_on BETWEEN $4 AND $5
              AND hash(l.purchase_id) % greatest(1, (SELECT count(*) FROM purchases) // 500000) = 0
        """,
    ),
    (
        "customers",
        ("visits", "spend"),
        # Each customer in 28 days, so that both samples measure the same length: the last, and the one before.
        """
        SELECT CASE WHEN occurred_on >= $3 THEN $2 ELSE $1 END AS sample, customer_id AS key,
               count(DISTINCT occurred_on)::DOUBLE AS visits, sum(net_amount)::DOUBLE AS spend
        FROM purchases
        WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = $6
              AND occurred_on BETWEEN greatest($4, $3::DATE - 28) AND $5
        GROUP BY ALL
        """,
    ),
)


def _stages(context: Context, parameters: DriftParameters) -> list[dict[str, Any]]:
    """What the life-cycle model says of the customers, at the opening and the closing of the last whole month."""
    rows = context.warehouse.rows(
        """
        WITH last AS (
            SELECT max(closed_on) AS closed_on FROM inventory_cells WHERE closed_on = last_day(closed_on)
        )
        SELECT stage, sum(before)::BIGINT, sum(after)::BIGINT FROM (
            SELECT from_stage AS stage, customers AS before, 0 AS after FROM inventory_cells JOIN last USING (closed_on)
            WHERE from_stage <> 'none'
            UNION ALL
            SELECT to_stage, 0, customers FROM inventory_cells JOIN last USING (closed_on)
        ) GROUP BY stage ORDER BY stage
        """
    )
    if not rows or not sum(before for _stage, before, _after in rows):
        return []
    before, after = (np.array([row[place] for row in rows], dtype=np.int64) for place in (1, 2))
    shift = categories_shift([row[0] for row in rows], before, after, alpha=parameters.level)
    row = feature_row("stage", shift, parameters)
    return [
        {"unit": "model", **{name: value for name, value in row.items() if name not in ("confidence", "reason_code")}}
    ]


def _branches(context: Context, until: date) -> pa.Table:
    """Too few receipts by the mirror of :func:`count_tail`: the chance of at most so many."""
    table = context.warehouse.arrow(
        """
        SELECT branch_id, count(*) FILTER (occurred_on > $1::DATE - 7) AS now,
               count(*) FILTER (occurred_on <= $1::DATE - 7) AS before, max(occurred_on) AS last_on
        FROM purchases
        WHERE NOT is_voided AND branch_id IS NOT NULL AND occurred_on > $1::DATE - 91 AND occurred_on <= $1::DATE
        GROUP BY branch_id ORDER BY branch_id
        """,
        [until],
    )
    now, before = (table[name].to_numpy().astype(np.int64) for name in ("now", "before"))
    weeks = np.full(len(now), 12.0)
    # P(at most n) = 1 − P(n + 1 or more).
    tail = 1 - count_tail(now + 1, np.ones(len(now)), before, weeks) if len(now) else np.zeros(0)
    low = (tail < BRANCH_LEVEL / max(len(now), 1)) & (now < before / 12)
    return pa.table(
        {
            "branch_id": table["branch_id"],
            "usual": pa.array(before / 12.0),
            "now": table["now"],
            "last_on": table["last_on"],
            "p_value": pa.array(tail),
            "level": pa.array(np.where(low, "low", "stable").astype(object), pa.string()),
        }
    )


def _days(context: Context, until: date) -> pa.Table:
    return context.warehouse.arrow(
        """
        SELECT d.date, count(p.purchase_id) AS receipts,
               count(p.customer_id) / nullif(count(p.purchase_id), 0)::DOUBLE AS known, d.date <= $2::DATE AS whole
        FROM dates d LEFT JOIN purchases p ON p.occurred_on = d.date AND NOT p.is_voided
        WHERE d.date > $1::DATE - 91 AND d.date <= $1::DATE GROUP BY d.date ORDER BY d.date
        """,
        [context.as_of, until],
    )


ANALYSIS: Final = Analysis(name="drift", title="Drift", marts=(FEATURES, BRANCHES, DAYS), find=find)
