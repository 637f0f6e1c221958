"""The plain-file door: a CSV or Parquet file becomes the table of transactions that the models read.

Nothing is fatal that concerns a row: a row whose date or amount cannot be read, or that has no customer, is left out
and counted. What concerns the whole file (a column that is not there, no readable date at all) is an
:class:`InputError` that says what to do.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.transactions import ROLES

FORMATS: Final = (".csv", ".tsv", ".txt", ".parquet")
_DAY_FIRST: Final = ("%d/%m/%y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%y", "%d-%b-%Y")
_MONTH_FIRST: Final = ("%m/%d/%y", "%m/%d/%Y", "%m-%d-%Y", "%b %d %Y", "%b %d, %Y")
_YEAR_FIRST: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
_ENCODING_HINT: Final = "If it is not UTF-8, say so, e.g. --encoding big5hkscs or --encoding gb18030."
_NUMBERS: Final = frozenset({"amount", "profit", "cost", "quantity"})
_REMEDY: Final = "Use dates like 2025-03-31, 31/03/2025 or 03/31/2025, or say how they are written with --date-format."


@dataclass(frozen=True, slots=True)
class ReadCounts:
    """What became of the rows of a file; every row read is counted in exactly one of the others.

    ``first_unreadable_date_row`` is the row's place in the file, with the heading of a CSV as row 1.
    """

    read: int
    used: int
    without_customer: int
    unreadable_date: int
    unreadable_amount: int
    broken_lines: int
    first_unreadable_date_row: int | None
    first_unreadable_date: str | None
    date_order: str

    def as_rows(self) -> dict[str, int]:
        """The counts for a report."""
        return {
            "read": self.read,
            "used": self.used,
            "without_customer": self.without_customer,
            "unreadable_date": self.unreadable_date,
            "unreadable_amount": self.unreadable_amount,
            "broken_lines": self.broken_lines,
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know about the rows left out, in sentences."""
        remarks = []
        if self.unreadable_date:
            remarks.append(
                f"Rows left out because their date cannot be read: {self.unreadable_date}, first in row "
                f"{self.first_unreadable_date_row} ({self.first_unreadable_date!r}). {_REMEDY}"
            )
        if self.unreadable_amount:
            remarks.append(f"Rows left out because their amount is missing or no number: {self.unreadable_amount}.")
        if self.broken_lines:
            remarks.append(
                f"Lines left out because quotes, columns or characters do not fit: {self.broken_lines}. "
                f"{_ENCODING_HINT}"
            )
        if self.without_customer:
            remarks.append(f"Rows left out because they have no customer: {self.without_customer}.")
        if self.date_order:
            remarks.append(f"Dates are read as {self.date_order}; --date-format says otherwise.")
        return tuple(remarks)


@contextmanager
def opened(
    path: Path, columns: Mapping[str, str], *, date_format: str | None = None, encoding: str = "utf-8"
) -> Iterator[tuple[ir.Table, ReadCounts]]:
    """The transactions of a file, while the context is open, and what became of its rows.

    ``columns``: role → column of the file. ``date_format``: as ``strptime`` takes it; by default ISO dates and
    timestamps, year first, then day or month first, whichever reads more rows. The calendar day is taken as written.
    Raises :class:`InputError` for a file, column, encoding or format that cannot be used.
    """
    _check_roles(columns)
    connection = duckdb.connect()
    try:
        with _readable(path, encoding) as source:
            _create_source(connection, source, path)
            _check_columns(connection, columns, path)
            order = _create_transactions(connection, columns, date_format)
            counts = _count(connection, heading=path.suffix.lower() != ".parquet", order=order)
            _refuse_nothing(counts, path)
            backend = ibis.duckdb.from_connection(connection)
            yield backend.table("transactions").select(*columns), counts
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)} {_ENCODING_HINT}") from error
    finally:
        connection.close()


def parse_columns(text: str) -> dict[str, str]:
    """``"customer=household_id,date=day"`` → role by role. Raises :class:`InputError` for anything else."""
    pairs = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        role, equals, column = part.partition("=")
        if not equals or not role.strip() or not column.strip():
            raise InputError(f"--columns has {part!r}; write role=column, e.g. customer=household_id,date=day.")
        pairs[role.strip()] = column.strip()
    return pairs


def write_table(table: pa.Table, path: Path) -> None:
    """Write CSV or Parquet by the name's ending; an existing file is replaced only when the new one is whole.

    In CSV a text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    check_output(path)
    with _replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            pyarrow.parquet.write_table(table, temporary)
        else:
            pyarrow.csv.write_csv(_without_formulas(table), temporary)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8; an existing file is replaced only when the new one is whole."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_output(path: Path) -> None:
    """Raises :class:`InputError` when a table cannot be written there; ask before the work, not after it."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path} must end in .csv or .parquet.")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raises :class:`InputError` when the folder of ``path`` does not exist."""
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} does not exist.")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    check_folder(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files for the owner alone; give the result the mode that a plain open() would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _without_formulas(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if not pa.types.is_string(field.type):
            continue
        column = table.column(place)
        risky = pc.and_(
            pc.match_substring_regex(column, r"^[=+\-@\t\r]"), pc.invert(pc.match_substring_regex(column, r"^-?\d+$"))
        )
        safe = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
        table = table.set_column(place, field.name, safe)
    return table


def _check_roles(columns: Mapping[str, str]) -> None:
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise InputError(f"There is no role {', '.join(unknown)}; there are: {', '.join(ROLES)}.")
    missing = [role.name for role in ROLES.values() if role.required and role.name not in columns]
    if missing:
        raise InputError(f"--columns lacks {', '.join(missing)}; say which column of the file it is: {missing[0]}=…")


@contextmanager
def _readable(path: Path, encoding: str) -> Iterator[Path]:
    """The file itself, or its text as UTF-8 in a temporary file."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} ends in {path.suffix!r}; give a file that ends in {', '.join(FORMATS)}.")
    if path.suffix.lower() == ".parquet" or encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / path.name
        try:
            with (
                path.open(encoding=encoding, newline="") as old,
                converted.open("w", encoding="utf-8", newline="") as new,
            ):
                while block := old.read(1 << 20):
                    new.write(block)
        except LookupError:
            raise InputError(f"There is no encoding {encoding!r}; try big5hkscs, gb18030 or cp1252.") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not {encoding}: byte {error.start} cannot be read.") from error
        yield converted


def _create_source(connection: duckdb.DuckDBPyConnection, source: Path, path: Path) -> None:
    name = _literal(str(source))
    reader = f"read_parquet({name})"
    if source.suffix.lower() != ".parquet":
        reader = f"read_csv({name}, header = true, all_varchar = true, null_padding = true, store_rejects = true)"
    try:
        connection.execute(f"create view source as from {reader}")
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {_first_line(error)} {_ENCODING_HINT}") from error


def _check_columns(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], path: Path) -> None:
    there = list(_types(connection))
    missing = [column for column in columns.values() if column not in there]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; there are: {', '.join(there)}.")


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return {row[0]: str(row[1]).upper() for row in connection.execute("describe source").fetchall()}


def _create_transactions(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], date_format: str | None
) -> str:
    """Make the view ``transactions`` with a column per role; returns the order of day and month, if it was guessed.

    The file is read once, into a table; dates that are not plainly written are then worked out from their text.
    """
    types = _types(connection)
    date_column = columns["date"]
    parts = [_column(role, column, types[column]) for role, column in columns.items() if role != "date"]
    parts.append(f"{_plain_date(date_column, types[date_column], date_format)} as plain_date")
    parts.append(f"trim({_quoted(date_column)}::varchar) as date_as_written")
    # Names are quoted and texts are literals: nothing of the user's becomes part of the query itself.
    connection.execute(f"create temp table rows_read as select {', '.join(parts)} from source")  # noqa: S608
    order, date = ("", "plain_date") if date_format else _date_in_words(connection)
    plausible = "case when date between date '1900-01-01' and date '2199-12-31' then date end as date"
    dated = f"select * exclude (plain_date), {date} as date from rows_read"  # noqa: S608
    connection.execute(f"create view transactions as select * replace ({plausible}) from ({dated})")  # noqa: S608
    return order


def _column(role: str, column: str, kind: str) -> str:
    quoted = _quoted(column)
    if role in _NUMBERS:
        return f"{_number(quoted, kind)} as {role}"
    if kind == "VARCHAR":
        return f"nullif(trim({quoted}), '') as {role}"
    if role == "customer" and kind in ("DOUBLE", "FLOAT"):
        # Tools that know no missing whole number write ids as 17850.0.
        return f"try_cast({quoted} as bigint) as {role}"
    return f"{quoted} as {role}"


def _number(quoted: str, kind: str) -> str:
    plain = f"try_cast({quoted} as decimal(18, 4))"
    if kind != "VARCHAR":
        return plain
    # Also 1,234.50 and HK$ 1,234.50, and (1,234.50) as accountants write what is taken back; 1,5 and 1.234,50 are not
    # guessed at.
    digits = "(\\d{1,3}(,\\d{3})+|\\d+)(\\.\\d+)?"
    fits = f"regexp_matches({quoted}, '^[^0-9.,()-]*[(-]?[^0-9.,()-]*{digits}[)]?[^0-9.,()-]*$')"
    bare = f"regexp_replace({quoted}, '[^0-9.(-]', '', 'g')"
    signed = f"replace({bare}, '(', '-')"
    return f"coalesce({plain}, case when {fits} then try_cast({signed} as decimal(18, 4)) end)"


def _plain_date(column: str, kind: str, date_format: str | None) -> str:
    """The date where it needs no guess: typed, in the format given, or written as 2025-03-31 with or without a time."""
    quoted = _quoted(column)
    if kind == "DATE":
        return quoted
    if kind.startswith("TIMESTAMP"):
        return f"{quoted}::timestamp::date"
    text = f"trim({quoted}::varchar)"
    if date_format:
        return f"try_strptime({text}, {_literal(date_format)})::date"
    return f"case when {text} like '____-__-__%' then try_cast(left({text}, 10) as date) end"


def _date_in_words(connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """How the remaining dates read: the order of day and month in words, and the expression for all dates."""
    # The calendar day as written: the clock time and the zone after it say nothing about the day.
    day = "regexp_replace(date_as_written, '[T ]+\\d{1,2}:\\d{2}.*$', '')"
    year_first = f"case when regexp_matches({day}, '^\\d{{4}}') then {_first_format(day, _YEAR_FIRST)} end"
    fixed = f"coalesce(plain_date, {year_first})"
    orders = {
        "day before month": _first_format(day, _DAY_FIRST),
        "month before day": _first_format(day, _MONTH_FIRST),
    }
    reads = ", ".join(f"count({expression})" for expression in orders.values())
    query = f"select {reads} from rows_read where {fixed} is null"  # noqa: S608
    day_first, month_first = connection.execute(query).fetchone() or (0, 0)
    names = list(orders) if day_first >= month_first else list(reversed(orders))
    order = names[0] if day_first or month_first else ""
    return order, f"coalesce({fixed}, {orders[names[0]]}, {orders[names[1]]})"


def _first_format(text: str, formats: tuple[str, ...]) -> str:
    return f"try_strptime({text}, [{', '.join(_literal(each) for each in formats)}])::date"


def _count(connection: duckdb.DuckDBPyConnection, *, heading: bool, order: str) -> ReadCounts:
    row = connection.execute(
        """
        select count(*),
               count(*) filter (customer is not null and date is not null and amount is not null),
               count(*) filter (customer is null),
               count(*) filter (customer is not null and date is null),
               count(*) filter (customer is not null and date is not null and amount is null)
        from transactions
        """
    ).fetchone()
    read, used, without_customer, unreadable_date, unreadable_amount = row or (0, 0, 0, 0, 0)
    broken = 0
    if heading:
        broken = (connection.execute("select count(distinct line) from reject_errors").fetchone() or (0,))[0]
    first_row, first_text = None, None
    if unreadable_date:
        found = connection.execute(
            """
            select place, date_as_written
            from (select row_number() over () as place, customer, date, date_as_written from transactions)
            where customer is not null and date is null order by place limit 1
            """
        ).fetchone()
        if found:
            first_row, first_text = found[0] + heading, found[1]
    return ReadCounts(
        read=read + broken,
        broken_lines=broken,
        used=used,
        without_customer=without_customer,
        unreadable_date=unreadable_date,
        unreadable_amount=unreadable_amount,
        first_unreadable_date_row=first_row,
        first_unreadable_date=first_text,
        date_order=order,
    )


def _refuse_nothing(counts: ReadCounts, path: Path) -> None:
    if counts.read and not counts.used:
        raise InputError(f"{path} has {counts.read} rows and none can be used. " + " ".join(counts.remarks))


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
