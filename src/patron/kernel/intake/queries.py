"""Reads of import runs."""

from datetime import datetime
from pathlib import Path

from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused
from patron.kernel.intake.contract import Importer, importers
from patron.kernel.intake.reports import Report, report_of
from patron.kernel.models import ImportMapping, ImportRun


def get_importers(actor: Actor) -> list[Importer]:
    """The kinds of file that the actor may import."""
    return [i for i in importers if actor.can("imports.run") and actor.can(i.permission)]


def get_visible_runs(actor: Actor, *, before: int | None = None, limit: int = 50) -> list[ImportRun]:
    """The latest runs, newest first; older than run `before` for the next page."""
    if not actor.can("imports.run"):
        raise PermissionRefused(details={"permission": "imports.run"})
    runs = ImportRun.objects.filter(importer__in=[i.name for i in get_importers(actor)])
    if before is not None:
        runs = runs.filter(pk__lt=before)
    return list(runs.order_by("-pk")[:limit])


def get_visible_run(actor: Actor, run_id: int) -> ImportRun:
    """One run. Raises NotFound where there is none that the actor may see."""
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is None or not actor.can("imports.run") or run.importer not in importers:
        raise NotFound
    if not actor.can(importers.get(run.importer).permission):
        raise NotFound
    return run


def get_report(actor: Actor, run_id: int) -> Report:
    """What became of a run's file so far; its progress is `rows_done` of `rows_total` on the run itself."""
    return report_of(get_visible_run(actor, run_id))


def get_error_file(actor: Actor, run_id: int) -> Path:
    """The file of rows that did not go in, with reasons. Raises NotFound where there is none."""
    run = get_visible_run(actor, run_id)
    path = Path(run.error_file) if run.error_file else None
    if path is None or not path.is_file():
        raise NotFound
    return path


def get_saved_mappings(actor: Actor, importer: str) -> list[ImportMapping]:
    """Column mappings saved for `importer`, by name."""
    if importer not in {i.name for i in get_importers(actor)}:
        return []
    return list(ImportMapping.objects.filter(importer=importer).order_by("name"))


def get_background_runs(*, started_before: datetime) -> list[int]:
    """Runs that the worker was given before that instant and that have not ended."""
    runs = ImportRun.objects.filter(
        status=ImportRun.Status.RUNNING, started_at__lt=started_before, details__background=True
    )
    return list(runs.order_by("pk").values_list("pk", flat=True))


def get_unfinished_runs(*, created_before: datetime) -> list[int]:
    """Runs that are neither done nor at work, created before that instant."""
    runs = ImportRun.objects.filter(created_at__lt=created_before).exclude(
        status__in=(ImportRun.Status.DONE, ImportRun.Status.RUNNING)
    )
    return list(runs.order_by("pk").values_list("pk", flat=True))
