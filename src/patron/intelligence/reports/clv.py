"""Lifetime value: what today's customers will bring, how sure that is, and who is probably gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

List = Literal["best", "gone", "doubtful", "once"]
LISTS: tuple[List, ...] = ("best", "gone", "doubtful", "once")
PAGE = 50


@dataclass(frozen=True, slots=True)
class ClvSummary:
    """The answer in numbers. `for_80` is the fewest customers who bring 80 % of the value to come.

    `gone_good` are those who once were among the best and are probably gone; `gone_good_spent` is what they spent.
    """

    customers: int
    value: Decimal
    low: Decimal
    high: Decimal
    purchases: float
    alive: float
    for_80: int
    gone_good: int
    gone_good_spent: Decimal


@dataclass(frozen=True, slots=True)
class ClvRow:
    """One customer of a list."""

    customer_id: int
    rank: int
    label: str
    clv: Decimal
    clv_low: Decimal
    clv_high: Decimal
    p_alive: float
    expected_purchases: float
    expected_spend: Decimal
    frequency: int
    silent_days: int
    spent: Decimal


@dataclass(frozen=True, slots=True)
class TrackingWeek:
    """Repeat purchases of a week, and of all weeks up to it: what came and what the model expected."""

    ends_on: date
    held_out: bool
    actual: int
    predicted: float
    actual_total: int
    predicted_total: float


@dataclass(frozen=True, slots=True)
class HoldoutGroup:
    """Purchases per customer in the weeks kept back, of those with so many repeat purchases before (7: or more)."""

    frequency: int
    customers: int
    actual: float
    model: float
    as_before: float
    silent_gone: float


@dataclass(frozen=True, slots=True)
class ClvModel:
    """One way of forecasting the weeks kept back."""

    model: str
    chosen: bool
    predicted: float
    actual: int
    rmse: float
    mae: float


@dataclass(frozen=True, slots=True)
class ClvParameter:
    """An estimate; no standard error where the data do not settle it."""

    model: str
    symbol: str
    estimate: float
    standard_error: float | None


def clv_summary(warehouse: Warehouse, scope: Scope) -> ClvSummary | None:
    """The answer for one scope, or None where it has no customers."""
    rows = warehouse.rows(
        f"""
        WITH own AS (
            SELECT *, sum(clv) OVER (ORDER BY rank) - clv AS before, sum(clv) OVER () AS whole
            FROM clv_customers WHERE {scope.condition()}
        )
        SELECT count(*), coalesce(sum(clv), 0), coalesce(sum(clv_low), 0), coalesce(sum(clv_high), 0),
               coalesce(sum(expected_purchases), 0), coalesce(sum(p_alive), 0),
               count(*) FILTER (before < 0.8 * whole), count(*) FILTER (label = 'gone' AND was_good),
               coalesce(sum(spent) FILTER (label = 'gone' AND was_good), 0)
        FROM own
        """  # noqa: S608 (a branch's number)
    )
    return ClvSummary(*rows[0]) if rows[0][0] else None


def clv_rows(warehouse: Warehouse, scope: Scope, chosen: List, *, limit: int = PAGE, after: int = 0) -> list[ClvRow]:
    """The customers of a list, those with the most at stake first, beginning after so many."""
    condition, order = {
        "best": ("true", "rank"),
        "gone": ("label = 'gone' AND was_good", "spent DESC, customer_id"),
        "doubtful": ("reason_code = 'doubtful'", "spent DESC, customer_id"),
        "once": ("reason_code = 'first_only'", "rank"),
    }[chosen]
    rows = warehouse.rows(
        f"""
        SELECT customer_id, rank, label, clv, clv_low, clv_high, p_alive, expected_purchases, expected_spend, frequency,
               silent_days, spent
        FROM clv_customers WHERE {condition} AND {scope.condition()} ORDER BY {order} LIMIT ? OFFSET ?
        """,  # noqa: S608 (conditions of ours)
        [limit, after],
    )
    return [ClvRow(*row) for row in rows]


def all_clv_rows(warehouse: Warehouse, scope: Scope, chosen: List) -> Iterator[ClvRow]:
    """The whole list, for a file."""
    after = 0
    while found := clv_rows(warehouse, scope, chosen, limit=1000, after=after):
        yield from found
        after += len(found)


def list_sizes(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """How many customers each list has."""
    [row] = warehouse.rows(
        f"""
        SELECT count(*), count(*) FILTER (label = 'gone' AND was_good), count(*) FILTER (reason_code = 'doubtful'),
               count(*) FILTER (reason_code = 'first_only')
        FROM clv_customers WHERE {scope.condition()}
        """  # noqa: S608 (a branch's number)
    )
    return dict(zip(LISTS, row, strict=True))


def alive_tenths(warehouse: Warehouse, scope: Scope) -> Sequence[int]:
    """Customers with a probability of being a customer still from 0 to 0.1, 0.1 to 0.2, … 0.9 to 1."""
    rows = warehouse.rows(
        f"""
        SELECT least(floor(p_alive * 10), 9)::INTEGER AS tenth, count(*)
        FROM clv_customers WHERE {scope.condition()} GROUP BY tenth
        """  # noqa: S608 (a branch's number)
    )
    found = dict(rows)
    return [found.get(tenth, 0) for tenth in range(10)]


def tracking(warehouse: Warehouse) -> list[TrackingWeek]:
    """Week by week, the whole organisation; empty without a back-test."""
    rows = warehouse.rows(
        "SELECT ends_on, held_out, actual, predicted, actual_total, predicted_total FROM clv_tracking ORDER BY week"
    )
    return [TrackingWeek(*row) for row in rows]


def holdout(warehouse: Warehouse) -> list[HoldoutGroup]:
    """The hold-out by frequency, the whole organisation; empty without a back-test."""
    rows = warehouse.rows(
        "SELECT frequency, customers, actual, model, as_before, silent_gone FROM clv_holdout ORDER BY frequency"
    )
    return [HoldoutGroup(*row) for row in rows]


def compared_models(warehouse: Warehouse) -> list[ClvModel]:
    """The models and the rules on the hold-out; empty without a back-test."""
    rows = warehouse.rows("SELECT model, chosen, predicted, actual, rmse, mae FROM clv_models ORDER BY position")
    return [ClvModel(*row) for row in rows]


def estimates(warehouse: Warehouse) -> list[ClvParameter]:
    """What was estimated, in the order of the papers' symbols."""
    rows = warehouse.rows(
        "SELECT model, symbol, estimate, standard_error FROM clv_parameters "
        "ORDER BY part, list_position(['r', 'alpha', 'a', 's', 'b', 'beta', 'p', 'q', 'v'], symbol)"
    )
    return [ClvParameter(*row) for row in rows]
