"""What customers were on a day: joins by the day over the mart `customer_history`. Ibis, on any engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

ATTRIBUTES = ("tier", "home_branch", "value_class", "stage", "cluster")


def as_of(history: ir.Table, day: dt.date, *, attributes: Sequence[str] = ATTRIBUTES, programme: str = "") -> ir.Table:
    """What was known of each customer on `day`: `customer_id`, and a text column for each of `attributes`.

    Null where nothing was known then. A customer without any has no row. `programme` says whose tiers, where there are
    several programmes.
    """
    held = history.filter(history.valid_from <= day, (history.valid_to > day) | history.valid_to.isnull())
    if programme:
        held = held.filter((held.programme == programme) | (held.attribute != "tier"))
    return held.group_by("customer_id").agg(
        **{name: held.value.max(where=held.attribute == name) for name in attributes}
    )


def with_history(
    facts: ir.Table, history: ir.Table, *, at: str, attributes: Sequence[str] = ATTRIBUTES, programme: str = ""
) -> ir.Table:
    """`facts` (with `customer_id` and the date column `at`) and beside each row what the customer was on its day.

    Rows are neither lost nor doubled. So sales by the tier of the day stay the same when members move on.
    """
    joined = facts
    for name in attributes:
        spans = history.filter(history.attribute == name)
        if programme and name == "tier":
            spans = spans.filter(spans.programme == programme)
        spans = spans.select(whose="customer_id", since="valid_from", until="valid_to", **{name: spans.value})
        held = joined.left_join(
            spans,
            [
                joined.customer_id == spans.whose,
                spans.since <= joined[at],
                (spans.until > joined[at]) | spans.until.isnull(),
            ],
        )
        joined = held.drop("whose", "since", "until")
    return joined
