"""A customer's vouchers, as their page shows them. Nothing for those who are no members."""

from typing import Any

from patron.business.loyalty.queries import get_visible_memberships
from patron.business.vouchers.queries import vouchers_of
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.views.vouchers import STATE_LABELS, STATE_TONES

SHOWN_PAST = 5


def vouchers_context(picture: Picture) -> dict[str, Any]:
    """`vouchers`: lines that can be used, soonest to end first; `past_vouchers`: the last few others.

    Two queries; both empty for a reader who may not see members or vouchers.
    """
    if not (picture.actor.can("vouchers.view") and picture.actor.can("loyalty.view")):
        return {"vouchers": (), "past_vouchers": ()}
    lines = [
        line
        for membership in get_visible_memberships(picture.customer, picture.actor)
        for line in vouchers_of(membership, now=picture.now)
    ]
    shown = [{"line": line, "state": STATE_LABELS[line.state], "tone": STATE_TONES[line.state]} for line in lines]
    standing = ("usable", "reserved")
    return {
        "vouchers": [each for each in shown if each["line"].state in standing],
        "past_vouchers": [each for each in shown if each["line"].state not in standing][:SHOWN_PAST],
    }
