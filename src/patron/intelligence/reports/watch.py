"""Who behaves unlike themselves, for pages: counts, the list, and whether past alarms were right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final, Literal

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

Group = Literal["vip", "class_a", "all"]
PAGE: Final = 50
_GROUPS: Final[dict[Group, str]] = {"vip": "vip", "class_a": "value_class = 'A'", "all": "true"}


@dataclass(frozen=True, slots=True)
class WatchCounts:
    """Of a group: customers, those judged, unusual ones, those since the last 28 days, and their money a year."""

    customers: int
    judged: int
    unusual: int
    fresh: int
    fresh_money: Decimal
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A customer who behaves unusually; `usual` and `now` are in the unit of the kind."""

    customer_id: int
    kind: str
    severity: str
    usual: float
    now: float
    since: date
    fresh: bool
    also: str
    stage: str
    money_per_year: Decimal


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """A rule over all past days: how many customers it pointed at, and how many then spent less than half."""

    rule: str
    days: int
    customers: int
    confirmed: int
    money_per_year: float


def watch_counts(warehouse: Warehouse, scope: Scope, group: Group) -> WatchCounts:
    """The numbers of a group; `kinds` counts fresh alarms by kind."""
    where = f"{_GROUPS[group]} AND {scope.condition()}"
    [row] = warehouse.rows(
        f"""
        SELECT count(*), count(*) FILTER (state <> 'unknown'), count(*) FILTER (state = 'unusual'),
               count(*) FILTER (fresh), coalesce(sum(money_per_year) FILTER (fresh), 0)
        FROM watch_customers WHERE {where}
        """  # noqa: S608 (conditions of ours, a branch's number)
    )
    kinds = warehouse.rows(
        f"SELECT reason_code, count(*) FROM watch_customers WHERE fresh AND {where} GROUP BY 1 ORDER BY 1"  # noqa: S608
    )
    customers, judged, unusual, fresh, money = row
    return WatchCounts(customers, judged, unusual, fresh, money, dict(kinds))


def watch_rows(
    warehouse: Warehouse, scope: Scope, group: Group, *, fresh: bool, limit: int | None = PAGE, skip: int = 0
) -> list[WatchRow]:
    """Those who behave unusually, most money first; `fresh` leaves out what began more than 28 days ago."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, reason_code, severity, usual, "now", since, fresh, also, stage, money_per_year
        FROM watch_customers WHERE state = 'unusual' AND (fresh OR NOT ?) AND {_GROUPS[group]} AND {scope.condition()}
        ORDER BY money_per_year DESC, customer_id LIMIT ? OFFSET ?
        """,  # noqa: S608 (conditions of ours, a branch's number)
        [fresh, limit if limit is not None else 10**12, skip],
    )
    return [WatchRow(*row) for row in rows]


def every_watch_row(warehouse: Warehouse, scope: Scope, group: Group, *, fresh: bool) -> Iterator[Sequence[WatchRow]]:
    """The whole list in slices, for a file."""
    return in_slices(partial(watch_rows, warehouse, scope, group, fresh=fresh))


def rule_checks(warehouse: Warehouse) -> list[RuleCheck]:
    """Each rule over all past days together."""
    rows = warehouse.rows(
        "SELECT rule, count(*), sum(customers)::BIGINT, sum(confirmed)::BIGINT, sum(money_per_year) "
        "FROM watch_checks GROUP BY rule ORDER BY rule = 'others', rule"
    )
    return [RuleCheck(*row) for row in rows]
