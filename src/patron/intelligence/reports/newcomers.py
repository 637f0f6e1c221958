"""Newcomers: how many come back and stay by day, by group, and who waits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Literal

from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

Measure = Literal["back", "stay"]
MEASURES: tuple[Measure, ...] = ("back", "stay")
State = Literal["due", "fresh", "late", "untold", "back"]
STATES: tuple[State, ...] = ("due", "fresh", "late", "untold", "back")
DIMENSIONS = ("cohort", "branch", "department", "age_band", "channel")
PAGE = 50


@dataclass(frozen=True, slots=True)
class StateCount:
    """Newcomers in a state, the expected number of them who come soon, and what they spent on their first day."""

    customers: int
    expected: float
    first_amount: Decimal


@dataclass(frozen=True, slots=True)
class NewcomerRow:
    """One newcomer."""

    customer_id: int
    state: str
    rank: int | None
    first_on: date
    second_on: date | None
    days_to_second: int | None
    silence_days: int | None
    chance: float | None
    expected_on: date | None
    first_amount: Decimal
    department: str | None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group: `soon` is the share by soon_days (of staying: by lost_days), `late` that at the end of its curve."""

    group: str
    newcomers: int
    events: int
    expected_events: float | None
    watched_days: int
    soon: float | None
    soon_low: float | None
    soon_high: float | None
    late: float
    median_days: float | None
    median_low: float | None
    median_high: float | None


@dataclass(frozen=True, slots=True)
class CurveDay:
    """A share with its interval."""

    day: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way of dividing, tested; `p` is empty where nothing could be compared."""

    dimension: str
    groups: int
    statistic: float | None
    p: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class ToldBand:
    """The back-test by length of silence."""

    first_day: int
    last_day: int
    asked: int
    foretold: float
    came: int
    observed: float
    low: float
    high: float


def state_counts(warehouse: Warehouse, scope: Scope) -> dict[State, StateCount]:
    """Every state, those with nobody too."""
    rows = warehouse.rows(
        f"""
        SELECT state, count(*), coalesce(sum(chance), 0), sum(first_amount)
        FROM newcomers_customers WHERE {scope.condition()} GROUP BY state
        """  # noqa: S608 (a branch's number)
    )
    found = {row[0]: StateCount(*row[1:]) for row in rows}
    return {state: found.get(state, StateCount(0, 0.0, Decimal(0))) for state in STATES}


def newcomer_rows(
    warehouse: Warehouse, scope: Scope, state: State, *, skip: int = 0, limit: int = PAGE
) -> list[NewcomerRow]:
    """The due by rank, those who came back the latest first, the others by first purchase, the latest first."""
    order = {"due": "rank", "back": "second_on DESC"}.get(state, "first_on DESC, first_amount DESC")
    rows = warehouse.rows(
        f"""
        SELECT customer_id, state, rank, first_on, second_on, days_to_second, silence_days, chance, expected_on,
               first_amount, department
        FROM newcomers_customers WHERE state = ? AND {scope.condition()}
        ORDER BY {order}, customer_id LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number, an order of ours)
        [state, limit, skip],
    )
    return [NewcomerRow(*row) for row in rows]


def every_newcomer(warehouse: Warehouse, scope: Scope, state: State) -> Iterator[Sequence[NewcomerRow]]:
    """All of them in slices, for a file."""
    return in_slices(partial(newcomer_rows, warehouse, scope, state))


def figures_of(warehouse: Warehouse, measure: Measure, branch_id: int = ALL_BRANCHES) -> GroupFigures | None:
    """All newcomers, or those who first bought in a branch; None for a branch with too few for figures of its own."""
    found = _groups(warehouse, measure, "all", branch_id)
    return found[0] if found else None


def group_figures(warehouse: Warehouse, measure: Measure, dimension: str) -> list[GroupFigures]:
    """The groups of a dimension in their order."""
    return _groups(warehouse, measure, dimension, ALL_BRANCHES)


def _groups(warehouse: Warehouse, measure: Measure, dimension: str, branch_id: int) -> list[GroupFigures]:
    rows = warehouse.rows(
        """
        SELECT "group", newcomers, events, expected_events, watched_days, soon, soon_low, soon_high, late, median_days,
               median_low, median_high
        FROM newcomers_groups WHERE measure = ? AND dimension = ? AND branch_id = ? ORDER BY position
        """,
        [measure, dimension, branch_id],
    )
    return [GroupFigures(*row) for row in rows]


def curve_days(
    warehouse: Warehouse, measure: Measure, *, dimension: str = "all", group: str = "all", branch_id: int = ALL_BRANCHES
) -> list[CurveDay]:
    """One curve, day by day, as far as enough are watched; empty where they are too few."""
    rows = warehouse.rows(
        """
        SELECT day, share, low, high FROM newcomers_curves
        WHERE measure = ? AND dimension = ? AND "group" = ? AND branch_id = ? ORDER BY day
        """,
        [measure, dimension, group, branch_id],
    )
    return [CurveDay(*row) for row in rows]


def comparisons(warehouse: Warehouse, measure: Measure) -> dict[str, Comparison]:
    """Every way of dividing, tested."""
    rows = warehouse.rows(
        "SELECT dimension, groups, statistic, p, p_adjusted FROM newcomers_tests WHERE measure = ? ORDER BY position",
        [measure],
    )
    return {row[0]: Comparison(*row) for row in rows}


def told_bands(warehouse: Warehouse) -> list[ToldBand]:
    """What was foretold and what came, by silence; empty without a back-test."""
    rows = warehouse.rows(
        "SELECT first_day, last_day, asked, foretold, came, observed, low, high FROM newcomers_backtest "
        "ORDER BY first_day"
    )
    return [ToldBand(*row) for row in rows]
