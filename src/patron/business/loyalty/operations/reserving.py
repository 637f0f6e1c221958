"""Points set aside, used or released; and points that were spent given back."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.errors import NothingReserved, NothingToGiveBack
from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.ledger.returns import taken_from
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership, Posting, Reservation, Unit
from patron.business.loyalty.requests import answered, checked_points, require_active, stored_key
from patron.business.loyalty.rules import ZERO, Take
from patron.kernel.actor import Actor
from patron.kernel.operation import operation


@operation(permission="loyalty.spend")
def reserve_points(
    membership: Membership,
    points: Decimal,
    *,
    request_key: str,
    until: datetime,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> LedgerTransaction:
    """Set `points` aside until `until`: nobody else can use them meanwhile. Commit or release them by the result.

    Raises InvalidPoints, MembershipNotActive, InsufficientPoints, KeyReused.
    """
    amount = checked_points(points)
    book = Book([membership.pk])
    earlier = answered(request_key, membership, kind=KIND.RESERVE, amount=-amount, reason=reason)
    if earlier is not None:
        return earlier
    holding = book.holding(membership.pk)
    require_active(membership)
    book.expire(holding, on=day_of(now))
    movement = book.enter(holding, kind=KIND.RESERVE, request_key=stored_key(request_key), occurred_at=now)
    movement.explanation = {"until": until, **({"reason": reason} if reason else {})}
    book.spend(movement, amount, counterpart=Bucket.RESERVED)
    book.close(actor=actor, now=now)
    Reservation.objects.create(transaction_id=movement.id, until=until)
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.spend")
def commit_reserved_points(
    reserved: LedgerTransaction, *, actor: Actor, now: datetime, reason: str = "", purchase_id: int | None = None
) -> LedgerTransaction:
    """Use what was set aside. Again gives the first answer. Raises NothingReserved where it was released."""
    book = Book([reserved.membership_id])
    reservation = Reservation.objects.select_for_update().get(pk=reserved.pk)
    if reservation.state == Reservation.State.USED:
        return LedgerTransaction.objects.get(origin=reserved, kind=KIND.SPEND)
    if reservation.state == Reservation.State.RELEASED:
        raise NothingReserved(details={"reservation": reserved.pk})
    holding = book.holding(reserved.membership_id)
    movement = book.enter(holding, kind=KIND.SPEND, request_key=f"use:{reserved.pk}", occurred_at=now)
    movement.origin_id, movement.purchase_id = reserved.pk, purchase_id
    movement.explanation = {"reserved": str(-reserved.amount), **({"reason": reason} if reason else {})}
    book.shift(movement, -reserved.amount, source=Bucket.RESERVED, target=Bucket.REDEEMED)
    book.close(actor=actor, now=now)
    reservation.state = Reservation.State.USED
    reservation.save(update_fields=["state"])
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.spend")
def release_points(reserved: LedgerTransaction, *, actor: Actor, now: datetime) -> LedgerTransaction:
    """Put back what was set aside, into its old lots. Again gives the first answer. Raises NothingReserved if used."""
    return _release(reserved, actor=actor, now=now)


@operation(permission="loyalty.expire")
def release_overdue(*, actor: Actor, now: datetime, batch: int = 100) -> int:
    """Release up to `batch` reservations whose time is over; return how many."""
    overdue = list(
        LedgerTransaction.objects.filter(
            reservation__state=Reservation.State.OPEN, reservation__until__lte=now
        ).order_by("reservation__until")[:batch]
    )
    for reserved in sorted(overdue, key=lambda one: one.membership_id):
        book = Book([reserved.membership_id])
        if Reservation.objects.filter(pk=reserved.pk, state=Reservation.State.OPEN).exists():
            _release(reserved, actor=actor, now=now, book=book)
    return len(overdue)


def _release(
    reserved: LedgerTransaction, *, actor: Actor, now: datetime, book: Book | None = None
) -> LedgerTransaction:
    book = book or Book([reserved.membership_id])
    reservation = Reservation.objects.select_for_update().get(pk=reserved.pk)
    if reservation.state == Reservation.State.RELEASED:
        return LedgerTransaction.objects.get(origin=reserved, kind=KIND.RELEASE)
    if reservation.state == Reservation.State.USED:
        raise NothingReserved(details={"reservation": reserved.pk})
    holding = book.holding(reserved.membership_id)
    movement = book.enter(holding, kind=KIND.RELEASE, request_key=f"release:{reserved.pk}", occurred_at=now)
    movement.origin_id = reserved.pk
    book.credit(
        movement,
        -reserved.amount,
        counterpart=Bucket.RESERVED,
        earned_at=reserved.occurred_at,
        expires_on=None,
        refill=taken_from(holding, reserved.pk),
    )
    book.expire(holding, on=day_of(now), not_before=now)
    book.close(actor=actor, now=now)
    reservation.state = Reservation.State.RELEASED
    reservation.save(update_fields=["state"])
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.spend")
def give_back_points(
    spend: LedgerTransaction,
    points: Decimal | None,
    *,
    request_key: str,
    reason: str,
    actor: Actor,
    now: datetime,
    branch_id: int | None = None,
    purchase_id: int | None = None,
) -> LedgerTransaction:
    """Cancel a spend wholly (`points` None: what is left of it) or in part: its points go back into their old lots.

    What has expired meanwhile comes back and expires at once. Raises NothingToGiveBack for more than is still spent,
    InvalidPoints, KeyReused.
    """
    book = Book([spend.membership_id])
    membership = spend.membership
    locked = LedgerTransaction.objects.get(pk=spend.pk)
    given = sum(locked.answers.filter(kind=KIND.REFUND, unit=Unit.POINTS).values_list("amount", flat=True), ZERO)
    earlier = _given_back(request_key, locked, points, reason)
    if earlier is not None:
        return earlier
    left = -locked.amount - given
    amount = checked_points(points) if points is not None else left
    if locked.kind != KIND.SPEND or locked.unit != Unit.POINTS or amount > left or left <= 0:
        raise NothingToGiveBack(details={"asked": amount, "spent": left})
    holding = book.holding(membership.pk)
    book.expire(holding, on=day_of(now))
    movement = book.enter(holding, kind=KIND.REFUND, request_key=stored_key(request_key), occurred_at=now)
    movement.origin_id, movement.branch_id, movement.purchase_id = locked.pk, branch_id, purchase_id
    drawn_by = locked.origin_id or locked.pk
    refill = _unfilled(taken_from(holding, drawn_by), locked)
    repaid = book.credit(
        movement,
        amount,
        counterpart=Bucket.REDEEMED,
        earned_at=locked.occurred_at,
        expires_on=None,
        refill=refill,
    )
    movement.explanation = {"spend": locked.pk, "reason": reason} | ({"repaid": str(repaid)} if repaid else {})
    book.expire(holding, on=day_of(now), not_before=now)
    book.close(actor=actor, now=now)
    return LedgerTransaction.objects.get(pk=movement.id)


def _given_back(
    request_key: str, spend: LedgerTransaction, points: Decimal | None, reason: str
) -> LedgerTransaction | None:
    """The first answer to this key; what it gave back need not be told again."""
    earlier = LedgerTransaction.objects.filter(request_key=stored_key(request_key)).first()
    amount = points if points is not None or earlier is None else earlier.amount
    if earlier is None or amount is None:
        return None
    return answered(request_key, spend.membership, kind=KIND.REFUND, amount=amount, reason=reason, origin_id=spend.pk)


def _unfilled(takes: Sequence[Take], spend: LedgerTransaction) -> list[Take]:
    """The lots that a spend drew on, less what was given back to them before: last drawn, first refilled."""
    back: dict[int | None, Decimal] = {}
    for lot_id, amount in Posting.objects.filter(
        transaction__origin=spend, transaction__kind=KIND.REFUND, lot__isnull=False, amount__gt=0
    ).values_list("lot_id", "amount"):
        back[lot_id] = back.get(lot_id, ZERO) + amount
    return [Take(take.lot_id, take.amount - back.get(take.lot_id, ZERO)) for take in reversed(takes)]
