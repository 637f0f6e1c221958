"""Ordering a gift: the piece is reserved and the points are spent, both or neither.

The shelf is locked first, then the member's count of the gift, then the ledger's account: of two desks that want the
last piece one gets it, and a member's limit holds in all branches together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.errors import GiftRefused, NoSuchGift
from patron.business.gifts.models import Gift, GiftOrder
from patron.business.gifts.moves import advance, tell
from patron.business.gifts.rules import (
    MOST_PIECES,
    Movement,
    Refusal,
    Standing,
    State,
    Way,
    new_pickup_code,
    refusals,
)
from patron.business.gifts.shelf import lock_shelf, move
from patron.business.loyalty.errors import KeyReused, NoSuchMember
from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import spend_points
from patron.core.accounts.models import Branch
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.operation import operation

LONGEST_KEY = 100
LONGEST_ADDRESS = 600


@operation(permission="gifts.redeem", private=("delivery_address",))
def order_gift(
    membership: Membership,
    gift: Gift,
    *,
    branch: Branch,
    request_key: str,
    actor: Actor,
    now: datetime,
    quantity: int = 1,
    delivery_address: str = "",
) -> GiftOrder:
    """Reserve pieces of a gift in `branch` for a member and spend their points.

    To be picked up there within the gift's days, or sent from there to `delivery_address`. Safe to retry: the same
    key with the same request gives the first order. Raises GiftRefused (`details`: reasons), InsufficientPoints,
    KeyReused, InvalidInput, NotFound for a branch that is not the actor's.
    """
    wish = _wish(membership, gift, branch, quantity, delivery_address, request_key, actor)
    return _earlier(wish) or _ordered(wish, actor=actor, now=now)


@operation(permission="gifts.redeem")
def redeem_at_counter(
    membership: Membership,
    gift: Gift,
    *,
    branch: Branch,
    request_key: str,
    actor: Actor,
    now: datetime,
    quantity: int = 1,
) -> GiftOrder:
    """Order a gift for the member who stands at the counter, and hand it over at once. Needs `gifts.fulfil` too.

    Safe to retry; an order of this key that still waits is handed over. Raises as `order_gift`.
    """
    wish = _wish(membership, gift, branch, quantity, "", request_key, actor)
    order = _earlier(wish) or _ordered(wish, actor=actor, now=now)
    if order.is_open:
        order = GiftOrder.objects.select_for_update(no_key=True, of=("self",)).select_related(
            "gift", "membership"
        ).get(pk=order.pk)  # fmt: skip
        if order.is_open:
            return advance(order, State.HANDED_OVER, actor=actor, now=now)
    return order


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for: what a retry must ask for again."""

    membership_id: int
    gift_id: int
    branch_id: int
    quantity: int
    delivery_address: str
    request_key: str

    @property
    def way(self) -> Way:
        return Way.DELIVERY if self.delivery_address else Way.PICK_UP


def _wish(
    membership: Membership,
    gift: Gift,
    branch: Branch,
    quantity: int,
    delivery_address: str,
    request_key: str,
    actor: Actor,
) -> _Wish:
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    if not 1 <= quantity <= MOST_PIECES:
        raise InvalidInput(
            _("Order 1 to %(most)s pieces.") % {"most": MOST_PIECES}, details={"field": "quantity"}
        )  # fmt: skip
    if len(delivery_address) > LONGEST_ADDRESS:
        raise InvalidInput(_("This address is too long."), details={"field": "delivery_address"})
    if actor.branch_ids is not None and branch.pk not in actor.branch_ids:
        raise NotFound(_("This branch is not one of yours."), details={"field": "branch"})
    return _Wish(membership.pk, gift.pk, branch.pk, quantity, delivery_address.strip(), request_key)


def _earlier(wish: _Wish) -> GiftOrder | None:
    """The order that this key made, or None. Raises KeyReused where it was for something else."""
    order = (
        GiftOrder.objects.select_related("gift", "membership", "branch").filter(request_key=wish.request_key).first()
    )
    if order is None:
        return None
    made = _Wish(
        order.membership_id,
        order.gift_id,
        order.branch_id,
        order.quantity,
        order.delivery_address,
        order.request_key,
    )  # fmt: skip
    if made != wish:
        raise KeyReused(details={"request_key": wish.request_key})
    return order


def _ordered(wish: _Wish, *, actor: Actor, now: datetime) -> GiftOrder:
    stock = lock_shelf(wish.gift_id, wish.branch_id)
    # A retry that waited for the lock finds here what the first one wrote.
    earlier = _earlier(wish)
    if earlier is not None:
        return earlier
    gift, membership = _gift(wish), _membership(wish)
    standing = Standing(is_active=membership.status == Membership.Status.ACTIVE, tier=membership.tier)
    found = refusals(
        gift.terms,
        standing,
        quantity=wish.quantity,
        on=today(now),
        free=stock.free if stock else 0,
        delivered=wish.way == Way.DELIVERY,
    )
    if stock is None or found:
        raise GiftRefused(*found)
    _count(wish, gift)
    points = gift.points_price * wish.quantity
    spend = None
    if points:
        spend = spend_points(
            membership,
            points,
            request_key=f"gift:{wish.request_key}",
            reason=f"{gift.name} × {wish.quantity}",
            branch_id=wish.branch_id,
            actor=actor,
            now=now,
        )
    order = GiftOrder(
        membership=membership,
        gift=gift,
        branch_id=wish.branch_id,
        quantity=wish.quantity,
        points=points,
        money=gift.money_price * wish.quantity,
        currency=settings.CURRENCY,
        way=wish.way,
        delivery_address=wish.delivery_address,
        pickup_code=new_pickup_code(),
        request_key=wish.request_key,
        spend=spend,
        ordered_at=now,
        collect_by=today(now) + timedelta(days=gift.collect_days) if wish.way == Way.PICK_UP else None,
    )
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:  # the same key for another gift or branch, at this very moment
        raise KeyReused(details={"request_key": wish.request_key}) from error
    move(stock, Movement.RESERVED, wish.quantity, order=order, actor=actor, now=now)
    tell(order, before="", actor=actor, now=now)
    return order


def _gift(wish: _Wish) -> Gift:
    gift = Gift.objects.filter(pk=wish.gift_id).first()
    if gift is None:
        raise NoSuchGift
    return gift


def _membership(wish: _Wish) -> Membership:
    membership = Membership.objects.filter(pk=wish.membership_id).first()
    if membership is None:
        raise NoSuchMember
    return membership


def _count(wish: _Wish, gift: Gift) -> None:
    """Count the pieces for the member, under lock. Raises GiftRefused where that passes the gift's limit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gifts_gifttaken AS t (gift_id, membership_id, taken, most)
            SELECT %(gift)s, %(member)s, %(quantity)s, %(most)s
            WHERE %(most)s::int IS NULL OR %(quantity)s <= %(most)s::int
            ON CONFLICT (gift_id, membership_id) DO UPDATE SET taken = t.taken + excluded.taken, most = excluded.most
            WHERE excluded.most IS NULL OR t.taken + excluded.taken <= excluded.most
            """,
            {
                "gift": wish.gift_id,
                "member": wish.membership_id,
                "quantity": wish.quantity,
                "most": gift.member_limit,
            },
        )
        if cursor.rowcount != 1:
            raise GiftRefused(Refusal.LIMIT)
