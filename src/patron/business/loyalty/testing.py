"""Builders of programmes and members, for the tests of this room and those above."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from patron.business.loyalty.models import Membership, Programme
from patron.business.loyalty.operations import create_programme, enrol
from patron.core.accounts.testing import NOW
from patron.core.customers.models import Customer
from patron.core.customers.testing import CHAN, Character, make_customer
from patron.kernel.actor import SYSTEM

_codes = count(1)

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def make_programme(
    code: str = "",
    *,
    points_per_unit: Decimal | int = 1,
    unit_amount: Decimal | int = 1,
    expiry_months: int | None = 12,
    allow_debt: bool = True,
    currency: str = "HKD",
    rules_from: datetime = LONG_AGO,
) -> Programme:
    """A programme with one rule: one point for each whole 1.00, usable for twelve months, unless told otherwise."""
    code = code or f"club-{next(_codes)}"
    return create_programme(
        code=code,
        name=code.title(),
        currency=currency,
        points_per_unit=Decimal(points_per_unit),
        unit_amount=Decimal(unit_amount),
        expiry_months=expiry_months,
        allow_debt=allow_debt,
        rules_from=rules_from,
        actor=SYSTEM,
        now=NOW,
    )


def make_member(
    programme: Programme | None = None,
    *,
    customer: Customer | None = None,
    character: Character = CHAN,
    joined_on: date = date(2020, 1, 1),
    number: str = "",
) -> Membership:
    """An enrolled customer with a card: one of the cast, unless a customer is given."""
    return enrol(
        customer or make_customer(character),
        programme=programme or make_programme(),
        number=number,
        joined_on=joined_on,
        actor=SYSTEM,
        now=NOW,
    )
