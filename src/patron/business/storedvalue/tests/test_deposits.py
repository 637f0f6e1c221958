"""Deposits with bonus, and withdrawals that never pay bonus out."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from patron.business.loyalty.errors import KeyReused, MembershipNotActive
from patron.business.loyalty.models import LedgerTransaction, Lot, Membership
from patron.business.loyalty.operations import set_membership_status
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.errors import (
    InsufficientFunds,
    LimitPassed,
    NothingPaidOut,
    StoredValueNotOffered,
    WithdrawalNotAllowed,
)
from patron.business.storedvalue.operations import deposit, pay, set_policy, withdraw
from patron.business.storedvalue.queries import check_stored_value, explain
from patron.business.storedvalue.rules import Policy, Tier
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.business.storedvalue.tests.support import balance, lots, row
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput

pytestmark = pytest.mark.django_db


def _withdraw(member: Membership, amount: object, key: str = "w", **details: Any) -> LedgerTransaction:
    now = details.pop("now", NOW)
    return withdraw(member, Decimal(str(amount)), request_key=key, actor=SYSTEM, now=now, **details)


def _pay(member: Membership, amount: object, key: str = "p") -> LedgerTransaction:
    return pay(member, Decimal(str(amount)), request_key=key, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(("amount", "bonus"), [("499.99", 0), ("500", 25), ("999.99", "49.99"), ("1000", 80)])
def test_a_deposit_brings_the_bonus_of_the_highest_step_reached(amount: str, bonus: Any) -> None:
    member = make_member()
    taken = make_deposit(member, amount)
    assert balance(member) == Decimal(amount) + Decimal(bonus)
    assert taken.explanation.get("bonus", "0") == str(bonus) + (".00" if isinstance(bonus, int) and bonus else "")
    if bonus:
        lot = Lot.objects.get(opened_by__explanation__what="bonus")
        assert row(lot.opened_by.origin_id, lot.expires_on) == (taken.pk, date(2027, 3, 31))


def test_a_deposit_sent_twice_counts_once_with_its_bonus() -> None:
    member = make_member()
    first = make_deposit(member, 1000, request_key="k")
    again = make_deposit(member, 1000, request_key="k")
    assert row(first, balance(member)) == (again, 1080)
    with pytest.raises(KeyReused):
        make_deposit(member, 1000, request_key="k", tender="card")
    with pytest.raises(KeyReused):
        make_deposit(member, 999, request_key="k")
    assert balance(member) == 1080


def test_who_takes_no_deposits_and_how_much() -> None:
    member = make_member()
    with pytest.raises(StoredValueNotOffered):
        deposit(member, Decimal(1), tender="cash", request_key="k", actor=SYSTEM, now=NOW)
    make_policy(member.programme, min_deposit=Decimal(10), max_deposit=Decimal(500), max_balance=Decimal(800), tiers=())
    for amount, limit in ((9, "min_deposit"), (501, "max_deposit")):
        with pytest.raises(LimitPassed) as refused:
            make_deposit(member, amount)
        assert refused.value.details["limit"] == limit
    make_deposit(member, 500)
    with pytest.raises(LimitPassed) as refused:
        make_deposit(member, "300.01")
    assert refused.value.details == {"limit": "max_balance", "bound": Decimal(800), "field": "amount"}
    make_deposit(member, 300)
    with pytest.raises(InvalidInput):
        make_deposit(member, 1, tender="cowries")


def test_bonus_is_never_paid_out() -> None:
    member = make_member()
    make_deposit(member, 1000)
    with pytest.raises(InsufficientFunds) as refused:
        _withdraw(member, "1000.01")
    assert refused.value.details == {"asked": Decimal("1000.01"), "available": Decimal(1000)}
    taken = _withdraw(member, 1000)
    assert row(taken.amount, taken.explanation["paid_out"]) == (-1000, "1000.00")
    assert balance(member) == 0  # the bonus goes with the deposit that brought it


def test_what_is_left_of_a_deposit_keeps_its_part_of_the_bonus() -> None:
    member = make_member()
    make_deposit(member, 1000)
    _withdraw(member, 333)
    assert lots(member) == [("bonus", Decimal("53.36")), ("deposit", Decimal(667))]  # 80 × 667 ÷ 1000
    _withdraw(member, 667, "w2")
    assert lots(member) == []


def test_bonus_spent_already_is_kept_of_the_payout() -> None:
    member = make_member()
    make_deposit(member, 1000)
    _pay(member, 60)
    taken = _withdraw(member, 1000)
    assert row(taken.explanation["charged"], taken.explanation["paid_out"]) == ("60.00", "940.00")
    assert balance(member) == 0
    assert explain(taken) == "Paid out 940.00: Cash. 60.00 kept for bonus that had been spent."


def test_bonus_that_expired_unused_is_not_asked_for() -> None:
    member = make_member()
    make_deposit(member, 1000)
    _pay(member, 30)
    taken = _withdraw(member, 1000, now=NOW + timedelta(days=500))
    assert taken.explanation["charged"] == "30.00"
    assert balance(member) == 0


def test_the_newest_deposits_leave_first() -> None:
    member = make_member()
    make_deposit(member, 600, tender="card")
    make_deposit(member, 200)
    _withdraw(member, 300)
    assert lots(member) == [("bonus", Decimal("25.00")), ("deposit", Decimal(500))]  # 30 × 500 ÷ 600


def test_the_fee_is_kept_and_must_leave_something() -> None:
    member = make_member()
    make_policy(member.programme, withdrawal_fee=Decimal(5))
    make_deposit(member, 100)
    with pytest.raises(NothingPaidOut):
        _withdraw(member, 5)
    taken = _withdraw(member, 50)
    assert row(taken.explanation["fee"], taken.explanation["paid_out"], balance(member)) == ("5.00", "45.00", 50)
    assert _withdraw(member, 50) == taken
    with pytest.raises(KeyReused):
        _withdraw(member, 40)


def test_withdrawals_need_a_policy_and_a_member_in_good_standing() -> None:
    member = make_member()
    make_policy(member.programme, withdrawals_allowed=False)
    make_deposit(member, 100)
    with pytest.raises(WithdrawalNotAllowed):
        _withdraw(member, 50)
    make_policy(member.programme)
    set_membership_status(member, status="suspended", actor=SYSTEM, now=NOW)
    with pytest.raises(MembershipNotActive):
        _withdraw(member, 50)
    set_membership_status(member, status="closed", actor=SYSTEM, now=NOW)
    _withdraw(member, 50)
    assert balance(member) == 50
    assert [check.code for check in check_stored_value() if not check.holds] == []


def test_the_database_pays_no_bonus_out() -> None:
    member = make_member()
    make_deposit(member, 1000)
    lot = Lot.objects.get(opened_by__explanation__what="bonus")
    by_hand = """
        WITH t AS (
            INSERT INTO loyalty_ledgertransaction (membership_id, unit, kind, request_key, amount, occurred_at,
                explanation, actor)
            VALUES (%s, 'stored_value', 'return', 'x', -1, now(), '{"what": "withdrawal"}', '') RETURNING id)
        INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
        SELECT t.id, s.* FROM t, (VALUES (1, (SELECT id FROM loyalty_account WHERE membership_id = %s
            AND unit = 'stored_value' AND bucket = 'issued'), NULL::bigint, 1.00), (2, %s, %s, -1.00)) s
    """
    with (
        pytest.raises(IntegrityError, match="pays out bonus"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(by_hand, [member.pk, member.pk, lot.account_id, lot.pk])


def test_stored_value_is_never_owed() -> None:
    member = make_member(make_programme(allow_debt=True))
    make_deposit(member, 10)
    with pytest.raises(IntegrityError, match="storedvalue_never_owed"), connection.cursor() as cursor:
        cursor.execute("UPDATE loyalty_account SET overdraft_allowed = true WHERE unit = 'stored_value'")


@pytest.mark.parametrize(
    ("terms", "tiers", "field"),
    [
        ({"min_deposit": Decimal(0)}, (), "min_deposit"),
        ({"max_deposit": Decimal("0.001")}, (), "max_deposit"),
        ({"min_deposit": Decimal(10), "max_balance": Decimal(9)}, (), "max_balance"),
        ({"bonus_months": 601}, (), "bonus_months"),
        ({"withdrawal_fee": Decimal(-1)}, (), "withdrawal_fee"),
        ({}, (Tier(Decimal(10), Decimal(101)),), "tiers"),
        ({}, (Tier(Decimal(10), Decimal(1)), Tier(Decimal(10), Decimal(2))), "tiers"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any], tiers: tuple[Tier, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_policy(make_programme(), policy=Policy(**terms), tiers=tiers, actor=SYSTEM, now=NOW)
    assert refused.value.details["field"] == field
