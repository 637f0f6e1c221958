"""The customer inventory: customers as stock. Opening + new + reactivated − lost = closing, stage by stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from patron.intelligence.mining.inventory import LOST, NONE, Flow, StageLine, StockLine, stage_lines, stock_lines
from patron.intelligence.mining.stages import STAGES
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse

CellKind = Literal["opening", "came", "left", "closing", "flow", "new", "reactivated", "lost", "stock"]
CELL_KINDS: tuple[CellKind, ...] = (
    "opening", "came", "left", "closing", "flow", "new", "reactivated", "lost", "stock",
)  # fmt: skip
PAGE = 50


@dataclass(frozen=True, slots=True)
class Inventory:
    """One period. `stages` are in the order of the life cycle; `flows` are its moves, also from a stage to itself."""

    opened_on: date
    closed_on: date
    stock: StockLine
    stages: Sequence[StageLine]
    flows: Sequence[Flow]


@dataclass(frozen=True, slots=True)
class MonthOfStages:
    """How many customers stood in each stage at the end of a period."""

    closed_on: date
    customers: dict[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the inventory, by which its customers are found.

    `opening`, `came`, `left` and `closing` name a `stage`; `flow` names `stage` (from) and `to`; `new`, `reactivated`,
    `lost` and `stock` are of the active stock as a whole.
    """

    closed_on: date
    kind: CellKind
    stage: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One customer behind a cell."""

    customer_id: int
    from_stage: str
    to_stage: str
    money: Decimal


@dataclass(frozen=True, slots=True)
class CellPage:
    rows: Sequence[CellRow]
    next_after: str | None


def periods(warehouse: Warehouse) -> list[date]:
    """The days on which periods close, latest first: today's running month, then month ends."""
    return [row[0] for row in warehouse.rows("SELECT DISTINCT closed_on FROM inventory_cells ORDER BY 1 DESC")]


def inventory(warehouse: Warehouse, scope: Scope, closed_on: date) -> Inventory | None:
    """The inventory of the period that closed on this day, or None where nobody was known by then."""
    rows = warehouse.rows(
        f"""
        SELECT opened_on, closed_on, NULL::VARCHAR, from_stage, to_stage, sum(customers)::BIGINT, sum(money_before),
               sum(money_after)
        FROM inventory_cells WHERE closed_on = ? AND {scope.condition()} GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608 (a branch's number)
        [closed_on],
    )
    if not rows:
        return None
    moves = [Flow(*row) for row in rows]
    return Inventory(
        opened_on=moves[0].opened_on,
        closed_on=closed_on,
        stock=stock_lines(moves)[0],
        stages=stage_lines(moves),
        flows=moves,
    )


def stages_by_month(warehouse: Warehouse, scope: Scope) -> list[MonthOfStages]:
    """Customers per stage at the end of every period there is, earliest first."""
    months: dict[date, dict[str, int]] = {}
    for closed_on, stage, customers in warehouse.rows(
        f"""
        SELECT closed_on, to_stage, sum(customers)::BIGINT FROM inventory_cells WHERE {scope.condition()}
        GROUP BY ALL ORDER BY closed_on
        """  # noqa: S608 (a branch's number)
    ):
        months.setdefault(closed_on, dict.fromkeys(STAGES, 0))[stage] = customers
    return [MonthOfStages(closed_on, customers) for closed_on, customers in months.items()]


def cell_rows(warehouse: Warehouse, scope: Scope, cell: Cell, *, after: str = "", limit: int = PAGE) -> CellPage:
    """One page of the customers behind a cell, the most money first.

    Raises ValueError for an `after` that no page gave.
    """
    condition, money, parameters = _cell_sql(cell)
    start: list[object] = []
    place = "true"
    if after:
        amount, _dash, customer = after.partition("_")
        place = f"({money} < ?::DECIMAL(18,2) OR ({money} = ?::DECIMAL(18,2) AND customer_id > ?))"
        start = [str(Decimal(amount)), str(Decimal(amount)), int(customer)]
    rows = [
        CellRow(*row)
        for row in warehouse.rows(
            f"""
            SELECT customer_id, from_stage, to_stage, {money} FROM inventory_flows
            WHERE closed_on = ? AND {condition} AND {scope.condition()} AND {place}
            ORDER BY {money} DESC, customer_id LIMIT ?
            """,  # noqa: S608 (column names of ours, a branch's number)
            [cell.closed_on, *parameters, *start, limit + 1],
        )
    ]
    more = len(rows) > limit
    rows = rows[:limit]
    return CellPage(rows, f"{rows[-1].money}_{rows[-1].customer_id}" if more else None)


def all_cell_rows(warehouse: Warehouse, scope: Scope, cell: Cell) -> Iterator[Sequence[CellRow]]:
    """Every customer behind a cell, a thousand at a time, for a file."""
    after = ""
    while True:
        page = cell_rows(warehouse, scope, cell, after=after, limit=1000)
        if page.rows:
            yield page.rows
        if page.next_after is None:
            return
        after = page.next_after


def count_cell(warehouse: Warehouse, scope: Scope, cell: Cell) -> tuple[int, Decimal]:
    """How many customers are behind a cell and what they carry a year."""
    condition, money, parameters = _cell_sql(cell)
    column = "sum(money_before)" if money == "money_before" else "sum(money_after)"
    ((customers, carried),) = warehouse.rows(
        f"""
        SELECT coalesce(sum(customers), 0)::BIGINT, coalesce({column}, 0) FROM inventory_cells
        WHERE closed_on = ? AND {condition} AND {scope.condition()}
        """,  # noqa: S608 (column names of ours, a branch's number)
        [cell.closed_on, *parameters],
    )
    return customers, Decimal(carried)


def _cell_sql(cell: Cell) -> tuple[str, str, list[object]]:
    """Condition on the moves, the money that counts, and the condition's parameters."""
    active = f"NOT IN ('{NONE}', '{LOST}')"
    match cell.kind:
        case "opening":
            return "from_stage = ?", "money_before", [cell.stage]
        case "came":
            return "to_stage = ? AND from_stage <> to_stage", "money_after", [cell.stage]
        case "left":
            return "from_stage = ? AND from_stage <> to_stage", "money_before", [cell.stage]
        case "closing":
            return "to_stage = ?", "money_after", [cell.stage]
        case "flow":
            return "from_stage = ? AND to_stage = ?", "money_after", [cell.stage, cell.to]
        case "new":
            return f"from_stage = '{NONE}' AND to_stage {active}", "money_after", []
        case "reactivated":
            return f"from_stage = '{LOST}' AND to_stage {active}", "money_after", []
        case "lost":
            return f"from_stage {active} AND to_stage = '{LOST}'", "money_before", []
        case "stock":
            return f"to_stage {active}", "money_after", []
