"""A customer's vouchers, as their page shows them. Nothing for those who are no members."""

from collections.abc import Iterable
from typing import Any

from patron.business.loyalty.models import Membership
from patron.business.vouchers.queries import VoucherLine, vouchers_of
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.views.vouchers import STATE_LABELS, STATE_TONES

SHOWN_PAST = 5


def vouchers_context(picture: Picture, memberships: Iterable[Membership]) -> dict[str, Any]:
    """`vouchers` of the customer's memberships that can be used, soonest to end first, and the last few others as
    `past_vouchers`. One query for each membership; both empty for a reader who may not see vouchers.
    """
    may_see = picture.actor.can("vouchers.view")
    lines = [line for each in memberships if may_see for line in vouchers_of(each, now=picture.now)]
    standing = [line for line in lines if line.state in ("usable", "reserved")]
    past = [line for line in lines if line not in standing]
    return {"vouchers": _shown(standing), "past_vouchers": _shown(past[:SHOWN_PAST])}


def _shown(lines: Iterable[VoucherLine]) -> list[dict[str, Any]]:
    return [{"line": line, "state": STATE_LABELS[line.state], "tone": STATE_TONES[line.state]} for line in lines]
