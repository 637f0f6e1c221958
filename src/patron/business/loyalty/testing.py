"""Builders of programmes and members, for the tests of this room and those above."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from patron.business.loyalty.models import Membership, Programme, ProgrammeVersion
from patron.business.loyalty.operations import create_programme, enrol, publish_version
from patron.business.loyalty.rules.terms import Terms
from patron.core.accounts.testing import NOW
from patron.core.customers.models import Customer
from patron.core.customers.testing import CHAN, Character, make_customer
from patron.kernel.actor import SYSTEM, Actor

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
    terms: Mapping[str, Any] | None = None,
) -> Programme:
    """A programme with one rule: one point for each whole 1.00, usable for twelve months, unless told otherwise.

    `terms` are further settings, as JSON.
    """
    code = code or f"club-{next(_codes)}"
    return create_programme(
        code=code,
        name=code.title(),
        currency=currency,
        terms=make_terms(points_per_unit, unit_amount, expiry_months, terms or {}),
        debt="offset" if allow_debt else "forgive",
        rules_from=rules_from,
        actor=SYSTEM,
        now=NOW,
    )


def make_terms(
    points: Decimal | int, per_amount: Decimal | int, expiry_months: int | None, more: Mapping[str, Any]
) -> Terms:
    """Terms with a base rate, points usable for some months (None: for ever), and whatever else is told."""
    expiry = {"kind": "never"} if expiry_months is None else {"kind": "month_end", "n": expiry_months}
    return Terms.read({"base": {"points": str(points), "per_amount": str(per_amount)}, "expiry": expiry, **more})


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


def set_rate(
    programme: Programme,
    *,
    points_per_unit: Decimal,
    unit_amount: Decimal,
    expiry_months: int | None,
    valid_from: datetime,
    actor: Actor,
    now: datetime,
) -> ProgrammeVersion:
    """Publish a version with another base rate."""
    terms = make_terms(points_per_unit, unit_amount, expiry_months, {})
    return publish_version(programme, terms, valid_from=valid_from, actor=actor, now=now)
