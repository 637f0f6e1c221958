"""How the marketing money would best be divided over life-cycle stages and actions, by the standing assumptions."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.budget import MODEL, BudgetParameters
from patron.intelligence.mining.optimising.assumptions import ACTIONS, UPLIFT, response
from patron.intelligence.mining.rows import Rows
from patron.kernel.exports import ExportColumn

SEGMENTS = Mart(
    name="budget_segments",
    meaning="What the customers of each life-cycle stage bring a year, by home branch: what a budget can work on.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("segment", "string", "Life-cycle stage."),
        ExportColumn("customers", "int64", "Customers."),
        ExportColumn("money_per_year", "decimal(18,2)", "What they spent in the year up to their last purchase."),
        ExportColumn("margin", "float64", "Gross profit per unit of sales in the house; 1 where no cost is known."),
    ),
    order="branch_id, segment",
)
DIVISION = Mart(
    name="budget_division",
    meaning="The division of the standing budget for the whole organisation, by the standing assumptions.",
    columns=(
        ExportColumn("segment", "string", "Life-cycle stage."),
        ExportColumn("action", "string", "call, voucher or message."),
        ExportColumn("top", "float64", "Gross profit that the action could bring there at most."),
        ExportColumn("dose", "float64", "Cost of doing it once for each customer."),
        ExportColumn("spend", "float64", "What it gets."),
        ExportColumn("gain", "float64", "Gross profit that this is expected to bring."),
        ExportColumn("marginal", "float64", "What one more unit of money would bring."),
        ExportColumn("reason", "string", "In words, English."),
    ),
    order="spend DESC, segment, action",
)


def find(context: Context) -> Findings:
    """Segments from the life cycle, then the division. Raises InputError while nobody has a stage."""
    segments = context.warehouse.arrow(
        """
        WITH house AS (SELECT sum(gross_profit) AS profit, sum(covered_revenue) AS covered FROM customer_value)
        SELECT branch_id, stage AS segment, count(*) AS customers,
               sum(greatest(money_per_year, 0))::DECIMAL(18,2) AS money_per_year,
               CASE WHEN profit > 0 AND covered > 0 THEN (profit / covered)::DOUBLE ELSE 1 END AS margin
        FROM customer_stage, house GROUP BY branch_id, stage, profit, covered ORDER BY branch_id, stage
        """
    )
    if not len(segments):
        raise InputError("A budget needs customers who have bought: there are none yet.")
    whole = segments.group_by("segment").aggregate([("customers", "sum"), ("money_per_year", "sum"), ("margin", "max")])
    cells = []
    for each in whole.sort_by("segment").to_pylist():
        for action in ACTIONS:
            top, dose = response(
                each["customers_sum"], float(each["money_per_year_sum"]),
                stage=each["segment"], action=action, margin=each["margin_max"],
            )  # fmt: skip
            cells.append({"segment": each["segment"], "action": action, "top": top, "dose": dose})
    table = pa.Table.from_pylist(cells)
    parameters = context.parameters(BudgetParameters)
    result = MODEL.run(Rows.of(table), as_of=context.as_of, parameters=parameters)
    sorted_cells = table.sort_by([("segment", "ascending"), ("action", "ascending")])
    division = result.table.append_column("top", sorted_cells["top"]).append_column("dose", sorted_cells["dose"])
    return Findings(
        tables={SEGMENTS.name: segments, DIVISION.name: division},
        parameters={
            **result.report.parameters,
            **{f"cost_{action}": cost for action, cost in ACTIONS.items()},
            **{f"uplift_{stage}_{action}": up for stage, rates in UPLIFT.items() for action, up in rates.items()},
        },
        metrics=result.report.metrics,
        notes=("What an action brings is assumed until campaigns with control groups have measured it.",),
    )


ANALYSIS: Final = Analysis(name="budget", title="Budget", marts=(SEGMENTS, DIVISION), find=find)
