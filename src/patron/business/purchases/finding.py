"""Finding purchases by customer, branch, time and receipt number, page by page."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from patron.business.purchases.models import Purchase
from patron.business.purchases.queries import get_visible_purchases
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PurchaseFilter:
    """What purchases to find; what is left empty does not matter. `since` is included, `until` is not."""

    customer: str = ""
    branch: str = ""
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    source_key: str = ""

    def conditions(self) -> Q:
        given = {
            "customer__number": self.customer.strip().upper(),
            "branch__code": self.branch,
            "occurred_at__gte": self.since,
            "occurred_at__lt": self.until,
            "source": self.source,
            "source_key": self.source_key,
        }
        return Q(**{name: value for name, value in given.items() if value})


def find_purchases(
    actor: Actor, wanted: PurchaseFilter, *, before: tuple[datetime, int] | None = None, limit: int
) -> list[Purchase]:
    """At most `limit` purchases that `actor` may see, newest first, beyond the position `before`. One query.

    Raises PermissionRefused without `purchases.view`.
    """
    purchases = get_visible_purchases(actor).select_related("original").filter(wanted.conditions())
    if before is not None:
        at, key = before
        purchases = purchases.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=key), occurred_at__lte=at)
    return list(purchases.order_by("-occurred_at", "-pk")[:limit])


def get_own_purchase(purchase_id: int, actor: Actor) -> Purchase:
    """A purchase made at one of the actor's branches. Raises NotFound: seeing another branch's is not changing it."""
    purchases = Purchase.objects.select_related("branch", "customer")
    if actor.branch_ids is not None:
        purchases = purchases.filter(branch_id__in=actor.branch_ids)
    purchase = purchases.filter(pk=purchase_id).first()
    if purchase is None:
        raise NotFound(details={"purchase": purchase_id})
    return purchase
