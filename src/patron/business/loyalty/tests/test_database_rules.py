"""What the database refuses, whoever writes."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from patron.business.loyalty.models import Account, LedgerTransaction, Lot, Membership
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member
from patron.business.loyalty.tests.support import counts, sell
from patron.core.customers.testing import WANG

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    member = make_member()
    sell(member.customer, "100")
    return member


@pytest.fixture(autouse=True)
def nothing_changes(db: None) -> Iterator[None]:
    yield
    assert all(check.holds for check in check_ledger())


TRANSACTION = """
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, occurred_at,
        explanation, actor)
    VALUES (9000, %(member)s, 'points', %(kind)s, 'by hand', %(amount)s, now(), '{}', '')
"""


NEW_ACCOUNT = """
    INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
    SELECT id, 'stamps', 'available', 5, false FROM loyalty_membership
"""


def _refused(sql: str, words: str, **values: int | str) -> None:
    before = counts()
    with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    assert counts() == before


def _movement(
    member: Membership, sides: Sequence[tuple[str, int | None, str]], *, amount: str, kind: str = "adjust"
) -> tuple[str, dict[str, int | str]]:
    """A whole movement in one statement: sides are (bucket, lot, amount)."""
    rows = []
    values: dict[str, int | str] = {"member": member.pk, "amount": amount, "kind": kind}
    for number, (bucket, lot_id, side) in enumerate(sides, start=1):
        account, _ = Account.objects.get_or_create(membership=member, unit="points", bucket=bucket)
        rows.append(f"(9000, {number}, {account.pk}, {lot_id or 'NULL::bigint'}, {side})")
    sql = f"WITH t AS ({TRANSACTION}) INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)"
    return f"{sql} VALUES {', '.join(rows)}", values


def test_a_movement_that_does_not_sum_to_zero_is_refused(member: Membership) -> None:
    lot = Lot.objects.get()
    sql, values = _movement(member, [("available", lot.pk, "-5"), ("redeemed", None, "4")], amount="-5", kind="spend")
    _refused(sql, "do not sum to zero", **values)


def test_a_movement_that_gives_another_amount_than_it_says_is_refused(member: Membership) -> None:
    lot = Lot.objects.get()
    sql, values = _movement(member, [("available", lot.pk, "-5"), ("redeemed", None, "5")], amount="-4", kind="spend")
    _refused(sql, "do not give the member its amount", **values)


def test_a_debt_is_left_only_by_points_taken_back(member: Membership) -> None:
    sides = [("available", None, "-5"), ("redeemed", None, "5")]
    sql, values = _movement(member, sides, amount="-5", kind="spend")
    _refused(sql, "leave a debt", **values)


def test_a_lot_never_goes_below_zero(member: Membership) -> None:
    lot = Lot.objects.get()
    sides = [("available", lot.pk, "-101"), ("redeemed", None, "101")]
    sql, values = _movement(member, sides, amount="-101", kind="spend")
    _refused(sql, "lot_remaining_within_amount", **values)


def test_an_account_without_overdraft_never_goes_below_zero(member: Membership) -> None:
    Account.objects.filter(bucket="available").update(overdraft_allowed=False)
    sides = [("available", None, "-101"), ("issued", None, "101")]
    sql, values = _movement(member, sides, amount="-101", kind="return")
    _refused(sql, "account_not_overdrawn", **values)


def test_a_movement_stands_on_accounts_and_lots_of_its_own_member(member: Membership) -> None:
    other = make_member(member.programme, character=WANG)
    lot = Lot.objects.get()
    sql, values = _movement(other, [("available", lot.pk, "-5"), ("redeemed", None, "5")], amount="-5", kind="spend")
    _refused(sql, "draw on lots of another account", **values)
    sql, values = _movement(member, [("available", lot.pk, "-5"), ("redeemed", None, "5")], amount="-5", kind="spend")
    _refused(sql, "stand on accounts of another member", **(values | {"member": other.pk}))


def test_a_transaction_without_postings_is_refused(member: Membership) -> None:
    _refused(TRANSACTION, "in one statement with its postings", member=member.pk, amount=5, kind="adjust")


def test_an_amount_of_the_wrong_sign_is_refused(member: Membership) -> None:
    _refused(TRANSACTION, "ledger_amount_sign", member=member.pk, amount=5, kind="spend")


def test_postings_are_not_added_to_a_transaction_later(member: Membership) -> None:
    award = LedgerTransaction.objects.get()
    sides = list(award.postings.values_list("account_id", "lot_id", "amount"))
    sql = "INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount) VALUES " + ", ".join(
        f"({award.pk}, {number}, {account}, {lot or 'NULL::bigint'}, {amount})"
        for number, (account, lot, amount) in enumerate(sides, start=3)
    )
    _refused(sql, "are not written in one statement")


def test_a_lot_without_the_posting_that_opens_it_is_refused(member: Membership) -> None:
    _refused(
        "INSERT INTO loyalty_lot (account_id, opened_by_id, earned_at, amount, remaining) "
        "SELECT account_id, opened_by_id, earned_at, 50, 50 FROM loyalty_lot",
        "with the posting that opens it",
    )


@pytest.mark.parametrize("table", ["loyalty_ledgertransaction", "loyalty_posting", "loyalty_programmeversion"])
def test_what_is_written_is_never_changed(member: Membership, table: str) -> None:
    for sql in (
        f"UPDATE {table} SET {'amount = 1' if 'version' not in table else 'version = 2'}",
        f"DELETE FROM {table}",
    ):
        _refused(sql, "append-only")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE loyalty_account SET balance = 1000",
        "DELETE FROM loyalty_account",
        "UPDATE loyalty_lot SET remaining = 0",
        "DELETE FROM loyalty_lot",
        NEW_ACCOUNT,
    ],
)
def test_running_totals_are_not_changed_by_hand(member: Membership, sql: str) -> None:
    _refused(sql, "by hand refused")


def test_bulk_loading_does_not_switch_the_rules_off(member: Membership) -> None:
    sql, values = _movement(member, [("available", None, "5"), ("issued", None, "-4")], amount="5", kind="earn")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    _refused(sql, "do not sum to zero", **values)


@pytest.fixture
def tampered(member: Membership) -> Iterator[None]:
    """A balance changed behind the ledger's back, by someone who may switch triggers off."""
    balance = "UPDATE loyalty_account SET balance = balance + %s WHERE bucket = 'available'"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE loyalty_account DISABLE TRIGGER loyalty_account_by_hand")
        cursor.execute(balance, [1])
        yield
        cursor.execute(balance, [-1])


@pytest.mark.usefixtures("tampered")
def test_a_fault_is_found_by_the_checks() -> None:
    assert {check.code: check.faults for check in check_ledger()} == {
        "sums_to_zero": 0,
        "amounts_posted": 0,
        "balances_posted": 1,
        "lots_posted": 0,
        "lots_or_debt": 1,
        "one_origin": 0,
        "kept_by_the_member": 0,
        "reserved_open": 0,
    }


def test_the_ledger_of_a_member_adds_up_to_the_member(member: Membership) -> None:
    assert sum(Account.objects.values_list("balance", flat=True)) == Decimal(0)
