"""Pure decisions of the loyalty programme: what is earned, what expires, which points are used first. No Django.

Amounts of points are Decimals with at most two decimals; lots are those of one account. Worked numbers:
`docs/algorithms/ledger.md`.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

ZERO = Decimal("0.00")
WHOLE = Decimal(1)
CENT = Decimal("0.01")
RATE = Decimal("0.0001")

MOST_POINTS = Decimal("999999999999")
"""The most that one purchase can earn: beyond it somebody mistyped an amount or a rule."""

CARD_LENGTH = 16


# --- earning ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EarningTerms:
    """A version of the base rule: `points_per_unit` for each whole `unit_amount` paid."""

    rule_id: int
    points_per_unit: Decimal
    unit_amount: Decimal
    expiry_months: int | None


@dataclass(frozen=True, slots=True)
class Award:
    """What a purchase earns, and the arithmetic: `units` whole unit amounts are in `net_amount`."""

    terms: EarningTerms
    net_amount: Decimal
    units: int
    points: Decimal

    @property
    def explanation(self) -> dict[str, object]:
        """The numbers behind the award, as the ledger keeps them (amounts as text, exact)."""
        return {
            "rule": self.terms.rule_id,
            "net": str(self.net_amount.quantize(CENT)),
            "unit": str(self.terms.unit_amount.quantize(CENT)),
            "rate": str(self.terms.points_per_unit.quantize(RATE)),
            "units": self.units,
        }


def decide_earning(terms: EarningTerms, net_amount: Decimal) -> Award:
    """points = ⌊⌊net amount ÷ unit amount⌋ × points per unit⌋; nothing for an amount of zero or less.

    The two roundings are always downwards: no part of a unit earns, and points are whole.
    """
    if net_amount <= 0:
        return Award(terms=terms, net_amount=net_amount, units=0, points=ZERO)
    units = int(net_amount // terms.unit_amount)
    points = (units * terms.points_per_unit).quantize(WHOLE, rounding=ROUND_DOWN)
    return Award(terms=terms, net_amount=net_amount, units=units, points=min(points, MOST_POINTS).quantize(CENT))


def expiry_date(earned_on: date, months: int | None) -> date | None:
    """The last day on which points earned on `earned_on` can be used: the end of the month `months` months later.

    None for points that never expire.
    """
    if months is None:
        return None
    year, month = divmod(earned_on.year * 12 + earned_on.month - 1 + months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def points_to_take_back(
    terms: EarningTerms, *, kept_points: Decimal, kept_net: Decimal, expired_points: Decimal
) -> Decimal:
    """How many of `kept_points` go once only `kept_net` of the purchase stands, by the rule of the original.

    What the original would have earned for `kept_net` stays. Points of the original that expired unused have left the
    member already and are not taken a second time. Negative: so many are given back (a return was itself undone).
    """
    target = decide_earning(terms, kept_net).points
    if target >= kept_points:
        return kept_points - target
    return max(ZERO, min(kept_points - target, kept_points - expired_points))


# --- lots --------------------------------------------------------------------------------------------------------


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


# --- cards -------------------------------------------------------------------------------------------------------


def check_digit(digits: str) -> str:
    """The digit that completes `digits` (ISO/IEC 7812-1 annex B, the Luhn formula)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return str(-total % 10)


def is_valid_card(number: str) -> bool:
    """Whether `number` is 8 to 24 ASCII digits of which the last is right."""
    return 8 <= len(number) <= 24 and number.isascii() and number.isdigit() and check_digit(number[:-1]) == number[-1]


def card_number(prefix: str, serial: int) -> str:
    """The card with running number `serial`: 16 digits, prefix first, check digit last.

    Raises ValueError when the serial has more digits than there is room for.
    """
    room = CARD_LENGTH - 1 - len(prefix)
    if not 0 <= serial < 10**room:
        raise ValueError(f"no room for serial {serial} after prefix {prefix}")
    digits = f"{prefix}{serial:0{room}d}"
    return digits + check_digit(digits)
