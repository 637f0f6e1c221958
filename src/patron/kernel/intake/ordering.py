"""The order in which rows go in, and where one transaction ends and the next begins."""

from dataclasses import dataclass

import duckdb

from patron.kernel.intake.contract import Importer
from patron.kernel.intake.sql import identifier


@dataclass(frozen=True, slots=True)
class Slice:
    """Chunk `number` (from 1): positions [start, end) of the ordered table, of which `rows` go in."""

    number: int
    start: int
    end: int
    rows: int


def order(connection: duckdb.DuckDBPyConnection, importer: Importer) -> None:
    """Make the view or table `ordered` (row_no, fields, `position`) and the table `slices`.

    Rows of one `keep_together` group stand together: the group takes the place of its first row. A file that has its
    rows in such an order already, as most have, is left as it is.
    """
    group = ", ".join(identifier(name) for name in importer.keep_together)
    first, *rest = importer.sort_by or importer.keep_together or ("row_no",)
    terms = [first, *rest, *((group,) if group and group not in (first, *rest) else ())]
    scattered = _scattered_groups(connection, group, first) if group else 0
    if not scattered and _is_sorted(connection, first, group):
        connection.execute("CREATE OR REPLACE VIEW ordered AS SELECT *, rowid AS position FROM judged")
    else:
        _sort(connection, terms, group if scattered else "")
    _cut(connection, importer.keep_together, importer.chunk_rows)


def _scattered_groups(connection: duckdb.DuckDBPyConnection, group: str, first: str) -> int:
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE scattered AS
        SELECT {group}, min({first}) AS group_first FROM judged WHERE verdict IS NULL
        GROUP BY {group} HAVING min({first}) <> max({first})
    """)
    row = connection.execute("SELECT count(*) FROM scattered").fetchone()
    return int(row[0]) if row else 0


def _is_sorted(connection: duckdb.DuckDBPyConnection, first: str, group: str) -> bool:
    """Whether rows never go back in `first` and every group is in one piece."""
    broken, pieces = f"bool_or({first} < before)", "0, 0"
    before = f"lag({first}) OVER () AS before"
    if group:
        pieces = f"count(*) FILTER (({group}) IS DISTINCT FROM group_before), count(DISTINCT ({group}))"
        before += f", lag(({group})) OVER () AS group_before"
    row = connection.execute(
        f"SELECT {broken}, {pieces} FROM (SELECT *, {before} FROM judged WHERE verdict IS NULL)"
    ).fetchone()
    return row is None or (not row[0] and row[1] == row[2])


def _sort(connection: duckdb.DuckDBPyConnection, terms: list[str], group: str) -> None:
    table = "judged"
    if group:
        first = f"coalesce(group_first, {terms[0]}) AS group_first"
        table = f"(SELECT judged.*, {first} FROM judged LEFT JOIN scattered USING ({group}))"
        terms = ["group_first", *terms[1:]]
    hidden = " EXCLUDE (group_first)" if group else ""
    connection.execute(f"""
        CREATE OR REPLACE TABLE ordered_rows AS
        SELECT *{hidden} FROM {table} WHERE verdict IS NULL ORDER BY {", ".join(terms)}, row_no
    """)
    connection.execute("CREATE OR REPLACE VIEW ordered AS SELECT *, rowid AS position FROM ordered_rows")


def _cut(connection: duckdb.DuckDBPyConnection, group: tuple[str, ...], size: int) -> None:
    total = _one(connection, "SELECT coalesce(max(position) + 1, 0) FROM ordered")
    bounds, start = [], 0
    while start < total:
        end = min(start + size, total)
        if end < total and group:
            end = _end_of_group(connection, group, end, total)
        bounds.append((start, end))
        start = end
    connection.execute("CREATE OR REPLACE TABLE slices (number INTEGER, start BIGINT, stop BIGINT, size BIGINT)")
    for number, (start, end) in enumerate(bounds, start=1):
        connection.execute(f"""
            INSERT INTO slices SELECT {number}, {start}, {end}, count(*) FROM ordered
            WHERE position >= {start} AND position < {end} AND verdict IS NULL
        """)


def _end_of_group(connection: duckdb.DuckDBPyConnection, group: tuple[str, ...], end: int, total: int) -> int:
    """The first position from `end` on whose group differs from that of the last accepted row before it."""
    names = f"({', '.join(identifier(name) for name in group)})"
    reach = 50_000
    while end < total:
        found = connection.execute(f"""
            SELECT min(position) FROM ordered
            WHERE position >= {end} AND position < {end + reach} AND verdict IS NULL AND {names} IS DISTINCT FROM (
                SELECT {names} FROM ordered
                WHERE verdict IS NULL AND position < {end} AND position >= {max(0, end - 100_000)}
                ORDER BY position DESC LIMIT 1
            )
        """).fetchone()
        if found and found[0] is not None:
            return int(found[0])
        end, reach = min(total, end + reach), reach * 2
    return total


def slices(connection: duckdb.DuckDBPyConnection) -> list[Slice]:
    rows = connection.execute("SELECT number, start, stop, size FROM slices ORDER BY number").fetchall()
    return [Slice(*row) for row in rows]


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
