"""Posting points: for purchases, redemptions and adjustments by hand.

Every posting has a request key. The same request again, also at the same moment over another connection, gives the
first answer and posts nothing; another request under the same key is refused with KeyReused. Each operation locks
the member's available account, and nothing that another member needs.
"""

from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import ApprovalNeeded
from patron.business.loyalty.ledger import awards, returns
from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.ledger.sharing import fill_from_household, household_of, roll_expiry
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership
from patron.business.loyalty.requests import (
    answered,
    check_adjustment,
    checked_points,
    four_eyes_limit,
    require_active,
    stored_key,
)
from patron.business.purchases.models import Purchase
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import inside_operation, operation


@operation(permission="loyalty.post")
def post_earning(purchase: Purchase, *, actor: Actor, now: datetime) -> list[LedgerTransaction]:
    """Post what a sale earns and what its returns so far take back, and return the awards.

    Sales are posted when they are recorded; this is for one whose customer became known or a member later. A
    purchase earns once in a programme: posting again gives the first award.
    """
    posted = awards.earn(purchase, actor=actor, now=now)
    came_back = Purchase.objects.filter(
        original=purchase, kind=Purchase.Kind.RETURN, status=Purchase.Status.COMPLETED
    ).order_by("occurred_at", "pk")
    returns.take_back([_undone(each, purchase.pk) for each in came_back], actor=actor, now=now)
    return list(LedgerTransaction.objects.filter(pk__in=posted).order_by("pk"))


@operation(permission="loyalty.post")
def take_back_points(returned: Purchase, *, actor: Actor, now: datetime) -> list[LedgerTransaction]:
    """Take back what the original of a return no longer deserves, and return the movements. Safe to repeat."""
    if returned.kind != Purchase.Kind.RETURN or returned.original_id is None:
        raise InvalidInput(_("Only a return whose original purchase is known takes points back."))
    posted = returns.take_back([_undone(returned, returned.original_id)], actor=actor, now=now)
    return list(LedgerTransaction.objects.filter(pk__in=posted).order_by("pk"))


@operation(permission="loyalty.spend")
def spend_points(
    membership: Membership,
    points: Decimal,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
    branch_id: int | None = None,
    purchase_id: int | None = None,
) -> LedgerTransaction:
    """Redeem `points`, soonest to expire first. What has expired by `now` is expired first and cannot be used.

    What the member lacks is taken from the household that shares its points, if there is one: transferred first, from
    who has most. Raises InvalidPoints, MembershipNotActive, InsufficientPoints (`details`: asked, available),
    KeyReused.
    """
    amount = checked_points(points)
    book = Book(household_of(membership))
    earlier = answered(request_key, membership, kind=KIND.SPEND, amount=-amount, reason=reason)
    if earlier is not None:
        return earlier
    holding = book.holding(membership.pk)
    require_active(membership)
    book.expire(holding, on=day_of(now))
    fill_from_household(book, holding, amount, request_key=request_key, now=now)
    movement = book.enter(holding, kind=KIND.SPEND, request_key=stored_key(request_key), occurred_at=now)
    movement.branch_id, movement.purchase_id = branch_id, purchase_id
    movement.explanation = {"reason": reason} if reason else {}
    book.spend(movement, amount, counterpart=Bucket.REDEEMED)
    roll_expiry(book, holding, now=now)
    book.close(actor=actor, now=now)
    return LedgerTransaction.objects.get(pk=movement.id)


@operation(permission="loyalty.adjust")
def adjust_points(
    membership: Membership,
    points: Decimal,
    *,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    expires_on: date | None = None,
) -> LedgerTransaction:
    """Give (`points` above zero) or take (below) by hand, and say why. A debt is repaid first.

    Points given are usable up to and on `expires_on`, for ever without one. Points taken are drawn soonest to expire
    first and never put the balance below zero. Raises ApprovalNeeded above the programme's limit (ask for approval by
    `request_adjustment`), ReasonRequired, InvalidPoints, InvalidInput for a day gone by, InsufficientPoints, KeyReused.
    """
    limit = four_eyes_limit(membership)
    if actor.kind != "system" and abs(points) > limit:
        raise ApprovalNeeded(details={"limit": limit})
    return adjust(
        membership, points, reason=reason, request_key=request_key, actor=actor, now=now, expires_on=expires_on
    )


@inside_operation
def adjust(
    membership: Membership,
    points: Decimal,
    *,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    expires_on: date | None,
) -> LedgerTransaction:
    """The adjustment itself, once it is clear that the actor may make it."""
    amount = check_adjustment(points, reason=reason, expires_on=expires_on, now=now)
    book = Book([membership.pk])
    earlier = answered(request_key, membership, kind=KIND.ADJUST, amount=amount, reason=reason.strip())
    if earlier is not None:
        return earlier
    holding = book.holding(membership.pk)
    if amount < 0:
        book.expire(holding, on=day_of(now))
    movement = book.enter(holding, kind=KIND.ADJUST, request_key=stored_key(request_key), occurred_at=now)
    explanation: dict[str, object] = {"reason": reason.strip()}
    if amount > 0:
        repaid = book.credit(movement, amount, counterpart=Bucket.ADJUSTED, earned_at=now, expires_on=expires_on)
        if repaid:
            explanation["repaid"] = str(repaid)
    else:
        book.spend(movement, -amount, counterpart=Bucket.ADJUSTED)
    movement.explanation = explanation
    book.close(actor=actor, now=now)
    return LedgerTransaction.objects.get(pk=movement.id)


def _undone(returned: Purchase, original_id: int) -> returns.Undone:
    return returns.Undone(returned.pk, original_id, returned.occurred_at, returned.net_amount, returned.branch_id)
