"""Applying one chunk of a file of branches: set-based SQL over the chunk's table, in the chunk's transaction."""

from django.conf import settings

from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor

# Columns of the file and of the branch that go by the same name; what a file leaves empty is left as it is.
COLUMNS = ("name", "address", "city", "country", "latitude", "longitude", "time_zone", "phone")


def apply_branches(chunk: Chunk) -> ApplyCounts:
    """Insert what is new, fill in what changed."""
    added = chunk.execute(
        f"""
        INSERT INTO accounts_branch (
            code, name, address, city, country, latitude, longitude, time_zone, phone, opening_hours, is_active
        )
        SELECT t.code, coalesce(t.name, t.code), coalesce(t.address, ''), coalesce(t.city, ''),
            upper(coalesce(t.country, '')), t.latitude::numeric, t.longitude::numeric, coalesce(t.time_zone, %s),
            coalesce(t.phone, ''), '{{}}'::jsonb, true
        FROM {chunk.table} AS t LEFT JOIN accounts_branch AS b ON b.code = t.code WHERE b.id IS NULL
        ORDER BY t.row_no ON CONFLICT (code) DO NOTHING
        """,  # noqa: S608 (the engine's table)
        [settings.TIME_ZONE],
    )
    columns = [name for name in COLUMNS if name in chunk.columns]
    updated = 0
    if columns:
        updated = chunk.execute(
            f"""
            UPDATE accounts_branch AS b SET {", ".join(f"{name} = {_new(name)}" for name in columns)}
            FROM {chunk.table} AS t WHERE b.code = t.code
              AND ({" OR ".join(f"{_new(name)} IS DISTINCT FROM b.{name}" for name in columns)})
            """  # noqa: S608 (columns and table are ours)
        )
    rows = chunk.execute(f"SELECT 1 FROM {chunk.table}")  # noqa: S608 (the engine's table)
    return ApplyCounts(added=added, updated=updated, unchanged=rows - added - updated)


def _new(column: str) -> str:
    cast = "::numeric(9, 6)" if column in {"latitude", "longitude"} else ""
    return f"coalesce(t.{column}{cast}, b.{column})"


def count_known_branches(cursor: Cursor, table: str, _source: str) -> int:
    """How many of the codes in `table` are on file."""
    cursor.execute(f"SELECT count(*) FROM {table} AS t JOIN accounts_branch AS b ON b.code = t.code")  # noqa: S608
    row = cursor.fetchone()
    return int(row[0]) if row else 0
