"""How much of the price the customer does not pay."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, within

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:
    sales = (receipts.kind == "sale") & within(receipts, as_of, days=365)
    before = receipts.gross.sum(where=sales).cast("float64").nullif(0)
    return receipts.discount.sum(where=sales).cast("float64") / before


ATTRIBUTE = Attribute(
    name="discount_share",
    title="Share of discounts",
    meaning="Discounts ÷ prices before discounts on the sales of the last 365 days, 0 to 1; empty without one.",
    type="float64",
    over="receipts",
    value=value,
    unit="share",
)
