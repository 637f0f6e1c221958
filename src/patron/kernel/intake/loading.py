"""From ordered rows into PostgreSQL: one chunk, one transaction, one checkpoint.

While PostgreSQL applies a chunk, the next is being written to a file for its COPY; both release the interpreter lock.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection as database
from django.db import transaction

from patron.kernel.actor import Actor
from patron.kernel.intake import values
from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor, Importer, extensions_of, fields_of
from patron.kernel.intake.errors import ImportCancelled
from patron.kernel.intake.ordering import Slice, slices
from patron.kernel.intake.sql import identifier, literal
from patron.kernel.models import ImportRun

TABLE, GROUPS, REJECTS = "intake_chunk", "intake_groups", "intake_rejects"
_BLOCK = 1 << 20


def load(
    prepared: duckdb.DuckDBPyConnection,
    run: ImportRun,
    importer: Importer,
    directory: Path,
    *,
    actor: Actor,
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    """Apply every chunk after the run's checkpoint, then the importer's `finish`.

    Raises ImportCancelled between chunks when someone asked for it; whatever else is raised, the chunks before are in,
    the chunk at work is not.
    """
    todo = [one for one in slices(prepared) if one.number > run.checkpoint]
    with ThreadPoolExecutor(max_workers=1) as ahead:
        waiting = ahead.submit(_write, prepared, importer, todo[0], directory) if todo else None
        for one, following in zip(todo, [*todo[1:], None], strict=True):
            assert waiting is not None  # noqa: S101 (for the type checker: there is a future for each chunk)
            files = waiting.result()
            waiting = ahead.submit(_write, prepared, importer, following, directory) if following else None
            _apply_chunk(run, importer, one, files, directory, actor=actor, now=now)
            files.remove()
            progress(run.rows_done)
    _finish(run, importer, actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class _Files:
    """A chunk on its way: CSV files for PostgreSQL's COPY."""

    rows: Path
    groups: Path | None

    def remove(self) -> None:
        for file in (self.rows, self.groups):
            if file is not None:
                file.unlink(missing_ok=True)


def _write(prepared: duckdb.DuckDBPyConnection, importer: Importer, one: Slice, directory: Path) -> _Files:
    """The rows of a chunk, and its groups where the importer wants them, as CSV that PostgreSQL reads."""
    with prepared.cursor() as mine:
        inside = f"position >= {one.start} AND position < {one.end} AND verdict IS NULL"
        rows, groups = directory / f"chunk-{one.number}.csv", directory / f"groups-{one.number}.csv"
        if not importer.group_columns:
            names = ", ".join(identifier(name) for name, _kind in _row_columns(importer))
            _copy_out(mine, f"SELECT {names} FROM ordered WHERE {inside} ORDER BY position", rows)
            return _Files(rows, None)
        keys = ", ".join(identifier(name) for name in importer.keep_together)
        derived = ", ".join(f"{column.expression} AS {identifier(column.name)}" for column in importer.group_columns)
        mine.execute(f"CREATE OR REPLACE TEMP TABLE slice AS SELECT * FROM ordered WHERE {inside}")
        mine.execute(f"""
            CREATE OR REPLACE TEMP TABLE grouped AS
            SELECT row_number() OVER (ORDER BY min(position)) AS group_no, {keys}, {derived} FROM slice GROUP BY {keys}
        """)
        _copy_out(mine, "FROM grouped ORDER BY group_no", groups)
        names = ", ".join(identifier(name) for name in _staged(importer))
        more = "".join(f", {column.expression} AS {identifier(column.name)}" for column in importer.row_columns)
        joined = f"SELECT slice.*, group_no FROM slice JOIN grouped USING ({keys})"
        select = f"SELECT row_no, {names}, group_no{more} FROM ({joined}) ORDER BY group_no, position"
        _copy_out(mine, select, rows)
        return _Files(rows, groups)


def _copy_out(connection: duckdb.DuckDBPyConnection, select: str, file: Path) -> None:
    connection.execute(f"COPY ({select}) TO {literal(str(file))} (FORMAT csv, HEADER false)")


def _staged(importer: Importer) -> tuple[str, ...]:
    return importer.staged or tuple(field.name for field in fields_of(importer))


def _row_columns(importer: Importer) -> list[tuple[str, str]]:
    """Columns of the chunk's table with their PostgreSQL types, in the order of the file."""
    kinds = {field.name: field.kind for field in fields_of(importer)}
    columns = [("row_no", "bigint"), *((name, values.POSTGRES_TYPES[kinds[name]]) for name in _staged(importer))]
    if importer.group_columns:
        columns.append(("group_no", "bigint"))
    return columns + [(column.name, values.POSTGRES_TYPES[column.kind]) for column in importer.row_columns]


def _group_columns(importer: Importer) -> list[tuple[str, str]]:
    kinds = {field.name: field.kind for field in fields_of(importer)}
    keys = [(name, values.POSTGRES_TYPES[kinds[name]]) for name in importer.keep_together]
    derived = [(column.name, values.POSTGRES_TYPES[column.kind]) for column in importer.group_columns]
    return [("group_no", "bigint"), *keys, *derived]


def _apply_chunk(
    run: ImportRun, importer: Importer, one: Slice, files: _Files, directory: Path, *, actor: Actor, now: datetime
) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        held = ImportRun.objects.select_for_update().only("checkpoint", "cancel_requested").get(pk=run.pk)
        if held.cancel_requested:
            raise ImportCancelled
        if held.checkpoint >= one.number:
            return
        _create_tables(cursor, importer)
        copy_in(cursor, TABLE, files.rows)
        if files.groups is not None:
            copy_in(cursor, GROUPS, files.groups)
        analysed = (
            "row_no",
            *(name for name in (*importer.unique, *importer.keep_together) if name in _staged(importer)),
        )
        cursor.execute(f"ANALYZE {TABLE} ({', '.join(identifier(name) for name in analysed)})")
        cursor.execute(f"ANALYZE {GROUPS} (group_no)")
        counts = _apply(chunk_of(cursor, run, rows=one.rows, actor=actor, now=now), importer)
        rejected = _keep_rejects(cursor, directory / f"rejects-{one.number}.json")
        run.checkpoint = one.number
        run.rows_done += one.rows
        run.counts = merged_counts(run.counts, counts, rejected)
        run.save(update_fields=["checkpoint", "rows_done", "counts"])
        cursor.execute(f"DROP TABLE {TABLE}, {GROUPS}, {REJECTS}")


def copy_in(cursor: Any, table: str, file: Path) -> None:
    """Append the rows of a CSV file to `table`, whose columns it has, in their order."""
    with file.open("rb") as rows, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
        while block := rows.read(_BLOCK):
            copy.write(block)


def chunk_of(cursor: Any, run: ImportRun, *, rows: int, actor: Actor, now: datetime) -> Chunk:
    may_skip = _may_skip_triggers(cursor)

    @contextmanager
    def bulk_insert() -> Iterator[None]:
        if may_skip:
            cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        if may_skip:
            cursor.execute("SET LOCAL session_replication_role = origin")

    return Chunk(
        cursor=cursor,
        table=TABLE,
        groups=GROUPS,
        rejects=REJECTS,
        rows=rows,
        actor=actor,
        now=now,
        run_id=run.pk,
        source=run.source,
        columns=frozenset(run.columns),
        options=run.options,
        bulk_insert=bulk_insert,
    )


def _create_tables(cursor: Cursor, importer: Importer) -> None:
    cursor.execute("SET LOCAL work_mem = '256MB'")
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}, {GROUPS}, {REJECTS}")
    for table, columns in ((TABLE, _row_columns(importer)), (GROUPS, _group_columns(importer))):
        declared = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns)
        cursor.execute(f"CREATE TEMP TABLE {table} ({declared}) ON COMMIT DROP")
    cursor.execute(f"CREATE TEMP TABLE {REJECTS} (row_no bigint, code text, message text) ON COMMIT DROP")


def _may_skip_triggers(cursor: Cursor) -> bool:
    """Whether this role may set session_replication_role (a superuser, or from PostgreSQL 15 one it was granted to)."""
    cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    row = cursor.fetchone()
    return bool(row and row[0])


def _apply(chunk: Chunk, importer: Importer) -> ApplyCounts:
    counts = importer.apply(chunk)
    for extension in extensions_of(importer.name):
        chunk.execute(f"DELETE FROM {TABLE} WHERE row_no IN (SELECT row_no FROM {REJECTS})")
        more = extension.apply(chunk)
        counts += ApplyCounts(created=more.created, treated=more.treated)
    return counts


def _keep_rejects(cursor: Cursor, file: Path) -> dict[str, int]:
    """Keep what `apply` rejected beside the run, before the commit: a chunk that is not committed writes it again."""
    cursor.execute(f"SELECT row_no, min(code), min(message) FROM {REJECTS} GROUP BY row_no ORDER BY row_no")
    rows = cursor.fetchall()
    if rows:
        file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    by_code: dict[str, int] = {}
    for _row, code, _message in rows:
        by_code[code] = by_code.get(code, 0) + 1
    return by_code


def merged_counts(before: Mapping[str, Any], counts: ApplyCounts, rejected: Mapping[str, int]) -> dict[str, Any]:
    """The run's counts with those of one more chunk."""
    earlier = before.get("applied") or {}
    total = ApplyCounts(**earlier) + counts
    refused = dict(before.get("refused") or {})
    for code, rows in rejected.items():
        refused[code] = refused.get(code, 0) + rows
    return {**before, "applied": asdict(total), "refused": refused}


def _finish(run: ImportRun, importer: Importer, *, actor: Actor, now: datetime) -> None:
    declared = [importer.finish, *(extension.finish for extension in extensions_of(importer.name))]
    steps = [step for step in declared if step is not None]
    if not steps:
        return
    with transaction.atomic(), database.cursor() as cursor:
        _create_tables(cursor, importer)
        chunk = chunk_of(cursor, run, rows=run.rows_total, actor=actor, now=now)
        counts = ApplyCounts()
        for step in steps:
            more = step(chunk)
            counts += ApplyCounts(created=more.created, treated=more.treated)
        run.counts = merged_counts(run.counts, counts, {})
        run.save(update_fields=["counts"])
        cursor.execute(f"DROP TABLE {TABLE}, {GROUPS}, {REJECTS}")
