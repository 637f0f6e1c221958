"""What is bought together: rules and pictures by level and part, and who buys one side without the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

Level = Literal["type", "category", "department"]
COLUMNS: dict[str, str] = {"type": "category_3", "category": "category_2", "department": "category_1"}

_ORDERS: dict[str, str] = {
    "lift": "position",
    "leverage": "leverage DESC, position",
    "missing": "missing DESC, position",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the baskets for which rules were looked for: `part` all, value, branch or season, and which one."""

    part: str
    key: str
    baskets: int
    customers: int
    items: int
    min_count: int
    itemsets: int
    rules: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Who buys `antecedent` also buys `consequent`. `missing` customers bought the left side, never the right one."""

    position: int
    antecedent: str
    first_item: str
    second_item: str | None
    consequent: str
    count: int
    antecedent_count: int
    confidence: float
    lift: float
    leverage: float
    buyers: int
    missing: int

    @property
    def items(self) -> list[str]:
        """The left side."""
        return [self.first_item] if self.second_item is None else [self.first_item, self.second_item]


@dataclass(frozen=True, slots=True)
class Item:
    """How often an item is bought."""

    name: str
    baskets: int
    customers: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of the items bought most, and how much more often together than by chance."""

    item: str
    other: str
    count: int
    lift: float


@dataclass(frozen=True, slots=True)
class LackingRow:
    """A customer who buys the left side of a rule and never the right one."""

    customer_id: int
    baskets: int
    spent: Decimal
    last_on: date


def levels(warehouse: Warehouse) -> list[str]:
    """The levels of the catalogue with rules, from the middle one out."""
    found = {level for (level,) in warehouse.rows("SELECT DISTINCT level FROM baskets_parts")}
    return [level for level in ("category", "type", "department") if level in found]


def parts(warehouse: Warehouse, level: str) -> list[Part]:
    """The parts of a level in order: all, value classes, branches, quarters."""
    rows = warehouse.rows(
        "SELECT part, key, baskets, customers, items, min_count, itemsets, rules FROM baskets_parts "
        "WHERE level = ? ORDER BY position",
        [level],
    )
    return [Part(*row) for row in rows]


def branch_names(warehouse: Warehouse) -> dict[str, str]:
    """Names of branches by id as text."""
    return {str(branch): name for branch, name in warehouse.rows("SELECT branch_id, name FROM branches")}


def rules(warehouse: Warehouse, level: str, part: Part, order: str, *, limit: int | None = None) -> list[Rule]:
    """The surest rule of each set of items, in the order asked for.

    Raises KeyError for an order that there is not.
    """
    rows = warehouse.rows(
        f"""
        SELECT position, antecedent, first_item, second_item, consequent, count, antecedent_count, confidence, lift,
               leverage, buyers, missing
        FROM baskets_rules WHERE level = ? AND part = ? AND key = ? AND main
        ORDER BY {_ORDERS[order]} LIMIT {limit or 10_000}
        """,  # noqa: S608 (an order of ours, a number)
        [level, part.part, part.key],
    )
    return [Rule(*row) for row in rows]


def items(warehouse: Warehouse, level: str, part: Part) -> dict[str, Item]:
    """The items of rules and matrix, by name."""
    rows = warehouse.rows(
        "SELECT item, baskets, customers FROM baskets_items WHERE level = ? AND part = ? AND key = ?",
        [level, part.part, part.key],
    )
    return {name: Item(name, baskets, customers) for name, baskets, customers in rows}


def matrix(warehouse: Warehouse, level: str, part: Part) -> list[Pair]:
    """The items bought most, each with each of the others; row by row, the item bought most first."""
    rows = warehouse.rows(
        "SELECT item, other, count, lift FROM baskets_matrix WHERE level = ? AND part = ? AND key = ? "
        "ORDER BY place, other_place",
        [level, part.part, part.key],
    )
    return [Pair(*row) for row in rows]


def lacking(
    warehouse: Warehouse,
    scope: Scope,
    level: str,
    part: Part,
    rule: Rule,
    *,
    as_of: date,
    window_days: int,
    currency: str,
    limit: int | None = None,
) -> Iterator[LackingRow]:
    """Who bought all of the left side in the window and never the right one; who bought it most often first."""
    column = COLUMNS[level]
    condition, values = _of_part(warehouse, part)
    since = as_of - timedelta(days=window_days - 1)
    left = ", ".join("?" for _ in rule.items)
    rows = warehouse.rows(
        f"""
        WITH bought AS (
            SELECT l.customer_id, l.purchase_id, l.net_amount, l.occurred_on, trim(p.{column}) AS item
            FROM purchase_lines l JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.kind = 'sale' AND l.quantity > 0 AND l.customer_id IS NOT NULL
              AND l.currency = ? AND l.occurred_on BETWEEN ? AND ? AND {condition}
              AND trim(p.{column}) IN ({left}, ?)
        )
        SELECT b.customer_id, count(DISTINCT b.purchase_id), sum(b.net_amount), max(b.occurred_on)
        FROM bought b JOIN customers c USING (customer_id)
        WHERE {scope.condition("c.home_branch_id")}
        GROUP BY b.customer_id
        HAVING count(DISTINCT b.item) = ? AND count(*) FILTER (WHERE b.item = ?) = 0
        ORDER BY 2 DESC, 3 DESC, 1 LIMIT {limit or 1_000_000}
        """,  # noqa: S608 (columns and conditions of ours)
        [currency, since, as_of, *values, *rule.items, rule.consequent, len(rule.items), rule.consequent],
    )
    return (LackingRow(*row) for row in rows)


def _of_part(warehouse: Warehouse, part: Part) -> tuple[str, Sequence[object]]:
    if part.part == "branch":
        return "l.branch_id = ?", [int(part.key)]
    if part.part == "season":
        year, quarter = part.key.split("-Q")
        return "year(l.occurred_on) = ? AND quarter(l.occurred_on) = ?", [int(year), int(quarter)]
    if part.part == "value" and "customer_value" in warehouse.names:
        return "l.customer_id IN (SELECT customer_id FROM customer_value WHERE value_class = ?)", [part.key]
    return "true", []
