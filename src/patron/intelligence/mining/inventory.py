"""The customer inventory: customers as stock, opening + in − out = closing for every stage, with the money they carry.

:func:`flows` reduces the stages of all customers at consecutive dates to a small matrix (one row per period, branch,
stage before and stage after); everything else is plain arithmetic on that matrix.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import pyarrow as pa

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.stages import STAGES

#: Where a customer who had not yet purchased comes from.
NONE: Final = "none"
LOST: Final = "lost"
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Flow:
    """Customers of one branch who stood in ``from_stage`` at ``opened_on`` and in ``to_stage`` at ``closed_on``.

    ``money_before`` is what they carried a year at the opening, ``money_after`` at the closing. ``from_stage`` is
    ``"none"`` for those who first purchased in between. ``branch`` is none when there is no split by branch, or for
    customers without one.
    """

    opened_on: dt.date
    closed_on: dt.date
    branch: str | None
    from_stage: str
    to_stage: str
    customers: int
    money_before: Decimal
    money_after: Decimal


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage in one period: ``opening + came − left = closing``.

    Money: ``opening_money + came_money − left_money + change_money = closing_money``, where those who came count with
    what they carry now, those who left with what they carried, and the change is that of those who stayed.
    """

    opened_on: dt.date
    closed_on: dt.date
    branch: str | None
    stage: str
    opening: int
    came: int
    left: int
    closing: int
    opening_money: Decimal
    came_money: Decimal
    left_money: Decimal
    change_money: Decimal
    closing_money: Decimal


@dataclass(frozen=True, slots=True)
class StockLine:
    """The active stock (every stage but lost) in one period: ``opening + new + reactivated − lost = closing``.

    ``new`` are all who first purchased in the period and are active at its end, in whatever stage; ``reactivated`` all
    who were lost and are active again. Who first purchased and is already lost never was stock. Money as in
    :class:`StageLine`.
    """

    opened_on: dt.date
    closed_on: dt.date
    branch: str | None
    opening: int
    new: int
    reactivated: int
    lost: int
    closing: int
    opening_money: Decimal
    new_money: Decimal
    reactivated_money: Decimal
    lost_money: Decimal
    change_money: Decimal
    closing_money: Decimal


_FLOWS_SQL: Final = """
with standing as (
    select customer, as_of, stage::varchar as stage, money_per_year as money, {branch} as branch from stages
),
dates as (
    select as_of as closed_on, lag(as_of) over (order by as_of) as opened_on
    from (select distinct as_of from standing)
),
moves as (
    select
        d.opened_on, d.closed_on, s.branch, coalesce(p.stage, 'none') as from_stage, s.stage as to_stage,
        coalesce(p.money, 0) as money_before, s.money as money_after
    from standing s
    join dates d on d.closed_on = s.as_of
    left join standing p on p.customer = s.customer and p.as_of = d.opened_on
    where d.opened_on is not null
)
select opened_on, closed_on, branch, from_stage, to_stage, count(*), sum(money_before), sum(money_after)
from moves group by all order by all
"""


def flows(stages: pa.Table, *, branches: pa.Table | None = None) -> tuple[Flow, ...]:
    """The movements between each date of ``stages`` and the next one, from earliest to latest.

    ``stages``: ``customer``, ``as_of``, ``stage``, ``money_per_year``, one row per customer and date, as
    :func:`patron.intelligence.mining.stages.stages_over_time` gives it. ``branches``: ``customer`` and ``branch`` (the
    home branch, one row per customer, the same for the whole time) to split by branch. The first date only opens.
    """
    import duckdb  # the arithmetic below is used by pages that have no need of it

    _need(stages, ("customer", "as_of", "stage", "money_per_year"), "stages")
    with duckdb.connect() as connection:
        connection.register("stages", stages)
        branch = "null::varchar"
        if branches is not None:
            _need(branches, ("customer", "branch"), "branches")
            connection.register("homes", branches)
            branch = "(select branch::varchar from homes where homes.customer = stages.customer)"
        rows = connection.execute(_FLOWS_SQL.format(branch=branch)).fetchall()
    return tuple(Flow(*row) for row in rows)


def _need(table: pa.Table, columns: Sequence[str], name: str) -> None:
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise InputError(f"{name} lacks {', '.join(missing)}; there are: {', '.join(table.column_names)}.")


def stage_lines(moves: Iterable[Flow]) -> tuple[StageLine, ...]:
    """The inventory by stage: every stage in every period and branch of ``moves``, in the order of the life cycle."""
    lines = []
    for (opened_on, closed_on, branch), group in _by_period(moves):
        for stage in STAGES:
            before = [move for move in group if move.from_stage == stage]
            after = [move for move in group if move.to_stage == stage]
            came = [move for move in after if move.from_stage != stage]
            left = [move for move in before if move.to_stage != stage]
            stayed = [move for move in before if move.to_stage == stage]
            lines.append(
                StageLine(
                    opened_on=opened_on,
                    closed_on=closed_on,
                    branch=branch,
                    stage=stage,
                    opening=_customers(before),
                    came=_customers(came),
                    left=_customers(left),
                    closing=_customers(after),
                    opening_money=_money_before(before),
                    came_money=_money_after(came),
                    left_money=_money_before(left),
                    change_money=_money_after(stayed) - _money_before(stayed),
                    closing_money=_money_after(after),
                )
            )
    return tuple(lines)


def stock_lines(moves: Iterable[Flow]) -> tuple[StockLine, ...]:
    """The inventory in total: one line per period and branch of ``moves``."""
    lines = []
    for (opened_on, closed_on, branch), group in _by_period(moves):
        before = [move for move in group if _is_active(move.from_stage)]
        after = [move for move in group if _is_active(move.to_stage)]
        new = [move for move in after if move.from_stage == NONE]
        reactivated = [move for move in after if move.from_stage == LOST]
        lost = [move for move in before if move.to_stage == LOST]
        stayed = [move for move in before if move.to_stage != LOST]
        lines.append(
            StockLine(
                opened_on=opened_on,
                closed_on=closed_on,
                branch=branch,
                opening=_customers(before),
                new=_customers(new),
                reactivated=_customers(reactivated),
                lost=_customers(lost),
                closing=_customers(after),
                opening_money=_money_before(before),
                new_money=_money_after(new),
                reactivated_money=_money_after(reactivated),
                lost_money=_money_before(lost),
                change_money=_money_after(stayed) - _money_before(stayed),
                closing_money=_money_after(after),
            )
        )
    return tuple(lines)


def _by_period(moves: Iterable[Flow]) -> list[tuple[tuple[dt.date, dt.date, str | None], list[Flow]]]:
    groups: dict[tuple[dt.date, dt.date, str | None], list[Flow]] = defaultdict(list)
    for move in moves:
        groups[(move.opened_on, move.closed_on, move.branch)].append(move)
    return sorted(groups.items(), key=lambda item: (item[0][1], item[0][2] or ""))


def _is_active(stage: str) -> bool:
    return stage not in (NONE, LOST)


def _customers(moves: Iterable[Flow]) -> int:
    return sum(move.customers for move in moves)


def _money_before(moves: Iterable[Flow]) -> Decimal:
    return sum((move.money_before for move in moves), ZERO)


def _money_after(moves: Iterable[Flow]) -> Decimal:
    return sum((move.money_after for move in moves), ZERO)
