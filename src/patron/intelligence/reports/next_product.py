"""Next products: what to offer whom, and how each method of telling did on past weeks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

PAGE = 50


@dataclass(frozen=True, slots=True)
class Offer:
    """One product for one customer."""

    customer_id: int
    product: str
    product_name: str
    rank: int
    confidence: float | None
    reason_code: str
    because: str
    lift: float | None
    times_bought: int
    last_on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class OfferedProduct:
    """A product type, how many customers have it among their offers, and how many buyers that promises."""

    product: str
    customers: int
    expected: float


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One line of the back-test."""

    method: str
    chosen: bool
    customers: int
    precision: float
    hit_rate: float
    hit_rate_low: float
    hit_rate_high: float
    recall: float
    coverage: float
    novelty: float


def offered_products(warehouse: Warehouse, scope: Scope, kind: str, *, limit: int = 15) -> list[OfferedProduct]:
    """The product types that promise the most buyers, best first."""
    rows = warehouse.rows(
        f"""
        SELECT product, count(*), coalesce(sum(confidence), 0) FROM next_products
        WHERE list = ? AND {scope.condition()} GROUP BY product ORDER BY 3 DESC, 2 DESC, 1 LIMIT ?
        """,  # noqa: S608 (a branch's number)
        [kind, limit],
    )
    return [OfferedProduct(*row) for row in rows]


def customer_count(warehouse: Warehouse, scope: Scope) -> int:
    """How many customers have offers."""
    # Whoever has offers in a list has a first one: a fifth of the rows tells.
    rows = warehouse.rows(
        f"SELECT count(DISTINCT customer_id) FROM next_products WHERE rank = 1 AND {scope.condition()}"  # noqa: S608
    )
    return int(rows[0][0])


def offer_rows(
    warehouse: Warehouse, scope: Scope, kind: str, product: str, *, skip: int = 0, limit: int = PAGE
) -> list[Offer]:
    """Each customer's best offer, or everybody who has `product` among theirs, the likeliest first."""
    chosen = "product = ?" if product else "rank = 1 AND ? = ''"
    rows = warehouse.rows(
        f"""
        SELECT customer_id, product, coalesce(product_name, ''), rank, confidence, reason_code, coalesce(because, ''),
               lift, times_bought, last_on, reason
        FROM next_products WHERE list = ? AND {chosen} AND {scope.condition()}
        ORDER BY confidence DESC NULLS LAST, rank, score DESC, customer_id LIMIT ? OFFSET ?
        """,  # noqa: S608 (a branch's number, conditions of ours)
        [kind, product, limit, skip],
    )
    return [Offer(*row) for row in rows]


def every_offer(warehouse: Warehouse, scope: Scope, kind: str, product: str) -> Iterator[Sequence[Offer]]:
    """All of them in slices, for a file."""
    return in_slices(partial(offer_rows, warehouse, scope, kind, product))


def method_lines(warehouse: Warehouse, kind: str, window: str = "test") -> list[MethodLine]:
    """The back-test of one list, simplest method first."""
    rows = warehouse.rows(
        """
        SELECT method, chosen, customers, precision, hit_rate, hit_rate_low, hit_rate_high, recall, coverage, novelty
        FROM next_product_methods WHERE list = ? AND "window" = ? ORDER BY position
        """,
        [kind, window],
    )
    return [MethodLine(*row) for row in rows]
