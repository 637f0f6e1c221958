"""Balances, statements, the daily statement of finance, and what is owed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import expire_lots
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.operations import pay, refund, withdraw
from patron.business.storedvalue.queries import (
    daily_statement,
    money_statement,
    policies,
    stored_value_liability,
    wallet_balance,
)
from patron.business.storedvalue.testing import TIERS, make_deposit, make_policy
from patron.business.storedvalue.tests.support import row
from patron.core.accounts.models import Branch
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.customers.testing import WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import PermissionRefused

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
NEXT = NOW + timedelta(days=1)


def _pay(member: Membership, amount: int, key: str, **details: Any) -> LedgerTransaction:
    return pay(member, Decimal(amount), request_key=key, actor=SYSTEM, now=details.pop("now", NOW), **details)


def _two_days() -> tuple[Branch, Branch]:
    """Monday: 1,000 (+80) in Kowloon, 200 in Central by card, 100 paid in Central. Tuesday: 30 refunded, 500 out."""
    kowloon, central = make_branch("KLN", "Kowloon"), make_branch("CEN", "Central")
    member = make_member()
    make_deposit(member, 1000, branch_id=kowloon.pk)
    make_deposit(member, 200, branch_id=central.pk, tender="card")
    paid = _pay(member, 100, "p", branch_id=central.pk)
    refund(paid, Decimal(30), request_key="r", branch_id=central.pk, actor=SYSTEM, now=NEXT)
    withdraw(member, Decimal(500), request_key="w", branch_id=kowloon.pk, actor=SYSTEM, now=NEXT)
    return kowloon, central


def test_the_day_of_each_branch_ties_to_the_ledger() -> None:
    _two_days()
    told = daily_statement(SYSTEM, day=DAY)
    assert [row(line.branch, line.opening, line.closing) for line in told.lines] == [
        ("Central", 0, 100),
        ("Kowloon", 0, 1080),
    ]
    assert told.total.by_tender == {"card": Decimal(200), "cash": Decimal(1000)}
    assert {what: amount for what, amount in told.total.moved.items() if amount} == {
        "deposit": Decimal(1200),
        "bonus": Decimal(80),
        "payment": Decimal(-100),
    }
    assert row(told.total.closing, told.ledger, told.ties) == (1180, 1180, True)

    told = daily_statement(SYSTEM, day=DAY + timedelta(days=1))
    # 200 of the second deposit leave first, then 300 of the first: 24 of its 80 are asked back, 10 of them unspent
    assert [row(line.branch, line.opening, line.closing) for line in told.lines] == [
        ("Central", 100, 130),
        ("Kowloon", 1080, Decimal("570.00")),
    ]
    assert told.total.moved["withdrawal"] == -500
    assert told.total.moved["bonus_back"] == -10
    assert told.total.paid_out == Decimal("486.00")
    assert told.ties


def test_the_day_of_one_branch_and_of_a_manager() -> None:
    kowloon, central = _two_days()
    told = daily_statement(SYSTEM, day=DAY, branch_id=central.pk)
    assert row(told.total.moved["payment"], told.total.closing) == (-100, 100)
    told = daily_statement(actor_in(Role.BRANCH_MANAGER, branches=[kowloon]), day=DAY)
    assert [line.branch for line in told.lines] == ["Kowloon"]
    with pytest.raises(PermissionRefused):
        daily_statement(actor_in(Role.CASHIER), day=DAY)


def test_expired_bonus_stands_apart_from_branches() -> None:
    make_deposit(make_member(), 1000, branch_id=make_branch("KLN", "Kowloon").pk)
    expire_lots(as_of=date(2027, 4, 1), actor=SYSTEM, now=NOW + timedelta(days=500))
    told = daily_statement(SYSTEM, day=date(2027, 4, 1))
    assert [row(line.branch, line.opening, line.moved["expiry"], line.closing) for line in told.lines] == [
        ("Kowloon", 1080, 0, 1080),
        ("", 0, -80, -80),
    ]
    assert row(told.ledger, told.ties) == (1000, True)


def test_the_balance_tells_own_money_from_bonus() -> None:
    member = make_member()
    assert wallet_balance(member, now=NOW).balance == 0
    make_deposit(member, 1000)
    _pay(member, 30, "p")
    told = wallet_balance(member, now=NOW)
    assert row(told.own, told.bonus, told.expiring, told.expires_on) == (1000, 50, 50, date(2027, 3, 31))
    later = wallet_balance(member, now=NOW + timedelta(days=500))
    assert row(later.own, later.bonus, later.expires_on) == (1000, 0, None)


def test_the_statement_runs_back_page_by_page() -> None:
    member = make_member()
    make_deposit(member, 1000)
    for n in range(4):
        _pay(member, 30, f"p{n}", receipt=f"R-{n}")
    with CaptureQueriesContext(connection) as asked:
        first = money_statement(member, limit=3)
    assert len(asked) == 2
    second = money_statement(member, before=first.following, limit=3)
    lines = [*first.lines, *second.lines]
    assert second.following is None
    assert [line.balance for line in lines] == [960, 990, 1020, 1050, 1080, 1000]
    assert [line.words for line in lines] == [
        "Paid with own money. Receipt R-3.",
        "Paid: 20.00 of it bonus, 10.00 own money. Receipt R-2.",
        "Paid with bonus. Receipt R-1.",
        "Paid with bonus. Receipt R-0.",
        "8 % of 1,000.00: deposits of 1,000.00 or more bring this bonus.",
        "Deposited: Cash.",
    ]


def test_what_is_owed_now_and_was_owed_then() -> None:
    programme = make_programme()
    members = [make_member(programme), make_member(programme, character=WANG)]
    for member in members:
        make_deposit(member, 1000)
    _pay(members[0], 100, "p", now=NEXT)
    now = stored_value_liability(now=NEXT)
    assert row(now.own, now.bonus, now.members, now.total) == (1980, 80, 2, 2060)
    assert row(now.expiring, now.expires_on) == (80, date(2027, 3, 31))
    then = stored_value_liability(now=NEXT, as_of=NOW)
    assert row(then.own, then.bonus, then.total) == (2000, 160, 2160)


def test_every_programme_with_its_terms() -> None:
    programme, other = make_programme(), make_programme()
    make_policy(programme, secret_above=Decimal(500))
    ((_, policy, tiers), (_, none, _no_tiers)) = policies()
    assert row(policy.secret_above, tuple(tiers)) == (500, TIERS)
    assert not none.is_offered
    assert other.pk
