"""Every write of the gift catalogue, by topic."""

from patron.business.gifts.operations.cancelling import cancel_order, release_uncollected
from patron.business.gifts.operations.defining import (
    change_gift,
    define_gift,
    offer_gift,
    set_gift_picture,
    withdraw_gift,
)
from patron.business.gifts.operations.fulfilling import deliver, hand_over, mark_ready, ship
from patron.business.gifts.operations.ordering import order_gift, redeem_at_counter
from patron.business.gifts.operations.stocking import correct_stock, receive_stock

__all__ = [
    "cancel_order",
    "change_gift",
    "correct_stock",
    "define_gift",
    "deliver",
    "hand_over",
    "mark_ready",
    "offer_gift",
    "order_gift",
    "receive_stock",
    "redeem_at_counter",
    "release_uncollected",
    "set_gift_picture",
    "ship",
    "withdraw_gift",
]
