"""Who is likely to leave: the risk list, the test by date, and what leavers did before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

Group = Literal["high", "raised", "vips", "all"]
GROUPS: tuple[Group, ...] = ("high", "raised", "vips", "all")

PAGE = 20

_CONDITIONS: dict[Group, str] = {
    "high": "risk = 'high'",
    "raised": "risk IN ('high', 'medium')",
    "vips": "vip AND risk IN ('high', 'medium')",
    "all": "true",
}


@dataclass(frozen=True, slots=True)
class Danger:
    """A group of customers: how many, how many of them will leave as foretold, what they spend a year and what of it is
    expected to go; `first_ten_loss` is the part of that loss that the ten with the most at stake carry."""

    customers: int
    expected_leavers: float
    money: Decimal
    expected_loss: Decimal
    first_ten_loss: Decimal


@dataclass(frozen=True, slots=True)
class RiskRow:
    """One customer of the risk list, with the facts behind the reasons."""

    customer_id: int
    rank: int
    risk: str
    vip: bool
    probability: float
    low: float
    high: float
    money_per_year: Decimal
    expected_loss: Decimal
    days_since_last: int
    typical_gap_days: float
    visits: int
    visits_recent: int
    visits_before: int
    spend_recent: Decimal
    spend_before: Decimal
    basket: Decimal
    kinds_recent: int | None
    kinds_before: int | None
    tenure_days: int
    reason_code: str
    reason_code_2: str | None
    reason_code_3: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class RiskBand:
    """A tenth of the customers on the test day, by foretold risk; 1 is the most endangered."""

    band: int
    customers: int
    predicted: float
    left: int
    observed: float
    low: float
    high: float
    lift: float
    gain: float
    baseline_gain: float


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model or a simple rule, and its area under the curve on the test day."""

    model: str
    chosen: bool
    validation_auc: float | None
    auc: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PatternLine:
    """A figure of those who left beside that of those who stayed; `standardised` in standard deviations."""

    figure: str
    left: float
    stayed: float
    standardised: float


@dataclass(frozen=True, slots=True)
class CourseWeek:
    """Visits per customer in a week before the cut-off; -1 is the last one."""

    week: int
    left: float
    stayed: float


@dataclass(frozen=True, slots=True)
class KnownDay:
    """A day whose leavers are known, and what it served for: training, validation or test."""

    day: date
    use: str
    customers: int
    left: int


def danger(warehouse: Warehouse, scope: Scope, group: Group) -> Danger:
    """The sums of a group; zeros where nobody is in it."""
    [row] = warehouse.rows(
        f"""
        WITH chosen AS (SELECT * FROM churn_customers WHERE {_CONDITIONS[group]} AND {scope.condition()}),
        first AS (SELECT expected_loss FROM chosen ORDER BY rank LIMIT 10)
        SELECT count(*), coalesce(sum(probability), 0), coalesce(sum(money_per_year), 0)::DECIMAL(18,2),
               coalesce(sum(expected_loss), 0)::DECIMAL(18,2),
               coalesce((SELECT sum(expected_loss) FROM first), 0)::DECIMAL(18,2)
        FROM chosen
        """  # noqa: S608 (conditions of ours)
    )
    return Danger(*row)


def risk_rows(
    warehouse: Warehouse, scope: Scope, group: Group, *, after: int = 0, limit: int = PAGE
) -> tuple[Sequence[RiskRow], int | None]:
    """The group by money at stake, from behind place `after` on, and the place where the next page begins (or None)."""
    rows = warehouse.rows(
        f"""
        SELECT {", ".join(RiskRow.__dataclass_fields__)} FROM churn_customers
        WHERE {_CONDITIONS[group]} AND {scope.condition()} AND rank > ? ORDER BY rank LIMIT ?
        """,  # noqa: S608 (column names and conditions of ours)
        [after, limit + 1],
    )
    found = [RiskRow(*row) for row in rows[:limit]]
    return found, found[-1].rank if len(rows) > limit else None


def all_risk_rows(warehouse: Warehouse, scope: Scope, group: Group) -> Iterator[RiskRow]:
    """The whole group, read a thousand at a time, for a file."""
    after: int | None = 0
    while after is not None:
        rows, after = risk_rows(warehouse, scope, group, after=after, limit=1000)
        yield from rows


def risk_bands(warehouse: Warehouse) -> list[RiskBand]:
    """The ten parts, the most endangered first; empty where nothing could be tested."""
    return [RiskBand(*row) for row in _mart(warehouse, "churn_backtest", RiskBand, "band")]


def contest(warehouse: Warehouse) -> list[Contestant]:
    """Models first, then rules."""
    return [Contestant(*row) for row in _mart(warehouse, "churn_models", Contestant, "position")]


def pattern(warehouse: Warehouse) -> list[PatternLine]:
    """The largest difference first."""
    return [PatternLine(*row) for row in _mart(warehouse, "churn_pattern", PatternLine, "position")]


def course(warehouse: Warehouse) -> list[CourseWeek]:
    """Week by week up to the cut-off."""
    return [CourseWeek(*row) for row in _mart(warehouse, "churn_course", CourseWeek, "week")]


def known_days(warehouse: Warehouse) -> list[KnownDay]:
    """In order of date."""
    return [KnownDay(*row) for row in _mart(warehouse, "churn_known", KnownDay, "day")]


def _mart(warehouse: Warehouse, name: str, shape: type, order: str) -> list[tuple[Any, ...]]:
    fields: dict[str, object] = getattr(shape, "__dataclass_fields__", {})
    columns = ", ".join(f'"{field}"' for field in fields)
    return warehouse.rows(f"SELECT {columns} FROM {name} ORDER BY {order}")  # noqa: S608 (names of ours)
