"""Reads of purchases. Fetching is authorising: the branch-bound see what their branches sold or customers bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from patron.business.purchases.models import CouponUse, Purchase, PurchaseLine, Tender
from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Some purchases, newest first, and where to go on: pass `next_before` as `before`; None at the end."""

    purchases: Sequence[Purchase]
    next_before: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class PurchaseDetails:
    """A receipt with everything on it."""

    purchase: Purchase
    lines: Sequence[PurchaseLine]
    tenders: Sequence[Tender]
    coupons: Sequence[CouponUse]
    returns: Sequence[Purchase]


def get_visible_purchases(actor: Actor) -> QuerySet[Purchase]:
    """The purchases that `actor` may see. Raises PermissionRefused without `purchases.view`."""
    if not actor.can("purchases.view"):
        raise PermissionRefused(details={"permission": "purchases.view"})
    purchases = Purchase.objects.select_related("branch", "customer")
    if actor.branch_ids is None:
        return purchases
    return purchases.filter(Q(branch_id__in=actor.branch_ids) | Q(customer__home_branch_id__in=actor.branch_ids))


def get_purchases_of(
    customer: Customer, actor: Actor, *, before: tuple[datetime, int] | None = None, limit: int = 25
) -> PurchasePage:
    """One page of a customer's purchases, newest first; the caller has made sure that `actor` may see the customer.

    Two queries at most, whatever the number of rows; reads the index `purchase_of_customer`.
    """
    if not actor.can("purchases.view"):
        raise PermissionRefused(details={"permission": "purchases.view"})
    found = Purchase.objects.select_related("branch").filter(customer=customer).order_by("-occurred_at", "-id")
    return _page(_before(found, before), limit)


def get_recent_purchases(actor: Actor, *, before: tuple[datetime, int] | None = None, limit: int = 25) -> PurchasePage:
    """One page of all purchases that `actor` may see, newest first."""
    return _page(_before(get_visible_purchases(actor).order_by("-occurred_at", "-id"), before), limit)


def get_visible_purchase(purchase_id: int, actor: Actor) -> PurchaseDetails:
    """A receipt with lines, tenders, coupons and what was returned of it, in five queries. Raises NotFound."""
    purchase = get_visible_purchases(actor).filter(pk=purchase_id).select_related("original").first()
    if purchase is None:
        raise NotFound(details={"purchase": purchase_id})
    return PurchaseDetails(
        purchase=purchase,
        lines=list(purchase.lines.select_related("product").order_by("line_no")),
        tenders=list(purchase.tenders.order_by("id")),
        coupons=list(purchase.coupon_uses.order_by("id")),
        returns=list(purchase.returns.order_by("occurred_at", "id")),
    )


def _before(purchases: QuerySet[Purchase], before: tuple[datetime, int] | None) -> QuerySet[Purchase]:
    if before is None:
        return purchases
    at, key = before
    return purchases.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, id__lt=key)).filter(occurred_at__lte=at)


def _page(purchases: QuerySet[Purchase], limit: int) -> PurchasePage:
    rows = list(purchases[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return PurchasePage(purchases=rows, next_before=(rows[-1].occurred_at, rows[-1].pk) if more else None)
