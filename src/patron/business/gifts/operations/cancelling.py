"""Undoing an order: the pieces go back to the shelf, the points to the lots they came from."""

from datetime import date, datetime
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.models import GiftOrder, GiftTaken
from patron.business.gifts.moves import advance, lock_order, require_move
from patron.business.gifts.rules import GONE, OPEN, State, Way
from patron.business.gifts.shelf import lock_shelf
from patron.business.loyalty.errors import ReasonRequired
from patron.business.loyalty.operations import give_back_points
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, PermissionRefused
from patron.kernel.operation import operation

NOT_COLLECTED = "not collected"


@operation(permission="gifts.cancel")
def cancel_order(
    order: GiftOrder,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    money_refunded: Decimal | None = None,
    goods_back: bool = True,
) -> GiftOrder:
    """Cancel an order: its points return to their old lots, its pieces are free again.

    `money_refunded` is what of the money was paid back (None: all of it); the cash itself is the till's. An order
    whose pieces have left needs `gifts.take_back` too; `goods_back` says whether they lie on the shelf again. Safe to
    repeat. Raises ReasonRequired, InvalidInput, WrongState, NoSuchOrder.
    """
    if not reason.strip():
        raise ReasonRequired(details={"field": "reason"})
    locked = lock_order(order, actor)
    if locked.state == State.CANCELLED:
        return locked
    if locked.state in GONE and not actor.can("gifts.take_back"):
        raise PermissionRefused(details={"permission": "gifts.take_back"})
    refunded = locked.money if money_refunded is None else money_refunded
    if not 0 <= refunded <= locked.money:
        raise InvalidInput(
            _("Of the money at most what was paid can be given back."), details={"field": "money_refunded"}
        )
    return _cancelled(
        locked, reason=reason.strip(), money_refunded=refunded, goods_back=goods_back, actor=actor, now=now
    )


@operation(permission="gifts.release")
def release_uncollected(order: GiftOrder, *, as_of: date, actor: Actor, now: datetime) -> bool:
    """Cancel an order that was to be collected before day `as_of` and still waits, and say whether it did.

    Whoever comes at the same moment gets their gift: what is no longer open is left alone. The money, where some was
    paid, is noted as owed back in full.
    """
    locked = lock_order(order, actor)
    if locked.state not in OPEN or locked.way != Way.PICK_UP or locked.collect_by is None:
        return False
    if locked.collect_by >= as_of:
        return False
    _cancelled(locked, reason=NOT_COLLECTED, money_refunded=locked.money, goods_back=True, actor=actor, now=now)
    return True


def _cancelled(
    order: GiftOrder, *, reason: str, money_refunded: Decimal, goods_back: bool, actor: Actor, now: datetime
) -> GiftOrder:
    require_move(order, State.CANCELLED)
    lock_shelf(order.gift_id, order.branch_id)
    GiftTaken.objects.filter(gift_id=order.gift_id, membership_id=order.membership_id).update(
        taken=F("taken") - order.quantity
    )
    if order.spend is not None:
        order.refund = give_back_points(
            order.spend,
            None,
            request_key=f"gift-cancel:{order.pk}",
            reason=reason,
            branch_id=order.branch_id,
            actor=actor,
            now=now,
        )
    order.money_refunded = money_refunded
    return advance(order, State.CANCELLED, note=reason, goods_back=goods_back, actor=actor, now=now)
