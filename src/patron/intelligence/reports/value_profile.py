"""Which kinds of customers are worth more, how the money is spread, and what is left after serving them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

Question = Literal["young", "age", "sex", "occupation", "district", "newcomer", "tenure", "branch"]
QUESTIONS: tuple[Question, ...] = (
    "young", "age", "sex", "occupation", "district", "newcomer", "tenure", "branch",
)  # fmt: skip
PAGE = 25


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group beside the rest; `verdict` is more, less, unproven or too_few. None where it cannot be told."""

    key: str
    customers: int
    customer_share: float
    value: Decimal
    value_share: float
    share_low: float
    share_high: float
    leverage: float | None
    mean: float
    median: float
    typical: float
    rest_typical: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float | None
    verdict: str
    contribution: Decimal
    class_a: int


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """The figures of everybody in the scope. Shares are 0 to 1; `peak` is of the curve of profit."""

    customers: int
    value: Decimal
    mean: float
    median: float
    gini: float | None
    top_fifth_share: float | None
    customers_for_80: int
    gross_profit: Decimal
    known_profit_share: float | None
    cost_to_serve: Decimal
    contribution: Decimal
    at_a_loss: int
    peak: float | None
    discount: Decimal


@dataclass(frozen=True, slots=True)
class ProfileCustomer:
    """One customer: money, what is left of it, and the five scores (length, recency, frequency, money, discount)."""

    customer_id: int
    kind: str
    monetary: Decimal
    gross_profit: Decimal
    cost_to_serve: Decimal
    contribution: Decimal
    scores: str
    discount_rate: float


def profile_summary(warehouse: Warehouse, scope: Scope) -> ProfileSummary | None:
    """The figures, or None where the scope has nobody."""
    rows = warehouse.rows(
        """
        SELECT customers, value, mean, median, gini, top_fifth_share, customers_for_80, gross_profit,
               known_profit_share, cost_to_serve, contribution, at_a_loss, peak, discount
        FROM value_profile_summary WHERE branch_id = ?
        """,
        [scope.key],
    )
    return ProfileSummary(*rows[0]) if rows else None


def group_rows(warehouse: Warehouse, scope: Scope, question: Question) -> list[GroupRow]:
    """The groups of a question in their order."""
    rows = warehouse.rows(
        """
        SELECT group_key, customers, customer_share, value, value_share, share_low, share_high, leverage, mean, median,
               typical, rest_typical, ratio, ratio_low, ratio_high, p, verdict, contribution, class_a
        FROM value_profile_groups WHERE branch_id = ? AND question = ? ORDER BY position
        """,
        [scope.key, question],
    )
    return [GroupRow(*row) for row in rows]


def curve(warehouse: Warehouse, scope: Scope, name: Literal["lorenz", "whale"]) -> list[tuple[float, float]]:
    """Share of customers → share of money (lorenz) or of contribution (whale); empty where there is none."""
    found: list[tuple[float, float]] = warehouse.rows(
        """
        SELECT customer_share, value_share FROM value_profile_curves WHERE branch_id = ? AND curve = ? ORDER BY position
        """,
        [scope.key, name],
    )
    return found


def least_contributing(warehouse: Warehouse, scope: Scope, *, limit: int = PAGE) -> list[ProfileCustomer]:
    """Those who cost more than they bring, the costliest first."""
    rows = warehouse.rows(f"{_SELECT} WHERE {scope.condition()} AND contribution < 0 {_WORST} LIMIT ?", [limit])
    return [ProfileCustomer(*row) for row in rows]


def all_by_contribution(warehouse: Warehouse, scope: Scope) -> Iterator[Sequence[ProfileCustomer]]:
    """Everybody in slices of a thousand, who costs most first, for a file."""
    start = 0
    while rows := warehouse.rows(f"{_SELECT} WHERE {scope.condition()} {_WORST} LIMIT 1000 OFFSET ?", [start]):
        yield [ProfileCustomer(*row) for row in rows]
        start += len(rows)


_SELECT = """
    SELECT customer_id, lrfmc, monetary, gross_profit, cost_to_serve, contribution,
           concat_ws('-', length_score, recency_score, frequency_score, monetary_score, discount_score), discount_rate
    FROM value_profile_customers
"""
_WORST = "ORDER BY contribution, customer_id"
