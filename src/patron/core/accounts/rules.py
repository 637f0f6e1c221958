"""Roles and what they mean for whom one sees; opening hours. No Django."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise


class Role(StrEnum):
    """The jobs that people do. What each may do is declared by the rooms, permission by permission."""

    ADMINISTRATOR = "administrator"
    EXECUTIVE = "executive"
    MARKETER = "marketer"
    ANALYST = "analyst"
    BRANCH_MANAGER = "branch_manager"
    CASHIER = "cashier"
    SALES_REP = "sales_rep"
    SERVICE_AGENT = "service_agent"


ALL_ROLES = frozenset(str(role) for role in Role)

BRANCH_BOUND_ROLES = frozenset({str(Role.BRANCH_MANAGER), str(Role.CASHIER), str(Role.SALES_REP)})
"""Roles that see the rows of their own branches only."""


def roles(*members: Role) -> frozenset[str]:
    """Role codes for a permission: those named, and the administrator always."""
    return frozenset({str(Role.ADMINISTRATOR), *(str(member) for member in members)})


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
Interval = tuple[int, int]
"""From and until, in minutes after midnight; until is exclusive and at most 1440 (24:00)."""

_INTERVAL = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–—~至到]\s*(\d{1,2})[:.](\d{2})")


def parse_intervals(text: str) -> tuple[Interval, ...]:
    """The opening hours of one day from what people write: `09:00-13:00, 14:00-21:00`; nothing is closed.

    Raises ValueError saying what is wrong: unreadable, ending before it begins, or overlapping.
    """
    intervals = []
    for part in re.split(r"[,;，、；]", text):
        if not part.strip():
            continue
        found = _INTERVAL.fullmatch(part.strip())
        if found is None:
            raise ValueError("unreadable")
        start_hour, start_minute, end_hour, end_minute = (int(number) for number in found.groups())
        start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
        if start_minute > 59 or end_minute > 59 or start >= DAY_MINUTES or end > DAY_MINUTES:
            raise ValueError("unreadable")
        if start >= end:
            raise ValueError("backwards")
        intervals.append((start, end))
    intervals.sort()
    if any(left[1] > right[0] for left, right in pairwise(intervals)):
        raise ValueError("overlapping")
    return tuple(intervals)


def shown_intervals(intervals: Iterable[Interval]) -> str:
    """Opening hours of one day as people read them: `09:00–13:00, 14:00–21:00`; empty when closed."""
    return ", ".join(f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in intervals)


def is_open(hours: Mapping[str, Sequence[Sequence[int]]], at: datetime) -> bool:
    """Whether a place with these weekly hours is open at `at`, given in the place's own time."""
    minute = at.hour * 60 + at.minute
    return any(start <= minute < end for start, end in hours.get(WEEKDAYS[at.weekday()], ()))
