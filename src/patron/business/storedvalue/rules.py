"""Pure decisions about stored value: bonus, limits, which money pays, what may be withdrawn, what needs a secret.

No Django. Amounts are Decimals in whole minor units of the programme's currency. Two origins of money stay apart in all
of it: *own* money was deposited and never expires; *bonus* money was granted with a deposit, may expire, and is never
paid out. Worked numbers: `docs/algorithms/storedvalue.md`.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Literal

from patron.business.loyalty.rules import ZERO, OpenLot, Short, Take, plan_spending

MOST_MONEY = Decimal("99999999.99")
"""The most that one request can move: beyond it somebody mistyped an amount."""

MOST_PIN_FAILURES = 5
PIN_LOCK = timedelta(minutes=30)
CODE_LIFE = timedelta(minutes=10)
MOST_CODE_ATTEMPTS = 5
CODE_DIGITS = 6

Bound = Literal["min_deposit", "max_deposit", "max_balance", "max_payment", "max_per_day"]


@dataclass(frozen=True, slots=True)
class Tier:
    """A deposit of `from_amount` or more brings `percent` of all of it as bonus."""

    from_amount: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """What a programme allows. None as a limit: no limit; None as `secret_above`: no payment needs a secret.

    `bonus_months`: bonus is usable to the end of the month so many months later, for ever without one. `bonus_first`:
    bonus pays before own money (else after it). `withdrawal_fee` is kept of each withdrawal.
    """

    is_offered: bool = False
    min_deposit: Decimal = Decimal("0.01")
    max_deposit: Decimal | None = None
    max_balance: Decimal | None = None
    max_payment: Decimal | None = None
    max_per_day: Decimal | None = None
    secret_above: Decimal | None = None
    bonus_months: int | None = 12
    bonus_first: bool = True
    withdrawals_allowed: bool = False
    withdrawal_fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Passed:
    """A limit that a request goes beyond, and where it lies."""

    bound: Bound
    limit: Decimal


# --- deposits ----------------------------------------------------------------------------------------------------


def bonus_for(amount: Decimal, tiers: Iterable[Tier], *, quantum: Decimal) -> tuple[Decimal, Tier | None]:
    """The bonus of a deposit and the tier that gives it: the highest one reached, on the whole amount, rounded down."""
    reached = [tier for tier in tiers if tier.from_amount <= amount]
    if not reached:
        return ZERO, None
    tier = max(reached, key=lambda tier: tier.from_amount)
    return (amount * tier.percent / 100).quantize(quantum, rounding=ROUND_DOWN), tier


def bonus_until(granted_on: date, months: int | None) -> date | None:
    """The last day on which bonus can be used: the end of the month so many months later; None: for ever."""
    if months is None:
        return None
    year, month = divmod(granted_on.year * 12 + granted_on.month - 1 + months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def limit_of_deposit(policy: Policy, *, amount: Decimal, balance: Decimal) -> Passed | None:
    """The limit that depositing `amount` on `balance` would pass, None if it may be. Bonus does not count."""
    if amount < policy.min_deposit:
        return Passed("min_deposit", policy.min_deposit)
    if policy.max_deposit is not None and amount > policy.max_deposit:
        return Passed("max_deposit", policy.max_deposit)
    if policy.max_balance is not None and balance + amount > policy.max_balance:
        return Passed("max_balance", policy.max_balance)
    return None


# --- payments ----------------------------------------------------------------------------------------------------


def limit_of_payment(policy: Policy, *, amount: Decimal, paid_today: Decimal) -> Passed | None:
    """The limit that paying `amount` would pass, None if it may be."""
    if policy.max_payment is not None and amount > policy.max_payment:
        return Passed("max_payment", policy.max_payment)
    if policy.max_per_day is not None and max(paid_today, ZERO) + amount > policy.max_per_day:
        return Passed("max_per_day", policy.max_per_day)
    return None


def needs_secret(policy: Policy, amount: Decimal) -> bool:
    """Whether a movement of `amount` out of the wallet needs the member's PIN or a one-time code."""
    return policy.secret_above is not None and amount > policy.secret_above


def plan_payment(
    lots: Iterable[OpenLot], amount: Decimal, *, bonus: Collection[int], bonus_first: bool
) -> tuple[Take, ...]:
    """Which lots pay `amount`: bonus before own money or after it, each soonest to expire first, then oldest.

    `bonus` names the lots of bonus money. Raises Short when both together do not hold that much.
    """
    open_lots = list(lots)
    available = sum((lot.remaining for lot in open_lots), ZERO)
    if amount > available:
        raise Short(available)
    granted = [lot for lot in open_lots if lot.id in bonus]
    own = [lot for lot in open_lots if lot.id not in bonus]
    first, then = (granted, own) if bonus_first else (own, granted)
    at_first = min(amount, sum((lot.remaining for lot in first), ZERO))
    return plan_spending(first, at_first) + plan_spending(then, amount - at_first)


def plan_refund(takes: Sequence[Take], *, refunded: Decimal, amount: Decimal) -> tuple[Take, ...]:
    """Into which lots `amount` of a payment goes back: those drawn last first.

    `takes` are the payment's in the order they were drawn, `refunded` went back before. So the lots end as though only
    the rest had been paid, in however many pieces it comes. Raises Short when more than was paid would go back.
    """
    if refunded + amount > sum((take.amount for take in takes), ZERO):
        raise Short(sum((take.amount for take in takes), ZERO) - refunded)
    back: list[Take] = []
    for take in reversed(takes):
        before = min(refunded, take.amount)
        refunded -= before
        part = min(amount, take.amount - before)
        if part > 0:
            back.append(Take(take.lot_id, part))
            amount -= part
    return tuple(back)


# --- withdrawals -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit with own money left, and what became of its bonus.

    `lot` is its own money (`amount`: what was deposited), of which `withdrawn` left before. Of the `bonus` granted (by
    movement `bonus_id`), `settled` was taken back or charged before, `expired` ran out unused, and `bonus_lot` still
    holds the rest unspent.
    """

    lot: OpenLot
    withdrawn: Decimal = ZERO
    bonus_id: int | None = None
    bonus: Decimal = ZERO
    settled: Decimal = ZERO
    expired: Decimal = ZERO
    bonus_lot: OpenLot | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a withdrawal does to one deposit: `amount` leaves, of its bonus `taken` is taken back unspent, and
    `charged` was spent already and is kept of the payout."""

    deposit: Deposit
    amount: Decimal
    taken: Decimal
    charged: Decimal


def plan_withdrawal(deposits: Iterable[Deposit], amount: Decimal, *, quantum: Decimal) -> tuple[Leaving, ...]:
    """From which deposits `amount` of own money leaves, newest first, and what it does to their bonus.

    A deposit keeps its bonus in proportion to the money that was not withdrawn (rounded down): what it no longer
    deserves is taken back, unspent bonus first. Bonus that expired unused is not asked for again. Raises Short.
    """
    leaving: list[Leaving] = []
    asked = amount
    for deposit in sorted(deposits, key=lambda deposit: deposit.lot.id, reverse=True):
        part = min(amount, deposit.lot.remaining)
        if part <= 0:
            continue
        amount -= part
        kept = deposit.lot.amount - deposit.withdrawn - part
        deserved = (deposit.bonus * kept / deposit.lot.amount).quantize(quantum, rounding=ROUND_DOWN)
        standing = deposit.bonus - deposit.settled
        due = max(ZERO, min(standing - deserved, standing - deposit.expired))
        taken = min(due, deposit.bonus_lot.remaining if deposit.bonus_lot else ZERO)
        leaving.append(Leaving(deposit, part, taken, due - taken))
    if amount > 0:
        raise Short(asked - amount)
    return tuple(leaving)


# --- secrets -----------------------------------------------------------------------------------------------------


def is_weak_pin(pin: str) -> bool:
    """Whether a PIN is guessed first: one digit repeated, or digits in a row (1234, 8765)."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return steps in ({0}, {1}, {9})


def is_pin(pin: str) -> bool:
    """Whether `pin` has the form of a PIN: four to eight digits."""
    return 4 <= len(pin) <= 8 and pin.isascii() and pin.isdigit()


def is_locked(locked_until: datetime | None, now: datetime) -> bool:
    """Whether a PIN cannot be tried at `now` after too many failures."""
    return locked_until is not None and now < locked_until
