"""Adding what changed to what is there: parts are never edited, only replaced by new ones. No Django."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from patron.intelligence.warehouse.engine import files_sql, write_parquet
from patron.intelligence.warehouse.extraction import describe
from patron.intelligence.warehouse.manifest import Part
from patron.intelligence.warehouse.store import Store

SMALL_ROWS = 100_000
SMALL_PARTS = 12


def merge(store: Store, duck: Any, key: Sequence[str], *, there: Sequence[Part], arrived: Sequence[Part]) -> list[Part]:
    """The parts of a table after `arrived` rows were put in, each replacing the row of the same key.

    Rows that arrive again unchanged change nothing, so that a run may be repeated: when all do, the very same parts
    are given back. Only parts that hold a replaced row are written anew.
    """
    parts = list(there)
    for incoming in arrived:
        parts = _merge_part(store, duck, key, parts, incoming)
    return compacted(store, duck, key, parts)


def _merge_part(store: Store, duck: Any, key: Sequence[str], parts: list[Part], incoming: Part) -> list[Part]:
    touched = [part for part in parts if _overlap(part, incoming)]
    if not touched:
        return [*parts, incoming]
    source = files_sql([store.path(incoming.file)])
    there = files_sql([store.path(part.file) for part in touched])
    named = ", ".join(key)
    cursor = duck.cursor()
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM {source} "  # noqa: S608
        f"EXCEPT SELECT t.* FROM {there} t SEMI JOIN {source} s USING ({named})"
    )
    fresh = int(cursor.execute("SELECT count(*) FROM fresh").fetchone()[0])
    if not fresh:
        cursor.execute("DROP TABLE fresh")
        return parts
    held = files_sql([store.path(part.file) for part in touched], with_file_name=True)
    replaced = dict(
        cursor.execute(
            f"SELECT filename, count(*) FROM {held} SEMI JOIN fresh USING ({named}) GROUP BY filename"  # noqa: S608
        ).fetchall()
    )
    result = []
    for part in parts:
        path = store.path(part.file)
        if str(path) not in replaced:
            result.append(part)
        elif replaced[str(path)] < part.rows:
            kept = f"SELECT * FROM {files_sql([path])} ANTI JOIN fresh USING ({named})"  # noqa: S608
            result.append(_written(store, cursor, key, part, kept))
    if fresh == incoming.rows:
        result.append(incoming)
    else:
        result.append(_written(store, cursor, key, incoming, "SELECT * FROM fresh"))
    cursor.execute("DROP TABLE fresh")
    return result


def compacted(store: Store, duck: Any, key: Sequence[str], parts: Sequence[Part]) -> list[Part]:
    """Many small parts of a month become one: a version an hour would otherwise leave hundreds of files to open.

    So does a table that is not split by month as a whole.
    """
    result = list(parts)
    for month in sorted({part.month for part in parts}):
        small = [part for part in parts if part.month == month and part.rows < SMALL_ROWS]
        if len(small) < SMALL_PARTS:
            continue
        files = files_sql([store.path(part.file) for part in small])
        everything = f"SELECT * FROM {files} ORDER BY {', '.join(key)}"  # noqa: S608
        result = [*(part for part in result if part not in small), _written(store, duck, key, small[0], everything)]
    return result


def _written(store: Store, duck: Any, key: Sequence[str], like: Part, query: str) -> Part:
    """`query` in a new part of the table and the month that the part `like` belongs to."""
    file = store.new_part(like.file.split("/")[1], month=like.month)
    write_parquet(duck, query, store.path(file))
    return replace(describe(store, duck, key[0], file), month=like.month)


def _overlap(part: Part, other: Part) -> bool:
    if part.low is None or part.high is None or other.low is None or other.high is None:
        return True
    return part.low <= other.high and other.low <= part.high
