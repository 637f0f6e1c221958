"""Pure decisions of the till: prices after vouchers, the clock, and what goes back by which means. No Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from patron.business.purchases.rules import PricedLine

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
WHOLE = Decimal(1)

TOLERATED_SKEW = timedelta(minutes=1)
"""A till's clock may be wrong by so much without being corrected."""
MOST_AHEAD = timedelta(hours=24)

POINTS = "points"
STORED_VALUE = "stored_value"


def discounted(lines: Sequence[PricedLine], off: Mapping[int, Decimal]) -> list[PricedLine]:
    """The lines with `off` (by line number, from 1) taken off their net amounts and added to their discounts."""
    return [
        replace(line, discount_amount=line.discount_amount + cut, net_amount=line.net_amount - cut)
        if (cut := off.get(number, ZERO))
        else line
        for number, line in enumerate(lines, start=1)
    ]


@dataclass(frozen=True, slots=True)
class Clock:
    """When a sale counts, and by how much the till's own time was moved."""

    at: datetime
    moved: timedelta = timedelta()


def set_right(occurred_at: datetime, *, now: datetime, sent_at: datetime | None = None) -> Clock | None:
    """When a sale happened by our clock.

    With `sent_at` (the till's clock when it sent this) a clock that is wrong is corrected by the difference. A sale
    that still lies ahead counts as of now; None where it lies more than a day ahead.
    """
    moved = timedelta()
    if sent_at is not None and abs(now - sent_at) > TOLERATED_SKEW:
        moved = now - sent_at
    at = occurred_at + moved
    if at > now:
        if at - now > MOST_AHEAD:
            return None
        moved += now - at
        at = now
    return Clock(at, moved)


@dataclass(frozen=True, slots=True)
class Means:
    """How a sale was paid: points (how many, and the money they paid), stored value, and the rest in money."""

    points: Decimal = ZERO
    points_money: Decimal = ZERO
    stored_value: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Back:
    """What goes back for a return: points, stored value, and money over the counter."""

    points: Decimal
    stored_value: Decimal
    money: Decimal


def given_back(means: Means, *, net_amount: Decimal, returned: Decimal, before: Back) -> Back:
    """What a return gives back once `returned` in all has come back of `net_amount`, `before` having been given.

    Each means takes its share of what came back; whoever returns everything, in however many pieces, gets back exactly
    what was paid by each.
    """
    if net_amount <= 0:
        return Back(ZERO, ZERO, ZERO)
    share = min(returned / net_amount, Decimal(1))
    points = (means.points * share).quantize(WHOLE, rounding=ROUND_HALF_UP)
    by_points = (means.points_money * share).quantize(CENT, rounding=ROUND_HALF_UP)
    by_value = (means.stored_value * share).quantize(CENT, rounding=ROUND_HALF_UP)
    return Back(
        points=max(points - before.points, ZERO),
        stored_value=max(by_value - before.stored_value, ZERO),
        money=max(returned - by_points - by_value - before.money, ZERO),
    )
