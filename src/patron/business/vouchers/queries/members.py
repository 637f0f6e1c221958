"""Who is meant at the counter: a card in the hand, or a customer's number."""

from patron.business.loyalty.models import Membership
from patron.business.loyalty.queries import find_by_card, get_membership
from patron.core.customers.queries.visible import get_visible_customer
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound


def find_member(text: str, actor: Actor) -> Membership:
    """The member who has this card, or this customer number. Raises NotFound (NoSuchMember), PermissionRefused."""
    try:
        return find_by_card(text, actor)
    except NotFound:
        return get_membership(get_visible_customer(text, actor), actor)
