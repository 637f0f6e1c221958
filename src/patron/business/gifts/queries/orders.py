"""Orders: what waits at which counter, what a member has had, and whom an order is for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Prefetch, Q, QuerySet

from patron.business.gifts.errors import NoSuchOrder
from patron.business.gifts.models import GiftOrder, GiftOrderEvent
from patron.business.gifts.rules import OPEN, State, Way, normalised_code
from patron.business.loyalty.errors import NoSuchMember
from patron.business.loyalty.models import Card, Membership
from patron.core.customers.queries.identifying import identify_customer
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

WAITING = (State.RESERVED, State.READY, State.SHIPPED)
"""States that still ask for somebody's work: what the worklist holds."""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders and where the list goes on: pass `following` as `after`; None at the end."""

    orders: Sequence[GiftOrder]
    following: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How many orders wait, by what they wait for."""

    to_prepare: int
    ready: int
    on_the_way: int


def get_visible_orders(actor: Actor) -> "QuerySet[GiftOrder]":
    """The orders that `actor` may see, with gift, branch and customer. Raises PermissionRefused."""
    if not actor.can("gifts.view"):
        raise PermissionRefused(details={"permission": "gifts.view"})
    orders = GiftOrder.objects.select_related("gift", "branch", "membership__customer")
    return orders if actor.branch_ids is None else orders.filter(branch_id__in=actor.branch_ids)


def worklist(
    actor: Actor,
    *,
    branch_id: int | None = None,
    states: Collection[str] = WAITING,
    way: str = "",
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> OrderPage:
    """Orders that wait, the oldest first. One query, whatever the number of rows; reads `gift_order_worklist`.

    `states` must be some of WAITING. Raises ValueError for others.
    """
    if not set(states) <= set(WAITING):
        raise ValueError("the worklist holds orders that wait")
    orders = get_visible_orders(actor).filter(state__in=states).order_by("ordered_at", "pk")
    if branch_id is not None:
        orders = orders.filter(branch_id=branch_id)
    if way:
        orders = orders.filter(way=way)
    if after is not None:
        at, key = after
        orders = orders.filter(ordered_at__gte=at).filter(Q(ordered_at__gt=at) | Q(pk__gt=key))
    rows = list(orders[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return OrderPage(rows, (rows[-1].ordered_at, rows[-1].pk) if more else None)


def waiting(actor: Actor, *, branch_id: int | None = None) -> WaitingCount:
    """How many orders wait in a branch (None: in all that the actor may see). One query."""
    orders = get_visible_orders(actor).filter(state__in=WAITING)
    if branch_id is not None:
        orders = orders.filter(branch_id=branch_id)
    counted = orders.aggregate(
        to_prepare=Count("pk", filter=Q(state=State.RESERVED)),
        ready=Count("pk", filter=Q(state=State.READY)),
        on_the_way=Count("pk", filter=Q(state=State.SHIPPED)),
    )
    return WaitingCount(**counted)


def get_order(order_id: int, actor: Actor) -> GiftOrder:
    """One order with gift, branch, customer, and the movements of the ledger. Raises NoSuchOrder."""
    order = get_visible_orders(actor).select_related("spend", "refund").filter(pk=order_id).first()
    if order is None:
        raise NoSuchOrder(details={"order": order_id})
    return order


def get_order_of_key(request_key: str, actor: Actor) -> GiftOrder | None:
    """The order that a request made, None where it made none that the actor may see."""
    return get_visible_orders(actor).filter(request_key=request_key).first()


def events_of(order: GiftOrder) -> Sequence[GiftOrderEvent]:
    """The order's history, oldest first; the order is one that a query handed out."""
    return list(GiftOrderEvent.objects.filter(order=order).order_by("pk"))


def find_open_by_code(code: str, actor: Actor) -> GiftOrder:
    """The order that waits under this pick-up code. Raises NoSuchOrder, also for a code of another branch."""
    wanted = normalised_code(code)
    order = get_visible_orders(actor).filter(pickup_code=wanted, state__in=OPEN).first() if wanted else None
    if order is None:
        raise NoSuchOrder
    return order


def orders_of(membership: Membership, *, limit: int = 20) -> Sequence[GiftOrder]:
    """A member's orders in all branches, newest first; the membership is one that a query handed out. One query."""
    return list(
        GiftOrder.objects.select_related("gift", "branch")
        .filter(membership=membership)
        .order_by("-ordered_at", "-pk")[:limit]
    )


def uncollected_orders(
    *, as_of: date, after: tuple[date | None, int] | None = None, limit: int = 200
) -> Sequence[GiftOrder]:
    """Orders to be picked up that were kept until before day `as_of`, the longest first."""
    orders = GiftOrder.objects.filter(state__in=OPEN, way=Way.PICK_UP, collect_by__lt=as_of)
    if after is not None:
        on, key = after
        orders = orders.filter(collect_by__gte=on).filter(Q(collect_by__gt=on) | Q(pk__gt=key))
    return list(orders.order_by("collect_by", "pk")[:limit])


def find_member(text: str, actor: Actor) -> Membership:
    """The member whose card, number, whole phone or e-mail `text` is, with customer, programme and `active_cards`.

    Whoever stands at the counter is served, of whatever branch they are. Raises NotFound, Conflict where several share
    it, NoSuchMember for a customer who is none, PermissionRefused without `loyalty.view` and `customers.view`.
    """
    if not actor.can("loyalty.view"):
        raise PermissionRefused(details={"permission": "loyalty.view"})
    customer = identify_customer(text, actor=actor)
    active = Card.objects.filter(status=Card.Status.ACTIVE)
    membership = (
        Membership.objects.select_related("programme", "customer")
        .prefetch_related(Prefetch("cards", queryset=active, to_attr="active_cards"))
        .filter(customer=customer)
        .order_by("pk")
        .first()
    )
    if membership is None:
        raise NoSuchMember(details={"customer": customer.number})
    return membership
