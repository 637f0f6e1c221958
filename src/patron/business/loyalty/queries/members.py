"""Who is a member. Fetching is authorising: the other queries take the membership that these hand out."""

import re

from django.db.models import Prefetch, QuerySet

from patron.business.loyalty.errors import NoSuchMember
from patron.business.loyalty.models import Card, Membership, Programme
from patron.core.customers.models import Customer
from patron.core.customers.queries import require_visible
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused


def get_visible_memberships(customer: Customer, actor: Actor) -> list[Membership]:
    """The customer's memberships, oldest first, with programme and active card (`active_cards`).

    Raises PermissionRefused without `loyalty.view`, NotFound where the actor may not see the customer.
    """
    _require_permission(actor)
    require_visible(customer, actor)
    return list(_with_cards(Membership.objects.filter(customer=customer)).order_by("pk"))


def get_membership(customer: Customer, actor: Actor, *, programme: Programme | None = None) -> Membership:
    """The customer's membership in `programme` (their first, if None). Raises NoSuchMember as well as the above."""
    for membership in get_visible_memberships(customer, actor):
        if programme is None or membership.programme_id == programme.pk:
            return membership
    raise NoSuchMember(details={"customer": customer.number})


def find_by_card(number: str, actor: Actor) -> Membership:
    """The member who holds (or held) the card with exactly this number; spaces and hyphens do not matter.

    Whoever holds the card may be served in any branch, so this is not limited to the actor's own. Raises NoSuchMember.
    """
    _require_permission(actor)
    digits = re.sub(r"[\s-]", "", number)
    membership = _with_cards(Membership.objects.filter(cards__number=digits)).select_related("customer").first()
    if membership is None:
        raise NoSuchMember
    return membership


def _with_cards(memberships: "QuerySet[Membership]") -> "QuerySet[Membership]":
    active = Card.objects.filter(status=Card.Status.ACTIVE)
    return memberships.select_related("programme").prefetch_related(
        Prefetch("cards", queryset=active, to_attr="active_cards")
    )


def _require_permission(actor: Actor) -> None:
    if not actor.can("loyalty.view"):
        raise PermissionRefused(details={"permission": "loyalty.view"})


def has_programme() -> bool:
    """Whether a programme has been set up."""
    return Programme.objects.exists()
