"""From the shelf to the member: made ready, handed over or sent. Each move locks its order and is safe to repeat."""

import hmac
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.business.gifts.errors import WrongPickupCode
from patron.business.gifts.models import GiftOrder
from patron.business.gifts.moves import advance, lock_order, require_move
from patron.business.gifts.rules import State, normalised_code
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation


@operation(permission="gifts.fulfil")
def mark_ready(order: GiftOrder, *, actor: Actor, now: datetime) -> GiftOrder:
    """Say that the pieces wait for the member. Safe to repeat. Raises WrongState, NoSuchOrder."""
    locked = lock_order(order, actor)
    return locked if locked.state == State.READY else advance(locked, State.READY, actor=actor, now=now)


@operation(permission="gifts.fulfil", private=("code",))
def hand_over(order: GiftOrder, *, actor: Actor, now: datetime, code: str = "", identified_by: str = "") -> GiftOrder:
    """Give the member what was picked up: for the pick-up code, or having identified them (`identified_by`: how).

    Safe to repeat. Raises WrongPickupCode, WrongState, NoSuchOrder; InvalidInput with neither.
    """
    locked = lock_order(order, actor)
    if not code.strip() and not identified_by.strip():
        raise InvalidInput(_("Ask for the pick-up code, or identify the member."), details={"field": "code"})
    if code.strip() and not hmac.compare_digest(normalised_code(code).encode(), locked.pickup_code.encode()):
        raise WrongPickupCode(details={"field": "code"})
    if locked.state == State.HANDED_OVER:
        return locked
    return advance(locked, State.HANDED_OVER, note=identified_by.strip(), actor=actor, now=now)


@operation(permission="gifts.fulfil")
def ship(order: GiftOrder, *, actor: Actor, now: datetime, tracking: str = "") -> GiftOrder:
    """Send the pieces; `tracking` is the carrier's number. Safe to repeat. Raises WrongState, NoSuchOrder."""
    locked = lock_order(order, actor)
    if locked.state == State.SHIPPED:
        return locked
    require_move(locked, State.SHIPPED)
    locked.tracking = tracking.strip()[:100]
    return advance(locked, State.SHIPPED, note=locked.tracking, actor=actor, now=now)


@operation(permission="gifts.fulfil")
def deliver(order: GiftOrder, *, actor: Actor, now: datetime) -> GiftOrder:
    """Say that what was sent has arrived. Safe to repeat. Raises WrongState, NoSuchOrder."""
    locked = lock_order(order, actor)
    return locked if locked.state == State.DELIVERED else advance(locked, State.DELIVERED, actor=actor, now=now)
