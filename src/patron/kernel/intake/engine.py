"""Importing a file from beginning to end: read, map, judge, load, report.

`import_file` serves the command line, `check_run` and `run_import` the pages and the worker. A run that was killed at
any point goes on after its last chunk when the same file comes again with the same mapping and options; of a file that
is done, everything is found to be there already.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import duckdb
from django.db import Error as DatabaseError
from django.db import connection as database
from django.db import transaction

from patron.kernel.actor import Actor
from patron.kernel.errors import DomainError
from patron.kernel.intake import archives, operations, ordering, words, workspace
from patron.kernel.intake.contract import Importer, fields_of, importers, treatments_of
from patron.kernel.intake.errorfile import write_error_file
from patron.kernel.intake.errors import ImportCancelled, RunBusy, told_plainly
from patron.kernel.intake.inspecting import inspect
from patron.kernel.intake.loading import copy_in, load
from patron.kernel.intake.mapping import map_columns
from patron.kernel.intake.preparing import Findings, prepare
from patron.kernel.intake.readers import Source, open_source
from patron.kernel.intake.reports import Report, report_of
from patron.kernel.intake.sql import identifier, literal
from patron.kernel.models import ImportRun
from patron.kernel.observability.queries import bulk_work

Progress = Callable[[str, int, int], None]
"""Called with the phase (reading, typing, checking, sorting, loading, done), rows done and rows in all."""

_RESUMABLE = (ImportRun.Status.RUNNING, ImportRun.Status.FAILED, ImportRun.Status.CANCELLED, ImportRun.Status.CHECKED)


def _silent(_phase: str, _done: int, _total: int) -> None:
    return


def import_file(
    importer_name: str,
    path: Path,
    *,
    actor: Actor,
    now: datetime,
    columns: Mapping[str, str] | None = None,
    mapping_name: str = "",
    options: Mapping[str, str] | None = None,
    source: str = "",
    encoding: str = "",
    dry_run: bool = False,
    progress: Progress = _silent,
) -> Report:
    """Import the file at `path` (or, with `dry_run`, say what importing it would do).

    `columns` maps field names to headers; fields not named are guessed. Raises DomainError for whatever the
    user can mend: FileUnreadable, FileTooLarge, ColumnsMissing, InvalidInput, RunBusy, DiskFull, DatabaseStopped.
    """
    with told_plainly():
        run = operations.create_run(
            importer=importer_name, file_name=path.name, path=path, source=source, actor=actor, now=now
        )
        run = operations.configure_run(
            run=run,
            columns=columns,
            options=options,
            encoding=encoding,
            mapping_name=mapping_name,
            actor=actor,
            now=now,
        )
    if dry_run:
        report = check_run(run.pk, actor=actor, now=now, progress=progress)
        workspace.clear(workspace.directory_of(run.pk))
        return report
    return run_import(run.pk, actor=actor, now=now, progress=progress)


def check_run(run_id: int, *, actor: Actor, now: datetime, progress: Progress = _silent) -> Report:
    """The dry run: read and judge the file, write nothing but the findings. What was prepared is kept for the run."""
    with told_plainly():
        run = ImportRun.objects.get(pk=run_id)
        with _alone(run):
            try:
                run = _prepared(run, actor=actor, now=now, progress=progress, checked=True)
            except DomainError:
                workspace.clear(workspace.directory_of(run_id))
                raise
    return report_of(run)


def run_import(run_id: int, *, actor: Actor, now: datetime, progress: Progress = _silent) -> Report:
    """Import the file of run `run_id`, or go on with it. Retry-safe at every point.

    The run ends as done, failed or cancelled; a database that is gone leaves it as it was, ready to be resumed.
    """
    started = time.monotonic()
    with told_plainly():
        run = ImportRun.objects.get(pk=run_id)
        with _alone(run):
            run = _resumed(run, actor=actor, now=now)
            try:
                run = operations.begin_work(run=run, actor=actor, now=now)
                run = _prepared(run, actor=actor, now=now, progress=progress, checked=False)
                run = _loaded(run, actor=actor, now=now, progress=progress)
                error_file = _error_file(run)
                run = operations.end_work(
                    run=run,
                    status=ImportRun.Status.DONE,
                    error_file=error_file,
                    seconds=time.monotonic() - started,
                    actor=actor,
                    now=now,
                )
            except BaseException as error:
                _end_badly(run, error, actor=actor, now=now, seconds=time.monotonic() - started)
                raise
            workspace.clear(workspace.directory_of(run.pk))
    progress("done", run.rows_done, run.rows_total)
    return report_of(run)


def _end_badly(run: ImportRun, error: BaseException, *, actor: Actor, now: datetime, seconds: float) -> None:
    """Write the end on the run if the database lets us; otherwise it stays as it is and can be resumed."""
    try:
        with told_plainly():
            raise error
    except ImportCancelled as told:
        status, words_ = ImportRun.Status.CANCELLED, str(told)
    except DomainError as told:
        status, words_ = ImportRun.Status.FAILED, str(told)
    except BaseException as told:  # noqa: BLE001 (whatever ends a run is written on it, then raised on)
        status, words_ = ImportRun.Status.FAILED, f"{type(told).__name__}: {told}"
    try:
        if database.connection is not None and not database.in_atomic_block and not database.is_usable():
            database.close()
        operations.end_work(run=run, status=status, error=words_, seconds=seconds, actor=actor, now=now)
    except (DatabaseError, OSError):
        return


@contextmanager
def _alone(run: ImportRun) -> Iterator[None]:
    """Hold the file's lock: one process at a time works on one file with one importer. Raises RunBusy."""
    key = f"{run.importer}:{Path(run.file_path).resolve()}"
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"patron.intake:{key}"])
        row = cursor.fetchone()
    if not (row and row[0]):
        raise RunBusy
    try:
        yield
    finally:
        try:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"patron.intake:{key}"])
        except DatabaseError:
            database.close()  # the lock went with the connection


def _resumed(run: ImportRun, *, actor: Actor, now: datetime) -> ImportRun:
    """An earlier run of the same file, mapping and options that did not end, instead of `run`; else `run`."""
    if run.fingerprint == "":
        facts = inspect(Path(run.file_path))
        run = operations.record_findings(
            run=run,
            findings={"file_sha256": facts.sha256, "fingerprint": _fingerprint(run, facts.sha256)},
            checked=False,
            actor=actor,
            now=now,
        )
    earlier = (
        ImportRun.objects.filter(fingerprint=run.fingerprint, status__in=_RESUMABLE, checkpoint__gt=0)
        .exclude(pk=run.pk)
        .order_by("-pk")
        .first()
    )
    if earlier is None:
        return run
    operations.end_work(run=run, status=ImportRun.Status.CANCELLED, error=f"→ {earlier.pk}", actor=actor, now=now)
    details = {**earlier.details, "resumed_from": earlier.rows_done}
    return operations.record_findings(
        run=earlier, findings={"details": details, "file_path": run.file_path}, checked=False, actor=actor, now=now
    )


def _fingerprint(run: ImportRun, sha256: str) -> str:
    return workspace.fingerprint(
        sha256=sha256,
        importer=run.importer,
        columns=run.details.get("given") or {},
        options=run.options,
        source=run.source,
        encoding=run.encoding,
    )


def _prepared(run: ImportRun, *, actor: Actor, now: datetime, progress: Progress, checked: bool) -> ImportRun:
    """The run with its rows judged and ordered in its directory: from before, or now."""
    directory = workspace.directory_of(run.pk)
    if run.fingerprint and workspace.is_ready(directory, run.fingerprint) and run.details.get("findings"):
        return run
    workspace.clear(directory)
    path = Path(run.file_path)
    progress("reading", 0, 0)
    facts = inspect(path)
    mark = _fingerprint(run, facts.sha256)
    unpacked = directory / "unpacked"
    unpacked.mkdir(exist_ok=True)
    plain = archives.unpacked(path, unpacked)
    plain_facts = facts if plain == path else inspect(plain)
    importer = importers.get(run.importer)
    with workspace.database(directory) as prepared:
        source = open_source(prepared, plain, plain_facts, directory, encoding=run.encoding or None)
        if not run.headers:
            # Kept at once: where the columns cannot be guessed, people choose among these.
            run = operations.record_findings(
                run=run, findings={"headers": list(source.headers)}, checked=False, actor=actor, now=now
            )
        mapped = map_columns(importer, source.own_headers, run.details.get("given"))
        found = prepare(
            prepared, source, importer, mapped.columns, run.options, step=lambda phase: progress(phase, 0, 0)
        )
        progress("sorting", 0, found.rows)
        ordering.order(prepared, importer)
        known = _known(prepared, importer, run.source, directory) if checked else {}
        prepared.execute("CHECKPOINT")
    workspace.mark_ready(directory, mark)
    guessed = {guess.field: guess.exact for guess in mapped.guesses}
    return operations.record_findings(
        run=run,
        findings={
            "file_sha256": facts.sha256,
            "fingerprint": mark,
            "format": source.format,
            "headers": list(source.headers),
            "columns": mapped.columns,
            "rows_total": found.accepted,
            "first_errors": [error.as_json() for error in found.errors],
            "details": {**run.details, **known, **_details(source, found, guessed)},
        },
        checked=checked,
        actor=actor,
        now=now,
    )


def _details(source: Source, found: Findings, guessed: Mapping[str, bool]) -> dict[str, object]:
    counts = asdict(found)
    return {
        "detected": {
            "format": source.format,
            "encoding": source.encoding,
            "encoding_sure": "yes" if source.encoding_sure else "no",
            "delimiter": source.delimiter,
        },
        "guessed": dict(guessed),
        "dates": found.dates,
        "findings": {name: counts[name] for name in ("rows", "accepted", "rejected", "skipped", "treated")},
    }


def _known(prepared: duckdb.DuckDBPyConnection, importer: Importer, source: str, directory: Path) -> dict[str, int]:
    """How many of the file's things are on file already, where the importer can tell cheaply."""
    keys = importer.unique or importer.keep_together
    if importer.count_known is None or not keys:
        return {}
    names = ", ".join(identifier(key) for key in keys)
    filled = " AND ".join(f"{identifier(key)} IS NOT NULL" for key in keys)
    file = directory / "keys.csv"
    copied = prepared.execute(
        f"COPY (SELECT DISTINCT {names} FROM judged WHERE verdict IS NULL AND {filled}) "
        f"TO {literal(str(file))} (FORMAT csv, HEADER false)"
    ).fetchone()
    keys_in_file = int(copied[0]) if copied else 0
    with transaction.atomic(), database.cursor() as cursor:
        columns = ", ".join(f"{identifier(key)} text" for key in keys)
        cursor.execute(f"CREATE TEMP TABLE intake_keys ({columns}) ON COMMIT DROP")
        copy_in(cursor, "intake_keys", file)
        cursor.execute("ANALYZE intake_keys")
        known = importer.count_known(cursor, "intake_keys", source)
        cursor.execute("DROP TABLE intake_keys")
    file.unlink()
    return {"known": known, "new": keys_in_file - known}


def _loaded(run: ImportRun, *, actor: Actor, now: datetime, progress: Progress) -> ImportRun:
    directory = workspace.directory_of(run.pk)
    total = run.rows_total
    progress("loading", run.rows_done, total)
    with bulk_work(), workspace.database(directory, read_only=True) as prepared:
        load(
            prepared,
            run,
            importers.get(run.importer),
            directory,
            actor=actor,
            now=now,
            progress=lambda done: progress("loading", done, total),
        )
    return run


def _error_file(run: ImportRun) -> str:
    """Write the run's error file and give its path, "" where every row went in."""
    importer = importers.get(run.importer)
    directory = workspace.directory_of(run.pk)
    with workspace.database(directory, read_only=True) as prepared:
        written = write_error_file(
            prepared,
            directory,
            tuple(run.headers),
            chunks_done=run.checkpoint,
            skipping={t.code for t in treatments_of(importer) if t.action == "skip"},
            words=words.messages(importer),
            labels={f.name: run.columns.get(f.name, str(f.label)) for f in fields_of(importer)},
        )
    return str(written) if written else ""
