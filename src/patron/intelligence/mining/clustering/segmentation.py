"""From features to groups: prepared, chosen, found, numbered, described, judged, and followed over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.clustering.choice import WEAK_SILHOUETTE, Candidate, Trials, candidates, chosen
from patron.intelligence.mining.clustering.groupings import Fitting, Grouping, Membership, NearestCentre, sampled
from patron.intelligence.mining.clustering.matrix import Preparation, Treatment, prepare_features
from patron.intelligence.mining.clustering.portraits import Portrait, portraits, readable
from patron.intelligence.mining.clustering.profit_table import (
    SegmentRow,
    TreatmentRules,
    segment_profit_table,
    segment_sums,
)
from patron.intelligence.mining.errors import InputError, ParameterError


@dataclass(frozen=True, slots=True)
class Money:
    """What is known of each row for the profit table; none of it shapes the groups."""

    revenue: Real | None = None
    units: Real | None = None
    tenure_months: Real | None = None
    profit: Real | None = None

    def taken(self, rows: Whole) -> Money:
        """The same for some rows."""
        columns = (self.revenue, self.units, self.tenure_months, self.profit)
        return Money(*(None if column is None else column[rows] for column in columns))


@dataclass(frozen=True, slots=True)
class Plan:
    """How groups are made: ``k`` of them, or as many between ``k_min`` and ``k_max`` as the data speak for (k = 0)."""

    k: int = 0
    k_min: int = 2
    k_max: int = 10
    treatment: Treatment = field(default_factory=Treatment)
    fitting: Fitting = field(default_factory=Fitting)
    trials: Trials = field(default_factory=Trials)
    rules: TreatmentRules = field(default_factory=TreatmentRules)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Groups 0 to k − 1 by what they bring (or by size), best first; texts and tables call them 1 to k.

    ``tried`` are the numbers of groups that were compared: one, where k was given.
    """

    preparation: Preparation
    grouping: Grouping
    members: Membership
    portraits: tuple[Portrait, ...]
    table: tuple[SegmentRow, ...]
    tried: tuple[Candidate, ...]
    notes: tuple[str, ...]

    @property
    def k(self) -> int:
        """How many groups there are."""
        return len(self.table)

    @property
    def quality(self) -> Candidate | None:
        """What was measured of the number of groups that was taken; None for a single group."""
        return next((each for each in self.tried if each.k == self.k), None)

    def members_of(self, features: Mapping[str, Real]) -> Membership:
        """The groups that other rows belong to, or the same customers at another time, by today's groups."""
        return self.grouping.members(self.preparation.apply(features))


def segment(features: Mapping[str, Real], money: Money, plan: Plan) -> Segmentation:
    """Group the rows; ``features``: name → one value for each row, not a number where it is missing.

    Rows are at least one. Raises :class:`ParameterError` when ``k`` is above the number of rows and
    :class:`InputError` when no feature has a value.
    """
    rows = len(next(iter(features.values())))
    if plan.k > rows:
        raise ParameterError(
            f"k is {plan.k}, but there are only {rows} rows; ask for at most {rows} groups, or give more rows."
        )
    preparation = prepare_features(features, plan.treatment)
    if len(preparation.empty) == len(features):
        raise InputError(f"No row has a value in {', '.join(features)}; give at least one feature with numbers.")
    notes = _left_out(preparation)
    matrix = preparation.apply(features)
    different = _different_rows(matrix, max(plan.k, plan.k_max))
    tried, k = _number_of_groups(matrix, different, rows, plan)
    if plan.k > k:
        notes.append(f"Asked for {plan.k} groups; only {different} rows differ, so there are {k}.")
    grouping, members = _numbered(_found(matrix, k, plan), matrix, money)
    count = len(grouping.centres)
    quality = next((each for each in tried if each.k == count), None)
    if quality is not None:
        notes += _doubts(quality, plan)
    return Segmentation(
        preparation=preparation,
        grouping=grouping,
        members=members,
        portraits=portraits(members.cluster, count, features, matrix, preparation.names),
        table=segment_profit_table(
            segment_sums(
                members.cluster,
                count,
                revenue=money.revenue,
                units=money.units,
                tenure_months=money.tenure_months,
                profit=money.profit,
            ),
            plan.rules,
        ),
        tried=tried,
        notes=tuple(notes),
    )


def moves(before: Whole, now: Whole, k: int) -> Whole:
    """How many were in group i and are in group j: k × k."""
    counted: Whole = np.bincount(before.astype(np.int64) * k + now, minlength=k * k).reshape(k, k)
    return counted


def _number_of_groups(matrix: Real, different: int, rows: int, plan: Plan) -> tuple[tuple[Candidate, ...], int]:
    most = min(different, rows - 1)
    if plan.k:
        numbers = _drawable(matrix, [plan.k] if 2 <= plan.k <= most else [], plan)
        return candidates(matrix, numbers, plan.fitting, plan.trials), min(plan.k, different)
    numbers = [k for k in range(max(plan.k_min, 2), plan.k_max + 1) if k <= most]
    if not numbers:
        # Too few to choose from: as few groups as were asked for, one where everybody is the same.
        return (), min(plan.k_min, different)
    tried = candidates(matrix, _drawable(matrix, numbers, plan), plan.fitting, plan.trials)
    return tried, chosen(tried, min_stability=plan.trials.min_stability).k if tried else numbers[0]


def _drawable(matrix: Real, numbers: list[int], plan: Plan) -> list[int]:
    """Those numbers that the sample for the trials has different rows for."""
    if not numbers:
        return []
    rows = min(plan.trials.rows, plan.fitting.most_trial_rows)
    most = _different_rows(sampled(matrix, rows, plan.fitting.seed), numbers[-1])
    return [k for k in numbers if k <= most]


def _different_rows(matrix: Real, enough: int) -> int:
    """The number of different rows, counted no further than ``enough``; at least 1."""
    if not matrix.shape[1]:
        return 1
    first = len(np.unique(matrix[:2000], axis=0))
    return first if first >= enough or len(matrix) <= 2000 else len(np.unique(matrix, axis=0))


def _found(matrix: Real, k: int, plan: Plan) -> Grouping:
    if k == 1:
        centre = matrix.mean(axis=0, keepdims=True)
        return NearestCentre(points=centre, owner=np.zeros(1, dtype=np.int64), centres=centre)
    return plan.fitting.fit(matrix, k)


def _numbered(grouping: Grouping, matrix: Real, money: Money) -> tuple[Grouping, Membership]:
    """The groups that have a row, by revenue (else size) from high to low; equal ones by their centres."""
    k = len(grouping.centres)
    members = grouping.members(matrix)
    cluster = members.cluster
    sizes = np.bincount(cluster, minlength=k)
    worth = sizes.astype(np.float64)
    if money.revenue is not None:
        worth = np.bincount(cluster, np.nan_to_num(money.revenue), k).astype(np.float64)
    centres = [tuple(centre) for centre in np.round(grouping.centres, 6)]
    order = sorted(np.flatnonzero(sizes), key=lambda old: (-round(float(worth[old]), 4), -sizes[old], centres[old]))
    places = np.array(order, dtype=np.int64)
    ordered = grouping.reordered(places)
    return ordered, members.renumbered(places) if len(places) == k else ordered.members(matrix)


def _left_out(preparation: Preparation) -> list[str]:
    notes = []
    if preparation.empty:
        notes.append(f"Left out, for no row has a value: {', '.join(map(readable, preparation.empty))}.")
    if preparation.constant:
        notes.append(f"Left out, for all rows have the same value: {', '.join(map(readable, preparation.constant))}.")
    if not preparation.scales:
        notes.append("Nothing tells the rows apart: all of them are one group.")
    return notes


def _doubts(quality: Candidate, plan: Plan) -> list[str]:
    notes = []
    if quality.silhouette < WEAK_SILHOUETTE:
        notes.append(
            f"The groups run into each other (silhouette {quality.silhouette:.2f}, below {WEAK_SILHOUETTE:g}): take "
            "their borders as a convention."
        )
    if plan.trials.resamples and quality.stability < plan.trials.min_stability:
        notes.append(
            f"The groups are not stable (agreement {quality.stability:.2f} when customers are drawn again, below "
            f"{plan.trials.min_stability:g}): try fewer groups."
        )
    return notes
