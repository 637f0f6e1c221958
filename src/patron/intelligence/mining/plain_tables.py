"""The plain-file door of the models that read a table of their own: baskets, sequences, features, experiments.

A column becomes what its role needs: a text, a number, a date; where a role takes anything, a column all of whose
values are numbers is numbers, one of dates is dates, another is text. Rows that lack a required value are left out and
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import ibis

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
    literal,
    number_sql,
    readable,
)
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

_NUMBERS: Final = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
_REALS: Final = ("FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What became of the rows of a file; ``missing`` counts, by role, the rows left out for want of its value."""

    read: int
    used: int
    broken_lines: int
    missing: Mapping[str, int]

    def as_rows(self) -> dict[str, int]:
        """The counts for a report."""
        left_out = {f"without_{role}": count for role, count in self.missing.items() if count}
        return {"read": self.read, "used": self.used, **left_out, "broken_lines": self.broken_lines}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know about the rows left out, in sentences."""
        remarks = [
            f"Rows left out because their {role} is missing or cannot be read: {count}."
            for role, count in self.missing.items()
            if count
        ]
        if self.broken_lines:
            remarks.append(
                f"Lines left out because quotes, columns or characters do not fit: {self.broken_lines}. {ENCODING_HINT}"
            )
        return tuple(remarks)


@contextmanager
def opened_table(
    path: Path,
    columns: Mapping[str, str],
    *,
    roles: Sequence[Role],
    many: Mapping[str, Sequence[str]] | None = None,
    date_format: str | None = None,
    encoding: str = "utf-8",
) -> Iterator[tuple[Rows, TableCounts]]:
    """The rows of a file, while the context is open, and what became of them.

    ``columns``: role → column of the file; ``many``: role → its columns, for roles that take several. Raises
    :class:`InputError` for a file, role, column or format that cannot be used.
    """
    several = {name: tuple(chosen) for name, chosen in (many or {}).items() if chosen}
    _check_roles(columns, several, roles)
    connection = duckdb.connect()
    try:
        with readable(path, encoding) as source:
            create_source(connection, source, path)
            check_columns(
                connection, [*columns.values(), *(each for chosen in several.values() for each in chosen)], path
            )
            _create_rows(connection, columns, several, roles, date_format)
            counts = _count(connection, columns, roles, text=path.suffix.lower() != ".parquet")
            if counts.read and not counts.used:
                raise InputError(f"{path} has {counts.read} rows and none can be used. " + " ".join(counts.remarks))
            backend = ibis.duckdb.from_connection(connection)
            yield Rows(backend.table("rows_used"), several), counts
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {first_line(error)} {ENCODING_HINT}") from error
    finally:
        connection.close()


def _check_roles(columns: Mapping[str, str], several: Mapping[str, Sequence[str]], roles: Sequence[Role]) -> None:
    single = {role.name for role in roles if not role.many}
    unknown = [name for name in columns if name not in single]
    if unknown:
        raise InputError(f"There is no role {', '.join(unknown)}; there are: {', '.join(sorted(single))}.")
    for role in roles:
        if role.required and role.name not in (several if role.many else columns):
            option = f"--{role.name} a,b,c" if role.many else f"--columns {role.name}=…"
            raise InputError(
                f"The {role.name} ({role.meaning}) is missing; say which column of the file it is: {option}"
            )
    named = [name for chosen in several.values() for name in chosen]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(f"The column {', '.join(twice)} is named twice; name each once.")
    doubled = [name for name in named if name in columns]
    if doubled:
        raise InputError(
            f"The column {', '.join(doubled)} has the name of a role that another column takes; rename it in the file."
        )


def _create_rows(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
    roles: Sequence[Role],
    date_format: str | None,
) -> None:
    types = column_types(connection)
    # Read once: what follows asks several times what a column holds.
    connection.execute("create temp table source_rows as from source")
    parts = []
    for role in roles:
        chosen = [(name, name) for name in several.get(role.name, ())] if role.many else []
        if not role.many and role.name in columns:
            chosen = [(columns[role.name], role.name)]
        for column, name in chosen:
            parts.append(f"{_typed(connection, column, types[column], role.kind, date_format)} as {identifier(name)}")
    # Names are quoted and texts are literals: nothing of the user's becomes part of the query itself.
    connection.execute(f"create temp table rows_read as select {', '.join(parts)} from source_rows")  # noqa: S608
    needed = [role.name for role in roles if role.required and not role.many]
    whole = " and ".join(f"{identifier(name)} is not null" for name in needed) or "true"
    connection.execute(f"create view rows_used as from rows_read where {whole}")


def _typed(connection: duckdb.DuckDBPyConnection, column: str, kind: str, wanted: str, date_format: str | None) -> str:
    quoted = identifier(column)
    text = f"nullif(trim({quoted}::varchar), '')"
    number = number_sql(quoted, kind, "double")
    finite = f"case when isfinite({number}) then {number} end"
    if wanted == "number":
        return f"{quoted}::double" if kind == "BOOLEAN" else finite
    if wanted == "text":
        # Tools that know no missing whole number write ids as 17850.0.
        whole = f"{quoted} = try_cast({quoted} as bigint)"
        return (
            f"coalesce(case when {whole} then try_cast({quoted} as bigint)::varchar end, {text})"
            if kind in _REALS
            else text
        )
    if wanted == "date":
        return _date(connection, column, kind, date_format)
    if kind == "BOOLEAN" or kind in _NUMBERS or kind.startswith(_REALS):
        return f"{quoted}::bigint" if kind in _NUMBERS else f"{quoted}::double"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return _date(connection, column, kind, date_format)
    for readable_as in (
        f"case when try_cast({text} as double) = try_cast({text} as bigint) then try_cast({text} as bigint) end",
        f"try_cast({text} as double)",
        _date(connection, column, kind, date_format),
    ):
        if _reads_all(connection, text, readable_as):
            return readable_as
    return text


def _date(connection: duckdb.DuckDBPyConnection, column: str, kind: str, date_format: str | None) -> str:
    quoted = identifier(column)
    if kind == "DATE":
        return quoted
    if kind.startswith("TIMESTAMP"):
        return f"{quoted}::timestamp::date"
    text = f"nullif(trim({quoted}::varchar), '')"
    if date_format:
        return f"try_strptime({text}, {literal(date_format)})::date"
    day = f"regexp_replace({text}, '[T ]+\\d{{1,2}}:\\d{{2}}.*$', '')"
    orders = [
        f"coalesce({first_format_sql(day, YEAR_FIRST)}, {first_format_sql(day, each)})"
        for each in (DAY_FIRST, MONTH_FIRST)
    ]
    counted = ", ".join(f"count({each})" for each in orders)
    day_first, month_first = connection.execute(f"select {counted} from source_rows").fetchone() or (0, 0)  # noqa: S608
    return orders[0] if day_first >= month_first else orders[1]


def _reads_all(connection: duckdb.DuckDBPyConnection, text: str, readable_as: str) -> bool:
    query = f"select count({text}), count({readable_as}) from source_rows"  # noqa: S608
    written, read = connection.execute(query).fetchone() or (0, 0)
    return bool(written) and written == read


def _count(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], roles: Sequence[Role], *, text: bool
) -> TableCounts:
    needed = [role.name for role in roles if role.required and not role.many and role.name in columns]
    counted = "".join(f", count(*) filter ({identifier(name)} is null)" for name in needed)
    query = f"select (select count(*) from rows_used), count(*){counted} from rows_read"  # noqa: S608
    used, read, *missing = connection.execute(query).fetchone() or (0, 0)
    broken = (connection.execute("select count(distinct line) from reject_errors").fetchone() or (0,))[0] if text else 0
    return TableCounts(
        read=read + broken, used=used, broken_lines=broken, missing=dict(zip(needed, missing, strict=True))
    )
