"""What customers did before they left, beside those who stayed: differences of figures, and their course by week.

Difference: standardised mean difference, (mean of those who left − mean of those who stayed) ÷ pooled standard
deviation (J. Cohen, Statistical Power Analysis, 2nd ed. 1988, p. 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real
from patron.intelligence.mining.churning.features import Snapshot
from patron.intelligence.mining.churning.schedule import Schedule
from patron.intelligence.mining.rhythm import Visits

WEEK: Final = 7
_GROUPS: Final = ("left", "stayed", "neither")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of those who left and of those who stayed; ``standardised`` in standard deviations."""

    name: str
    left: float
    stayed: float
    standardised: float


@dataclass(frozen=True, slots=True)
class CourseWeek:
    """Visits per customer in a week before the cut-off (-1 is the last one), by what became of them after it."""

    week: int
    left: float
    stayed: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """Differences, the largest first, and the weeks in order, over every cut-off whose leavers are known."""

    left: int
    stayed: int
    differences: tuple[Difference, ...]
    course: tuple[CourseWeek, ...]


def pattern_of(snapshots: Sequence[Snapshot], visits: Visits, plan: Schedule) -> Pattern:
    """The pattern; empty where nobody left or nobody stayed."""
    left = np.concatenate([each.labels() for each in snapshots])
    leavers, stayers = int(left.sum()), int((~left).sum())
    if not leavers or not stayers:
        return Pattern(leavers, stayers, (), ())
    differences = [
        _difference(name, np.concatenate([each.column(name) for each in snapshots]), left)
        for name in snapshots[0].names
    ]
    return Pattern(
        left=leavers,
        stayed=stayers,
        differences=tuple(sorted(differences, key=lambda each: (-abs(each.standardised), each.name))),
        course=_course(snapshots, visits, weeks=max(min(2 * plan.horizon, plan.lookback) // WEEK, 1)),
    )


def _difference(name: str, values: Real, left: Flags) -> Difference:
    gone, here = values[left], values[~left]
    pooled = np.sqrt((gone.var() * len(gone) + here.var() * len(here)) / len(values))
    difference = float(gone.mean() - here.mean())
    return Difference(name, float(gone.mean()), float(here.mean()), float(difference / pooled) if pooled > 0 else 0.0)


def _course(snapshots: Sequence[Snapshot], visits: Visits, *, weeks: int) -> tuple[CourseWeek, ...]:
    came = np.zeros((weeks, len(_GROUPS)), dtype=np.int64)
    for each in snapshots:
        inside = np.flatnonzero((visits.day > each.cutoff - weeks * WEEK) & (visits.day <= each.cutoff))
        group = np.full(len(visits.starts) - 1, _GROUPS.index("neither"), dtype=np.int64)
        group[each.who] = np.where(each.labels(), _GROUPS.index("left"), _GROUPS.index("stayed"))
        ago = (each.cutoff - visits.day[inside]) // WEEK
        place = ago * len(_GROUPS) + group[visits.owner[inside]]
        came += np.bincount(place, minlength=came.size).reshape(came.shape)
    leavers = sum(int(each.labels().sum()) for each in snapshots)
    stayers = sum(len(each.who) for each in snapshots) - leavers
    return tuple(
        CourseWeek(week=-ago - 1, left=int(came[ago, 0]) / leavers, stayed=int(came[ago, 1]) / stayers)
        for ago in reversed(range(weeks))
    )
