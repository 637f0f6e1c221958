"""DuckDB as the warehouse uses it: bounded memory, its overflow inside the warehouse. No Django."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patron.intelligence.warehouse.manifest import Table

COMPRESSION = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"


def connect(*, memory_mb: int, overflow: Path | None = None) -> Any:
    """An in-memory DuckDB that takes at most `memory_mb`, and spills into the directory `overflow`."""
    import duckdb  # half a second to load: modules that may come to need it should not cost that

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": max(1, min(4, os.cpu_count() or 1)),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if overflow is not None:
        config["temp_directory"] = str(overflow)
    return duckdb.connect(config=config)


def literal(text: object) -> str:
    """As an SQL text literal."""
    return "'" + str(text).replace("'", "''") + "'"


def files_sql(paths: Iterable[Path], *, with_file_name: bool = False) -> str:
    """A FROM item over Parquet files."""
    listed = ", ".join(literal(path) for path in paths)
    # Directories are called after the month: that is for people and other tools, not another column.
    return f"read_parquet([{listed}], hive_partitioning = false{', filename = true' if with_file_name else ''})"


def view_sql(root: Path, table: Table) -> str:
    """The rows of a table of a version, below the warehouse directory `root`; also of one without a row."""
    if table.parts:
        return f"SELECT * FROM {files_sql(root / part.file for part in table.parts)}"  # noqa: S608
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in table.columns.items())
    return f"SELECT {columns} WHERE false"


def write_parquet(connection: Any, query: str, target: Path) -> int:
    """Run `query` into the file `target`; gives the number of rows."""
    copied = connection.execute(f"COPY ({query}) TO {literal(target)} ({COMPRESSION})").fetchone()
    return int(copied[0])


@dataclass(frozen=True, slots=True)
class MonthFile:
    """A file with the rows of one month, and the bounds of the key in it."""

    path: Path
    month: str
    rows: int
    bytes: int
    low: int | None
    high: int | None


def write_months(connection: Any, query: str, place: Path, *, day: str, key: str) -> list[MonthFile]:
    """Run `query` into files of one month each, `month=2026-03/<id>.parquet` below `place`, in one pass.

    `day` is the date column that says which month; rows without one go to `0000-00`.
    """
    month = f"coalesce(strftime({day}, '%Y-%m'), '0000-00')"
    written = connection.execute(
        f"COPY (SELECT *, {month} AS month FROM ({query})) TO {literal(place)} "  # noqa: S608 (our own SQL)
        f"({COMPRESSION}, PARTITION_BY (month), FILENAME_PATTERN '{{uuid}}', OVERWRITE_OR_IGNORE, RETURN_STATS)"
    )
    names = [column[0] for column in written.description]
    files = []
    for row in written.fetchall():
        told = dict(zip(names, row, strict=True))
        bounds = told["column_statistics"].get(f'"{key}"', {})
        files.append(
            MonthFile(
                path=Path(told["filename"]),
                month=told["partition_keys"]["month"],
                rows=int(told["count"]),
                bytes=int(told["file_size_bytes"]),
                low=int(bounds["min"]) if "min" in bounds else None,
                high=int(bounds["max"]) if "max" in bounds else None,
            )
        )
    return files
