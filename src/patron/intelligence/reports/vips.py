"""The VIP report: who the 20 % are, what they bring, who came and went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

Measure = Literal["revenue", "profit"]
MEASURES: tuple[Measure, ...] = ("revenue", "profit")

Group = Literal["vips", "entered", "left", "at_risk", "class_a"]
GROUPS: tuple[Group, ...] = ("vips", "entered", "left", "at_risk", "class_a")

PAGE = 50


@dataclass(frozen=True, slots=True)
class VipSummary:
    """The answer in numbers, for one scope and measure.

    `top_customers` are 20 % of the scope's own customers and `top_share` what part of its money they bring;
    `customers_for_80` the fewest that bring 80 %. `vips`, movement and risk are by the organisation's own VIPs.
    """

    customers: int
    money: Decimal
    top_customers: int
    top_share: float
    customers_for_80: int
    vips: int
    vip_money: Decimal
    stayed: int
    entered: int
    left: int
    at_risk: int
    at_risk_money: Decimal

    @property
    def customers_for_80_share(self) -> float:
        return self.customers_for_80 / self.customers if self.customers else 0.0


@dataclass(frozen=True, slots=True)
class LorenzStep:
    """The best `customers` of all (0 to 1) bring `money` of all (0 to 1)."""

    customers: float
    money: float


@dataclass(frozen=True, slots=True)
class VipRow:
    """One customer of the list. `movement` is stayed, entered, left or empty; `position` orders the list."""

    customer_id: int
    position: int | None
    stage: str
    money: Decimal | None
    share: float | None
    cumulative_share: float | None
    visits: int | None
    last_on: date | None
    previous_money: Decimal | None
    movement: str
    at_risk: bool
    value_class: str
    days_since_last: int | None
    typical_gap_days: float | None


@dataclass(frozen=True, slots=True)
class VipPage:
    """One page of the list, and where the next begins (None at the end)."""

    rows: Sequence[VipRow]
    next_after: str | None


def has_profit(warehouse: Warehouse) -> bool:
    """Whether any cost is known, so that ranking by profit means something."""
    return bool(warehouse.rows("SELECT 1 FROM vip_summary WHERE measure = 'profit' AND customers > 0 LIMIT 1"))


def vip_summary(warehouse: Warehouse, scope: Scope, measure: Measure) -> VipSummary | None:
    """The answer, or None where the scope has no customers."""
    rows = warehouse.rows(
        """
        SELECT customers, money, top_customers, coalesce(top_share, 0), customers_for_80, vip_customers, vip_money,
               stayed, entered, left_count, at_risk, at_risk_money
        FROM vip_summary WHERE branch_id = ? AND measure = ?
        """,
        [scope.key, measure],
    )
    return VipSummary(*rows[0]) if rows else None


def lorenz_curve(warehouse: Warehouse, scope: Scope, measure: Measure) -> list[LorenzStep]:
    """The curve from the best customers down, 101 steps; empty where there is no money."""
    rows = warehouse.rows(
        "SELECT customer_share, money_share FROM lorenz WHERE branch_id = ? AND measure = ? ORDER BY position DESC",
        [scope.key, measure],
    )
    return [LorenzStep(1 - customers, 1 - money) for customers, money in rows]


def vip_rows(
    warehouse: Warehouse, scope: Scope, measure: Measure, group: Group, *, after: str = "", limit: int = PAGE
) -> VipPage:
    """One page of a group, best first; `after` is the `next_after` of the page before.

    Raises ValueError for an `after` that no page gave.
    """
    start = _parse(after)
    rows = _query(warehouse, scope, measure, group, start, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return VipPage(rows, f"{rows[-1].position or ''}.{rows[-1].customer_id}" if more else None)


def all_vip_rows(warehouse: Warehouse, scope: Scope, measure: Measure, group: Group) -> Iterator[Sequence[VipRow]]:
    """The whole group in slices of a thousand, for a file."""
    after = ""
    while True:
        page = vip_rows(warehouse, scope, measure, group, after=after, limit=1000)
        if page.rows:
            yield page.rows
        if page.next_after is None:
            return
        after = page.next_after


_LAST = 2_147_483_647
"""Stands for the place of customers without one, who come last."""


def _parse(after: str) -> tuple[int, int]:
    if not after:
        return 0, 0
    position, _dot, customer = after.partition(".")
    return int(position) if position else _LAST, int(customer)


def _query(
    warehouse: Warehouse, scope: Scope, measure: Measure, group: Group, start: tuple[int, int], limit: int
) -> list[VipRow]:
    place, money, prefix = (
        ("rank", "monetary", "") if measure == "revenue" else ("profit_rank", "gross_profit", "profit_")
    )
    value_class = "value_class" if measure == "revenue" else "profit_class"
    vip = f"v.{prefix}vip"
    chosen = {
        "vips": vip,
        "entered": f"v.{prefix}movement = 'entered'",
        "left": f"v.{prefix}movement = 'left'",
        "at_risk": f"{vip} AND s.at_risk",
        "class_a": f"v.{value_class} = 'A'",
    }[group]
    rows = warehouse.rows(
        f"""
        SELECT v.customer_id, v.{place}, coalesce(s.stage, ''), v.{money}, v.{prefix}share, v.{prefix}cumulative_share,
               v.frequency, coalesce(s.last_on, v.last_on), v.previous_monetary, v.{prefix}movement,
               coalesce(s.at_risk, false), coalesce(v.{value_class}, ''), s.days_since_last, s.typical_gap_days
        FROM customer_value v LEFT JOIN customer_stage s USING (customer_id)
        WHERE {chosen} AND {scope.condition("v.branch_id")}
          AND (coalesce(v.{place}, {_LAST}), v.customer_id) > (?, ?)
        ORDER BY coalesce(v.{place}, {_LAST}), v.customer_id LIMIT ?
        """,  # noqa: S608 (column names of ours, a branch's number)
        [*start, limit],
    )
    return [VipRow(*row) for row in rows]
