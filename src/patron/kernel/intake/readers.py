"""From a file of any kind to one DuckDB relation `raw`: `row_no`, `c0`, `c1`, …, and the rows that could not be read.

Tidy UTF-8 CSV is read by DuckDB's parallel reader, Parquet as it is. Everything else (other encodings, ragged rows,
blank lines, XLSX) goes through Python once, row by row, into a Parquet file: slower, and nothing is lost.
`row_no` is the number that a spreadsheet program shows beside the row; the headers are row 1.
"""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

import duckdb
from django.utils.translation import gettext as _

from patron.kernel.intake import archives, encodings, lenient
from patron.kernel.intake.errors import FileUnreadable
from patron.kernel.intake.inspecting import FileFacts
from patron.kernel.intake.lenient import tidy_headers
from patron.kernel.intake.sql import identifier, literal

ERROR_COLUMNS = ("row", "column", "reason")
"""What the error file puts in front of the columns of the original."""
DELIMITERS = (",", "\t", ";", "|")
_SNIFF_LINES = 60


@dataclass(frozen=True, slots=True)
class Source:
    """A file opened. `types` are DuckDB types of c0, c1, …: VARCHAR unless the file itself is typed."""

    format: str
    encoding: str
    encoding_sure: bool
    delimiter: str
    headers: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def is_mended(self) -> bool:
        """Whether this is an error file of ours that comes again: its columns stand in front, formulas are quoted."""
        return self.headers[: len(ERROR_COLUMNS)] == ERROR_COLUMNS

    @property
    def own_headers(self) -> tuple[str, ...]:
        """The headers that are the user's."""
        return self.headers[len(ERROR_COLUMNS) :] if self.is_mended else self.headers


def open_source(
    connection: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, directory: Path, *, encoding: str | None
) -> Source:
    """Make the relation `raw` (and the table `unreadable`: row_no, code, cells) in `connection` from `path`.

    Raises FileUnreadable or FileTooLarge.
    """
    if facts.size == 0:
        raise FileUnreadable(_("The file is empty."))
    magic = facts.sample[:8]
    if magic.startswith(b"PAR1"):
        return _parquet(connection, path)
    if magic.startswith(b"PK\x03\x04"):
        archives.guard_workbook(path)
        return _workbook(connection, path, directory)
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(_("This is an old .xls file. Save it as .xlsx or CSV and try again."))
    return _text(connection, path, facts, directory, encoding)


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> Source:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as error:
        raise FileUnreadable(_("This Parquet file is damaged. Write it again.")) from error
    columns = ", ".join(f"{identifier(row[0])} AS c{i}" for i, row in enumerate(described))
    connection.execute(
        f"CREATE OR REPLACE VIEW raw AS SELECT file_row_number + 2 AS row_no, {columns} "
        f"FROM read_parquet({literal(str(path))}, file_row_number = true)"
    )
    lenient.no_unreadable(connection)
    return Source("parquet", "", True, "", tidy_headers([r[0] for r in described]), tuple(r[1] for r in described))


def _workbook(connection: duckdb.DuckDBPyConnection, path: Path, directory: Path) -> Source:
    headers = lenient.store(connection, lenient.workbook_rows(path), directory)
    return Source("xlsx", "", True, "", headers, ("VARCHAR",) * len(headers))


def _text(
    connection: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, directory: Path, encoding: str | None
) -> Source:
    detected = encodings.Detected(encodings.normal_name(encoding), sure=True) if encoding else None
    detected = detected or encodings.detect(facts.sample)
    start = _decoded_start(facts.sample, detected.encoding)
    if "\0" in start:
        raise FileUnreadable
    delimiter = sniff_delimiter(start)
    if facts.tidy and detected.encoding == "utf-8":
        headers = tidy_headers(next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), []))
        if _read_fast(connection, path, delimiter, len(headers)):
            lenient.no_unreadable(connection)
            return Source("csv", detected.encoding, detected.sure, delimiter, headers, ("VARCHAR",) * len(headers))
    rows = lenient.text_rows(path, detected.encoding, delimiter)
    headers = lenient.store(connection, rows, directory)
    return Source("csv", detected.encoding, detected.sure, delimiter, headers, ("VARCHAR",) * len(headers))


def _decoded_start(sample: bytes, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("replace")
    return decoder.decode(sample[: 64 << 10], final=False)


def sniff_delimiter(start: str) -> str:
    """The delimiter that cuts the first lines into the most columns most evenly; a comma where nothing does."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
        widths = []
        try:
            for _line, row in zip(range(_SNIFF_LINES), reader, strict=False):
                widths.append(len(row))
        except csv.Error:
            continue
        widths = [w for w in widths[: max(1, len(widths) - 1)] if w]
        if not widths or widths[0] < 2:
            continue
        score = sum(w == widths[0] for w in widths) / len(widths) + min(widths[0], 50) / 100
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _read_fast(connection: duckdb.DuckDBPyConnection, path: Path, delimiter: str, width: int) -> bool:
    """Read a tidy file in parallel; False where it turns out not to be tidy."""
    if width < 2:
        return False  # a single column hides blank values in blank lines
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    try:
        connection.execute(
            f"CREATE OR REPLACE TABLE raw_rows AS SELECT * FROM read_csv({literal(str(path))}, auto_detect = false, "
            f"header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', strict_mode = true, "
            f"max_line_size = 1048576, columns = {{{columns}}})"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        connection.execute("DROP TABLE IF EXISTS raw_rows")
        return False
    cells = ", ".join(f"c{i}" for i in range(width))
    connection.execute(
        f"CREATE OR REPLACE VIEW raw AS SELECT rowid + 2 AS row_no, * FROM raw_rows WHERE coalesce({cells}) IS NOT NULL"
    )
    return True
