"""Builders of gifts, for the tests of this room and those above."""

from decimal import Decimal
from itertools import count
from typing import Any

from patron.business.gifts.models import Gift
from patron.business.gifts.operations import define_gift, receive_stock
from patron.business.gifts.operations.defining import GiftDetails
from patron.core.accounts.models import Branch
from patron.core.accounts.testing import NOW, make_branch
from patron.kernel.actor import SYSTEM

_codes = count(1)


def make_gift(
    code: str = "",
    *,
    points: Decimal | int = 100,
    money: Decimal | int = 0,
    stock: int = 5,
    branch: Branch | None = None,
    name: str = "Umbrella",
    **details: Any,
) -> Gift:
    """A gift for 100 points of which five lie in Kowloon, unless told otherwise."""
    gift = define_gift(
        code or f"GIFT-{next(_codes)}",
        GiftDetails(name=name, points_price=Decimal(points), money_price=Decimal(money), **details),
        actor=SYSTEM,
        now=NOW,
    )
    if stock:
        put_on_shelf(gift, stock, branch=branch)
    return gift


def put_on_shelf(gift: Gift, quantity: int, *, branch: Branch | None = None) -> None:
    """Let more pieces lie in a branch (Kowloon)."""
    receive_stock(gift, branch or make_branch(), quantity, request_key=f"test {next(_codes)}", actor=SYSTEM, now=NOW)
