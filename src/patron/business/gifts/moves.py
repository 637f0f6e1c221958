"""An order from one state to the next: shelf, event and activity, always inside an operation."""

from datetime import datetime

from patron.business.gifts.errors import NoSuchOrder, WrongState
from patron.business.gifts.models import GiftOrder, GiftOrderEvent
from patron.business.gifts.rules import OPEN, State, may_move, movement_for
from patron.business.gifts.shelf import lock_shelf, move
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.operation import inside_operation


@inside_operation
def lock_order(order: GiftOrder, actor: Actor) -> GiftOrder:
    """The order with gift and membership, its row locked. Raises NoSuchOrder for one of another branch."""
    found = (
        GiftOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("gift", "membership", "spend")
        .filter(pk=order.pk)
        .first()
    )
    if found is None or (actor.branch_ids is not None and found.branch_id not in actor.branch_ids):
        raise NoSuchOrder(details={"order": order.pk})
    return found


@inside_operation
def require_move(order: GiftOrder, to: State) -> None:
    """Raises WrongState where the order cannot become `to`."""
    if not may_move(order.state, to, way=order.way):
        raise WrongState(details={"state": str(order.state), "asked": str(to)})


@inside_operation
def advance(
    order: GiftOrder, to: State, *, actor: Actor, now: datetime, note: str = "", goods_back: bool = True
) -> GiftOrder:
    """Let a locked order become `to`, with whatever else was set on it, and move the shelf accordingly.

    Raises WrongState. The shelf is locked here, after the order and before any account.
    """
    require_move(order, to)
    movement = movement_for(order.state, to, goods_back=goods_back)
    if movement is not None:
        stock = lock_shelf(order.gift_id, order.branch_id)
        if stock is None:
            raise WrongState(details={"state": str(order.state), "asked": str(to)})
        move(stock, movement, order.quantity, order=order, actor=actor, now=now)
    before = order.state
    order.state = to
    order.closed_at = None if to in OPEN or to == State.SHIPPED else now
    order.save(update_fields=["state", "closed_at", "tracking", "refund", "money_refunded"])
    tell(order, before=before, note=note, actor=actor, now=now)
    return order


@inside_operation
def tell(order: GiftOrder, *, before: str, actor: Actor, now: datetime, note: str = "") -> None:
    """Write the event of a move, and the activity of it in the member's timeline."""
    GiftOrderEvent.objects.create(
        order=order,
        from_state=before,
        to_state=order.state,
        occurred_at=now,
        actor=actor.reference,
        actor_name=actor.name[:150],
        note=note[:300],
    )
    log_activity(
        actor=actor,
        now=now,
        customer_id=order.membership.customer_id,
        kind="gift.ordered" if not before else f"gift.{order.state}",
        branch_id=order.branch_id,
        source=f"gifts.giftorder:{order.pk}",
        facts={
            "gift": order.gift.code,
            "name": order.gift.name,
            "quantity": order.quantity,
            "gift_points": str(order.points),
        },
    )
