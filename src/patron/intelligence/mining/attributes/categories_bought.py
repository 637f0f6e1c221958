"""How much of the range the customer knows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(categories: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return categories.count()


ATTRIBUTE = Attribute(
    name="categories_bought",
    title="Categories bought",
    meaning="Number of categories (first level) with a sale to the customer.",
    type="int64",
    over="categories",
    value=value,
    unit="categories",
    without=0,
)
