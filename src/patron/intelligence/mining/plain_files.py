"""The plain-file door: a CSV or Parquet file becomes the table of transactions that the models read.

Nothing is fatal that concerns a row: a row whose date or amount cannot be read, or that has no customer, is left out
and counted. What concerns the whole file (a column that is not there, no readable date at all) is an
:class:`InputError` that says what to do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import ibis
import ibis.expr.types as ir

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.plain_sources import (
    DAY_FIRST,
    ENCODING_HINT,
    MONTH_FIRST,
    YEAR_FIRST,
    check_columns,
    column_types,
    create_source,
    first_format_sql,
    first_line,
    identifier,
    number_sql,
    plain_date_sql,
    readable,
)
from patron.intelligence.mining.transactions import ROLES

_NUMBERS: Final = frozenset({"amount", "profit", "cost", "quantity", "discount"})
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
                f"Lines left out because quotes, columns or characters do not fit: {self.broken_lines}. {ENCODING_HINT}"
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
        with readable(path, encoding) as source:
            create_source(connection, source, path)
            check_columns(connection, columns.values(), path)
            order = _create_transactions(connection, columns, date_format)
            counts = _count(connection, heading=path.suffix.lower() != ".parquet", order=order)
            _refuse_nothing(counts, path)
            backend = ibis.duckdb.from_connection(connection)
            yield backend.table("transactions").select(*columns), counts
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {first_line(error)} {ENCODING_HINT}") from error
    finally:
        connection.close()


def parse_columns(text: str) -> dict[str, str]:
    """``"customer=household_id,date=day"`` → role by role. Raises :class:`InputError` for anything else."""
    pairs = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        role, equals, column = part.partition("=")
        if not equals or not role.strip() or not column.strip():
            raise InputError(f"--columns has {part!r}; write role=column, e.g. customer=household_id,date=day.")
        if role.strip() in pairs:
            raise InputError(f"--columns names {role.strip()} twice; one column is one role.")
        pairs[role.strip()] = column.strip()
    return pairs


def _check_roles(columns: Mapping[str, str]) -> None:
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise InputError(f"There is no role {', '.join(unknown)}; there are: {', '.join(ROLES)}.")
    missing = [role.name for role in ROLES.values() if role.required and role.name not in columns]
    if missing:
        raise InputError(f"--columns lacks {', '.join(missing)}; say which column of the file it is: {missing[0]}=…")


def _create_transactions(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], date_format: str | None
) -> str:
    """Make the view ``transactions`` with a column per role; returns the order of day and month, if it was guessed.

    The file is read once, into a table; dates that are not plainly written are then worked out from their text.
    """
    types = column_types(connection)
    date_column = columns["date"]
    parts = [_column(role, column, types[column]) for role, column in columns.items() if role != "date"]
    parts.append(f"{plain_date_sql(date_column, types[date_column], date_format)} as plain_date")
    parts.append(f"trim({identifier(date_column)}::varchar) as date_as_written")
    # Names are quoted and texts are literals: nothing of the user's becomes part of the query itself.
    connection.execute(f"create temp table rows_read as select {', '.join(parts)} from source")  # noqa: S608
    order, date = ("", "plain_date") if date_format else _date_in_words(connection)
    plausible = "case when date between date '1900-01-01' and date '2199-12-31' then date end as date"
    dated = f"select * exclude (plain_date), {date} as date from rows_read"  # noqa: S608
    connection.execute(f"create view transactions as select * replace ({plausible}) from ({dated})")  # noqa: S608
    return order


def _column(role: str, column: str, kind: str) -> str:
    quoted = identifier(column)
    if role in _NUMBERS:
        return f"{number_sql(quoted, kind)} as {role}"
    if kind == "VARCHAR":
        return f"nullif(trim({quoted}), '') as {role}"
    if role == "customer" and kind in ("DOUBLE", "FLOAT"):
        # Tools that know no missing whole number write ids as 17850.0.
        return f"try_cast({quoted} as bigint) as {role}"
    return f"{quoted} as {role}"


def _date_in_words(connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """How the remaining dates read: the order of day and month in words, and the expression for all dates."""
    # The calendar day as written: the clock time and the zone after it say nothing about the day.
    day = "regexp_replace(date_as_written, '[T ]+\\d{1,2}:\\d{2}.*$', '')"
    year_first = f"case when regexp_matches({day}, '^\\d{{4}}') then {first_format_sql(day, YEAR_FIRST)} end"
    fixed = f"coalesce(plain_date, {year_first})"
    orders = {
        "day before month": first_format_sql(day, DAY_FIRST),
        "month before day": first_format_sql(day, MONTH_FIRST),
    }
    reads = ", ".join(f"count({expression})" for expression in orders.values())
    query = f"select {reads} from rows_read where {fixed} is null"  # noqa: S608
    day_first, month_first = connection.execute(query).fetchone() or (0, 0)
    names = list(orders) if day_first >= month_first else list(reversed(orders))
    order = names[0] if day_first or month_first else ""
    return order, f"coalesce({fixed}, {orders[names[0]]}, {orders[names[1]]})"


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
