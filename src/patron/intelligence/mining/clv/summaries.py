"""What the lifetime models need to know of a customer: frequency, recency, T and the mean repeat spend.

The definitions of Fader, Hardie & Lee (2005, "RFM and CLV: using iso-value curves for customer base analysis", Journal
of Marketing Research 42): time starts with a customer's first purchase; **frequency** x counts the later purchase days,
**recency** t_x is the time from the first to the last of them (0 without one), **T** the time from the first purchase
to the end of observation, **monetary** the mean amount of the repeat days (the first purchase is left out: it is often
unlike the rest).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, day_number
from patron.intelligence.mining.transactions import MONEY_UNITS, Days

#: Days of a unit of time. A month is a twelfth of the mean year of the Gregorian calendar.
UNIT_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365.2425 / 12}
YEAR_DAYS: Final = 365.2425


@dataclass(frozen=True, slots=True)
class Summaries:
    """One entry per customer with at least one purchase day, in the order of ``customers``.

    ``recency`` and ``age`` (the papers' T) are whole days; ``monetary`` is money per repeat day, 0 without a repeat
    day; ``first_day`` counts days since 1970-01-01.
    """

    customers: pa.Array
    first_day: Whole
    frequency: Whole
    recency: Whole
    age: Whole
    monetary: Real

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def repeating(self) -> Flags:
        """Customers with at least one repeat purchase."""
        flags: Flags = self.frequency > 0
        return flags


def purchase_days(days: Days) -> Days:
    """The days that count as a purchase: something was bought, and the day is not negative after returns.

    Days are net of returns. A day of nothing but returns, or on which more was brought back than bought, says nothing
    of a wish to buy again and is left out; a free purchase (net zero) counts.
    """
    return days.select((days.purchases > 0) & (days.amount >= 0))


def summarise(bought: Days, until: dt.date) -> Summaries:
    """Summaries as known at the end of the day ``until``. ``bought``: :func:`purchase_days`."""
    end = day_number(until)
    known = bought if bought.day.max(initial=end) <= end else bought.select(bought.day <= end)
    starts, last = known.starts[:-1], known.starts[1:] - 1
    first_day = known.day[starts].astype(np.int64)
    frequency = np.diff(known.starts) - 1
    repeat_money = known.per_customer(known.amount) - known.amount[starts]
    return Summaries(
        customers=known.customers,
        first_day=first_day,
        frequency=frequency,
        recency=known.day[last].astype(np.int64) - first_day,
        age=end - first_day,
        monetary=repeat_money / (MONEY_UNITS * np.maximum(frequency, 1)),
    )


def within(bought: Days, until: dt.date, *, lookback_days: int) -> Days:
    """The days of the last ``lookback_days`` up to ``until``; all of them for 0.

    Customers' paces drift; where they do, the last months foretell more than all years. The first purchase looked back
    to then stands for the first one.
    """
    return bought if not lookback_days else bought.select(bought.day > day_number(until) - lookback_days)


def places_of(some: Summaries, among: Summaries) -> Whole:
    """Where each customer of ``some`` is among all."""
    places: Whole = pc.index_in(some.customers, among.customers).to_numpy().astype(np.int64)
    return places


@dataclass(frozen=True, slots=True)
class Cells:
    """The distinct (frequency, recency, T) of many customers: likelihoods are summed over these, not over people.

    ``x``, ``tx`` and ``age`` are in units of time, one per cell; ``count`` is how many customers share the cell;
    ``cell_of`` gives the cell of each customer.
    """

    x: Real
    tx: Real
    age: Real
    count: Real
    cell_of: Whole

    @property
    def customers(self) -> float:
        """How many customers there are in all."""
        return float(self.count.sum())

    @property
    def mean_age(self) -> float:
        """The mean T of the customers."""
        return float((self.count * self.age).sum() / self.customers)

    @property
    def purchase_rate(self) -> float:
        """Repeat purchases per unit of time, of all customers together; a little above 0 where there are none."""
        return max(float((self.count * self.x).sum()), 0.5) / max(float((self.count * self.age).sum()), 1e-9)

    def sample(self, size: int) -> Cells:
        """About ``size`` customers, taken at equal steps through the ordered cells: a stratified sample, no chance."""
        total = self.customers
        if total <= size:
            return self
        places = (np.arange(size) + 0.5) * (total / size)
        taken, count = np.unique(np.searchsorted(np.cumsum(self.count), places, side="right"), return_counts=True)
        nobody = np.zeros(0, dtype=np.int64)
        return Cells(self.x[taken], self.tx[taken], self.age[taken], count.astype(np.float64), nobody)


def cells_of(frequency: Whole, recency: Whole, age: Whole, *, unit_days: float) -> Cells:
    """Group customers by their (frequency, recency, T); recency and age are whole days.

    Raises :class:`ValueError` where recency is beyond T, or a value is negative.
    """
    if len(frequency) and (min(frequency.min(), recency.min()) < 0 or (recency > age).any()):
        raise ValueError("a frequency or a recency is negative, or a recency is beyond T")
    span = int(age.max(initial=0)) + 1
    key = (frequency.astype(np.int64) * span + recency) * span + age
    distinct, cell_of, count = np.unique(key, return_inverse=True, return_counts=True)
    rest, last = np.divmod(distinct, span)
    x, tx = np.divmod(rest, span)
    return Cells(
        x=x.astype(np.float64),
        tx=tx / unit_days,
        age=last / unit_days,
        count=count.astype(np.float64),
        cell_of=cell_of,
    )


def sums_at(places: Whole, weights: Real, length: int) -> Real:
    """The sum of ``weights`` at each of the places 0 to ``length``."""
    return np.bincount(places, weights, length).astype(np.float64)
