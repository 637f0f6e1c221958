"""Where the customer comes most."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir


def value(branches: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    return branches.branch_id.max(where=branches.place == 1)


ATTRIBUTE = Attribute(
    name="favourite_branch",
    title="Favourite branch",
    meaning="Key of the branch with most days of sales; of equals the one with more money, then the later.",
    type="int64",
    over="branches",
    value=value,
)
