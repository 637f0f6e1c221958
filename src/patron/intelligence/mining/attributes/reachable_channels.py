"""In how many ways marketing may speak to the customer."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(reach: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return reach.count()


ATTRIBUTE = Attribute(
    name="reachable_channels",
    title="Ways to be reached",
    meaning="Number of channels with a contact on file over which the customer allows marketing.",
    type="int64",
    over="reach",
    value=value,
    unit="channels",
    without=0,
)
