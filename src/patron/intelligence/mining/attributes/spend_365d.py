"""What the customer spent in a year."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    return receipts.amount.sum(where=within(receipts, as_of, days=365))


ATTRIBUTE = Attribute(
    name="spend_365d",
    title="Spent in 365 days",
    meaning="Money spent in the last 365 days, net of returns.",
    type="decimal(18,2)",
    over="receipts",
    value=value,
    unit="money",
    without=0,
)
