"""Builders of purchases, for the tests of this room and those above."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count

from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import Receipt, record_purchase
from patron.business.purchases.rules import Line
from patron.core.accounts.models import Branch
from patron.core.accounts.testing import NOW
from patron.core.customers.models import Customer
from patron.kernel.actor import SYSTEM

_numbers = count(1)

MILK = Line(product_code="MILK", description="Organic milk 1 l", quantity=Decimal(2), unit_price=Decimal("18.50"))
BREAD = Line(product_code="BREAD", description="Rye bread", quantity=Decimal(1), unit_price=Decimal("26.00"))


def make_purchase(
    customer: Customer | None = None,
    *,
    lines: Sequence[Line] = (MILK, BREAD),
    occurred_at: datetime = NOW,
    branch: Branch | None = None,
    source_key: str = "",
) -> Purchase:
    """A sale of two litres of milk and a loaf, 63.00 in all, or as told."""
    receipt = Receipt(
        source="test", source_key=source_key or f"T{next(_numbers):06d}", occurred_at=occurred_at, branch=branch
    )
    return record_purchase(receipt=receipt, lines=lines, customer=customer, actor=SYSTEM, now=NOW)
