"""How much comes back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    recent = within(receipts, as_of, days=365)
    spent = receipts.amount.sum(where=recent & (receipts.kind == "sale")).cast("float64").nullif(0)
    back = -receipts.amount.sum(where=recent & (receipts.kind == "return"))
    return back.cast("float64").fill_null(0) / spent


ATTRIBUTE = Attribute(
    name="return_share",
    title="Share of returns",
    meaning="Money paid back ÷ money spent on sales in the last 365 days; empty without a sale.",
    type="float64",
    over="receipts",
    value=value,
    unit="share",
)
