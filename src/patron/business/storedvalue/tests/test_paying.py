"""Paying and refunding: which money goes, what is refused, and how much the till has to wait for."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from patron.business.loyalty.errors import KeyReused, MembershipNotActive
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import expire_lots, set_membership_status
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.errors import (
    InsufficientFunds,
    InvalidAmount,
    LimitPassed,
    NotAPayment,
    RefundTooLarge,
    WalletFrozen,
)
from patron.business.storedvalue.operations import freeze, pay, refund, set_wallet_limits, unfreeze
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.business.storedvalue.tests.support import balance, lots
from patron.core.accounts.testing import NOW, make_branch
from patron.core.activities.models import Activity
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


def _pay(member: Membership, amount: object, key: str = "p", **details: Any) -> LedgerTransaction:
    return pay(member, Decimal(str(amount)), request_key=key, actor=SYSTEM, now=details.pop("now", NOW), **details)


def _refund(payment: LedgerTransaction, amount: object = None, key: str = "r", **details: Any) -> LedgerTransaction:
    wanted = None if amount is None else Decimal(str(amount))
    return refund(payment, wanted, request_key=key, actor=SYSTEM, now=details.pop("now", NOW), **details)


def test_bonus_pays_first_then_own_money() -> None:
    member = make_member()
    make_deposit(member, 1000)
    paid = _pay(member, "100.50", receipt="R-1")
    assert (paid.amount, paid.explanation["bonus"]) == (Decimal("-100.50"), "80.00")
    assert lots(member) == [("deposit", Decimal("979.50"))]
    assert balance(member) == Decimal("979.50")
    assert LedgerTransaction.objects.get(pk=paid.pk).explanation == paid.explanation
    assert paid.recorded_at is not None


def test_bonus_pays_last_where_the_policy_says_so() -> None:
    member = make_member()
    make_policy(member.programme, bonus_first=False)
    make_deposit(member, 1000)
    _pay(member, 1010)
    assert lots(member) == [("bonus", Decimal(70))]


def test_a_payment_costs_five_statements_and_a_refund_as_many() -> None:
    member = make_member()
    make_deposit(member, 1000)
    first = _pay(member, 1)
    _refund(first)
    with CaptureQueriesContext(connection) as asked:
        paid = _pay(member, 10, "p2")
    own = [q for q in asked if "SAVEPOINT" not in q["sql"] and "kernel_auditentry" not in q["sql"]]
    assert len(own) == 5
    with CaptureQueriesContext(connection) as asked:
        _refund(paid, 5, "r2")
    own = [q for q in asked if "SAVEPOINT" not in q["sql"] and "kernel_auditentry" not in q["sql"]]
    assert len(own) == 5


def test_the_same_request_again_gives_the_first_answer() -> None:
    member = make_member()
    make_deposit(member, 100)
    first, again = _pay(member, 30, receipt="R"), _pay(member, 30, receipt="R")
    assert first == again
    back, back_again = _refund(first, 10), _refund(first, 10)
    assert back == back_again
    assert balance(member) == 80


@pytest.mark.parametrize(("amount", "receipt"), [("31", "R"), ("30", "S")])
def test_another_body_under_the_same_key_is_refused(amount: str, receipt: str) -> None:
    member = make_member()
    make_deposit(member, 100)
    _pay(member, 30, receipt="R")
    with pytest.raises(KeyReused):
        _pay(member, amount, receipt=receipt)
    assert balance(member) == 70


def test_a_key_of_a_payment_is_not_one_of_a_refund_or_deposit() -> None:
    member = make_member()
    make_deposit(member, 100)
    paid = _pay(member, 30, "k")
    with pytest.raises(KeyReused):
        _refund(paid, 30, "k")
    with pytest.raises(KeyReused):
        make_deposit(member, 30, request_key="k")
    assert balance(member) == 70


def test_more_than_there_is_cannot_be_paid() -> None:
    member = make_member()
    make_deposit(member, 100)
    with pytest.raises(InsufficientFunds) as refused:
        _pay(member, "100.01")
    assert refused.value.details == {"asked": Decimal("100.01"), "available": Decimal(100)}
    assert balance(member) == 100
    with pytest.raises(InsufficientFunds):
        _pay(make_member(member.programme, number="8800000000123450", customer=make_customer(WANG)), 1)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "100000000"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    member = make_member()
    make_deposit(member, 100)
    with pytest.raises(InvalidAmount):
        _pay(member, amount)


def test_refunds_go_back_into_the_lots_that_paid_last_drawn_first() -> None:
    member = make_member()
    make_deposit(member, 1000)
    paid = _pay(member, 100)
    assert _refund(paid, 30, "r1").explanation["left"] == "70.00"
    assert lots(member) == [("bonus", Decimal(10)), ("deposit", Decimal(1000))]
    assert _refund(paid, None, "r2").amount == 70
    assert lots(member) == [("bonus", Decimal(80)), ("deposit", Decimal(1000))]
    with pytest.raises(RefundTooLarge):
        _refund(paid, "0.01", "r3")
    with pytest.raises(RefundTooLarge):
        _refund(paid, None, "r4")
    assert balance(member) == 1080
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_more_than_was_paid_is_never_refunded() -> None:
    member = make_member()
    make_deposit(member, 1000)
    paid = _pay(member, 100)
    with pytest.raises(RefundTooLarge) as refused:
        _refund(paid, "100.01")
    assert refused.value.details == {"asked": Decimal("100.01"), "refundable": Decimal(100)}


def test_only_payments_are_refunded() -> None:
    member = make_member()
    with pytest.raises(NotAPayment):
        _refund(make_deposit(member, 100))


def test_the_database_refuses_a_second_refund_by_hand() -> None:
    member = make_member()
    make_deposit(member, 100)
    paid = _pay(member, 60)
    _refund(paid)
    by_hand = (
        "INSERT INTO loyalty_ledgertransaction (membership_id, unit, kind, request_key, amount, occurred_at, "
        "origin_id, explanation, actor) VALUES (%s, 'stored_value', 'refund', 'x', 1, now(), %s, '{}', '')"
    )
    with (
        pytest.raises(IntegrityError, match="refunds more than was paid"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(by_hand, [member.pk, paid.pk])


def test_bonus_refunded_after_its_date_expires_at_once() -> None:
    member = make_member()
    make_deposit(member, 1000)  # bonus of 80 until 31 March 2027
    paid = _pay(member, 80)
    later = NOW + timedelta(days=500)
    _refund(paid, now=later)
    assert lots(member) == [("deposit", Decimal(1000))]
    expired = LedgerTransaction.objects.get(kind="expire")
    assert (expired.amount, expired.occurred_at) == (Decimal(-80), later)


def test_expired_bonus_pays_nothing_and_is_told_as_money() -> None:
    member = make_member()
    make_deposit(member, 1000)
    with pytest.raises(InsufficientFunds) as refused:
        _pay(member, 1001, now=NOW + timedelta(days=500))
    assert refused.value.details["available"] == 1000
    expire_lots(as_of=date(2027, 4, 1), actor=SYSTEM, now=NOW + timedelta(days=500))
    assert balance(member) == 1000
    told = Activity.objects.get(kind="stored_value.expired")
    assert told.facts == {"amount": -80}
    assert not Activity.objects.filter(kind__startswith="points.").exists()


def test_the_timeline_tells_of_money() -> None:
    member, branch = make_member(), make_branch()
    make_deposit(member, 1000, branch_id=branch.pk)
    paid = _pay(member, "12.50", branch_id=branch.pk)
    _refund(paid, branch_id=branch.pk)
    told = Activity.objects.filter(kind__startswith="stored_value.").order_by("pk")
    assert [(a.kind, a.facts["amount"], a.branch_id) for a in told] == [
        ("stored_value.deposited", 1000, branch.pk),
        ("stored_value.bonus_granted", 80, branch.pk),
        ("stored_value.paid", -12.5, branch.pk),
        ("stored_value.refunded", 12.5, branch.pk),
    ]


def test_limits_of_the_policy_and_of_the_member() -> None:
    member = make_member()
    make_policy(member.programme, max_payment=Decimal(300), max_per_day=Decimal(500))
    make_deposit(member, 2000)
    with pytest.raises(LimitPassed) as refused:
        _pay(member, 301)
    assert refused.value.details["limit"] == "max_payment"
    paid = _pay(member, 300, "p1")
    with pytest.raises(LimitPassed) as refused:
        _pay(member, "200.01", "p2")
    assert refused.value.details == {"limit": "max_per_day", "bound": Decimal(500), "field": "amount"}
    _refund(paid, 100)
    _pay(member, 300, "p3")
    _pay(member, 1, "p4", now=NOW + timedelta(days=1))
    set_wallet_limits(member, max_payment=Decimal(1000), max_per_day=None, actor=SYSTEM, now=NOW)
    with pytest.raises(LimitPassed):
        _pay(member, 600, "p5", now=NOW + timedelta(days=1))
    set_wallet_limits(member, max_payment=Decimal(1000), max_per_day=Decimal(5000), actor=SYSTEM, now=NOW)
    _pay(member, 600, "p6", now=NOW + timedelta(days=1))


def test_frozen_money_neither_comes_nor_goes_except_as_refunds() -> None:
    member = make_member()
    make_deposit(member, 100)
    paid = _pay(member, 10)
    freeze(member, reason="Card lost", actor=SYSTEM, now=NOW)
    for act in (lambda: _pay(member, 1, "p2"), lambda: make_deposit(member, 1)):
        with pytest.raises(WalletFrozen):
            act()
    _refund(paid)
    unfreeze(member, actor=SYSTEM, now=NOW)
    _pay(member, 1, "p3")
    assert balance(member) == 99


def test_who_is_no_active_member_pays_nothing() -> None:
    member = make_member(make_programme())
    make_deposit(member, 100)
    set_membership_status(member, status="suspended", actor=SYSTEM, now=NOW)
    with pytest.raises(MembershipNotActive):
        _pay(member, 1)
    assert balance(member) == 100
