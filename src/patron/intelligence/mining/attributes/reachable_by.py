"""How marketing may speak to the customer."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from patron.intelligence.mining.attributing import Attribute

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHANNELS = ("sms", "email", "phone", "post", "app")
SEPARATOR = ", "


def value(reach: ir.Table, as_of: dt.date) -> ir.Value:  # noqa: ARG001 (given to every attribute)
    parts = [(reach.channel == channel).any().ifelse(SEPARATOR + channel, "") for channel in CHANNELS]
    listed = parts[0]
    for part in parts[1:]:
        listed = listed + part
    return listed.substr(len(SEPARATOR))


ATTRIBUTE = Attribute(
    name="reachable_by",
    title="Can be reached by",
    meaning=(
        "Channels with a contact on file over which the customer allows marketing, in this order: sms, email, phone, "
        "post, app; joined by comma and space, empty for none."
    ),
    type="string",
    over="reach",
    value=value,
    without="",
)
