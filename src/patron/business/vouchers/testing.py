"""Builders of vouchers and baskets, for the tests of this room and those above."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from patron.business.loyalty.baskets import Basket, BasketLine, MemberFacts, ProductFacts, categories_of
from patron.business.loyalty.models import Membership
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.operations import Issue, Limits, define_vouchers, issue_codes, issue_vouchers
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import house_zone

_numbers = count(1)

TEN_OFF: Mapping[str, Any] = {"kind": "amount", "value": "10"}
TENTH_OFF: Mapping[str, Any] = {"kind": "percent", "value": "10"}
CASH: Mapping[str, Any] = {"kind": "amount", "value": "100", "partial_use": True, "transferable": True}

MILK = ProductFacts("MILK", brand="Kowloon Dairy", categories=categories_of("Food > Dairy"))
BREAD = ProductFacts("BREAD", brand="Garden", categories=categories_of("Food > Bakery"))
PLAIN_MEMBER = MemberFacts()
NO_LIMITS = Limits()
BY_HAND = Issue()


def make_line(
    line_no: int, product: ProductFacts = MILK, net: Decimal | str = "40", quantity: Decimal | str = "1"
) -> BasketLine:
    """A line of a basket: so many pieces that cost `net` together."""
    amount, pieces = Decimal(net), Decimal(quantity)
    return BasketLine(
        line_no=line_no, product=product, quantity=pieces, unit_price=amount / (pieces or 1), net_amount=amount
    )


def make_basket(*lines: BasketLine, at: datetime = NOW, branch: str = "KLN") -> Basket:
    """A basket of these lines; milk for 40.00 and bread for 60.00 unless told."""
    return Basket(
        at=at,
        local=at.astimezone(house_zone()),
        lines=lines or (make_line(1, MILK, "40"), make_line(2, BREAD, "60")),
        branch=branch,
    )


def make_definition(
    terms: Mapping[str, Any] = TEN_OFF,
    *,
    code: str = "",
    limits: Limits = NO_LIMITS,
    issue: Issue = BY_HAND,
) -> VoucherDefinition:
    """A kind of voucher, ten off unless told."""
    code = code or f"voucher-{next(_numbers)}"
    return define_vouchers(code=code, name=code.title(), terms=terms, limits=limits, issue=issue, actor=SYSTEM, now=NOW)


def make_voucher(
    membership: Membership, definition: VoucherDefinition | None = None, *, occasion: str = "", now: datetime = NOW
) -> Voucher:
    """A voucher of a member."""
    definition = definition or make_definition()
    occasion = occasion or f"test:{next(_numbers)}"
    issue_vouchers(definition, [membership.pk], occasion=occasion, actor=SYSTEM, now=now)
    return Voucher.objects.get(definition=definition, issued_to=membership, occasion=occasion)


def make_code(definition: VoucherDefinition | None = None, *, now: datetime = NOW) -> Voucher:
    """A voucher of whoever holds its code."""
    definition = definition or make_definition()
    key = f"test-{next(_numbers)}"
    issue_codes(definition, 1, request_key=key, actor=SYSTEM, now=now)
    return Voucher.objects.get(definition=definition, occasion=f"codes:{key}")
