"""A customer's own purchase rhythm: how long they usually stay away between two visits.

A visit is a day with a purchase. The typical gap is a geometric mean, because gaps are skewed: one long holiday among
twenty weekly visits must not make a customer look like a monthly one. It is drawn towards the population's typical gap
for customers with few visits (``docs/algorithms/lifecycle.md`` has worked numbers)::

    typical = exp((Σ ln gap of the last n gaps + k · ln population) / (n + k))

with n ≤ ``rhythm_gaps`` and k = ``prior_gaps``. Logarithms are kept as whole millionths, so that sums are exact
whatever their order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32, half_up, prefix_sums
from patron.intelligence.mining.transactions import Days

MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Visits:
    """The purchase days, by customer, then by day.

    Customer i of ``Days`` has the visits ``starts[i]`` to ``starts[i + 1]``.

    ``number`` counts a customer's visits from 1; ``gap`` is days since the visit before, 0 for the first;
    ``log_sums[j]`` is the sum of the logarithms (millionths) of the gaps of the first j visits.
    """

    starts: Whole
    owner: Whole32
    day: Whole32
    number: Whole
    gap: Whole32
    log_sums: Whole

    def recent_logs(self, visits: Whole, gaps: Whole) -> Whole:
        """Sum of the logarithms of the last ``gaps`` gaps up to each of ``visits`` (positions)."""
        until, before = self.log_sums[visits + 1], self.log_sums[visits + 1 - gaps]
        recent: Whole = until - before
        return recent

    def seen_until(self, day: int) -> Whole:
        """How many visits each customer had made by the end of ``day``."""
        seen: Whole = np.diff(prefix_sums(self.day <= day)[self.starts])
        return seen


def visits_of(days: Days) -> Visits:
    """The days with a purchase, with the gaps between them."""
    came = days.purchases > 0
    owner, day = days.owner[came], days.day[came]
    starts = prefix_sums(came)[days.starts]
    number = np.arange(len(day)) - starts[owner] + 1
    gap = np.where(number > 1, np.diff(day, prepend=0), 0).astype(np.int32)
    logs = half_up(np.log(np.maximum(gap, 1)) * MICRO)
    return Visits(starts=starts, owner=owner, day=day, number=number, gap=gap, log_sums=prefix_sums(logs))


def population_log(log_sum: Whole, gaps: Whole, *, fallback_days: float) -> int:
    """Mean logarithm (millionths) of the customers' own rhythms; every customer with a gap counts once.

    ``fallback_days`` stands in while nobody has come twice.
    """
    repeating = gaps > 0
    if not repeating.any():
        return round(math.log(fallback_days) * MICRO)
    own = half_up(log_sum[repeating] / gaps[repeating])
    return math.floor(int(own.sum()) / len(own) + 0.5)


def typical_gap(log_sum: Whole, gaps: Whole, population: int, *, prior_gaps: float) -> Real:
    """Days, to one decimal, at least 1: the formula at the top of this file."""
    mean = (log_sum + population * prior_gaps) / (gaps + prior_gaps)
    return half_up(np.exp(mean / MICRO) * 10) / 10
