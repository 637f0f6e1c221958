"""Every write about imports that is not the importing itself: runs begun, checked, started, ended; mappings saved."""

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused
from patron.kernel.intake.contract import Importer, importers
from patron.kernel.intake.errors import FileTooLarge, RunBusy, RunEnded, told_plainly
from patron.kernel.intake.mapping import chosen_options
from patron.kernel.intake.workspace import directory_of
from patron.kernel.models import ImportMapping, ImportRun
from patron.kernel.operation import operation

_UNENDED = (ImportRun.Status.UPLOADED, ImportRun.Status.CHECKED, ImportRun.Status.RUNNING)


def _allowed_importer(name: str, actor: Actor) -> Importer:
    try:
        importer = importers.get(name)
    except LookupError as error:
        raise NotFound(
            _("There is no import of “%(name)s”. There are: %(names)s.")
            % {"name": name, "names": ", ".join(importers.names())}
        ) from error
    if not actor.can(importer.permission):
        raise PermissionRefused(details={"permission": importer.permission})
    return importer


@operation(permission="imports.run")
def create_run(
    *,
    importer: str,
    file_name: str,
    actor: Actor,
    now: datetime,
    path: Path | None = None,
    stream: IO[bytes] | None = None,
    source: str = "",
) -> ImportRun:
    """A run for a file that lies at `path` (left where it is) or comes as `stream` (kept in the run's directory).

    Raises NotFound for an unknown importer or file, FileTooLarge, DiskFull.
    """
    kind = _allowed_importer(importer, actor)
    if (path is None) == (stream is None):
        raise ValueError("give a path or a stream")
    if path is not None and not path.is_file():
        raise NotFound(_("There is no file “%(path)s”.") % {"path": path})
    run = ImportRun.objects.create(
        importer=kind.name,
        file_name=Path(file_name).name[:255],
        file_path=str(path.resolve()) if path else "",
        source=source or kind.default_source,
        options=chosen_options(kind, None),
        created_by=actor.reference,
        created_by_name=actor.name[:200],
        created_at=now,
    )
    if stream is not None:
        with told_plainly():
            run.file_path = str(_keep(stream, directory_of(run.pk), Path(file_name).name))
    run.file_bytes = Path(run.file_path).stat().st_size
    run.save(update_fields=["file_path", "file_bytes"])
    return run


def _keep(stream: IO[bytes], directory: Path, name: str) -> Path:
    """The uploaded bytes as a file; nothing is left of one that is too large or does not fit on the disk."""
    target = directory / "upload" / (name or "file")
    target.parent.mkdir(mode=0o700, exist_ok=True)
    size = 0
    try:
        with target.open("wb") as file:
            while block := stream.read(1 << 20):
                size += len(block)
                if size > settings.UPLOAD_MAX_BYTES:
                    raise FileTooLarge(
                        _("The file is larger than %(limit)d MB. Import it on the server with “patron import”.")
                        % {"limit": settings.UPLOAD_MAX_BYTES >> 20}
                    )
                file.write(block)
    except BaseException:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise
    return target


@operation(permission="imports.run")
def configure_run(
    *,
    run: ImportRun,
    actor: Actor,
    now: datetime,
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    encoding: str = "",
    source: str = "",
    mapping_name: str = "",
) -> ImportRun:
    """Say how a file that has not gone in yet is to be read. What is not given is guessed or takes its default.

    With `mapping_name`, columns and options saved under it apply where none are given.
    """
    importer = _allowed_importer(run.importer, actor)
    held = _unended(run)
    if held.status == ImportRun.Status.RUNNING:
        raise RunBusy
    saved = _saved_mapping(importer.name, mapping_name) if mapping_name else None
    held.details = {**held.details, "given": dict(columns if columns is not None else (saved.columns if saved else {}))}
    held.options = chosen_options(importer, options if options is not None else (saved.options if saved else None))
    held.encoding = encoding
    held.mapping_name = mapping_name
    held.source = source or held.source
    held.save(update_fields=["details", "options", "encoding", "mapping_name", "source"])
    return held


def _saved_mapping(importer: str, name: str) -> ImportMapping:
    saved = ImportMapping.objects.filter(importer=importer, name=name).first()
    if saved is None:
        raise NotFound(_("No column mapping is saved under “%(name)s”.") % {"name": name})
    return saved


@operation(permission="imports.run")
def record_findings(
    *, run: ImportRun, actor: Actor, now: datetime, findings: Mapping[str, Any], checked: bool
) -> ImportRun:
    """Keep what reading the file found: fields of the run by name. `checked` says that this was the dry run."""
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    for name, value in findings.items():
        setattr(held, name, value)
    names = list(findings)
    if checked:
        held.status = ImportRun.Status.CHECKED
        names.append("status")
    held.save(update_fields=names)
    return held


@operation(permission="imports.run")
def start_check(*, run: ImportRun, actor: Actor, now: datetime) -> ImportRun:
    """Have the worker dry-run the run's file. Raises RunEnded, RunBusy for a run that is importing."""
    from patron.kernel.intake.job import check_in_background  # jobs need Django's registry of apps
    from patron.kernel.jobs import defer

    _allowed_importer(run.importer, actor)
    held = _unended(run)
    if held.status == ImportRun.Status.RUNNING:
        raise RunBusy
    held.status = ImportRun.Status.UPLOADED
    held.details = {**held.details, "checking": True, "refused": ""}
    held.save(update_fields=["status", "details"])
    defer(check_in_background, run_id=held.pk)
    return held


@operation(permission="imports.run")
def end_check(*, run_id: int, refused: str, actor: Actor, now: datetime) -> ImportRun:
    """Note that the dry run has ended; `refused` says why the file cannot be read as it was to be, empty if it can."""
    held = ImportRun.objects.select_for_update().get(pk=run_id)
    held.details = {**held.details, "checking": False, "refused": refused}
    held.save(update_fields=["details"])
    return held


@operation(permission="imports.run")
def start_run(*, run: ImportRun, actor: Actor, now: datetime) -> ImportRun:
    """Have the worker import the run's file. Raises RunEnded for a run that is done, RunBusy for one at work."""
    from patron.kernel.intake.job import import_in_background  # jobs need Django's registry of apps
    from patron.kernel.jobs import defer

    _allowed_importer(run.importer, actor)
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    if held.status == ImportRun.Status.DONE:
        raise RunEnded
    if held.status == ImportRun.Status.RUNNING:
        raise RunBusy
    held.status = ImportRun.Status.RUNNING
    held.cancel_requested = False
    held.error = ""
    held.started_at = held.started_at or now
    held.details = {**held.details, "background": True}
    held.save(update_fields=["status", "cancel_requested", "error", "started_at", "details"])
    defer(import_in_background, run_id=held.pk)
    return held


@operation(permission="imports.run")
def begin_work(*, run: ImportRun, actor: Actor, now: datetime) -> ImportRun:
    """Mark the run as being worked on (by the worker, or by the command line)."""
    _allowed_importer(run.importer, actor)
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    if held.status == ImportRun.Status.DONE:
        raise RunEnded
    held.status = ImportRun.Status.RUNNING
    held.cancel_requested = False
    held.error = ""
    held.started_at = held.started_at or now
    held.finished_at = None
    held.save(update_fields=["status", "cancel_requested", "error", "started_at", "finished_at"])
    return held


@operation(permission="imports.run")
def end_work(
    *,
    run: ImportRun,
    actor: Actor,
    now: datetime,
    status: str,
    error: str = "",
    error_file: str = "",
    seconds: float = 0.0,
) -> ImportRun:
    """Mark the run as done, failed or cancelled."""
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    held.status = status
    held.error = error
    held.error_file = error_file
    held.finished_at = now
    held.details = {**held.details, "seconds": round(held.details.get("seconds", 0) + seconds, 3)}
    held.save(update_fields=["status", "error", "error_file", "finished_at", "details"])
    return held


@operation(permission="imports.run")
def cancel_run(*, run: ImportRun, actor: Actor, now: datetime) -> ImportRun:
    """Stop a run: at once where it has not begun, after the chunk at work where it has. What is in stays in."""
    held = _unended(run)
    held.cancel_requested = True
    if held.status != ImportRun.Status.RUNNING:
        held.status = ImportRun.Status.CANCELLED
        held.finished_at = now
    held.save(update_fields=["cancel_requested", "status", "finished_at"])
    return held


@operation(permission="imports.run")
def save_mapping(
    *,
    importer: str,
    name: str,
    columns: Mapping[str, str],
    actor: Actor,
    now: datetime,
    options: Mapping[str, str] | None = None,
) -> ImportMapping:
    """Save a column mapping (and options) under `name`, replacing an earlier one of that name."""
    kind = _allowed_importer(importer, actor)
    if not name.strip():
        raise InvalidInput(_("Give the mapping a name."), details={"field": "name"})
    saved, _created = ImportMapping.objects.update_or_create(
        importer=kind.name,
        name=name.strip()[:100],
        defaults={"columns": dict(columns), "options": chosen_options(kind, options), "updated_at": now},
    )
    return saved


def _unended(run: ImportRun) -> ImportRun:
    held = ImportRun.objects.select_for_update().get(pk=run.pk)
    if held.status not in _UNENDED:
        raise RunEnded
    return held
