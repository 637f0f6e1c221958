"""Next visits: who is expected when, who is overdue, how many on each of the next days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

List = Literal["week", "overdue", "quiet", "all"]
LISTS: tuple[List, ...] = ("week", "overdue", "quiet", "all")
PAGE = 50


@dataclass(frozen=True, slots=True)
class VisitCounts:
    """Customers by what is expected of them; `overdue_money` is what the overdue spent in a year."""

    customers: int
    week: int
    overdue: int
    overdue_money: Decimal
    quiet: int


@dataclass(frozen=True, slots=True)
class NextVisit:
    """One customer."""

    customer_id: int
    last_on: date
    silence_days: int
    typical_gap_days: float
    expected_on: date | None
    earliest_on: date | None
    latest_on: date | None
    overdue: bool
    confidence: float
    money_per_year: Decimal
    reason_code: str


@dataclass(frozen=True, slots=True)
class ExpectedDay:
    """Visits expected on a day, and usual on such a weekday."""

    day: date
    expected: float
    usual: float


def _condition(chosen: List, as_of: date) -> str:
    return {
        "week": f"expected_on <= DATE '{as_of + timedelta(days=7)}' AND NOT overdue",
        "overdue": "overdue AND reason_code <> 'quiet'",
        "quiet": "reason_code = 'quiet'",
        "all": "true",
    }[chosen]


def visit_counts(warehouse: Warehouse, scope: Scope, as_of: date) -> VisitCounts:
    """The answer in numbers."""
    rows = warehouse.rows(
        f"""
        SELECT count(*), count(*) FILTER (WHERE {_condition("week", as_of)}),
               count(*) FILTER (WHERE {_condition("overdue", as_of)}),
               coalesce(sum(money_per_year) FILTER (WHERE {_condition("overdue", as_of)}), 0),
               count(*) FILTER (WHERE {_condition("quiet", as_of)})
        FROM next_visits WHERE {scope.condition()}
        """  # noqa: S608 (a branch's number, conditions of ours)
    )
    return VisitCounts(*rows[0])


def visit_rows(
    warehouse: Warehouse, scope: Scope, chosen: List, as_of: date, *, skip: int = 0, limit: int = PAGE
) -> list[NextVisit]:
    """The overdue and quiet by money, the others by day and money."""
    order = "money_per_year DESC" if chosen in {"overdue", "quiet"} else "expected_on NULLS LAST, money_per_year DESC"
    rows = warehouse.rows(
        f"""
        SELECT customer_id, last_on, silence_days, typical_gap_days, expected_on, earliest_on, latest_on, overdue,
               confidence, money_per_year, reason_code
        FROM next_visits WHERE {_condition(chosen, as_of)} AND {scope.condition()}
        ORDER BY {order}, customer_id LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number, conditions of ours)
        [limit, skip],
    )
    return [NextVisit(*row) for row in rows]


def every_visit(warehouse: Warehouse, scope: Scope, chosen: List, as_of: date) -> Iterator[Sequence[NextVisit]]:
    """All of them in slices, for a file."""
    return in_slices(partial(visit_rows, warehouse, scope, chosen, as_of))


def expected_days(warehouse: Warehouse, scope: Scope) -> list[ExpectedDay]:
    """The next days, in order."""
    rows = warehouse.rows(
        "SELECT day, expected, usual FROM next_visit_days WHERE branch_id = ? ORDER BY day", [scope.key]
    )
    return [ExpectedDay(*row) for row in rows]


def rule_errors(warehouse: Warehouse) -> dict[str, float]:
    """Error in days by rule, the model first; empty without a back-test."""
    return dict(warehouse.rows("SELECT rule, error_days FROM next_date_rules ORDER BY position"))
