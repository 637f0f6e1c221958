"""The careful readers: any encoding, ragged rows, blank lines, workbooks. Every row goes in or is told of."""

import csv
import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from patron.kernel.intake.errors import FileUnreadable
from patron.kernel.intake.sql import literal

_BATCH = 20_000
_MAX_CELL = 1 << 20
_RUNAWAY_LINES = 200
"""A record over more lines than this is a quotation mark that was never closed, not a long note."""

UNDECODABLE, RAGGED, OPEN_QUOTE = "undecodable", "ragged", "open_quote"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read. `fault` names what is wrong with it, if anything."""

    number: int
    cells: list[str]
    fault: str = ""


def text_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """Records of a delimited text file. Bytes that are no characters of `encoding` make their row `undecodable`."""
    csv.field_size_limit(_MAX_CELL)
    decoding = "utf-8-sig" if encoding == "utf-8" else encoding
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    with path.open(encoding=decoding, errors=errors, newline="") as file:
        yield from _records(_Lines(file), delimiter, wide=errors == "replace")


class _Lines:
    """Lines with a memory of the present record, so that a runaway quotation can be taken back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.record) > _RUNAWAY_LINES:
            raise csv.Error("runaway")
        line = self._again.popleft() if self._again else next(self._lines)
        self.record.append(line)
        return line

    def begin(self) -> None:
        self.record.clear()

    def take_back(self) -> str:
        """Give back all lines of the record but its first, which is returned."""
        first, *rest = self.record
        self._again.extendleft(reversed(rest))
        self.record.clear()
        return first


def _records(lines: _Lines, delimiter: str, *, wide: bool) -> Iterator[Row]:
    reader, number = csv.reader(lines, delimiter=delimiter), 0
    while True:
        lines.begin()
        fault = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fault = OPEN_QUOTE
        if not fault and len(lines.record) > 1 and sum(line.count('"') for line in lines.record) % 2:
            fault = OPEN_QUOTE
        number += 1
        if fault:
            cells = [lines.take_back().rstrip("\r\n")]
            reader = csv.reader(lines, delimiter=delimiter)
        if not fault and any(_is_broken(cell, wide) for cell in cells):
            fault = UNDECODABLE
        yield Row(number, cells, fault)


def _is_broken(cell: str, wide: bool) -> bool:
    """Whether `cell` holds marks of bytes that were no characters, or NUL, which no database keeps."""
    if cell.isascii():
        return "\0" in cell
    return "\0" in cell or any("\udc80" <= c <= "\udcff" for c in cell) or (wide and "\ufffd" in cell)


def tidy_headers(names: list[str]) -> tuple[str, ...]:
    """Headers that are all there and all different."""
    seen: dict[str, int] = {}
    headers = []
    for position, name in enumerate(names, start=1):
        name = " ".join(name.replace("\ufeff", "").split()) or f"column {position}"
        seen[name] = seen.get(name, 0) + 1
        headers.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(headers)


def workbook_rows(path: Path) -> Iterator[Row]:
    """Rows of the first visible sheet that has any. Whole numbers lose their `.0`, dates become ISO."""
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                if sheet.height:
                    first = (sheet.start or (0, 0))[0]
                    for number, cells in enumerate(sheet.iter_rows(), start=first + 1):
                        yield Row(number, [_cell_text(cell) for cell in cells])
                    return
    except CalamineError as error:
        raise FileUnreadable(
            _("This is not an intact XLSX file. Save it again in your spreadsheet program.")
        ) from error
    raise FileUnreadable(_("The workbook has no rows."))


def _cell_text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def no_unreadable(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE OR REPLACE TABLE unreadable (row_no BIGINT, code VARCHAR, cells VARCHAR[])")


def store(connection: duckdb.DuckDBPyConnection, rows: Iterator[Row], directory: Path) -> tuple[str, ...]:
    """Write the good rows to a Parquet file behind the view `raw`, the bad ones to `unreadable`; give the headers.

    Blank rows are passed over. Raises FileUnreadable where there are no headers.
    """
    rows = (row for row in rows if row.fault or any(row.cells))
    first = next(rows, None)
    if first is None:
        raise FileUnreadable(_("The file is empty."))
    if first.fault:
        raise FileUnreadable(_("The first row, which should name the columns, cannot be read. Choose the encoding."))
    headers = tidy_headers(_without_empty_tail(first.cells))
    no_unreadable(connection)
    target = directory / "rows.parquet"
    with _Writer(target, connection, len(headers)) as writer:
        for row in rows:
            writer.add(row)
    connection.execute(
        f"CREATE OR REPLACE VIEW raw AS SELECT * REPLACE (row_no::BIGINT AS row_no) "
        f"FROM read_parquet({literal(str(target))})"
    )
    return headers


def _without_empty_tail(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


class _Writer:
    """Batches of rows to Parquet."""

    def __init__(self, target: Path, connection: duckdb.DuckDBPyConnection, width: int) -> None:
        fields = [pa.field("row_no", pa.int64()), *(pa.field(f"c{i}", pa.string()) for i in range(width))]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(target, self._schema, compression="zstd")
        self._connection = connection
        self._width = width
        self._numbers: list[int] = []
        self._rows: list[list[str]] = []
        self._bad: list[tuple[int, str, list[str]]] = []

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_error: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, row: Row) -> None:
        cells = row.cells
        if not row.fault and len(cells) > self._width:
            cells = [*cells[: self._width], *_without_empty_tail(cells[self._width :])]
        if row.fault or len(cells) != self._width:
            readable = [cell.encode("utf-8", "replace").decode().replace("\0", "") for cell in cells]
            self._bad.append((row.number, row.fault or RAGGED, readable))
        else:
            self._numbers.append(row.number)
            self._rows.append(cells)
        if len(self._rows) >= _BATCH or len(self._bad) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True) if self._rows else [()] * self._width
        arrays = [pa.array(self._numbers, pa.int64()), *(pa.array(column, pa.string()) for column in columns)]
        self._writer.write_table(pa.table(arrays, schema=self._schema))
        if self._bad:
            numbers, codes, cells = zip(*self._bad, strict=True)
            bad = pa.table(
                [pa.array(numbers, pa.int64()), pa.array(codes), pa.array(cells)], names=["n", "code", "cells"]
            )
            self._connection.register("bad_rows", bad)
            self._connection.execute("INSERT INTO unreadable SELECT * FROM bad_rows")
            self._connection.unregister("bad_rows")
        self._numbers, self._rows, self._bad = [], [], []
