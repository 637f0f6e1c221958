"""Eight connections on one balance, every request sent twice: each counts once, and nothing is overspent."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from patron.business.loyalty.models import Account, LedgerTransaction, Membership
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.errors import InsufficientFunds, NothingPaidOut, RefundTooLarge, WalletFrozen, WrongPin
from patron.business.storedvalue.models import Wallet
from patron.business.storedvalue.operations import freeze, pay, refund, set_pin, withdraw
from patron.business.storedvalue.queries import check_stored_value
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.business.storedvalue.tests.support import balance
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS = 8
Work = Callable[[], Any]
REFUSALS = (InsufficientFunds, RefundTooLarge, NothingPaidOut, WalletFrozen, WrongPin)


def _at_once(work: list[Work]) -> list[Any]:
    """Run the work on eight threads that start together, and give every outcome: the result or the refusal."""
    barrier = Barrier(CONNECTIONS)

    def run(mine: list[tuple[int, Work]]) -> list[tuple[int, Any]]:
        barrier.wait()
        outcomes: list[tuple[int, Any]] = []
        try:
            for place, do in mine:
                try:
                    outcomes.append((place, do()))
                except REFUSALS as refusal:
                    outcomes.append((place, refusal))
        finally:
            connection.close()
        return outcomes

    numbered = list(enumerate(work))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = pool.map(run, [numbered[start::CONNECTIONS] for start in range(CONNECTIONS)])
        return [outcome for _, outcome in sorted((pair for part in parts for pair in part), key=lambda pair: pair[0])]


def _paying(member: Membership, amount: Decimal, key: str) -> Work:
    return lambda: pay(member, amount, request_key=key, actor=SYSTEM, now=NOW)


def _refunding(paid: LedgerTransaction, amount: int, key: str) -> Work:
    return lambda: refund(paid, Decimal(amount), request_key=key, actor=SYSTEM, now=NOW)


def _depositing(member: Membership, amount: Decimal, key: str) -> Work:
    return lambda: make_deposit(member, amount, request_key=key)


def _withdrawing(member: Membership, amount: Decimal, key: str) -> Work:
    return lambda: withdraw(member, amount, request_key=key, actor=SYSTEM, now=NOW)


def _holds() -> None:
    assert [check.code for check in (*check_ledger(), *check_stored_value()) if not check.holds] == []


def test_one_balance_is_never_spent_twice() -> None:
    member = make_member()
    make_deposit(member, 100)
    outcomes = _at_once([_paying(member, Decimal(100), f"till {n}") for n in range(CONNECTIONS)])
    assert sum(isinstance(outcome, LedgerTransaction) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InsufficientFunds) for outcome in outcomes) == 7
    assert balance(member) == 0
    _holds()


def test_one_payment_is_never_refunded_twice() -> None:
    member = make_member()
    make_deposit(member, 100)
    paid = pay(member, Decimal(100), request_key="p", actor=SYSTEM, now=NOW)
    outcomes = _at_once([_refunding(paid, 30, f"till {n}") for n in range(CONNECTIONS)])
    assert sum(isinstance(outcome, LedgerTransaction) for outcome in outcomes) == 3
    assert balance(member) == 90
    _holds()


def test_a_first_deposit_sent_eight_times_counts_once() -> None:
    member = make_member()
    make_policy(member.programme)
    outcomes = _at_once([lambda: make_deposit(member, 1000, request_key="k")] * CONNECTIONS)
    assert len({outcome.pk for outcome in outcomes}) == 1
    assert balance(member) == 1080
    assert Account.objects.filter(unit="stored_value").count() == 2


def test_eight_connections_on_few_members_with_retries() -> None:
    chance = random.Random(3)
    programme = make_programme("club")
    members = [make_member(programme, character=character) for character in CAST[:3]]
    make_policy(programme)
    for member in members:
        make_deposit(member, 600)
    paid = [pay(members[n % 3], Decimal(20), request_key=f"early {n}", actor=SYSTEM, now=NOW) for n in range(12)]
    requests: list[tuple[str, Work]] = []
    for n in range(40):
        amount = Decimal(chance.randrange(100, 9000)) / 100
        requests.append((f"pay {n}", _paying(members[n % 3], amount, f"pay {n}")))
    requests.extend((f"refund {n}", _refunding(paid[n % 12], 15, f"refund {n}")) for n in range(24))
    for n in range(12):
        amount = Decimal(chance.randrange(100, 9000)) / 100
        requests.append((f"in {n}", _depositing(members[n % 3], amount, f"in {n}")))
        requests.append((f"out {n}", _withdrawing(members[n % 3], amount, f"out {n}")))
    twice = requests * 2
    chance.shuffle(twice)

    outcomes = _at_once([do for _, do in twice])

    _holds()
    acknowledged: dict[str, set[int]] = {}
    for (key, _), outcome in zip(twice, outcomes, strict=True):
        if isinstance(outcome, LedgerTransaction):
            acknowledged.setdefault(key, set()).add(outcome.pk)
    stored = {
        t.request_key.removeprefix("wallet:"): {t.pk}
        for t in LedgerTransaction.objects.filter(unit="stored_value")
        if t.request_key.removeprefix("wallet:") in dict(twice)
    }
    assert stored == acknowledged
    assert sum(key.startswith("refund") for key in acknowledged) == 12  # 15 of each 20, the second time refused
    for member in members:
        movements = LedgerTransaction.objects.filter(membership=member)
        assert balance(member) == sum(movements.values_list("amount", flat=True)) >= 0


def test_guesses_at_once_are_counted_one_by_one() -> None:
    member = make_member()
    make_deposit(member, 1000)
    set_pin(member, "2580", actor=SYSTEM, now=NOW)

    def guess() -> str:
        try:
            pay(member, Decimal(1), request_key="g", pin="0000", actor=SYSTEM, now=NOW)
        except DomainError as refusal:
            return refusal.code
        return "paid"

    outcomes = _at_once([guess] * CONNECTIONS)
    assert sorted(outcomes) == ["pin_locked"] * 3 + ["wrong_pin"] * 5
    assert Wallet.objects.get().pin_locked_until is not None


def test_freezing_lets_no_later_payment_through() -> None:
    member = make_member()
    make_deposit(member, 1000)
    work = [_paying(member, Decimal(10), f"p {n}") for n in range(40)]
    work.insert(12, lambda: freeze(member, reason="Test", actor=SYSTEM, now=NOW))
    outcomes = _at_once(work)
    paid = sum(isinstance(outcome, LedgerTransaction) for outcome in outcomes)
    assert balance(member) == 1080 - 10 * paid
    assert isinstance(outcomes[-1], WalletFrozen)
