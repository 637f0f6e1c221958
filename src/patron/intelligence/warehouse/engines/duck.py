"""DuckDB as an engine: in this process, bounded memory. No Django."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.engines.contract import DUCKDB, ordered
from patron.intelligence.warehouse.manifest import Table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

_BATCH_ROWS = 50_000


class DuckEngine:
    """See :class:`~patron.intelligence.warehouse.engines.contract.Engine`."""

    name = DUCKDB

    def __init__(self, *, memory_mb: int, overflow: Path) -> None:
        self.connection = engine.connect(memory_mb=memory_mb, overflow=overflow)
        self._backend: Any = None
        self._registered: set[str] = set()

    @property
    def backend(self) -> Any:
        if self._backend is None:
            import ibis  # takes a second to load

            self._backend = ibis.duckdb.from_connection(self.connection)
        return self._backend

    def view(self, root: Path, tables: Mapping[str, Table]) -> None:
        for name, table in tables.items():
            self.connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {engine.view_sql(root, table)}')

    def register(self, name: str, table: "pa.Table") -> None:
        self.connection.register(name, table)
        self._registered.add(name)

    def keep(self, name: str, query: "str | ir.Table") -> None:
        if not isinstance(query, str):
            query = self.backend.compile(query)
        self.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {query}')

    def unregister(self, name: str) -> None:
        if name in self._registered:
            self.connection.unregister(name)
            self._registered.discard(name)
        else:
            self.connection.execute(f'DROP TABLE IF EXISTS "{name}"')

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def arrow(self, query: str) -> "pa.Table":
        return self.connection.sql(query).to_arrow_table()

    def batches(self, query: str) -> "pa.RecordBatchReader":
        """The rows of `query` one batch after the other: for what should not lie in memory at once."""
        return self.connection.sql(query).to_arrow_reader(_BATCH_ROWS)

    def write(self, query: str, *, columns: Mapping[str, str], order: str, target: Path) -> int:
        return engine.write_parquet(self.connection, ordered(query, columns=columns, order=order), target)

    def abandon(self) -> None:
        """Let go of a result that somebody left half read: nothing else can be asked before."""
        self.connection.abort()

    def close(self) -> None:
        self.connection.close()
