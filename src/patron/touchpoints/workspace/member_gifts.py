"""The gifts of a customer, as their page shows them: partial `workspace/partials/gift_work.html`."""

from typing import Any

from patron.business.gifts.queries import orders_of
from patron.kernel.clock import today
from patron.touchpoints.workspace.customer_picture import Picture

SHOWN = 5


def gifts_of(picture: Picture) -> dict[str, Any]:
    """The last orders of the customer's first membership, newest first; none for a reader who may not see gifts."""
    may_see = picture.memberships and picture.actor.can("gifts.view")
    return {
        "gift_orders": orders_of(picture.memberships[0], limit=SHOWN) if may_see else (),
        "may_fulfil": picture.actor.can("gifts.fulfil"),
        "today": today(picture.now),
    }
