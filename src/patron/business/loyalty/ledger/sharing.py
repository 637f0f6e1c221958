"""Points that go from member to member, and expiry that rolls with their use."""

from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.ledger.book import Book, Holding, day_of
from patron.business.loyalty.ledger.movements import KIND, Movement
from patron.business.loyalty.ledger.rulebooks import rulebook_at
from patron.business.loyalty.models import Bucket, Membership
from patron.business.loyalty.rules import ZERO, plan_spending


def household_of(membership: Membership) -> list[int]:
    """The ids of the member and of all who share points with them."""
    if membership.pool_id is None:
        return [membership.pk]
    sharing = Membership.objects.filter(pool_id=membership.pool_id, status=Membership.Status.ACTIVE)
    return list(sharing.values_list("pk", flat=True)) or [membership.pk]


def fill_from_household(book: Book, holding: Holding, amount: Decimal, *, request_key: str, now: datetime) -> None:
    """Transfer what `holding` lacks of `amount` from the others in the book, from who has most first."""
    missing = amount - holding.available
    if missing <= 0 or holding.debt:
        return
    others = [other for other in book.holdings.values() if other is not holding]
    for other in others:
        book.expire(other, on=day_of(now))
    if sum((other.available for other in others), ZERO) < missing:
        return
    for other in sorted(others, key=lambda one: (-one.available, one.membership_id)):
        part = min(missing, other.available)
        if part <= 0:
            break
        key = f"request:{request_key}:from:{other.membership_id}"
        move(book, other, holding, part, key=key, now=now, reason="")
        missing -= part


def move(
    book: Book, giver: Holding, receiver: Holding, amount: Decimal, *, key: str, now: datetime, reason: str
) -> Movement:
    """Enter both sides of a transfer: lot by lot, so that every point keeps its date."""
    taken = (
        {take.lot_id: take.amount for take in plan_spending(giver.lots.values(), amount)}
        if giver.available >= amount
        else {}
    )
    out = book.enter(giver, kind=KIND.TRANSFER, request_key=key, occurred_at=now)
    dates = {lot_id: giver.lots[lot_id].expires_on for lot_id in taken if lot_id is not None}
    out.explanation = {"reason": reason, "to": receiver.customer_id} if reason else {"to": receiver.customer_id}
    book.spend(out, amount, counterpart=Bucket.TRANSFERRED)
    into = book.enter(receiver, kind=KIND.TRANSFER, request_key=f"{key}:in", occurred_at=now)
    into.origin_id, into.explanation = out.id, {"from": giver.customer_id}
    repaid = ZERO
    for lot_id, part in taken.items():
        expires_on = dates[lot_id] if lot_id is not None else None
        repaid += book.credit(into, part, counterpart=Bucket.TRANSFERRED, earned_at=now, expires_on=expires_on)
    if repaid:
        into.explanation = {"from": giver.customer_id, "repaid": str(repaid)}
    return out


def roll_expiry(book: Book, holding: Holding, *, now: datetime) -> None:
    """Let the use of points, as an activity, prolong what is left where the programme's expiry rolls."""
    programme_id = Membership.objects.filter(pk=holding.membership_id).values_list("programme_id", flat=True).get()
    rulebook = rulebook_at(programme_id, now)
    if rulebook is not None and rulebook.terms.expiry.rolls:
        day = day_of(now)
        book.roll(holding, day=day, until=rulebook.terms.expiry.last_day(day))
