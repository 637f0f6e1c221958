"""What the tests of the engine share: opening files of every kind, and an importer that writes column mappings."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from patron.kernel.intake import archives
from patron.kernel.intake.contract import ApplyCounts, Chunk, Importer, ImportField, Treatment, importers
from patron.kernel.intake.inspecting import inspect
from patron.kernel.intake.readers import Source, open_source

Table = Sequence[Sequence[str]]


def csv_bytes(table: Table, *, encoding: str = "utf-8", delimiter: str = ",", newline: str = "\r\n") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=newline).writerows(table)
    return buffer.getvalue().encode(encoding)


@contextmanager
def opened(path: Path, *, encoding: str | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, Source]]:
    """The file as the engine reads it."""
    directory = path.parent / f"{path.name}.work"
    directory.mkdir(exist_ok=True)
    plain = archives.unpacked(path, directory)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Hong_Kong'")
    yield connection, open_source(connection, plain, inspect(plain), directory, encoding=encoding)
    connection.close()


def rows_of(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, list[str]]]:
    """Row numbers and cells as text, in the order of the file."""
    width = len(connection.execute("DESCRIBE raw").fetchall()) - 1
    cells = ", ".join(f"coalesce(c{i}::VARCHAR, '')" for i in range(width))
    return [
        (row, list(values))
        for row, values in connection.execute(f"SELECT row_no, [{cells}] FROM raw ORDER BY row_no").fetchall()
    ]


def unreadable(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    return connection.execute("SELECT row_no, code FROM unreadable ORDER BY row_no").fetchall()


def _apply(chunk: Chunk) -> ApplyCounts:
    """Each row is a column mapping called `code`; the word "refused" is refused here, "explode" breaks the program."""
    chunk.execute(f"INSERT INTO {chunk.rejects} SELECT row_no, 'taken', '' FROM {chunk.table} WHERE note = 'refused'")
    chunk.execute(f"SELECT 1 / (CASE WHEN note = 'explode' THEN 0 ELSE 1 END) FROM {chunk.table}")
    added = chunk.execute(
        f"""
        INSERT INTO kernel_importmapping (importer, name, columns, options, updated_at)
        SELECT 'shelf', code, jsonb_build_object('note', note, 'price', price, 'on', sold_on), '{{}}'::jsonb, %s
        FROM {chunk.table} WHERE note IS DISTINCT FROM 'refused' ON CONFLICT DO NOTHING
        """,
        [chunk.now],
    )
    refused = chunk.execute(f"SELECT FROM {chunk.rejects}")
    return ApplyCounts(added=added, unchanged=chunk.rows - added - refused, created={"labels": added})


SHELF = Importer(
    name="shelf",
    label="Shelf",
    things="shelf labels",
    permission="imports.run",
    fields=(
        ImportField("code", "Code", required=True, aliases=("編號", "item code"), max_length=20),
        ImportField("price", "Price", kind="decimal", aliases=("價格",)),
        ImportField("sold_on", "Sold on", kind="date"),
        ImportField("note", "Note"),
    ),
    treatments=(
        Treatment("free", "Free of charge", "note", condition="price = 0"),
        Treatment("dear", "Too dear", "reject", condition="price > 1000", column="price", message="Lower the price."),
        Treatment("draft", "Drafts are left out", "skip", condition="note = 'draft'"),
        Treatment("debt", "Negative price made positive", "fix", condition="price < 0", fixes={"price": "-price"}),
        Treatment("taken", "Refused by the room", "reject", message="Ask the room."),
    ),
    unique=("code",),
    sort_by=("code",),
    chunk_rows=3,
    apply=_apply,
)


def register() -> Importer:
    return importers.register(SHELF)
