"""Writing a mart into a version of the warehouse."""

from collections.abc import Sequence
from typing import Any

from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.extraction import describe
from patron.intelligence.warehouse.manifest import Part, Table, columns_sql
from patron.intelligence.warehouse.store import Store


def write_mart(store: Store, duck: Any, mart: Mart, queries: Sequence[str]) -> Table:
    """The mart with the rows of `queries` (DuckDB), a part for each; columns are found by name and cast."""
    chosen = ", ".join(f'CAST("{column.name}" AS {column.sql_type}) AS "{column.name}"' for column in mart.columns)
    parts: list[Part] = []
    for query in queries:
        file = store.new_part(mart.name)
        ordered = f"SELECT {chosen} FROM ({query}) ORDER BY {mart.order}"  # noqa: S608 (our own SQL)
        if engine.write_parquet(duck, ordered, store.path(file)):
            parts.append(describe(store, duck, "NULL::BIGINT", file))
        else:
            store.path(file).unlink()
    return Table(columns_sql(mart.columns), tuple(parts))
