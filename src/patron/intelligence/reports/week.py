"""This week: what a manager asks at nine in the morning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

WEEKS = 13
CALLS = 8


@dataclass(frozen=True, slots=True)
class Week:
    """One week's sales and active members, and those of 52 weeks earlier (None where there was none)."""

    start: date
    sales: Decimal
    active_members: int
    last_year_sales: Decimal | None
    is_running: bool


@dataclass(frozen=True, slots=True)
class CallToMake:
    """A VIP at risk, and why: the usual gap between visits, the silence now, the money at stake in a year."""

    customer_id: int
    money: Decimal
    typical_gap_days: float | None
    days_since_last: int
    reason_code: str
    spend_recent: Decimal
    spend_before: Decimal


@dataclass(frozen=True, slots=True)
class ThisWeek:
    """The answers of the home page. Changes are relative (0.042 is 4.2 % up), None without a week to compare with.

    `is_running`: the latest week with sales is the week of `as_of`; else nothing has come in since it ended.
    """

    week_start: date | None
    is_running: bool
    sales: Decimal
    sales_change: Decimal | None
    active_members: int
    active_change: Decimal | None
    vips: int
    entered: int
    left: int
    at_risk: int
    at_risk_money: Decimal
    weeks: Sequence[Week]
    calls: Sequence[CallToMake]


def this_week(warehouse: Warehouse, scope: Scope, as_of: date) -> ThisWeek:
    """Sales and members of the latest week against the week before: a running week up to the same weekday."""
    rows = warehouse.dicts(
        "SELECT * FROM weekly_sales WHERE branch_id = ? ORDER BY week_start DESC LIMIT ?", [scope.key, WEEKS]
    )
    now = rows[0] if rows else None
    before = rows[1] if len(rows) > 1 else None
    running = now is not None and now["week_start"] + timedelta(days=7) > as_of
    until = "_to_date" if running else ""
    summary = _vip_summary(warehouse, scope)
    return ThisWeek(
        week_start=now["week_start"] if now else None,
        is_running=running,
        sales=now["sales"] if now else Decimal(0),
        sales_change=_change(now, before, f"sales{until}"),
        active_members=now["active_members"] if now else 0,
        active_change=_change(now, before, f"active_members{until}"),
        vips=summary.get("vip_customers", 0),
        entered=summary.get("entered", 0),
        left=summary.get("left_count", 0),
        at_risk=summary.get("at_risk", 0),
        at_risk_money=summary.get("at_risk_money", Decimal(0)),
        weeks=[
            Week(
                start=row["week_start"],
                sales=row["sales"],
                active_members=row["active_members"],
                last_year_sales=row["last_year_sales"],
                is_running=running and row is now,
            )
            for row in reversed(rows)
        ],
        calls=calls_to_make(warehouse, scope),
    )


def calls_to_make(warehouse: Warehouse, scope: Scope, *, limit: int = CALLS) -> list[CallToMake]:
    """The VIPs at risk, the most money first."""
    rows = warehouse.rows(
        f"""
        SELECT v.customer_id, v.monetary, s.typical_gap_days, s.days_since_last, s.reason_code, s.spend_recent,
               s.spend_before
        FROM customer_value v JOIN customer_stage s USING (customer_id)
        WHERE v.vip AND s.at_risk AND {scope.condition("v.branch_id")}
        ORDER BY v.monetary DESC, v.customer_id LIMIT ?
        """,  # noqa: S608 (a branch's number)
        [limit],
    )
    return [CallToMake(*row) for row in rows]


def _vip_summary(warehouse: Warehouse, scope: Scope) -> dict[str, Any]:
    found = warehouse.dicts("SELECT * FROM vip_summary WHERE branch_id = ? AND measure = 'revenue'", [scope.key])
    return found[0] if found else {}


def _change(now: dict[str, Decimal] | None, before: dict[str, Decimal] | None, column: str) -> Decimal | None:
    if now is None or before is None or not before[column]:
        return None
    return Decimal(now[column]) / Decimal(before[column]) - 1
