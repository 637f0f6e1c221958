"""What customers did before they left, beside those who stayed: differences of figures, and their course by week.

Difference: standardised mean difference, (mean of those who left − mean of those who stayed) ÷ pooled standard
deviation (J. Cohen, Statistical Power Analysis, 2nd ed. 1988, p. 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole, prefix_sums
from patron.intelligence.mining.churning.features import Snapshot
from patron.intelligence.mining.churning.schedule import Schedule
from patron.intelligence.mining.rhythm import Visits

WEEK = 7


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
    made = []
    for week in range(-weeks, 0):
        gone = here = leavers = stayers = 0
        for each in snapshots:
            came = _visits_between(visits, each.cutoff + week * WEEK, each.cutoff + (week + 1) * WEEK)[each.who]
            left = each.labels()
            gone, here = gone + int(came[left].sum()), here + int(came[~left].sum())
            leavers, stayers = leavers + int(left.sum()), stayers + int((~left).sum())
        made.append(CourseWeek(week=week, left=gone / leavers, stayed=here / stayers))
    return tuple(made)


def _visits_between(visits: Visits, after: int, until: int) -> Whole:
    inside = prefix_sums((visits.day > after) & (visits.day <= until))[visits.starts]
    came: Whole = np.diff(inside)
    return came
