"""How often the customer came in a year."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    return receipts.date.nunique(where=(receipts.kind == "sale") & within(receipts, as_of, days=365))


ATTRIBUTE = Attribute(
    name="visits_365d",
    title="Visits in 365 days",
    meaning="Days with a sale in the last 365 days.",
    type="int64",
    over="receipts",
    value=value,
    unit="days",
    without=0,
)
