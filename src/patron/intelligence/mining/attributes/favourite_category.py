"""What the customer comes for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(categories: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return categories.category.max(where=categories.place == 1)


ATTRIBUTE = Attribute(
    name="favourite_category",
    title="Favourite category",
    meaning="First level of the category with most days of sales; of equals the one with more money, then the later.",
    type="string",
    over="categories",
    value=value,
)
