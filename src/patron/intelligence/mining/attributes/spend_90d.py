"""What the customer spent lately."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    return receipts.amount.sum(where=within(receipts, as_of, days=90))


ATTRIBUTE = Attribute(
    name="spend_90d",
    title="Spent in 90 days",
    meaning="Money spent in the last 90 days, net of returns.",
    type="decimal(18,2)",
    over="receipts",
    value=value,
    unit="money",
    without=0,
)
