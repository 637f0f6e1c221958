"""How long the customer has been on file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute, days_between

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(customers: ir.Table, as_of: dt.date) -> ir.Value:
    return days_between(customers.registered_on, as_of)


ATTRIBUTE = Attribute(
    name="tenure_days",
    title="Days on file",
    meaning="Days since registration; empty where its day is not known.",
    type="int64",
    over="customers",
    value=value,
    unit="days",
)
