"""What the tests of gifts share."""

from decimal import Decimal
from itertools import count

from patron.business.gifts.models import Gift, GiftStock
from patron.business.loyalty.models import Account, Membership, Programme
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member
from patron.core.accounts.models import Branch
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.testing import CHAN, Character
from patron.kernel.actor import SYSTEM

_keys = count(1)


def key() -> str:
    """A request key nobody has used."""
    return f"k{next(_keys)}"


def member_with(
    points: Decimal | int, *, programme: Programme | None = None, character: Character = CHAN
) -> Membership:
    """A member who has so many points, usable for ever."""
    member = make_member(programme, character=character)
    if points:
        adjust_points(member, Decimal(points), reason="Welcome", request_key=key(), actor=SYSTEM, now=NOW)
    return member


def points_of(member: Membership) -> int:
    """The member's points, which are whole in these tests."""
    balance = Account.objects.get(membership=member, unit="points", bucket="available").balance
    assert balance == int(balance)
    return int(balance)


def shelf(gift: Gift, branch: Branch | None = None) -> tuple[int, int]:
    """(on hand, reserved) in a branch (Kowloon)."""
    stock = GiftStock.objects.get(gift=gift, branch=branch or make_branch())
    return stock.on_hand, stock.reserved
