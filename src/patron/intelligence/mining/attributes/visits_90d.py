"""How often the customer came lately."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    return receipts.date.nunique(where=(receipts.kind == "sale") & within(receipts, as_of, days=90))


ATTRIBUTE = Attribute(
    name="visits_90d",
    title="Visits in 90 days",
    meaning="Days with a sale in the last 90 days.",
    type="int64",
    over="receipts",
    value=value,
    unit="days",
    without=0,
)
