"""How loyal customers are: how long, how firmly and how steadily they buy, by customer and group, and what follows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses._loyalty_groups import Groups, group_tables, known_of
from patron.intelligence.insights.analyses._loyalty_marts import CUSTOMERS, GROUPS, RETENTION, SERIES, WEEKDAYS
from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings
from patron.intelligence.mining.arrays import EPOCH, decimals, half_up
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.trends.settings import LoyaltyParameters

if TYPE_CHECKING:
    from patron.intelligence.mining.transactions import Purchases
    from patron.intelligence.mining.trends.loyalty import Loyalty

_FACTS: Final = (
    "persistence", "firmness", "stability", "confidence", "typical_gap_days", "earlier_gap_days", "recent_gap_days",
    "gap_ratio", "cut_price_share", "price_response", "main_branch_share", "wallet_proxy", "expected_visits",
    "visits_low", "visits_high", "expected_spend", "spend_low", "spend_high",
)  # fmt: skip


def find(context: Context) -> Findings:
    """Measure customers, then groups. Raises InputError while there are no purchases.

    No proof decides on publication: the indices describe, they do not foretell. How well visits were foretold, beside
    the baseline, is among the figures and on the page.
    """
    from patron.intelligence.mining.trends.loyalty import measure
    from patron.intelligence.mining.trends.outcome import outcome_from

    parameters = context.parameters(LoyaltyParameters)
    as_of, purchases = context.until, _purchases(context)
    if not len(purchases.days.customers):
        raise InputError("There are no purchases of known customers yet; loyalty needs some months of them.")
    found = measure(purchases, as_of, parameters)
    context.warehouse.connection.execute("DROP TABLE loyalty_lines")
    groups = known_of(context, found.days.customers, as_of)
    outcome = outcome_from(found, as_of)
    customers = _customers(found, groups, outcome.table, as_of, parameters.window_weeks)
    return Findings(
        tables={CUSTOMERS.name: customers, **group_tables(found, groups, as_of)},
        parameters=parameters.as_dict(),
        metrics={
            **outcome.metrics,
            "measured_until": as_of.isoformat(),
            "first_day": (EPOCH + timedelta(int(found.days.day.min()))).isoformat(),
            "everyday_categories": found.everyday_kinds,
            "tested_customers": found.back_test.customers if found.back_test else 0,
        },
        insights=_insights(customers),
        notes=outcome.notes,
    )


def _purchases(context: Context) -> Purchases:
    """Receipts by day, and the lines with what is needed of them: read once, names as numbers."""
    from patron.intelligence.mining.transactions import Purchases, canonical_lines

    context.lines()
    context.warehouse.connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE loyalty_lines AS
        SELECT customer, date, amount, branch, product, quantity, discount,
               CASE WHEN brand <> '' THEN hash(brand) END AS brand,
               CASE WHEN category_2 <> '' THEN hash(category_2) END AS category
        FROM lines_counted
        """
    )
    lines = canonical_lines(context.warehouse.backend.table("loyalty_lines"))
    return Purchases(lines=lines, days=context.purchases().days)


def _customers(found: Loyalty, groups: Groups, table: pa.Table, as_of: date, window_weeks: int) -> pa.Table:
    days = found.days
    recent = days.day > (as_of - EPOCH).days - window_weeks * 7
    spent = days.per_customer(np.where(recent, days.amount, 0))
    bands = groups.codes["age_band"]
    wallet = found.wallet(bands, len(groups.names["age_band"]))
    order = np.lexsort((np.arange(len(found.loyalty)), -np.nan_to_num(found.loyalty, nan=-1.0)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    squares = found.prices.squares if found.prices else np.zeros(len(rank))
    products = found.prices.products if found.prices else np.zeros(len(rank))
    columns = {
        "customer_id": table["customer"],
        "branch_id": groups.branch,
        "rank": rank,
        "label": table["reason_code"],
        "spent": decimals(half_up(spent / 100), scale=2),
        "wallet_proxy": pa.array(np.round(wallet, 3), pa.float64(), from_pandas=True),
        "price_squares": squares,
        "price_products": products,
        "age_band": groups.labels("age_band"),
    }
    for column in CUSTOMERS.columns:
        if column.name not in columns:
            columns[column.name] = table[column.name]
    return pa.table({column.name: columns[column.name] for column in CUSTOMERS.columns})


def _insights(customers: pa.Table) -> pa.Table:
    def text(name: str) -> pa.Array:
        values = customers[name].combine_chunks()
        known = values.is_valid()
        written = decimals(half_up(pc.fill_null(values, 0.0).to_numpy() * 1000), scale=3).cast(pa.string())
        return pc.if_else(known, written, pa.scalar("null"))

    pieces: list[pa.Array | str] = ['{"cycle": "', customers["cycle"].combine_chunks(), '"']
    for name in _FACTS:
        pieces += [f', "{name}": ', text(name)]
    return pa.table(
        {
            "customer_id": customers["customer_id"],
            "label": customers["label"],
            "score": pc.fill_null(customers["loyalty"], 0.0),
            "rank": customers["rank"],
            "reason_code": customers["reason_code"],
            "reason": customers["reason"],
            "facts": pc.binary_join_element_wise(*pieces, "}", ""),
        }
    )


ANALYSIS: Final = Analysis(
    name="loyalty",
    title="Loyalty analysis",
    marts=(CUSTOMERS, GROUPS, SERIES, RETENTION, WEEKDAYS),
    find=find,
)
