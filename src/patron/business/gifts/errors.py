"""Refusals of the gift catalogue, in words that say what to do."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.rules import Refusal
from patron.kernel.errors import Conflict, InvalidInput, NotFound

REFUSAL_WORDS: Mapping[Refusal, str | Promise] = {
    Refusal.MEMBER_NOT_ACTIVE: _("This membership is suspended or closed. Reactivate it first."),
    Refusal.WITHDRAWN: _("This gift is no longer offered."),
    Refusal.NOT_YET: _("This gift is not offered yet."),
    Refusal.ENDED: _("The offer of this gift has ended."),
    Refusal.TIER: _("This gift is for other tiers."),
    Refusal.LIMIT: _("The member has had as many of this gift as one member may."),
    Refusal.NO_DELIVERY: _("This gift is not delivered. Choose a branch to pick it up."),
    Refusal.NO_STOCK: _("No piece of this gift is free in this branch. Choose another branch or another gift."),
    Refusal.POINTS: _("There are not enough points for this gift."),
}


class GiftRefused(Conflict):
    """The member cannot have the gift. `details`: reasons (codes of `Refusal`, the weightiest first)."""

    code = "gift_refused"

    def __init__(self, *reasons: Refusal, details: Mapping[str, object] | None = None) -> None:
        super().__init__(
            REFUSAL_WORDS[reasons[0]], details={"reasons": [str(reason) for reason in reasons], **(details or {})}
        )


class NoSuchGift(NotFound):
    code = "no_such_gift"
    message = _("There is no gift with this code.")


class NoSuchOrder(NotFound):
    code = "no_such_gift_order"
    message = _("No such order was found in your branches.")


class GiftCodeTaken(Conflict):
    code = "gift_code_taken"
    message = _("Another gift has this code. Choose a different one.")


class WrongState(Conflict):
    """The order cannot become that from where it stands. `details`: state, asked."""

    code = "gift_order_state"
    message = _("This order has moved on since. Look at where it stands now.")


class WrongPickupCode(Conflict):
    code = "wrong_pickup_code"
    message = _("This is not the pick-up code of this order. Check the code, or identify the member by card.")


class StockTooLow(Conflict):
    """More pieces would leave than are free. `details`: on_hand, reserved."""

    code = "gift_stock_too_low"
    message = _("There are not that many free pieces: some are missing or reserved for members.")


class NotAPicture(InvalidInput):
    code = "not_a_picture"
    message = _("A picture of a gift is a JPEG, PNG or WebP file of 5 MB at most.")
