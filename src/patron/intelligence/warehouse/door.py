"""The analyst's door: one published version as Ibis tables, locked against writing. No Django.

DuckDB opens a catalogue that holds nothing but views, read-only, may touch no file but those of the version, and is
locked so that a notebook cannot change that. On Spark the rights of the cluster's user apply.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from patron.intelligence.warehouse import engine as duck
from patron.intelligence.warehouse.engines.contract import DUCKDB, engine_name, open_engine
from patron.intelligence.warehouse.errors import WarehouseError
from patron.intelligence.warehouse.manifest import Manifest, Table
from patron.intelligence.warehouse.reader import ANALYSES, default_directory
from patron.intelligence.warehouse.store import Store

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY_MB = 2000


class Door:
    """One version of the warehouse with the results of its analyses. It stays while newer ones are published.

    The files of a version are kept for a quarter of an hour after it was replaced twice: whoever works longer opens
    again to go on with the newest.
    """

    def __init__(self, manifest: Manifest, tables: Mapping[str, Table], backend: Any) -> None:
        self._manifest = manifest
        self._tables = dict(tables)
        self._backend = backend

    @property
    def version(self) -> int:
        """The number of the version."""
        return self._manifest.version

    @property
    def as_of(self) -> date | None:
        """The day that the marts are as of; none before the first were made."""
        day = self._manifest.facts.get("as_of")
        return date.fromisoformat(str(day)) if day else None

    @property
    def names(self) -> list[str]:
        """Tables, marts and results of analyses; `docs/data-dictionary.md` explains each."""
        return list(self._tables)

    def table(self, name: str) -> "ir.Table":
        """A table, mart or result as an Ibis table. Raises WarehouseError that lists the names there are."""
        if name not in self._tables:
            raise WarehouseError(f"The warehouse has no table {name!r}; there are: {', '.join(self._tables)}.")
        return self._backend.table(name)

    def sql(self, query: str) -> "ir.Table":
        """The rows of a SELECT in DuckDB's SQL, as an Ibis table; on Spark it is translated."""
        if self._backend.name == "pyspark":
            from patron.intelligence.warehouse.engines.spark import translated

            return self._backend.sql(translated(query))
        import ibis

        # Asked here: Ibis 12 looks for the columns with a method that DuckDB 2 no longer has.
        columns = self._backend.con.sql(f"SELECT * FROM ({query}) LIMIT 0").to_arrow_table().schema  # noqa: S608
        return self._backend.sql(query, schema=ibis.Schema.from_pyarrow(columns))

    def close(self) -> None:
        """Let go of the version."""
        self._backend.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<warehouse version {self.version} as of {self.as_of}: {len(self._tables)} tables>"


def open_door(path: Path | str | None = None, *, engine: str | None = None) -> Door:
    """See :func:`patron.open_warehouse`."""
    root = (Path(path) if path is not None else default_directory()).resolve()
    chosen = engine_name(engine)
    manifest = Store(root).current()
    results = Store(root / ANALYSES).current_or_none()
    found = {root: {**manifest.tables, **manifest.marts}, root / ANALYSES: dict(results.marts) if results else {}}
    tables = {name: table for group in found.values() for name, table in group.items()}
    if chosen == DUCKDB:
        return Door(manifest, tables, _locked(found))

    opened = open_engine(memory_mb=MEMORY_MB, overflow=_place(), chosen=chosen)
    for below, group in found.items():
        opened.view(below, group)
    return Door(manifest, tables, opened.backend)


def _locked(found: Mapping[Path, Mapping[str, Table]]) -> Any:
    """An Ibis backend over views of the files in `found`, and of nothing else."""
    import duckdb
    import ibis

    place = _place()
    catalogue = place / "warehouse.duckdb"
    with _closing(duckdb.connect(str(catalogue))) as making:
        for root, tables in found.items():
            for name, table in tables.items():
                making.execute(f'CREATE OR REPLACE VIEW "{name}" AS {duck.view_sql(root, table)}')
    connection = duckdb.connect(
        str(catalogue),
        read_only=True,
        config={
            "memory_limit": f"{MEMORY_MB}MB",
            "temp_directory": str(place / "overflow"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    files = [root / part.file for root, tables in found.items() for table in tables.values() for part in table.parts]
    connection.execute("SET parquet_metadata_cache = true")  # files never change
    connection.execute(f"SET allowed_paths = [{', '.join(duck.literal(file) for file in files)}]")
    connection.execute("SET enable_external_access = false")
    backend = ibis.duckdb.from_connection(connection)  # it sets the time zone
    connection.execute("SET lock_configuration = true")
    weakref.finalize(backend, shutil.rmtree, place, ignore_errors=True)
    return backend


def _place() -> Path:
    """A directory of this process's own, for the catalogue and for what does not fit into memory."""
    return Path(tempfile.mkdtemp(prefix="patron-door-"))


@contextmanager
def _closing(connection: Any) -> Iterator[Any]:
    try:
        yield connection
    finally:
        connection.close()
