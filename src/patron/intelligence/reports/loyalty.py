"""Loyalty: who is firm, whose cycle grows longer, which groups answer price cuts, and where their sales are heading."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

List = Literal["drifting", "wavering", "firm", "gone", "switching"]
LISTS: tuple[List, ...] = ("drifting", "wavering", "firm", "gone", "switching")
PAGE = 50

_CONDITIONS: dict[List, tuple[str, str]] = {
    "drifting": ("label = 'drifting'", "spent DESC, customer_id"),
    "wavering": ("label = 'wavering'", "spent DESC, customer_id"),
    "firm": ("label = 'firm'", "rank"),
    "gone": ("label = 'gone'", "spent DESC, customer_id"),
    "switching": ("main_branch_share < 0.5 AND visits >= 4", "spent DESC, customer_id"),
}


@dataclass(frozen=True, slots=True)
class LoyaltySummary:
    """The answer in numbers. Money is what they spent in the window; `expected_spend` is for four weeks."""

    customers: int
    firm: int
    steady: int
    wavering: int
    drifting: int
    gone: int
    unproven: int
    drifting_spent: Decimal
    loyalty: float | None
    expected_visits: float
    expected_spend: float


@dataclass(frozen=True, slots=True)
class LoyaltyRow:
    """One customer of a list. What is not known is None."""

    customer_id: int
    label: str
    loyalty: float | None
    persistence: float | None
    firmness: float | None
    stability: float | None
    earlier_gap_days: float | None
    recent_gap_days: float | None
    gap_ratio_low: float | None
    gap_ratio_high: float | None
    last_on: date | None
    spent: Decimal
    cut_price_share: float | None
    main_branch_share: float | None
    wallet_proxy: float | None
    expected_visits: float
    visits_low: float
    visits_high: float
    expected_spend: float


@dataclass(frozen=True, slots=True)
class LoyaltyGroup:
    """One group of a dimension, the whole organisation."""

    group: str
    customers: int
    loyalty: float | None
    persistence: float | None
    firmness: float | None
    stability: float | None
    firm_share: float
    drifting: int
    gone: int
    retained_26_weeks: float | None
    retained_error: float | None
    cut_price_share: float | None
    price_response: float | None
    price_response_low: float | None
    price_response_high: float | None
    price_customers: int
    main_branch_share: float | None
    main_brand_share: float | None
    wallet_proxy: float | None
    expected_spend: float
    trend_strength: float
    season_strength: float


@dataclass(frozen=True, slots=True)
class LoyaltyWeek:
    """A week of a group's sales taken apart, or (with `actual` None) of the weeks ahead."""

    starts_on: date
    actual: float | None
    trend: float | None
    season: float | None
    irregular: float | None
    forecast: float | None
    low: float | None
    high: float | None


def loyalty_summary(warehouse: Warehouse, scope: Scope) -> LoyaltySummary | None:
    """The answer for one scope, or None where it has no customers."""
    [row] = warehouse.rows(
        f"""
        SELECT count(*), count(*) FILTER (label = 'firm'), count(*) FILTER (label = 'steady'),
               count(*) FILTER (label = 'wavering'), count(*) FILTER (label = 'drifting'),
               count(*) FILTER (label = 'gone'), count(*) FILTER (label = 'unproven'),
               coalesce(sum(spent) FILTER (label = 'drifting'), 0), avg(loyalty),
               coalesce(sum(expected_visits), 0), coalesce(sum(expected_spend), 0)
        FROM loyalty_customers WHERE {scope.condition()}
        """  # noqa: S608 (a branch's number)
    )
    return LoyaltySummary(*row) if row[0] else None


def list_sizes(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """How many customers each list has."""
    counted = ", ".join(f"count(*) FILTER ({condition})" for condition, _order in _CONDITIONS.values())
    [row] = warehouse.rows(f"SELECT {counted} FROM loyalty_customers WHERE {scope.condition()}")  # noqa: S608 (ours)
    return dict(zip(_CONDITIONS, row, strict=True))


def loyalty_rows(
    warehouse: Warehouse, scope: Scope, chosen: List, *, limit: int = PAGE, after: int = 0
) -> list[LoyaltyRow]:
    """The customers of a list, those with the most money first, beginning after so many."""
    condition, order = _CONDITIONS[chosen]
    rows = warehouse.rows(
        f"""
        SELECT customer_id, label, loyalty, persistence, firmness, stability, earlier_gap_days, recent_gap_days,
               gap_ratio_low, gap_ratio_high, last_on, spent, cut_price_share, main_branch_share, wallet_proxy,
               expected_visits, visits_low, visits_high, expected_spend
        FROM loyalty_customers WHERE {condition} AND {scope.condition()} ORDER BY {order} LIMIT ? OFFSET ?
        """,  # noqa: S608 (conditions of ours)
        [limit, after],
    )
    return [LoyaltyRow(*row) for row in rows]


def all_loyalty_rows(warehouse: Warehouse, scope: Scope, chosen: List) -> Iterator[LoyaltyRow]:
    """The whole list, for a file."""
    after = 0
    while found := loyalty_rows(warehouse, scope, chosen, limit=1000, after=after):
        yield from found
        after += len(found)


def loyalty_groups(warehouse: Warehouse, dimension: str) -> list[LoyaltyGroup]:
    """The groups of a dimension in their order, the whole organisation."""
    rows = warehouse.rows(
        """
        SELECT "group", customers, loyalty, persistence, firmness, stability, firm_share, drifting, gone,
               retained_26_weeks, retained_error, cut_price_share, price_response, price_response_low,
               price_response_high, price_customers, main_branch_share, main_brand_share, wallet_proxy, expected_spend,
               trend_strength, season_strength
        FROM loyalty_groups WHERE dimension = ? ORDER BY position
        """,
        [dimension],
    )
    return [LoyaltyGroup(*row) for row in rows]


def loyalty_weeks(warehouse: Warehouse, dimension: str, group: str) -> list[LoyaltyWeek]:
    """A group's weeks, the oldest first, those ahead at the end."""
    rows = warehouse.rows(
        """
        SELECT starts_on, actual, trend, season, irregular, forecast, low, high FROM loyalty_series
        WHERE dimension = ? AND "group" = ? ORDER BY starts_on
        """,
        [dimension, group],
    )
    return [LoyaltyWeek(*row) for row in rows]


def retention_curve(warehouse: Warehouse, dimension: str, group: str) -> list[tuple[int, float]]:
    """Week since the first visit, and the share of the group still here."""
    rows = warehouse.rows(
        'SELECT week, retained FROM loyalty_retention WHERE dimension = ? AND "group" = ? ORDER BY week',
        [dimension, group],
    )
    return [(week, retained) for week, retained in rows]


def weekday_shares(warehouse: Warehouse) -> list[tuple[int, float]]:
    """Weekday (1 is Monday), and by which share it lies above or below a mean day; empty with two years or more."""
    return [(weekday, share) for weekday, share in warehouse.rows("SELECT weekday, share FROM loyalty_weekdays")]
