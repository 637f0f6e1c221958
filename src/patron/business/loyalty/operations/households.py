"""Points between members: transfers, and households that share what they have."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.ledger.sharing import move
from patron.business.loyalty.models import LedgerTransaction, Membership, Pool
from patron.business.loyalty.requests import answered, checked_points, require_active, stored_key
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import operation

MOST_MEMBERS = 12


@operation(permission="loyalty.spend")
def transfer_points(
    giver: Membership,
    receiver: Membership,
    points: Decimal,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> LedgerTransaction:
    """Give `points` of one member to another of the same programme, soonest to expire first; they keep their dates.

    Returns the giver's movement; the receiver's names it as its origin. Locks both members in key order. Raises
    InvalidPoints, InvalidInput for the same member or another programme, MembershipNotActive, InsufficientPoints,
    KeyReused.
    """
    amount = checked_points(points)
    if giver.pk == receiver.pk or giver.programme_id != receiver.programme_id:
        raise InvalidInput(
            _("Points go from one member to another of the same programme."), details={"field": "receiver"}
        )
    book = Book([giver.pk, receiver.pk])
    earlier = answered(request_key, giver, kind=KIND.TRANSFER, amount=-amount, reason=reason)
    if earlier is not None:
        if not earlier.answers.filter(membership=receiver).exists():
            raise Conflict(_("This request key has already been used for another request."))
        return earlier
    for membership in (giver, receiver):
        require_active(membership)
        book.expire(book.holding(membership.pk), on=day_of(now))
    movement = move(
        book,
        book.holding(giver.pk),
        book.holding(receiver.pk),
        amount,
        key=stored_key(request_key),
        now=now,
        reason=reason,
    )
    book.close(actor=actor, now=now)
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.enrol")
def open_household(members: list[Membership], *, name: str, actor: Actor, now: datetime) -> Pool:
    """Let members spend from one another's points. Raises InvalidInput, and Conflict for who shares already."""
    if not 2 <= len({member.pk for member in members}) <= MOST_MEMBERS:
        raise InvalidInput(_("A household has two to twelve members."), details={"field": "members"})
    if len({member.programme_id for member in members}) != 1:
        raise InvalidInput(_("A household shares the points of one programme."), details={"field": "members"})
    pool = Pool.objects.create(
        name=name.strip()[:100] or str(_("Household")), created_by=actor.reference, created_at=now
    )
    for member in sorted(members, key=lambda one: one.pk):
        _join(member, pool, actor=actor, now=now)
    return pool


@operation(permission="loyalty.enrol")
def join_household(membership: Membership, pool: Pool, *, actor: Actor, now: datetime) -> Pool:
    """Let one more member share. Raises InvalidInput and Conflict as `open_household`."""
    locked = Pool.objects.select_for_update(no_key=True).get(pk=pool.pk)
    present = list(locked.memberships.all())
    if len(present) >= MOST_MEMBERS:
        raise InvalidInput(_("A household has two to twelve members."), details={"field": "members"})
    if present and present[0].programme_id != membership.programme_id:
        raise InvalidInput(_("A household shares the points of one programme."), details={"field": "members"})
    _join(membership, locked, actor=actor, now=now)
    return locked


@operation(permission="loyalty.enrol")
def leave_household(membership: Membership, *, actor: Actor, now: datetime) -> Membership:
    """Stop sharing; everyone keeps the points that are theirs. Nothing happens to who shares nothing."""
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.pool_id is not None:
        locked.pool = None
        locked.save(update_fields=["pool"])
        _tell(locked, "loyalty.household_left", actor=actor, now=now)
    return locked


def _join(membership: Membership, pool: Pool, *, actor: Actor, now: datetime) -> None:
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.pool_id == pool.pk:
        return
    if locked.pool_id is not None:
        raise Conflict(_("This member shares the points of another household. Leave that one first."))
    locked.pool = pool
    locked.save(update_fields=["pool"])
    _tell(locked, "loyalty.household_joined", actor=actor, now=now)


def _tell(membership: Membership, kind: str, *, actor: Actor, now: datetime) -> None:
    log_activity(
        actor=actor,
        now=now,
        customer_id=membership.customer_id,
        kind=kind,
        source=f"loyalty.membership:{membership.pk}",
    )
