"""What became of a file, or would: for the command line, the pages and the API alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patron.kernel.intake import words
from patron.kernel.intake.contract import Importer, fields_of, importers
from patron.kernel.models import ImportRun


@dataclass(frozen=True, slots=True)
class TreatmentLine:
    """How many rows of one kind there were, and what was (or will be) done: reject, skip, fix or note."""

    code: str
    label: str
    action: str
    rows: int


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """A row that does not go in: where, what stood there, what to do."""

    row: int
    column: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of rows: `rows` = `accepted` + `rejected` + `skipped`. Counts of things: `added`, `updated`, `unchanged`.

    `known` and `new` are what the dry run expects (None where it cannot cheaply tell). `detected` are pairs of
    what was found out about the file, in words. `columns` maps fields to headers; `guessed` names the fields that
    were guessed, True where the names match exactly.
    """

    run_id: int
    importer: str
    status: str
    rows: int
    accepted: int
    rejected: int
    skipped: int
    added: int
    updated: int
    unchanged: int
    created: dict[str, int]
    known: int | None
    new: int | None
    treatments: tuple[TreatmentLine, ...]
    errors: tuple[ErrorLine, ...]
    detected: dict[str, str]
    columns: dict[str, str]
    guessed: dict[str, bool]
    dates: dict[str, dict[str, Any]]
    error_file: str
    error: str
    seconds: float
    resumed_from: int


def report_of(run: ImportRun) -> Report:
    """The report of a run at any stage."""
    importer = importers.get(run.importer)
    details, counts = run.details or {}, run.counts or {}
    found = details.get("findings") or {}
    applied, refused = counts.get("applied") or {}, counts.get("refused") or {}
    late = sum(refused.values())
    treated = _merged(found.get("treated") or {}, applied.get("treated") or {}, refused)
    return Report(
        run_id=run.pk,
        importer=run.importer,
        status=run.status,
        rows=found.get("rows", 0),
        accepted=found.get("accepted", 0) - late,
        rejected=found.get("rejected", 0) + late,
        skipped=found.get("skipped", 0),
        added=applied.get("added", 0),
        updated=applied.get("updated", 0),
        unchanged=applied.get("unchanged", 0),
        created=dict(applied.get("created") or {}),
        known=details.get("known"),
        new=details.get("new"),
        treatments=_treatments(treated, importer),
        errors=_errors(run.first_errors, importer, run.columns),
        detected=dict(details.get("detected") or {}),
        columns=dict(run.columns),
        guessed=dict(details.get("guessed") or {}),
        dates=dict(details.get("dates") or {}),
        error_file=run.error_file,
        error=run.error,
        seconds=float(details.get("seconds") or 0),
        resumed_from=int(details.get("resumed_from") or 0),
    )


def _merged(*counts: Mapping[str, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in counts:
        for code, rows in part.items():
            total[code] = total.get(code, 0) + rows
    return total


def _treatments(treated: Mapping[str, int], importer: Importer) -> tuple[TreatmentLine, ...]:
    lines = [
        TreatmentLine(code, words.label_of(code, importer), words.action_of(code, importer), rows)
        for code, rows in treated.items()
        if rows
    ]
    weight = {"reject": 0, "skip": 1, "fix": 2, "note": 3}
    return tuple(sorted(lines, key=lambda line: (weight[line.action], -line.rows, line.code)))


def _errors(errors: list[dict[str, Any]], importer: Importer, columns: Mapping[str, str]) -> tuple[ErrorLine, ...]:
    labels = {field.name: str(field.label) for field in fields_of(importer)}
    return tuple(
        ErrorLine(
            row=error["row"],
            column=columns.get(error["field"]) or labels.get(error["field"], ""),
            value=error["value"],
            message=error.get("message") or words.message_of(error["code"], importer),
        )
        for error in errors
    )
