"""Events in customers' lives, for pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final

from patron.intelligence.reports.scope import Scope
from patron.intelligence.reports.slices import in_slices
from patron.intelligence.warehouse.reader import Warehouse

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `happens_on` is none for the next visit."""

    customer_id: int
    kind: str
    happens_on: date | None
    upcoming: bool
    number: int | None
    detail: str
    vip: bool
    money_per_year: Decimal


@dataclass(frozen=True, slots=True)
class EventCount:
    """Events of a kind, those of VIPs among them, and those ahead."""

    kind: str
    events: int
    vips: int
    ahead: int


def event_counts(warehouse: Warehouse, scope: Scope) -> list[EventCount]:
    """By kind, most first."""
    rows = warehouse.rows(
        f"""
        SELECT kind, count(*), count(*) FILTER (vip), count(*) FILTER (upcoming) FROM customer_events
        WHERE {scope.condition()} GROUP BY kind ORDER BY 2 DESC, kind
        """  # noqa: S608 (a branch's number)
    )
    return [EventCount(*row) for row in rows]


def customers_with_events(warehouse: Warehouse, scope: Scope) -> int:
    """Different customers."""
    [(count,)] = warehouse.rows(
        f"SELECT count(DISTINCT customer_id) FROM customer_events WHERE {scope.condition()}"  # noqa: S608
    )
    return int(count)


def event_rows(warehouse: Warehouse, scope: Scope, kind: str, *, limit: int = PAGE, skip: int = 0) -> list[EventRow]:
    """Events of a kind (all, for an empty one): VIPs first, then by money."""
    rows = warehouse.rows(
        f"""
        SELECT customer_id, kind, happens_on, upcoming, number, detail, vip, money_per_year FROM customer_events
        WHERE (kind = $1 OR $1 = '') AND {scope.condition()}
        ORDER BY vip DESC, money_per_year DESC, customer_id, kind, detail LIMIT $2 OFFSET $3
        """,  # noqa: S608 (a branch's number)
        [kind, limit, skip],
    )
    return [EventRow(*row) for row in rows]


def every_event_row(warehouse: Warehouse, scope: Scope, kind: str) -> Iterator[Sequence[EventRow]]:
    """All of them in slices, for a file."""
    return in_slices(partial(event_rows, warehouse, scope, kind))
