"""The shelf of a gift in a branch: locked, and moved. Always inside an operation."""

from datetime import datetime

from django.db import connection

from patron.business.gifts.models import GiftOrder, GiftStock, StockMovement
from patron.business.gifts.rules import Movement
from patron.kernel.actor import Actor
from patron.kernel.operation import inside_operation


@inside_operation
def open_shelf(gift_id: int, branch_id: int) -> None:
    """Make sure that the shelf exists. Safe at the same moment elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gifts_giftstock (gift_id, branch_id, on_hand, reserved) VALUES (%s, %s, 0, 0) "
            "ON CONFLICT (gift_id, branch_id) DO NOTHING",
            [gift_id, branch_id],
        )


@inside_operation
def lock_shelf(gift_id: int, branch_id: int) -> GiftStock | None:
    """The shelf, locked until the transaction ends; None where nothing was ever put."""
    return (
        GiftStock.objects.select_for_update(no_key=True)
        .filter(gift_id=gift_id, branch_id=branch_id)
        .first()
    )  # fmt: skip


@inside_operation
def move(
    stock: GiftStock,
    kind: Movement,
    quantity: int,
    *,
    actor: Actor,
    now: datetime,
    order: GiftOrder | None = None,
    reason: str = "",
    request_key: str | None = None,
) -> StockMovement:
    """Write a movement; the database moves the shelf by it, and refuses what the shelf does not hold."""
    return StockMovement.objects.create(
        stock=stock,
        kind=kind,
        quantity=quantity,
        order=order,
        reason=reason,
        request_key=request_key,
        occurred_at=now,
        actor=actor.reference,
        actor_name=actor.name[:150],
    )
