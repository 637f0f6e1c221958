"""Whether the customer comes at weekends."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir

SATURDAY = 5  # Monday is 0


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    sales = (receipts.kind == "sale") & within(receipts, as_of, days=365)
    weekend = receipts.date.day_of_week.index() >= SATURDAY
    return (sales & weekend).sum().cast("float64") / sales.sum().nullif(0)


ATTRIBUTE = Attribute(
    name="weekend_share",
    title="Share of weekend receipts",
    meaning="Sales on a Saturday or Sunday ÷ all sales of the last 365 days; empty without one.",
    type="float64",
    over="receipts",
    value=value,
    unit="share",
)
