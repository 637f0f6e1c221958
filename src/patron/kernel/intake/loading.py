"""From ordered rows into PostgreSQL: one chunk, one transaction, one checkpoint.

While PostgreSQL applies a chunk, the next is being written to a file for its COPY; both release the interpreter lock.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection as database
from django.db import transaction

from patron.kernel.actor import Actor
from patron.kernel.intake import values
from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor, Importer, ImportField, extensions_of, fields_of
from patron.kernel.intake.errors import ImportCancelled
from patron.kernel.intake.ordering import Slice, slices
from patron.kernel.intake.sql import identifier, literal
from patron.kernel.models import ImportRun

TABLE, REJECTS = "intake_chunk", "intake_rejects"
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
            file = waiting.result()
            waiting = ahead.submit(_write, prepared, importer, following, directory) if following else None
            _apply_chunk(run, importer, one, file, directory, actor=actor, now=now)
            file.unlink()
            progress(run.rows_done)
    _finish(run, importer, directory, actor=actor, now=now)


def _write(prepared: duckdb.DuckDBPyConnection, importer: Importer, one: Slice, directory: Path) -> Path:
    """The rows of a chunk as CSV that PostgreSQL reads."""
    file = directory / f"chunk-{one.number}.csv"
    names = ", ".join(identifier(field.name) for field in fields_of(importer))
    prepared.cursor().execute(f"""
        COPY (
            SELECT row_no, {names} FROM ordered
            WHERE position >= {one.start} AND position < {one.end} AND verdict IS NULL ORDER BY position
        ) TO {literal(str(file))} (FORMAT csv, HEADER false)
    """)
    return file


def _apply_chunk(
    run: ImportRun, importer: Importer, one: Slice, file: Path, directory: Path, *, actor: Actor, now: datetime
) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        held = ImportRun.objects.select_for_update().only("checkpoint", "cancel_requested").get(pk=run.pk)
        if held.cancel_requested:
            raise ImportCancelled
        if held.checkpoint >= one.number:
            return
        chunk = _stage(cursor, run, importer, one, file, actor=actor, now=now)
        counts = _apply(chunk, importer)
        rejected = _keep_rejects(cursor, directory / f"rejects-{one.number}.json")
        run.checkpoint = one.number
        run.rows_done += one.rows
        run.counts = merged_counts(run.counts, counts, rejected)
        run.save(update_fields=["checkpoint", "rows_done", "counts"])
        cursor.execute(f"DROP TABLE {TABLE}, {REJECTS}")


def _stage(
    cursor: Any, run: ImportRun, importer: Importer, one: Slice, file: Path, *, actor: Actor, now: datetime
) -> Chunk:
    fields = fields_of(importer)
    _create_tables(cursor, fields)
    names = ", ".join(identifier(field.name) for field in fields)
    with file.open("rb") as rows, cursor.copy(f"COPY {TABLE} (row_no, {names}) FROM STDIN (FORMAT csv)") as copy:
        while block := rows.read(_BLOCK):
            copy.write(block)
    cursor.execute(f"ANALYZE {TABLE}")
    return chunk_of(cursor, run, rows=one.rows, actor=actor, now=now)


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


def _create_tables(cursor: Cursor, fields: tuple[ImportField, ...]) -> None:
    cursor.execute("SET LOCAL work_mem = '256MB'")
    columns = ", ".join(f"{identifier(field.name)} {values.POSTGRES_TYPES[field.kind]}" for field in fields)
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}, {REJECTS}")
    cursor.execute(f"CREATE TEMP TABLE {TABLE} (row_no bigint NOT NULL, {columns}) ON COMMIT DROP")
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


def _finish(run: ImportRun, importer: Importer, directory: Path, *, actor: Actor, now: datetime) -> None:
    steps = [step.finish for step in (importer, *extensions_of(importer.name)) if step.finish is not None]
    if not steps:
        return
    with transaction.atomic(), database.cursor() as cursor:
        _create_tables(cursor, fields_of(importer))
        chunk = chunk_of(cursor, run, rows=0, actor=actor, now=now)
        counts = ApplyCounts()
        for step in steps:
            more = step(chunk)
            counts += ApplyCounts(created=more.created, treated=more.treated)
        run.counts = merged_counts(run.counts, counts, {})
        run.save(update_fields=["counts"])
        cursor.execute(f"DROP TABLE {TABLE}, {REJECTS}")
