"""How long the customer has been silent."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, days_between

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    return days_between(receipts.date.max(where=receipts.kind == "sale"), as_of)


ATTRIBUTE = Attribute(
    name="days_since_last",
    title="Days since the last purchase",
    meaning="Days from the last sale to the day of the figures; empty for who has never bought.",
    type="int64",
    over="receipts",
    value=value,
    unit="days",
)
