"""Which points are used, refilled and expired first. No Django.

Amounts of points are Decimals with at most two decimals; lots are those of one account. Worked numbers:
`docs/algorithms/ledger.md`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

ZERO = Decimal("0.00")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class OpenLot:
    """Points of one origin and one expiry, of which `remaining` are left of `amount`."""

    id: int
    expires_on: date | None
    amount: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class Take:
    """`amount` drawn from (or put back into) a lot; `lot_id` is None for the part without one: a debt."""

    lot_id: int | None
    amount: Decimal


class Short(Exception):
    """There are fewer points than asked for. `available` says how many there are."""

    def __init__(self, available: Decimal) -> None:
        super().__init__(f"only {available} available")
        self.available = available


def in_order_of_use(lots: Iterable[OpenLot]) -> list[OpenLot]:
    """Soonest to expire first, those that never expire last, older lots first among equals."""
    return sorted(lots, key=lambda lot: (lot.expires_on or date.max, lot.id))


def plan_spending(lots: Iterable[OpenLot], amount: Decimal) -> tuple[Take, ...]:
    """Which lots `amount` is drawn from. Raises Short if they do not hold that much."""
    takes, missing = _draw(in_order_of_use(lots), amount)
    if missing:
        raise Short(amount - missing)
    return takes


def plan_taking_back(lots: Iterable[OpenLot], amount: Decimal, *, own: Collection[int]) -> tuple[Take, ...]:
    """Which lots `amount` is taken back from: the original's `own` first, then the others, each soonest first.

    The rest, if they do not hold that much, is a Take without a lot: points that the member has spent and now owes.
    """
    ordered = in_order_of_use(lots)
    takes, missing = _draw(
        [lot for lot in ordered if lot.id in own] + [lot for lot in ordered if lot.id not in own], amount
    )
    return (*takes, Take(None, missing)) if missing else takes


def _draw(ordered: Iterable[OpenLot], amount: Decimal) -> tuple[tuple[Take, ...], Decimal]:
    takes: list[Take] = []
    for lot in ordered:
        if amount <= 0:
            break
        part = min(lot.remaining, amount)
        if part > 0:
            takes.append(Take(lot.id, part))
            amount -= part
    return tuple(takes), max(amount, ZERO)


@dataclass(frozen=True, slots=True)
class Credit:
    """Where points that come in go: `repaid` settles a debt, `restored` refills old lots, `opened` makes a new lot."""

    repaid: Decimal
    restored: tuple[Take, ...]
    opened: Decimal


def plan_credit(amount: Decimal, *, debt: Decimal, refill: Sequence[tuple[OpenLot, Decimal]] = ()) -> Credit:
    """What `amount` coming in does: a debt is repaid first, then `refill` (lot, at most so much) in order, the
    rest opens a lot. No lot is ever filled beyond its amount."""
    repaid = min(amount, debt)
    rest = amount - repaid
    restored: list[Take] = []
    for lot, most in refill:
        part = min(rest, most, lot.amount - lot.remaining)
        if part > 0:
            restored.append(Take(lot.id, part))
            rest -= part
    return Credit(repaid=repaid, restored=tuple(restored), opened=rest)


def plan_expiry(lots: Iterable[OpenLot], on: date) -> list[tuple[date, tuple[Take, ...]]]:
    """What has expired on day `on` (a lot is usable up to and on its date), by date of expiry, oldest first."""
    due: dict[date, list[Take]] = {}
    for lot in in_order_of_use(lots):
        if lot.expires_on is not None and lot.expires_on < on and lot.remaining > 0:
            due.setdefault(lot.expires_on, []).append(Take(lot.id, lot.remaining))
    return [(expires_on, tuple(takes)) for expires_on, takes in due.items()]


def after(lots: Iterable[OpenLot], takes: Iterable[Take], *, sign: int) -> list[OpenLot]:
    """The lots once `takes` are drawn (`sign` −1) or put back (+1)."""
    change: dict[int | None, Decimal] = {}
    for take in takes:
        change[take.lot_id] = change.get(take.lot_id, ZERO) + sign * take.amount
    return [replace(lot, remaining=lot.remaining + change.get(lot.id, ZERO)) for lot in lots]
