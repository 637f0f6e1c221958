"""Posting points: for purchases, redemptions and adjustments by hand.

Every posting has a request key. The same request again, also at the same moment over another connection, gives the
first answer and posts nothing; another request under the same key is refused with KeyReused. Each operation locks
the member's available account, and nothing that another member needs.
"""

from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import InvalidPoints, KeyReused, MembershipNotActive, NoSuchMember, ReasonRequired
from patron.business.loyalty.ledger import awards, returns
from patron.business.loyalty.ledger.book import Book, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership
from patron.business.loyalty.rules import CENT
from patron.business.purchases.models import Purchase
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

LONGEST_KEY = 120
MOST_BY_HAND = Decimal("999999999999.99")


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
) -> LedgerTransaction:
    """Redeem `points`, soonest to expire first. What has expired by `now` is expired first and cannot be used.

    Raises InvalidPoints, MembershipNotActive, InsufficientPoints (`details`: asked, available), KeyReused.
    """
    amount = _checked_points(points)
    book = Book([membership.pk])
    earlier = _answered(request_key, membership, kind=KIND.SPEND, amount=-amount, reason=reason)
    if earlier is not None:
        return earlier
    holding = book.holding(membership.pk)
    _require_active(membership)
    book.expire(holding, on=day_of(now))
    movement = book.enter(holding, kind=KIND.SPEND, request_key=_stored(request_key), occurred_at=now)
    movement.branch_id = branch_id
    movement.explanation = {"reason": reason} if reason else {}
    book.spend(movement, amount, counterpart=Bucket.REDEEMED)
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
    first and never put the balance below zero. Raises ReasonRequired, InvalidPoints, InvalidInput for a day gone by,
    InsufficientPoints, KeyReused.
    """
    amount = _checked_points(abs(points)).copy_sign(points)
    if not reason.strip():
        raise ReasonRequired(details={"field": "reason"})
    if expires_on is not None and expires_on < day_of(now):
        raise InvalidInput(_("These points would have expired already."), details={"field": "expires_on"})
    book = Book([membership.pk])
    earlier = _answered(request_key, membership, kind=KIND.ADJUST, amount=amount, reason=reason.strip())
    if earlier is not None:
        return earlier
    holding = book.holding(membership.pk)
    if amount < 0:
        book.expire(holding, on=day_of(now))
    movement = book.enter(holding, kind=KIND.ADJUST, request_key=_stored(request_key), occurred_at=now)
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


def _checked_points(points: Decimal) -> Decimal:
    if not points.is_finite() or not 0 < points <= MOST_BY_HAND or points != points.quantize(CENT):
        raise InvalidPoints(details={"field": "points"})
    return points.quantize(CENT)


def _require_active(membership: Membership) -> None:
    status = Membership.objects.filter(pk=membership.pk).values_list("status", flat=True).first()
    if status is None:
        raise NoSuchMember(details={"membership": membership.pk})
    if status != Membership.Status.ACTIVE:
        raise MembershipNotActive(details={"status": status})


def _stored(request_key: str) -> str:
    """Keys that callers choose have a room of their own, apart from those of purchases."""
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    return f"request:{request_key}"


def _answered(
    request_key: str, membership: Membership, *, kind: str, amount: Decimal, reason: str
) -> LedgerTransaction | None:
    """The first answer to this key, or None. Read once the lock is held. Raises KeyReused for another request."""
    earlier = LedgerTransaction.objects.filter(request_key=_stored(request_key)).first()
    if earlier is None:
        return None
    same = (
        earlier.membership_id == membership.pk
        and earlier.kind == kind
        and earlier.amount == amount
        and earlier.explanation.get("reason", "") == reason
    )
    if not same:
        raise KeyReused(details={"request_key": request_key})
    return earlier
