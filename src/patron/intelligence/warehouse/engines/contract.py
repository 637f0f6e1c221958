"""What an engine can do, and which one this installation uses. No Django.

Queries are written once, in DuckDB's SQL or as Ibis expressions. Spark gets the same text translated.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from patron.intelligence.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from patron.intelligence.warehouse.manifest import Table

DUCKDB = "duckdb"
SETTING = "PATRON_WAREHOUSE_ENGINE"

_SPARK = re.compile(r"local(\[(\d+|\*)\])?|spark://[^\s/]+(:\d+)?(,[^\s/]+(:\d+)?)*")


class Engine(Protocol):
    """Runs queries over the tables of one version, and over tables handed to it.

    Queries are DuckDB's SQL. Whatever the engine, the same query over the same tables gives the same rows and the same
    types in what :meth:`write` leaves; :meth:`arrow` gives the engine's own types, for those who cast them.
    """

    name: str

    @property
    def backend(self) -> Any:
        """The Ibis backend over the same tables."""

    def view(self, root: Path, tables: "Mapping[str, Table]") -> None:
        """Make tables of a version readable by their names; `root` is the warehouse directory."""

    def register(self, name: str, table: "pa.Table") -> None:
        """Make rows from memory readable as `name`, until `unregister`."""

    def unregister(self, name: str) -> None:
        """Forget what was registered or kept as `name`."""

    def keep(self, name: str, query: "str | ir.Table") -> None:
        """Make the rows of `query` (or of an Ibis expression over `backend`) readable as `name`, until `unregister`."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query that has few."""

    def arrow(self, query: str) -> "pa.Table":
        """The rows of a query, in no particular order."""

    def write(self, query: str, *, columns: "Mapping[str, str]", order: str, target: Path) -> int:
        """Run `query` into a Parquet file; gives the number of rows.

        `columns` are found by name and cast to their types (DuckDB's SQL); rows are stored by `order`.
        """

    def close(self) -> None:
        """Let go of what this engine holds."""


def engine_name(chosen: str | None = None) -> str:
    """The engine to use: `chosen`, else `PATRON_WAREHOUSE_ENGINE`, else `duckdb`.

    Raises WarehouseError for anything but `duckdb`, `local`, `local[2]`, `local[*]` or `spark://host:port`.
    """
    name = (chosen if chosen is not None else os.environ.get(SETTING, "")).strip() or DUCKDB
    if name != DUCKDB and not _SPARK.fullmatch(name):
        raise WarehouseError(
            f"{SETTING} is {name!r}. Say duckdb (in this process), local[2] (Spark on two cores of this machine) or "
            "spark://host:7077 (a Spark cluster)."
        )
    return name


def open_engine(*, memory_mb: int, overflow: Path, chosen: str | None = None) -> Engine:
    """The engine that `engine_name` says, without a table yet. `overflow` is where it may spill to.

    Spark is started when it is not running; raises WarehouseError that says what is missing when it cannot be.
    """
    name = engine_name(chosen)
    if name == DUCKDB:
        from patron.intelligence.warehouse.engines.duck import DuckEngine

        return DuckEngine(memory_mb=memory_mb, overflow=overflow)
    from patron.intelligence.warehouse.engines.spark import SparkEngine

    return SparkEngine(name, memory_mb=memory_mb, overflow=overflow)


def ordered(query: str, *, columns: "Mapping[str, str]", order: str) -> str:
    """`query` with the columns of a table, in its types and its order."""
    chosen = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    return f"SELECT {chosen} FROM ({query}) ORDER BY {order}"  # noqa: S608 (our own SQL)
