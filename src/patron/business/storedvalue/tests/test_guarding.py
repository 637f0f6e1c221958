"""PINs, one-time codes and freezing: a wrong PIN counts although its payment is rolled back."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from patron.business.loyalty.errors import ReasonRequired
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.testing import make_member
from patron.business.storedvalue.errors import (
    CodeNotValid,
    NoWayToSend,
    PinLocked,
    SecretRequired,
    WeakPin,
    WrongPin,
)
from patron.business.storedvalue.models import OneTimeCode, Wallet
from patron.business.storedvalue.operations import freeze, pay, send_code, set_pin, unfreeze
from patron.business.storedvalue.queries import wallet_balance
from patron.business.storedvalue.senders import CodeMessage, CodeSender, code_senders
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.business.storedvalue.tests.support import balance
from patron.core.accounts.testing import NOW, actor_with
from patron.core.activities.models import Activity
from patron.kernel.actor import SYSTEM
from patron.kernel.models import AuditEntry

PIN = "2580"


@pytest.fixture
def member(transactional_db: None) -> Membership:
    """Somebody with 1,000 and a PIN; above 100 a secret is needed. Committed, as at a till."""
    made = make_member()
    make_policy(made.programme, secret_above=Decimal(100), tiers=())
    make_deposit(made, 1000)
    set_pin(made, PIN, actor=SYSTEM, now=NOW)
    return made


def _pay(member: Membership, amount: int, key: str = "p", **details: Any) -> LedgerTransaction:
    return pay(member, Decimal(amount), request_key=key, actor=SYSTEM, now=details.pop("now", NOW), **details)


def test_large_amounts_need_the_pin(member: Membership) -> None:
    _pay(member, 100)
    with pytest.raises(SecretRequired) as refused:
        _pay(member, 101, "q")
    assert refused.value.details == {"above": Decimal(100), "has_pin": True}
    assert _pay(member, 101, "q", pin=PIN).explanation["proof"] == "pin"
    assert _pay(member, 101, "q").amount == -101  # the answer is known, nobody asks again


def test_wrong_pins_count_and_lock(member: Membership) -> None:
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(WrongPin) as refused:
            _pay(member, 101, pin="0000")
        assert refused.value.details == {"attempts_left": left}
    with pytest.raises(PinLocked):
        _pay(member, 101, pin=PIN)
    assert wallet_balance(member, now=NOW).pin_locked
    assert balance(member) == 1000
    _pay(member, 101, pin=PIN, now=NOW + timedelta(minutes=30))


def test_a_right_pin_forgets_earlier_failures(member: Membership) -> None:
    with pytest.raises(WrongPin):
        _pay(member, 101, pin="0000")
    assert Wallet.objects.get().pin_failures == 1
    _pay(member, 101, pin=PIN)
    assert Wallet.objects.get().pin_failures == 0


def test_a_wrong_pin_counts_for_small_amounts_too(member: Membership) -> None:
    with pytest.raises(WrongPin):
        _pay(member, 1, pin="1111")
    assert Wallet.objects.get().pin_failures == 1


def test_a_pin_is_kept_neither_in_clear_nor_in_the_trail(member: Membership) -> None:
    kept = Wallet.objects.get().pin_hash
    assert PIN not in kept.split("$")
    assert kept.startswith("pbkdf2_sha256$")
    assert all(PIN not in str(entry.facts) for entry in AuditEntry.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize("pin", ["", "123", "1234", "9876", "7777", "123456789", "12a4", "１２５９"])
def test_pins_that_are_guessed_first_are_refused(pin: str) -> None:
    with pytest.raises(WeakPin):
        set_pin(make_member(), pin, actor=SYSTEM, now=NOW)
    assert not Wallet.objects.exists()


def test_a_code_lets_one_payment_through(member: Membership) -> None:
    sent = send_code(member, actor=SYSTEM, now=NOW)
    assert (len(sent.code), sent.sent_by) == (6, "")
    assert _pay(member, 500, code=sent.code).explanation["proof"] == "code"
    with pytest.raises(CodeNotValid):
        _pay(member, 200, "q", code=sent.code)
    assert sent.code not in OneTimeCode.objects.get().digest
    assert balance(member) == 500


def test_a_code_runs_out_and_is_replaced_by_a_newer_one(member: Membership) -> None:
    first, second = send_code(member, actor=SYSTEM, now=NOW), send_code(member, actor=SYSTEM, now=NOW)
    if first.code != second.code:
        with pytest.raises(CodeNotValid):
            _pay(member, 101, code=first.code)
    with pytest.raises(CodeNotValid):
        _pay(member, 101, code=second.code, now=NOW + timedelta(minutes=10))
    _pay(member, 101, code=second.code, now=NOW + timedelta(minutes=9))


def test_a_code_is_closed_after_five_guesses(member: Membership) -> None:
    sent = send_code(member, actor=SYSTEM, now=NOW)
    wrong = "000000" if sent.code != "000000" else "000001"
    for _ in range(5):
        with pytest.raises(CodeNotValid):
            _pay(member, 101, code=wrong)
    with pytest.raises(CodeNotValid):
        _pay(member, 101, code=sent.code)
    assert balance(member) == 1000


@pytest.fixture
def sender() -> Iterator[list[CodeMessage]]:
    sent: list[CodeMessage] = []

    def send(message: CodeMessage) -> bool:
        sent.append(message)
        return True

    code_senders.register(CodeSender("pigeon", send))
    yield sent
    code_senders._items.pop("pigeon")


def test_a_code_that_was_sent_is_not_told_to_the_cashier(member: Membership, sender: list[CodeMessage]) -> None:
    told = send_code(member, actor=actor_with("storedvalue.send_code"), now=NOW)
    assert (told.code, told.sent_by) == ("", "pigeon")
    assert sender[0].customer_id == member.customer_id
    _pay(member, 101, code=sender[0].code)


def test_a_code_that_cannot_be_sent_is_told_only_to_who_may_read_it_out(member: Membership) -> None:
    with pytest.raises(NoWayToSend):
        send_code(member, actor=actor_with("storedvalue.send_code"), now=NOW)
    assert not OneTimeCode.objects.exists()


@pytest.mark.django_db
def test_freezing_needs_a_reason_and_is_told_once() -> None:
    member = make_member()
    with pytest.raises(ReasonRequired):
        freeze(member, reason=" ", actor=SYSTEM, now=NOW)
    for _ in range(2):
        freeze(member, reason="Card lost", actor=SYSTEM, now=NOW)
    assert wallet_balance(member, now=NOW).frozen_reason == "Card lost"
    for _ in range(2):
        unfreeze(member, actor=SYSTEM, now=NOW)
    kinds = Activity.objects.filter(kind__startswith="stored_value.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["stored_value.frozen", "stored_value.unfrozen"]
