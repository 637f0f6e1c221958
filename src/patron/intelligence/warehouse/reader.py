"""Reading the warehouse: from pages, reports, models, notebooks. No Django needed."""

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.errors import WarehouseError
from patron.intelligence.warehouse.manifest import Manifest
from patron.intelligence.warehouse.store import Store

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY_MB = 1000
ANALYSES = "analyses"
"""Below the warehouse, the store of what the analyses found: it has versions of its own."""

_lock = threading.Lock()
_open: dict[Path, tuple[tuple[int, int], Any, "_Answers"]] = {}


class _Answers:
    """Short answers of one published version, which never changes: asked again, they are the same.

    Keeps those asked for lately. Safe to share among threads.
    """

    MOST = 400
    ROWS = 250

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], list[tuple[Any, ...]]] = OrderedDict()

    @staticmethod
    def key(query: str, parameters: Sequence[object]) -> tuple[object, ...] | None:
        """What names the answer; None where a parameter has no fixed value. 1 and True ask for different things."""
        key = (query, *((type(each), each) for each in parameters))
        try:
            hash(key)
        except TypeError:
            return None
        return key

    def find(self, key: tuple[object, ...]) -> list[tuple[Any, ...]] | None:
        with self._lock:
            if (found := self._kept.get(key)) is None:
                return None
            self._kept.move_to_end(key)
            return list(found)

    def keep(self, key: tuple[object, ...], rows: list[tuple[Any, ...]]) -> None:
        if len(rows) > self.ROWS:
            return
        with self._lock:
            self._kept[key] = list(rows)
            if len(self._kept) > self.MOST:
                self._kept.popitem(last=False)


class Warehouse:
    """One version of the warehouse, read-only. It stays what it is while newer versions are published.

    Use it in the thread that opened it; opening again is cheap. Tables and marts are read by the same names.
    """

    def __init__(
        self,
        root: Path,
        manifest: Manifest,
        connection: Any,
        results: Manifest | None = None,
        answers: _Answers | None = None,
    ) -> None:
        self.root = root
        self.manifest = manifest
        self.results = results
        self._connection = connection
        self._answers = answers
        self._backend: Any = None

    @property
    def version(self) -> int:
        return self.manifest.version

    @property
    def names(self) -> list[str]:
        """The tables and marts there are, those of the analyses last."""
        found = self.results.marts if self.results is not None else ()
        return [*self.manifest.tables, *self.manifest.marts, *found]

    def table(self, name: str) -> "ir.Table":
        """A table or mart as an Ibis expression. Raises WarehouseError that lists the names there are."""
        if name not in self.names:
            raise WarehouseError(f"The warehouse has no table {name!r}; there are: {', '.join(self.names)}.")
        return self.backend.table(name)

    @property
    def connection(self) -> Any:
        """The DuckDB connection under it."""
        return self._connection

    def close(self) -> None:
        """Let go of the connection; a version that pages opened stays open for the next of them."""
        self._connection.close()

    @property
    def backend(self) -> Any:
        """The Ibis backend over this version, for expressions that make their own tables."""
        if self._backend is None:
            import ibis  # takes a second to load: a page that asks in SQL does without

            self._backend = ibis.duckdb.from_connection(self._connection)
        return self._backend

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of an SQL query (DuckDB) over the tables and marts; `?` stand for `parameters`."""
        key = self._answers.key(query, parameters) if self._answers is not None else None
        if self._answers is not None and key is not None and (known := self._answers.find(key)) is not None:
            return known
        found: list[tuple[Any, ...]] = self._connection.execute(query, list(parameters)).fetchall()
        if self._answers is not None and key is not None:
            self._answers.keep(key, found)
        return found

    def dicts(self, query: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """`rows`, each by column name."""
        done = self._connection.execute(query, list(parameters))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def arrow(self, query: str, parameters: Sequence[object] = ()) -> Any:
        """The rows of an SQL query as a `pyarrow.Table`."""
        return self._connection.sql(query, params=list(parameters)).to_arrow_table()


def open_warehouse(path: Path | str | None = None) -> Warehouse:
    """The version that is published now, for pages: short answers are remembered while it is the one.

    `path` is the warehouse directory; by default that of the installation (`PATRON_WAREHOUSE`, else `warehouse` in
    `PATRON_HOME`). Raises WarehouseMissing when nothing has been published yet.
    """
    root = (Path(path) if path is not None else default_directory()).resolve()
    store, results = Store(root), Store(root / ANALYSES)
    while True:
        manifest, found = store.current(), results.current_or_none()
        versions = (manifest.version, found.version if found is not None else 0)
        with _lock:
            kept = _open.get(root)
            if kept is None or kept[0] != versions:
                connection = _with_views(manifest, found, root)
                if connection is None:
                    continue  # cleared away between the two looks: there is a newer one
                kept = _open[root] = (versions, connection, _Answers())
            return Warehouse(root, manifest, kept[1].cursor(), found, kept[2])


def over(root: Path, manifest: Manifest, *, memory_mb: int, overflow: Path) -> Warehouse:
    """A version that is not published yet, with an engine of its own: for those who make the marts."""
    connection = engine.connect(memory_mb=memory_mb, overflow=overflow)
    create_views(connection, root, manifest)
    return Warehouse(root, manifest, connection)


def default_directory() -> Path:
    """Where this installation's warehouse is. Raises WarehouseError when nothing says so."""
    if configured := os.environ.get("PATRON_WAREHOUSE"):
        return Path(configured).expanduser()
    settings = sys.modules.get("django.conf")
    if settings is not None and settings.settings.configured:
        return Path(settings.settings.WAREHOUSE_DIRECTORY)
    if home := os.environ.get("PATRON_HOME"):
        return Path(home).expanduser() / "warehouse"
    raise WarehouseError("Say where the warehouse is: open_warehouse(PATH), or set PATRON_HOME.")


def create_views(connection: Any, root: Path, manifest: Manifest) -> None:
    """A view for each table and mart of the version, also for those without a row."""
    for group in (manifest.tables, manifest.marts):
        for name, table in group.items():
            connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {engine.view_sql(root, table)}')


def _with_views(manifest: Manifest, results: Manifest | None, root: Path) -> Any:
    import duckdb

    connection = engine.connect(memory_mb=MEMORY_MB)
    try:
        connection.execute("SET parquet_metadata_cache = true")  # files never change
        create_views(connection, root, manifest)
        if results is not None:
            create_views(connection, root / ANALYSES, results)
    except duckdb.IOException:
        connection.close()
        if Store(root).current_version() == manifest.version and (
            results is None or Store(root / ANALYSES).current_version() == results.version
        ):
            raise
        return None
    return connection
