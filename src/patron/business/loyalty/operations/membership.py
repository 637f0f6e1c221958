"""Enrolling customers, their cards, and the state of a membership."""

from datetime import date, datetime, time

from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import CardTaken, InvalidCard, MembershipNotActive
from patron.business.loyalty.followers import member_followers
from patron.business.loyalty.ledger.book import open_accounts
from patron.business.loyalty.models import Card, Membership, Programme
from patron.business.loyalty.rules import card_number, is_valid_card
from patron.core.activities.operations import log_activity
from patron.core.customers.models import Customer
from patron.core.customers.search.refresh import refresh_search_terms
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation


@operation(permission="loyalty.enrol", private=("number",))
def enrol(
    customer: Customer,
    *,
    programme: Programme,
    actor: Actor,
    now: datetime,
    number: str = "",
    joined_on: date | None = None,
    channel: str = "",
    referred_by: Membership | None = None,
) -> Membership:
    """Make a customer a member, with a card (a new number, or `number` of a card already in the hand).

    Idempotent: enrolling a member again, also at the same moment elsewhere, gives the one membership. A member
    without a card gets one; a member with one keeps it. `referred_by` is the member who brought this one along.

    Raises InvalidCard or CardTaken for a `number` that cannot be issued, InvalidInput for a day to come.
    """
    if referred_by is not None and (referred_by.programme_id != programme.pk or referred_by.customer_id == customer.pk):
        raise InvalidInput(
            _("Another member of the programme can bring somebody along."), details={"field": "referred_by"}
        )
    if joined_on is not None and joined_on > today(now):
        raise InvalidInput(_("A member cannot have joined in the future."), details={"field": "joined_on"})
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_membership (programme_id, customer_id, status, joined_on, referred_by_id) "
            "VALUES (%s, %s, 'active', %s, %s) ON CONFLICT (programme_id, customer_id) DO NOTHING",
            [programme.pk, customer.pk, joined_on or today(now), referred_by.pk if referred_by else None],
        )
        joined = cursor.rowcount == 1
    membership = Membership.objects.select_for_update(no_key=True).get(programme=programme, customer=customer)
    if joined:
        open_accounts([membership.pk])
        log_activity(
            actor=actor,
            now=now,
            customer_id=customer.pk,
            kind="loyalty.enrolled",
            occurred_at=min(now, datetime.combine(joined_on, time(), house_zone())) if joined_on else now,
            channel=channel,
            source=f"loyalty.membership:{membership.pk}",
            facts={"programme": programme.code},
        )
    if not membership.cards.exists():
        _issue(membership, number=number, actor=actor, now=now)
    if joined:
        for follower in member_followers:
            if follower.on_enrolled is not None:
                follower.on_enrolled(membership, actor=actor, now=now)
    return membership


@operation(permission="loyalty.enrol", private=("number",))
def issue_card(membership: Membership, *, actor: Actor, now: datetime, number: str = "") -> Card:
    """The member's active card; one is issued where there is none.

    Safe to repeat. Raises CardTaken where the member has another card than `number`: replace that one instead;
    InvalidCard for a number whose check digit is wrong; MembershipNotActive.
    """
    locked = _locked_active(membership)
    active = locked.cards.filter(status=Card.Status.ACTIVE).first()
    if active is None:
        return _issue(locked, number=number, actor=actor, now=now)
    if number and number != active.number:
        raise CardTaken(_("This member has a card already. Replace it instead."))
    return active


@operation(permission="loyalty.enrol", private=("number",))
def replace_card(membership: Membership, *, lost: bool, actor: Actor, now: datetime, number: str = "") -> Card:
    """Issue a new card and block the old one for good, as lost or as replaced. Points stay with the member.

    Raises CardTaken, InvalidCard and MembershipNotActive as `issue_card`.
    """
    locked = _locked_active(membership)
    status = Card.Status.LOST if lost else Card.Status.REPLACED
    for card in locked.cards.filter(status=Card.Status.ACTIVE):
        card.status, card.blocked_at = status, now
        card.save(update_fields=["status", "blocked_at"])
        log_activity(
            actor=actor,
            now=now,
            customer_id=locked.customer_id,
            kind="loyalty.card_blocked",
            source=f"loyalty.card:{card.pk}",
            facts={"status": str(status)},
        )
    return _issue(locked, number=number, actor=actor, now=now)


@operation(permission="loyalty.enrol")
def set_membership_status(membership: Membership, status: str, *, actor: Actor, now: datetime) -> Membership:
    """Suspend, close or reactivate a membership. One that is not active earns and spends nothing; points stay.

    Raises InvalidInput for an unknown status.
    """
    if status not in Membership.Status.values:
        raise InvalidInput(_("Choose one of the states of a membership."), details={"field": "status"})
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.status != status:
        before, locked.status = locked.status, status
        locked.save(update_fields=["status"])
        log_activity(
            actor=actor,
            now=now,
            customer_id=locked.customer_id,
            kind="loyalty.status_changed",
            source=f"loyalty.membership:{locked.pk}",
            facts={"before": before, "after": status},
        )
    return locked


def _locked_active(membership: Membership) -> Membership:
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.status != Membership.Status.ACTIVE:
        raise MembershipNotActive(details={"status": locked.status})
    return locked


def _issue(membership: Membership, *, number: str, actor: Actor, now: datetime) -> Card:
    """A new active card for a member whose row is locked and who has no active card."""
    if number and not is_valid_card(number):
        raise InvalidCard(details={"field": "number"})
    card = _insert(membership, number, now) if number else None
    if number and card is None:
        raise CardTaken(details={"field": "number"})
    while card is None:  # a number of the series may be in use: printed elsewhere and imported
        card = _insert(membership, _next_number(membership.programme.card_prefix), now)
    log_activity(
        actor=actor,
        now=now,
        customer_id=membership.customer_id,
        kind="loyalty.card_issued",
        source=f"loyalty.card:{card.pk}",
    )
    refresh_search_terms([membership.customer_id])
    return card


def _insert(membership: Membership, number: str, now: datetime) -> Card | None:
    """The card, or None where somebody has its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_card (membership_id, number, status, issued_at) VALUES (%s, %s, 'active', %s) "
            "ON CONFLICT (number) DO NOTHING RETURNING id",
            [membership.pk, number, now],
        )
        row = cursor.fetchone()
    return None if row is None else Card.objects.get(pk=row[0])


def _next_number(prefix: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('loyalty_card_serial')")
        return card_number(prefix, cursor.fetchone()[0])
