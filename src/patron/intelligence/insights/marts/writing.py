"""Writing a mart into a version of the warehouse."""

from collections.abc import Sequence

from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.warehouse.engines.contract import Engine
from patron.intelligence.warehouse.manifest import Part, Table, columns_sql
from patron.intelligence.warehouse.store import Store


def write_mart(store: Store, engine: Engine, mart: Mart, queries: Sequence[str]) -> Table:
    """The mart with the rows of `queries` (DuckDB's SQL), a part for each; columns are found by name and cast."""
    columns = columns_sql(mart.columns)
    parts: list[Part] = []
    for query in queries:
        file = store.new_part(mart.name)
        path = store.path(file)
        if rows := engine.write(query, columns=columns, order=mart.order, target=path):
            parts.append(Part(file=file, rows=rows, bytes=path.stat().st_size))
        else:
            path.unlink()
    return Table(columns, tuple(parts))
