"""What identified customers bought in a window of time, where the lines stay with the engine (Spark).

The same sales as :func:`~patron.intelligence.insights.shopping.shopping`, as tables of the engine instead of arrays:
``shop_lines`` (basket, customer, branch, day, product) and for each level of the catalogue ``shop_items_<level>``
(basket, customer, day, item; an item is its place among the level's names, the same as there). To this process come
the names of the catalogue and figures, never a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.inputs import lines_sql
from patron.intelligence.insights.shopping import Level, levels_of
from patron.intelligence.mining.arrays import EPOCH, Whole

if TYPE_CHECKING:
    from patron.intelligence.insights.analyses.contract import Context
    from patron.intelligence.warehouse.engines.contract import Engine

_LINES = "shop_lines"


@dataclass(frozen=True, slots=True)
class EngineShopping:
    """Baskets of the window, kept by ``engine`` until `close`. Days are counted from 1970-01-01.

    ``size`` baskets by ``customers`` customers, from the day ``first`` to ``last`` (the window's own where there is no
    basket). ``prefix`` begins the names of everything kept.
    """

    engine: Engine
    since: date
    until: date
    size: int
    customers: int
    first: int
    last: int
    levels: Mapping[str, Level]

    def items(self, level: str) -> str:
        """The name of the level's table."""
        return f"shop_items_{level}"

    def figures(self, query: str) -> list[Whole]:
        """The columns of a query of whole numbers, as arrays."""
        return figures(self.engine, query)

    def close(self) -> None:
        """Let go of what the engine keeps."""
        for name in (*(self.items(level) for level in self.levels), _LINES):
            self.engine.unregister(name)


def shopping_on_engine(context: Context, engine: Engine, *, days: int) -> EngineShopping:
    """The sales of the last ``days`` days up to the last whole day; returns are left out."""
    since = context.until - timedelta(days=days - 1)
    engine.keep(
        _LINES,
        f"""
        SELECT DISTINCT basket, customer, branch, product,
               CAST(date_diff('day', DATE '1970-01-01', date) AS BIGINT) AS day
        FROM ({lines_sql(context.currency)}) counted
        WHERE kind = 'sale' AND quantity > 0 AND product IS NOT NULL
          AND date BETWEEN DATE '{since.isoformat()}' AND DATE '{context.until.isoformat()}'
        """,  # noqa: S608 (a currency code and days)
    )
    ((size, customers, first, last),) = engine.rows(
        f"SELECT count(DISTINCT basket), count(DISTINCT customer), min(day), max(day) FROM {_LINES}"  # noqa: S608
    )
    (products,) = figures(engine, f"SELECT DISTINCT product FROM {_LINES} ORDER BY product")  # noqa: S608
    levels = levels_of(context, products)
    found = EngineShopping(
        engine=engine,
        since=since if size else max(since, context.until),
        until=context.until,
        size=int(size),
        customers=int(customers),
        first=int(first) if size else (since - EPOCH).days,
        last=int(last) if size else (context.until - EPOCH).days,
        levels=levels,
    )
    for name, level in levels.items():
        known = np.flatnonzero(level.of_product >= 0)
        engine.register("shop_codes", pa.table({"product": products[known], "item": level.of_product[known]}))
        engine.keep(
            found.items(name),
            f"SELECT DISTINCT s.basket, s.customer, s.day, c.item FROM {_LINES} s "  # noqa: S608 (our own names)
            "JOIN shop_codes c ON c.product = s.product",
        )
        engine.unregister("shop_codes")
    return found


def figures(engine: Engine, query: str) -> list[Whole]:
    """The columns of a query of whole numbers, as arrays."""
    table = engine.arrow(query)
    return [column.to_numpy().astype(np.int64) for column in table.columns]


def wanted(columns: Mapping[str, Sequence[int] | Whole]) -> pa.Table:
    """Whole numbers to hand to an engine."""
    return pa.table({name: pa.array(np.asarray(values, dtype=np.int64)) for name, values in columns.items()})
