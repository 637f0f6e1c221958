"""Up-selling: who is ready for the next rung, and the ladders they climb."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

PAGE = 50


@dataclass(frozen=True, slots=True)
class UpsellSummary:
    """The answer in numbers."""

    customers: int
    steps: int
    money: Decimal
    expected_climbers: float


@dataclass(frozen=True, slots=True)
class Step:
    """One customer's next rung in one category."""

    customer_id: int
    category: str
    rung: str
    next_rung: str
    purchases: int
    unit_price: float
    next_unit_price: float
    product_name: str
    confidence: float
    extra_per_year: Decimal
    reason_code: str


@dataclass(frozen=True, slots=True)
class CategoryGain:
    """What the candidates of a category could bring."""

    category: str
    customers: int
    money: Decimal


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a ladder, and where its customers stood a period later."""

    rung: str
    price: float
    products: int
    customers: int
    to_entry: int
    to_middle: int
    to_premium: int
    to_none: int


def upsell_summary(warehouse: Warehouse, scope: Scope) -> UpsellSummary:
    """Candidates and what they promise."""
    rows = warehouse.rows(
        f"""
        SELECT count(DISTINCT customer_id), count(*), coalesce(sum(extra_per_year), 0), coalesce(sum(confidence), 0)
        FROM upsell_candidates WHERE {scope.condition()}
        """  # noqa: S608 (a branch's number)
    )
    return UpsellSummary(*rows[0])


def category_gains(warehouse: Warehouse, scope: Scope, *, limit: int = 15) -> list[CategoryGain]:
    """Categories by what could be gained, the most first."""
    rows = warehouse.rows(
        f"""
        SELECT category, count(*), sum(extra_per_year) FROM upsell_candidates WHERE {scope.condition()}
        GROUP BY category ORDER BY 3 DESC, 1 LIMIT ?
        """,  # noqa: S608 (a branch's number)
        [limit],
    )
    return [CategoryGain(*row) for row in rows]


def step_rows(warehouse: Warehouse, scope: Scope, category: str, *, skip: int = 0, limit: int = PAGE) -> list[Step]:
    """Candidates of a category (of all, without one), the most to gain first."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, category, rung, next_rung, purchases, unit_price, next_unit_price,
               coalesce(product_name, ''), confidence, extra_per_year, reason_code
        FROM upsell_candidates WHERE (category = ? OR ? = '') AND {scope.condition()}
        ORDER BY rank LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number)
        [category, category, limit, skip],
    )
    return [Step(*row) for row in rows]


def every_step(warehouse: Warehouse, scope: Scope, category: str) -> Iterator[Sequence[Step]]:
    """All of them in slices, for a file."""
    return in_slices(partial(step_rows, warehouse, scope, category))


def ladder(warehouse: Warehouse, category: str) -> list[Rung]:
    """The rungs of one category from the lowest; empty where it has no ladder."""
    rows = warehouse.rows(
        """
        SELECT rung, price, products, customers, to_entry, to_middle, to_premium, to_none
        FROM upsell_ladders WHERE category = ? ORDER BY position
        """,
        [category],
    )
    return [Rung(*row) for row in rows]
