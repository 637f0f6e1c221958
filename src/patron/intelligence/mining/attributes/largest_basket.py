"""The most that one receipt came to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(receipts: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return receipts.amount.max(where=receipts.kind == "sale")


ATTRIBUTE = Attribute(
    name="largest_basket",
    title="Largest basket",
    meaning="Amount of the largest sale ever; empty without a sale.",
    type="decimal(18,2)",
    over="receipts",
    value=value,
    unit="money",
)
