"""Newcomers: who bought for the first time, when they came again, and until when they stayed.

Only a first purchase that can be told from one of an old customer counts: it lies at least ``lost_days`` after the
data begin. (Somebody silent for longer counts as gone, so whoever comes then begins anew; when a house begins to know
its customers, its regulars come first, and look new.) Coming again is a purchase on a later day.

Leaving is the last purchase before a silence of more than ``lost_days``. It can be told only once that silence has
passed, so everybody is followed up to ``lost_days`` + 1 before the end of the data, whoever they are, and no further:
to follow those who still buy until the end, while those who just left cannot be told yet, would be time in which
nobody can leave ("immortal time": S. Suissa, American Journal of Epidemiology 167, 2008, 492-499).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Whole
from patron.intelligence.mining.rhythm import Visits

NEVER: Final = 2**31 - 1
#: A day with less than this share of the usual number of customers is no whole day.
_WHOLE_DAY: Final = 0.2
#: With fewer customers a day than this, an empty day says nothing.
_LEAST_A_DAY: Final = 20


@dataclass(frozen=True, slots=True)
class Newcomers:
    """One place per newcomer, by customer: ``who`` (position in ``Days.customers``), day of the first purchase, day of
    the next (:data:`NEVER` where there is none), last day before the first silence that counts as leaving
    (:data:`NEVER` where none is known), and the day of the return from it (likewise).

    ``begin`` is the first whole day of the data, ``until`` the last.
    """

    who: Whole
    first: Whole
    second: Whole
    left: Whole
    back: Whole
    begin: int
    until: int

    def select(self, rows: Flags) -> Newcomers:
        """Only those."""
        return Newcomers(
            who=self.who[rows],
            first=self.first[rows],
            second=self.second[rows],
            left=self.left[rows],
            back=self.back[rows],
            begin=self.begin,
            until=self.until,
        )

    def returns(self, day: int | None = None) -> tuple[Whole, Flags]:
        """Days from the first purchase to the next, or to ``day`` (the end of the data), and who came back by then."""
        end = self.until if day is None else day
        came = self.second <= end
        return np.where(came, self.second, end) - self.first, came

    def stays(self, lost_days: int) -> tuple[Flags, Whole, Flags]:
        """Of whom leaving could be told by now; of those how many days they were followed, and who left then."""
        end = self.until - lost_days - 1
        told = self.first <= end
        gone = self.left <= end
        days = np.where(gone, self.left, end) - self.first
        return told, days[told], gone[told]


def newcomers_of(visits: Visits, until: int, *, lost_days: int, window_days: int) -> Newcomers:
    """The newcomers of the last ``window_days``, judged by what is dated up to ``until``."""
    known = visits.day <= until
    begin = first_whole_day(visits.day[known])
    seen = visits.seen_until(until)
    who = np.flatnonzero(seen)
    first_row = visits.starts[who]
    first = visits.day[first_row].astype(np.int64) if len(who) else np.zeros(0, dtype=np.int64)
    new = (first >= begin + lost_days) & (first > until - window_days)
    who, first_row, first = who[new], first_row[new], first[new]
    next_row = np.minimum(first_row + 1, max(len(visits.day) - 1, 0))
    second = np.where(seen[who] > 1, visits.day[next_row], NEVER).astype(np.int64)
    left, back = _first_leaving(visits, seen, until, lost_days)
    return Newcomers(who, first, second, left[who], back[who], begin, until)


def first_whole_day(day: Whole | np.ndarray[tuple[int], np.dtype[np.int32]]) -> int:
    """The first day with at least a fifth of the usual number of visits: stray old receipts do not begin the data.

    Where there are few visits a day the very first; 0 without any.
    """
    if not len(day):
        return 0
    begin = int(day.min())
    a_day = np.bincount(day - begin)
    usual = float(np.median(a_day[a_day > 0]))
    if usual < _LEAST_A_DAY:
        return begin
    return begin + int(np.argmax(a_day >= _WHOLE_DAY * usual))


def _first_leaving(visits: Visits, seen: Whole, until: int, lost_days: int) -> tuple[Whole, Whole]:
    """Per customer of ``Days``: the visit before the first silence of more than ``lost_days``, and the one after."""
    number = len(visits.starts) - 1
    left, back = np.full(number, NEVER, dtype=np.int64), np.full(number, NEVER, dtype=np.int64)
    last = visits.starts[:-1] + seen - 1
    after = np.full(len(visits.day), until + 1, dtype=np.int64)
    after[:-1] = visits.day[1:]
    after[last[seen > 0]] = until
    silent = np.flatnonzero((visits.day <= until) & (after - visits.day > lost_days))
    # In order of date within a customer: taken backwards, the first assignment stays.
    silent = silent[::-1]
    owner = visits.owner[silent]
    left[owner] = visits.day[silent]
    returned = silent != last[owner]
    back[owner] = np.where(returned, after[silent], NEVER)
    return left, back
