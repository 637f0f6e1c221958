"""What customers buy after what: counted in arrays, or by the engine that holds the lines. See `baskets_counting`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.shopping import Level, Shopping
from patron.intelligence.mining.arrays import Real, Whole, day_number
from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.following import Following, following, median_gap
from patron.intelligence.mining.patterns.gaps import Gaps
from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns


class VisitCounting(Protocol):
    """Counts over the visits of a window: a visit is a customer's day. Days are counted from 1970-01-01."""

    @property
    def levels(self) -> Mapping[str, Level]:
        """The levels of the catalogue, finest first."""

    @property
    def baskets(self) -> int:
        """How many baskets."""

    @property
    def customers(self) -> int:
        """How many customers."""

    @property
    def first(self) -> int:
        """The first day with a basket."""

    @property
    def until(self) -> int:
        """The last day of the window."""

    def sequences(self, level: str) -> int:
        """How many sequences there are at a level: customers up to the last one who bought something of it."""

    def following(self, level: str, *, within: int, least: int, until: int, since: int | None = None) -> Following:
        """Which item follows which, in the visits from ``since`` (else all) to ``until``.

        See :func:`~patron.intelligence.mining.patterns.following.following`; ``least`` are its sequences.
        """

    def moments(self, level: str, first: Whole, then: Whole, *, within: int) -> tuple[Real, Whole]:
        """For each pair the median days to the second item, and how many customers it is due for.

        They bought the first in the last ``within`` days and nothing of the second since.
        """

    def paths(self, level: str, *, least: int, max_length: int, max_step: int, gaps: Gaps) -> pa.Table:
        """The columns of :func:`~patron.intelligence.mining.patterns.sequential.patterns_table`."""


class ArrayVisits:
    """In this process, over :class:`Shopping`."""

    def __init__(self, shopping: Shopping) -> None:
        self._shopping = shopping
        self._made: tuple[str, Sequences] | None = None

    @property
    def levels(self) -> Mapping[str, Level]:
        return self._shopping.levels

    @property
    def baskets(self) -> int:
        return self._shopping.size

    @property
    def customers(self) -> int:
        return len(self._shopping.customers)

    @property
    def first(self) -> int:
        return int(self._shopping.day.min())

    @property
    def until(self) -> int:
        return day_number(self._shopping.until)

    def sequences(self, level: str) -> int:
        return self._visits(level).size

    def following(self, level: str, *, within: int, least: int, until: int, since: int | None = None) -> Following:
        visits = self._visits(level)
        if since is not None or until < self.until:
            visits = _only(visits, (visits.time <= until) & (visits.time >= (since if since is not None else -np.inf)))
        return following(visits, within=within, until=until, min_sequences=least)

    def moments(self, level: str, first: Whole, then: Whole, *, within: int) -> tuple[Real, Whole]:
        visits, pairs = self._visits(level), list(zip(first.tolist(), then.tolist(), strict=True))
        median = [median_gap(visits, a, b, within=within, until=self.until) for a, b in pairs]
        latest = {}
        for item in np.union1d(first, then).tolist():
            events = visits.events[visits.item_starts[item] : visits.item_starts[item + 1]]
            last = np.full(visits.size, -np.inf)
            last[visits.owner[events]] = visits.time[events]  # ascending: the last one stays
            latest[item] = last
        recently = self.until - within
        due = [np.count_nonzero((latest[a] > recently) & (latest[b] <= latest[a])) for a, b in pairs]
        return np.array(median, dtype=np.float64), np.array(due, dtype=np.int64)

    def paths(self, level: str, *, least: int, max_length: int, max_step: int, gaps: Gaps) -> pa.Table:
        found = sequential_patterns(
            self._visits(level), min_count=least, max_length=max_length, max_step=max_step, gaps=gaps
        )
        return patterns_table(found)

    def _visits(self, level: str) -> Sequences:
        if self._made is None or self._made[0] != level:
            self._made = level, self._shopping.visits(level)
        return self._made[1]


def _only(visits: Sequences, chosen: np.ndarray) -> Sequences:
    """The chosen events alone; sequences keep their numbers."""
    item = np.repeat(np.arange(len(visits.names)), np.diff(visits.item_starts))
    rows = chosen[visits.events]
    events = visits.events[rows]
    return Sequences.of_codes(visits.names, visits.owner[events], visits.time[events], item[rows], dated=True)
