"""What is bought after what, and who is due to hear of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from patron.intelligence.reports.baskets import COLUMNS
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

_ORDERS: dict[str, str] = {
    "lift": "position",
    "confidence": "confidence DESC, position",
    "own_lift": "own_lift DESC, position",
    "due": "due DESC, position",
}


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """After `first_item`, `then_item` within the days. `due` customers bought the first lately, not yet the second."""

    position: int
    first_item: str
    then_item: str
    occasions: int
    followed: int
    confidence: float
    usual: float
    lift: float
    own_lift: float
    median_days: float
    customers: int
    due: int


@dataclass(frozen=True, slots=True)
class Path:
    """A path of purchases that many customers take."""

    path: str
    steps: int
    customers: int
    support: float
    confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class DueRow:
    """A customer who has just bought the first and not yet the second."""

    customer_id: int
    last_on: date
    usually_on: date


def choices(warehouse: Warehouse) -> dict[str, list[int]]:
    """The levels with rules, the middle one first, and for each the numbers of days."""
    rows = warehouse.rows("SELECT DISTINCT level, days FROM sequences_rules ORDER BY level, days")
    found: dict[str, list[int]] = {}
    for level in ("category", "type", "department"):
        if days := [each for name, each in rows if name == level]:
            found[level] = days
    return found


def sequence_rules(
    warehouse: Warehouse, level: str, days: int, order: str, *, limit: int | None = None
) -> list[SequenceRule]:
    """The rules of a level within so many days, in the order asked for.

    Raises KeyError for an order that there is not.
    """
    rows = warehouse.rows(
        f"""
        SELECT position, first_item, then_item, occasions, followed, confidence, usual, lift, own_lift, median_days,
               customers, due
        FROM sequences_rules WHERE level = ? AND days = ? ORDER BY {_ORDERS[order]} LIMIT {limit or 10_000}
        """,  # noqa: S608 (an order of ours, a number)
        [level, days],
    )
    return [SequenceRule(*row) for row in rows]


def paths(warehouse: Warehouse, steps: int) -> list[Path]:
    """The paths of so many steps, in their order."""
    rows = warehouse.rows(
        "SELECT path, steps, customers, support, confidence, lift FROM sequences_patterns WHERE steps = ? "
        "ORDER BY level, position",
        [steps],
    )
    return [Path(*row) for row in rows]


def due(
    warehouse: Warehouse,
    scope: Scope,
    level: str,
    days: int,
    rule: SequenceRule,
    *,
    as_of: date,
    currency: str,
    limit: int | None = None,
) -> Iterator[DueRow]:
    """Who bought the first in the last days and the second on no later day; the latest first."""
    column, pair = COLUMNS[level], [rule.first_item, rule.then_item]
    rows = warehouse.rows(
        f"""
        WITH bought AS (
            SELECT l.customer_id, max(l.occurred_on) FILTER (WHERE trim(p.{column}) = ?) AS first_on,
                   max(l.occurred_on) FILTER (WHERE trim(p.{column}) = ?) AS then_on
            FROM purchase_lines l JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.kind = 'sale' AND l.quantity > 0 AND l.customer_id IS NOT NULL
              AND l.currency = ? AND l.occurred_on BETWEEN ? AND ? AND trim(p.{column}) IN (?, ?)
            GROUP BY l.customer_id
        )
        SELECT b.customer_id, b.first_on FROM bought b JOIN customers c USING (customer_id)
        WHERE b.first_on IS NOT NULL AND (b.then_on IS NULL OR b.then_on <= b.first_on)
          AND {scope.condition("c.home_branch_id")}
        ORDER BY 2 DESC, 1 LIMIT {limit or 1_000_000}
        """,  # noqa: S608 (a column of ours, a branch's number)
        [*pair, currency, as_of - timedelta(days=days - 1), as_of, *pair],
    )
    return (DueRow(who, last, last + timedelta(days=round(rule.median_days))) for who, last in rows)
