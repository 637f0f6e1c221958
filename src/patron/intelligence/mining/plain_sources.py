"""A CSV or Parquet file as DuckDB reads it: the view ``source``, and SQL that makes numbers and dates of its texts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from patron.intelligence.mining.errors import InputError

FORMATS: Final = (".csv", ".tsv", ".txt", ".parquet")
ENCODING_HINT: Final = "If it is not UTF-8, say so, e.g. --encoding big5hkscs or --encoding gb18030."
DAY_FIRST: Final = ("%d/%m/%y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%y", "%d-%b-%Y")
MONTH_FIRST: Final = ("%m/%d/%y", "%m/%d/%Y", "%m-%d-%Y", "%b %d %Y", "%b %d, %Y")
YEAR_FIRST: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")


@contextmanager
def readable(path: Path, encoding: str) -> Iterator[Path]:
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


def create_source(connection: duckdb.DuckDBPyConnection, source: Path, path: Path) -> None:
    """Make the view ``source`` over the file; the columns of a CSV are all text."""
    name = literal(str(source))
    reader = f"read_parquet({name})"
    if source.suffix.lower() != ".parquet":
        reader = f"read_csv({name}, header = true, all_varchar = true, null_padding = true, store_rejects = true)"
    try:
        connection.execute(f"create view source as from {reader}")
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {first_line(error)} {ENCODING_HINT}") from error


def check_columns(connection: duckdb.DuckDBPyConnection, columns: Iterable[str], path: Path) -> None:
    """Raises :class:`InputError` that lists the columns there are when the file lacks one of ``columns``."""
    there = list(column_types(connection))
    missing = [column for column in columns if column not in there]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; there are: {', '.join(there)}.")


def column_types(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Column → type in DuckDB's words, upper case."""
    return {row[0]: str(row[1]).upper() for row in connection.execute("describe source").fetchall()}


def number_sql(quoted: str, kind: str, number: str = "decimal(18, 4)") -> str:
    """A column as the SQL type ``number``, null where it is none; of texts also money as people write it."""
    plain = f"try_cast({quoted} as {number})"
    if kind != "VARCHAR":
        return plain
    # Also 1,234.50 and HK$ 1,234.50, and (1,234.50) as accountants write what is taken back; 1,5 and 1.234,50 are not
    # guessed at.
    digits = "(\\d{1,3}(,\\d{3})+|\\d+)(\\.\\d+)?"
    fits = f"regexp_matches({quoted}, '^[^0-9.,()-]*[(-]?[^0-9.,()-]*{digits}[)]?[^0-9.,()-]*$')"
    bare = f"regexp_replace({quoted}, '[^0-9.(-]', '', 'g')"
    signed = f"replace({bare}, '(', '-')"
    return f"coalesce({plain}, case when {fits} then try_cast({signed} as {number}) end)"


def plain_date_sql(column: str, kind: str, date_format: str | None) -> str:
    """The date where it needs no guess: typed, in the format given, or written as 2025-03-31 with or without a time."""
    quoted = identifier(column)
    if kind == "DATE":
        return quoted
    if kind.startswith("TIMESTAMP"):
        return f"{quoted}::timestamp::date"
    text = f"trim({quoted}::varchar)"
    if date_format:
        return f"try_strptime({text}, {literal(date_format)})::date"
    return f"case when {text} like '____-__-__%' then try_cast(left({text}, 10) as date) end"


def first_format_sql(text: str, formats: tuple[str, ...]) -> str:
    """The date that the first fitting of ``formats`` reads."""
    return f"try_strptime({text}, [{', '.join(literal(each) for each in formats)}])::date"


def identifier(column: str) -> str:
    """As an SQL name."""
    return '"' + column.replace('"', '""') + '"'


def literal(text: str) -> str:
    """As an SQL text."""
    return "'" + text.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """The sentence of a long message."""
    return str(error).strip().splitlines()[0]
