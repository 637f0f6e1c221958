"""PINs and one-time codes: how they are kept, and how they are checked.

A PIN has so few possible values that no slow hash alone would protect it: it is keyed with the installation's secret
first, so that a copy of the database is worth nothing without it. What guards it at the counter is that failures are
counted. A refusal rolls back everything that its transaction did, so failures are counted over a connection of their
own.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.crypto import constant_time_compare, salted_hmac

from patron.business.storedvalue.errors import CodeNotValid, PinLocked, SecretRequired, WrongPin
from patron.business.storedvalue.models import OneTimeCode, Wallet
from patron.business.storedvalue.rules import (
    CODE_DIGITS,
    MOST_CODE_ATTEMPTS,
    MOST_PIN_FAILURES,
    PIN_LOCK,
    is_locked,
    is_pin,
)

_ROUNDS = 30_000
"""Some 15 ms: a till waits for it. The key, not the rounds, protects the few values that a PIN can have."""

_FAILED_PIN = """
UPDATE storedvalue_wallet SET
    pin_failures = CASE WHEN pin_failures + 1 < %s THEN pin_failures + 1 ELSE 0 END,
    pin_locked_until = CASE WHEN pin_failures + 1 < %s THEN pin_locked_until ELSE %s END
WHERE id = %s
RETURNING pin_failures
"""

_FAILED_CODE = """
UPDATE storedvalue_onetimecode
SET attempts = attempts + 1, closed_at = CASE WHEN attempts + 1 >= %s THEN %s::timestamptz END
WHERE id = %s AND closed_at IS NULL
RETURNING attempts
"""


def pin_hash(pin: str) -> str:
    """How a PIN is kept."""
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(_keyed("pin", pin), hasher.salt(), iterations=_ROUNDS)


def new_code() -> str:
    """A fresh random code."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def code_digest(membership_id: int, code: str) -> str:
    """How a one-time code is kept."""
    return _keyed(f"code {membership_id}", code)


def require_secret(
    *, membership_id: int, wallet: Wallet | None, needed: bool, above: object, pin: str | None, code: str | None,
    now: datetime,
) -> str:  # fmt: skip
    """Check the PIN or code that came with a movement of money; returns which of them it was ("" for none).

    A code is used up, a right PIN clears earlier failures. Raises SecretRequired where one is `needed` and none came,
    WrongPin, PinLocked, CodeNotValid. The caller holds the member's account lock, so guesses come one by one.
    """
    if code:
        _use_code(membership_id, code.strip(), now)
        return "code"
    if pin:
        _check_pin(wallet, pin.strip(), now)
        return "pin"
    if needed:
        raise SecretRequired(details={"above": above, "has_pin": bool(wallet and wallet.pin_hash)})
    return ""


def _check_pin(wallet: Wallet | None, pin: str, now: datetime) -> None:
    if wallet is None or not wallet.pin_hash:
        raise SecretRequired(details={"has_pin": False})
    if is_locked(wallet.pin_locked_until, now):
        raise PinLocked(details={"until": wallet.pin_locked_until})
    if not (is_pin(pin) and PBKDF2PasswordHasher().verify(_keyed("pin", pin), wallet.pin_hash)):
        failures = _apart(_FAILED_PIN, [MOST_PIN_FAILURES, MOST_PIN_FAILURES, now + PIN_LOCK, wallet.pk])
        raise WrongPin(details={"attempts_left": MOST_PIN_FAILURES - failures if failures else 0})
    if wallet.pin_failures:
        Wallet.objects.filter(pk=wallet.pk).update(pin_failures=0)


def _use_code(membership_id: int, code: str, now: datetime) -> None:
    open_code = OneTimeCode.objects.filter(membership_id=membership_id, closed_at=None).first()
    if open_code is None or open_code.expires_at <= now:
        raise CodeNotValid
    if not constant_time_compare(open_code.digest, code_digest(membership_id, code)):
        _apart(_FAILED_CODE, [MOST_CODE_ATTEMPTS, now, open_code.pk])
        raise CodeNotValid
    OneTimeCode.objects.filter(pk=open_code.pk).update(closed_at=now)


def _keyed(purpose: str, secret: str) -> str:
    return salted_hmac(f"patron.storedvalue {purpose}", secret, algorithm="sha256").hexdigest()


def _apart(statement: str, parameters: Sequence[Any]) -> int:
    """Run a statement that stays when the caller's transaction is rolled back; its one number, 0 without a row."""
    apart = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with apart.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
            return int(row[0]) if row else 0
    finally:
        apart.close()
