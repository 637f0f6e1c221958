"""Marts of the life cycle: where each customer stands, and how customers moved between stages month by month."""

from patron.intelligence.insights.marts.contract import Mart
from patron.kernel.exports import ExportColumn

CUSTOMER_STAGE = Mart(
    name="customer_stage",
    meaning="Stage of each customer who has ever purchased, judged by the customer's own rhythm, as of today.",
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("stage", "string", "new, developing, mature, declining, lost or reactivated."),
        ExportColumn("reason_code", "string", "Names the reason."),
        ExportColumn("reason", "string", "The reason in words, English."),
        ExportColumn("first_on", "date", "Day of the first purchase."),
        ExportColumn("last_on", "date", "Day of the last purchase."),
        ExportColumn("purchases", "int32", "Days with a purchase."),
        ExportColumn("typical_gap_days", "float64", "Days that usually pass between two visits."),
        ExportColumn("days_since_last", "int32", "Days of silence."),
        ExportColumn("silence_ratio", "float64", "Silence ÷ typical gap."),
        ExportColumn("declining_after_days", "int32", "Silence longer than this counts as declining."),
        ExportColumn("lost_after_days", "int32", "Silence longer than this counts as lost."),
        ExportColumn("trend_days", "int32", "Length of the two periods that are compared."),
        ExportColumn("spend_recent", "decimal(18,2)", "Spent in the latest period."),
        ExportColumn("spend_before", "decimal(18,2)", "Spent in the period before."),
        ExportColumn("visits_recent", "int32", "Visits in the latest period."),
        ExportColumn("visits_before", "int32", "Visits in the period before."),
        ExportColumn("money_per_year", "decimal(18,2)", "Spent in the year up to the last purchase."),
        ExportColumn("at_risk", "bool", "Declining, or silent beyond the own rhythm without being lost."),
        ExportColumn("came_back_on", "date", "Day of the return, of a reactivated customer."),
        ExportColumn("away_days", "int32", "How long that customer had been away."),
    ),
    order="stage, money_per_year DESC, customer_id",
)

_FLOW = (
    ExportColumn("opened_on", "date", "Day at whose end the period opens: the end of a month."),
    ExportColumn("closed_on", "date", "Day at whose end it closes: the end of the next month, or today."),
)

INVENTORY_FLOWS = Mart(
    name="inventory_flows",
    meaning=(
        "Each customer's move between two month ends, also where the stage stayed the same: the customers behind every "
        "cell of the inventory. A part for each period."
    ),
    columns=(
        *_FLOW,
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch, as of today for all periods."),
        ExportColumn("from_stage", "string", "Stage at the opening; none before the first purchase."),
        ExportColumn("to_stage", "string", "Stage at the closing."),
        ExportColumn("money_before", "decimal(18,2)", "Spent in the year up to the last purchase, at the opening."),
        ExportColumn("money_after", "decimal(18,2)", "The same at the closing."),
    ),
    order="closed_on, from_stage, to_stage, branch_id, money_after DESC, customer_id",
)

INVENTORY_CELLS = Mart(
    name="inventory_cells",
    meaning="The inventory: inventory_flows counted and summed. Add up over branches for the whole organisation.",
    columns=(
        *_FLOW,
        ExportColumn("branch_id", "int64", "Home branch; empty for customers without one."),
        ExportColumn("from_stage", "string", "Stage at the opening; none before the first purchase."),
        ExportColumn("to_stage", "string", "Stage at the closing."),
        ExportColumn("customers", "int64", "How many."),
        ExportColumn("money_before", "decimal(18,2)", "What they carried a year at the opening."),
        ExportColumn("money_after", "decimal(18,2)", "What they carry a year at the closing."),
    ),
    order="closed_on, branch_id, from_stage, to_stage",
)

#: From the model's result `lifecycle_now` and `customers`.
CUSTOMER_STAGE_SQL = """
    SELECT l.customer AS customer_id, c.home_branch_id AS branch_id, l.* EXCLUDE (customer)
    FROM lifecycle_now l LEFT JOIN customers c ON c.customer_id = l.customer
"""

#: From `moves` (one period) and `customers`.
INVENTORY_FLOWS_SQL = """
    SELECT m.opened_on, m.closed_on, m.customer AS customer_id, c.home_branch_id AS branch_id, m.from_stage, m.to_stage,
           m.money_before, m.money_after
    FROM moves m LEFT JOIN customers c ON c.customer_id = m.customer
"""

#: From `inventory_flows`.
INVENTORY_CELLS_SQL = """
    SELECT opened_on, closed_on, branch_id, from_stage, to_stage, count(*) AS customers,
           sum(money_before) AS money_before, sum(money_after) AS money_after
    FROM inventory_flows GROUP BY ALL
"""
