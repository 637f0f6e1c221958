"""Whether the customer goes round."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(branches: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return branches.count()


ATTRIBUTE = Attribute(
    name="branches_visited",
    title="Branches visited",
    meaning="Number of branches with a sale to the customer.",
    type="int64",
    over="branches",
    value=value,
    unit="branches",
    without=0,
)
