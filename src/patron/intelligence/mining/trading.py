"""The house's own clock: until which day the data are whole, and how much trading passed between two days.

Silence is counted in days of usual trading, not of the calendar: nobody is silent while the shops are shut, and a feast
on which everybody comes is no reason to write to those who came a day later. (For arrivals whose rate changes over
time, time measured by the cumulated rate makes them even: D. J. Daley, D. Vere-Jones, *An Introduction to the Theory of
Point Processes*, 2nd ed. (2003), section 7.4.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32

#: A day with less than this share of a usual day's visits is not whole (or the shops were shut).
WHOLE_SHARE: Final = 0.2
#: Usual is the median of so many days before.
USUAL_DAYS: Final = 90
#: With fewer visits a day the clock would be moved by single customers: then it is the calendar.
LEAST_VISITS: Final = 20.0


@dataclass(frozen=True, slots=True)
class TradingClock:
    """``elapsed[i]``: trading days up to and with the day ``first + i``; ``until``: the last whole day."""

    first: int
    until: int
    elapsed: Real

    def at(self, day: Whole | Whole32 | int) -> Real:
        """Trading days up to the end of ``day``; 0 before the first, and none pass after the last."""
        place = np.clip(np.asarray(day) - self.first, -1, len(self.elapsed) - 1)
        return np.where(place < 0, 0.0, self.elapsed[np.maximum(place, 0)])

    def day_of(self, elapsed: Real) -> Whole:
        """The first day by whose end so many trading days had passed."""
        places: Whole = np.searchsorted(self.elapsed, elapsed - 1e-9) + self.first
        return places


def whole_until(visits: Whole) -> int:
    """The place of the last whole day in a row of daily counts; −1 where there is none."""
    for place in range(len(visits) - 1, -1, -1):
        before = visits[max(0, place - USUAL_DAYS) : place]
        open_days = before[before > 0]
        usual = float(np.median(open_days)) if len(open_days) else 0.0
        if visits[place] > 0 and visits[place] >= WHOLE_SHARE * usual:
            return place
    return -1


def trading_clock(days: Whole | Whole32, *, until: int) -> TradingClock:
    """The clock of the visits on ``days`` (day numbers, one per visit), up to the day ``until``.

    A trading day is the mean day, so that a year of trading lasts as long as one of the calendar.
    """
    if not len(days):
        return TradingClock(first=until, until=until, elapsed=np.ones(1))
    first = int(days.min())
    visits = np.bincount(days - first, minlength=until - first + 1)[: until - first + 1]
    last = whole_until(visits)
    visits = visits[: last + 1].astype(np.float64)
    if visits.mean() < LEAST_VISITS:
        return TradingClock(first=first, until=until, elapsed=np.arange(1.0, until - first + 2))
    return TradingClock(first=first, until=first + last, elapsed=np.cumsum(visits / visits.mean()))
