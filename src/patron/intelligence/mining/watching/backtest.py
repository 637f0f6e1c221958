"""Were the alarms right? The watch as of past days, against what the customers did in the weeks after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole, day_number
from patron.intelligence.mining.transactions import MONEY_UNITS, Purchases
from patron.intelligence.mining.watching.behaviour import behaviour, sums
from patron.intelligence.mining.watching.parameters import WatchParameters

#: The rule that most shops use: call whoever has not come for a month.
RULE_DAYS: Final = 30
OWN, RULE, OTHERS = "own_rhythm", "thirty_days", "others"


@dataclass(frozen=True, slots=True)
class Check:
    """Customers whom a rule pointed at on ``as_of``, how many then spent less than half, and what they were worth."""

    as_of: dt.date
    rule: str
    customers: int
    confirmed: int
    money_per_year: float

    @property
    def share(self) -> float:
        """The share that was right."""
        return self.confirmed / self.customers if self.customers else 0.0


def checks(purchases: Purchases, until: dt.date, parameters: WatchParameters, *, times: int = 3) -> Iterator[Check]:
    """Three checks for each of ``times`` past days, the window length apart, that leave a whole window to see.

    Asked of customers who are judged by silence and spend: fresh alarms of silence or low spend (``own_rhythm``), those
    whose silence passed 30 days within the window (``thirty_days``), and all whom neither the watch alarms on
    (``others``). Confirmed: spent less than half of their usual window in the window after.
    """
    width = parameters.window_days
    for step in range(1, times + 1):
        as_of = until - dt.timedelta(width * step)
        known = purchases.until(as_of)
        if not len(known.days.customers):
            return
        found = behaviour(known, as_of, parameters)
        judged: Flags = found.known["silence"] & found.known["spend_low"]
        after = _spent_after(purchases, day_number(as_of), width)
        fell = after < found.usual["spend_low"] / 2
        alarmed = (found.tails["silence"] < parameters.alpha) | (found.tails["spend_low"] < parameters.alpha)
        fresh = alarmed & (found.since["silence"] > found.clock.until - parameters.fresh_days)
        silent = (found.now["silence"] >= RULE_DAYS) & (found.now["silence"] < RULE_DAYS + width)
        for rule, chosen in ((OWN, judged & fresh), (RULE, judged & silent), (OTHERS, judged & ~alarmed)):
            yield Check(as_of, rule, int(chosen.sum()), int((fell & chosen).sum()), float(found.year[chosen].sum()))


def _spent_after(purchases: Purchases, day: int, width: int) -> Real:
    """What the customers who had bought by ``day`` spent in the ``width`` days after it."""
    days = purchases.days
    after = (days.day > day) & (days.day <= day + width)
    spent = sums(days.owner[after], days.amount[after] / MONEY_UNITS, len(days.customers))
    places: Whole = np.flatnonzero(days.day[days.starts[:-1]] <= day)
    return spent[places]
