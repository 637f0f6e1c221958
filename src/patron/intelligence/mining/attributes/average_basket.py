"""What a receipt comes to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    sales = (receipts.kind == "sale") & within(receipts, as_of, days=365)
    return receipts.amount.sum(where=sales).cast("float64") / sales.sum().nullif(0)


ATTRIBUTE = Attribute(
    name="average_basket",
    title="Average basket",
    meaning="Mean amount of a sale in the last 365 days; empty without one.",
    type="float64",
    over="receipts",
    value=value,
    unit="money",
)
