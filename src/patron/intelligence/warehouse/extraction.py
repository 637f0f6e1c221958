"""From the snapshot into Parquet parts: everything in slices, or what changed; facts month by month. No Django.

Slices are read over a few connections at once, each a stream of Arrow batches that DuckDB compresses as they come, so
that memory does not grow with the table.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

import pyarrow as pa

from patron.intelligence.warehouse.engine import files_sql, write_months, write_parquet
from patron.intelligence.warehouse.manifest import Part
from patron.intelligence.warehouse.source import SnapshotReader, Source
from patron.intelligence.warehouse.store import Store
from patron.kernel.exports import Export

SLICE_ROWS = 1_000_000
CONNECTIONS = 2
BATCH_BYTES = 4 * 1024 * 1024

Progress = Callable[[str, int, int], None]
"""Called with what is being read, rows so far, rows in all."""

_ARROW = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one export to be read into one part: a condition, and the range of keys where there is one."""

    export: Export
    rows: str
    keys: tuple[int, int] | None = None


def slices_of(export: Export, *, rows: int, bounds: tuple[int, int] | None) -> list[Slice]:
    """The whole table in slices of about a million rows; none for an empty table."""
    if bounds is None or not rows:
        return []
    low, high = bounds
    count = min(math.ceil(rows / SLICE_ROWS), high - low + 1)
    if count == 1:
        return [Slice(export, "true")]
    edges = [low + (high + 1 - low) * i // count for i in range(count + 1)]
    return [
        Slice(export, f"{export.slice_by} >= {start} AND {export.slice_by} < {end}", (start, end - 1))
        for start, end in pairwise(edges)
    ]


class Extractor:
    """Reads slices of one snapshot into new parts of `store`. `duck` is a DuckDB connection."""

    def __init__(self, source: Source, store: Store, duck: Any, *, progress: Progress | None = None) -> None:
        self._source = source
        self._store = store
        self._duck = duck
        self._progress = progress
        self.rows_read = 0

    def extract(
        self, slices: Sequence[Slice], *, parents: Mapping[str, Sequence[Part]], expected: int
    ) -> dict[str, list[Part]]:
        """Read `slices` and give the parts by export name.

        `parents` are the parts in which the rows of details find their parent, by export name; `expected` is about
        how many rows will come, for telling the progress.
        """
        found: dict[str, list[Part]] = {each.export.name: [] for each in slices}
        if not slices:
            return found
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="extract") as pool, self._readers() as readers:

            def read(each: Slice) -> tuple[str, list[Part]]:
                reader = readers.get()
                try:
                    return each.export.name, self._read(reader, each, parents, expected)
                finally:
                    readers.put(reader)

            tasks = [pool.submit(read, each) for each in slices]
            done, waiting = wait(tasks, return_when=FIRST_EXCEPTION)
            for task in waiting:
                task.cancel()
            for task in done:
                name, parts = task.result()
                found[name].extend(parts)
        return {name: sorted(parts, key=_by_month) for name, parts in found.items()}

    def _readers(self) -> "_Readers":
        return _Readers(self._source)

    def _read(
        self, reader: SnapshotReader, each: Slice, parents: Mapping[str, Sequence[Part]], expected: int
    ) -> list[Part]:
        export = each.export
        duck = self._duck.cursor()
        with reader.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
            cursor.execute(self._source.select(export, each.rows))
            stream = cursor.fetch_record_batch()
            schema = arrow_schema(export)

            def batches() -> Iterator[pa.RecordBatch]:
                for batch in stream:
                    self.rows_read += batch.num_rows
                    if self._progress is not None:
                        self._progress(export.name, self.rows_read, max(expected, self.rows_read))
                    yield in_contract(batch, schema)

            duck.register("arriving", pa.RecordBatchReader.from_batches(schema, batches()))
            written = write_parts(self._store, duck, export, self._with_carried(each, parents))
            duck.unregister("arriving")
        return written

    def _with_carried(self, each: Slice, parents: Mapping[str, Sequence[Part]]) -> str:
        export = each.export
        own = ", ".join(f"d.{column.name}" for column in export.columns)
        if export.carried is None:
            return f"SELECT {own} FROM arriving d"  # noqa: S608
        on, names = export.carried.on, ", ".join(export.carried.columns)
        paths = [self._store.path(part.file) for part in parents[export.carried.parent]]
        within = "" if each.keys is None else f" WHERE {on} BETWEEN {each.keys[0]} AND {each.keys[1]}"
        parent = f"SELECT {on}, {names} FROM {files_sql(paths)}{within}"  # noqa: S608
        carried = ", ".join(f"p.{name}" for name in export.carried.columns)
        # A detail without its parent would be lost in silence by the join; the totals would tell.
        return f"SELECT {own}, {carried} FROM arriving d JOIN ({parent}) p ON p.{on} = d.{on}"  # noqa: S608


class _Readers:
    """A few connections on one snapshot, handed round among the threads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._all: list[SnapshotReader] = []

    def __enter__(self) -> "SimpleQueue[SnapshotReader]":
        queue: SimpleQueue[SnapshotReader] = SimpleQueue()
        for _ in range(CONNECTIONS):
            self._all.append(self._source.reader())
            queue.put(self._all[-1])
        return queue

    def __exit__(self, *_error: object) -> None:
        for reader in self._all:
            reader.close()


def arrow_schema(export: Export) -> pa.Schema:
    """The export's own columns as Arrow types; decimals are 64-bit, exact."""
    return pa.schema([(column.name, _arrow_type(column.type)) for column in export.columns])


def in_contract(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The fetched batch in the types of the contract. No value is copied: whole units become decimals by their type."""
    arrays = []
    for array, column in zip(batch.columns, schema, strict=True):
        if pa.types.is_decimal(column.type):
            arrays.append(array.view(column.type))
        elif pa.types.is_timestamp(column.type):
            arrays.append(array.view(pa.int64()).view(column.type))  # the database gives UTC
        elif array.type == column.type:
            arrays.append(array)
        else:
            arrays.append(array.cast(column.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def write_parts(store: Store, duck: Any, export: Export, query: str) -> list[Part]:
    """The rows of `query` in new parts of the export's table: one, or one for each month."""
    if export.month_of:
        place = store.part_directory(export.name)
        return [
            Part(str(file.path.relative_to(store.root)), file.rows, file.bytes, file.low, file.high, file.month)
            for file in write_months(duck, query, place, day=export.month_of, key=export.key[0])
        ]
    file = store.new_part(export.name)
    if not write_parquet(duck, query, store.path(file)):
        store.path(file).unlink()
        return []
    return [describe(store, duck, export.key[0], file)]


def describe(store: Store, duck: Any, key: str, file: str) -> Part:
    """What a manifest says of a written part."""
    path = store.path(file)
    rows, low, high = (
        duck.cursor().execute(f"SELECT count(*), min({key}), max({key}) FROM {files_sql([path])}").fetchone()  # noqa: S608
    )
    return Part(file=file, rows=int(rows), bytes=path.stat().st_size, low=low, high=high)


def _by_month(part: Part) -> tuple[str, int]:
    return part.month, part.low or 0


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("decimal"):
        precision, scale = kind.removeprefix("decimal(").rstrip(")").split(",")
        return pa.decimal64(int(precision), int(scale))
    return _ARROW[kind]
