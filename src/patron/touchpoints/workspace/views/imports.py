"""Imports: upload, column mapping with guesses, dry run, run with progress, result with the rows that did not go in."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.kernel import clock
from patron.kernel.errors import InvalidInput
from patron.kernel.intake import operations
from patron.kernel.intake.contract import Importer, ImportOption, fields_of, importers, options_of
from patron.kernel.intake.mapping import ENGINE_OPTIONS, YES_NO
from patron.kernel.intake.queries import (
    get_error_file,
    get_importers,
    get_saved_mappings,
    get_visible_run,
    get_visible_runs,
)
from patron.kernel.intake.reports import report_of
from patron.kernel.ui.pages import PageRequest, page, show

ENCODINGS = (("", "auto"), ("utf-8", "UTF-8"), ("big5", "Big5"), ("gb18030", "GB18030"), ("utf-16", "UTF-16"))
PAGE = 25


class UploadForm(forms.Form):
    """A file and what kind of rows it holds."""

    importer = forms.ChoiceField()
    file = forms.FileField()

    def __init__(self, kinds: list[Importer], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, file = self.fields["importer"], self.fields["file"]
        kind.label, file.label = _("What the rows are"), _("File (CSV, XLSX or Parquet)")
        kind.choices = [(i.name, i.label) for i in kinds]  # type: ignore[attr-defined]


@page(permission="imports.run", nav="imports")
def import_list(request: PageRequest) -> HttpResponseBase:
    """The imports so far, and the form for the next file."""
    kinds = get_importers(request.actor)
    form = UploadForm(kinds, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload: UploadedFile[bytes] = form.cleaned_data["file"]
        now = clock.now()
        run = operations.create_run(
            importer=form.cleaned_data["importer"],
            file_name=upload.name or "file",
            stream=upload.file,
            actor=request.actor,
            now=now,
        )
        operations.start_check(run=run, actor=request.actor, now=now)
        return redirect("import", run.pk)
    before = request.GET.get("before", "")
    runs = get_visible_runs(request.actor, before=int(before) if before.isdigit() else None, limit=PAGE + 1)
    return show(
        request,
        "workspace/pages/imports.html",
        {
            "form": form,
            "runs": [(run, importers.get(run.importer)) for run in runs[:PAGE]],
            "next_url": f"?before={runs[PAGE - 1].pk}" if len(runs) > PAGE else "",
            "first_url": "?" if before else "",
        },
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One drop-down of the mapping form."""

    name: str
    label: str
    help: str
    required: bool
    value: str
    choices: tuple[tuple[str, str], ...]


@page(permission="imports.run", nav="imports")
def import_run(request: PageRequest, run_id: int) -> HttpResponseBase:
    """One import at any stage; while something works, the fragment `state` is asked for every second."""
    run = get_visible_run(request.actor, run_id)
    importer = importers.get(run.importer)
    details = run.details or {}
    given = details.get("given") or {}
    columns = {**(run.columns or {}), **given}
    headers = (("", _("— not in the file —")), *((h, h) for h in run.headers))
    return show(
        request,
        "workspace/pages/import.html",
        {
            "run": run,
            "importer": importer,
            "report": report_of(run),
            "working": bool(details.get("checking")) or run.status == run.Status.RUNNING,
            "checking": bool(details.get("checking")),
            "refused": details.get("refused", ""),
            "open": run.status in {run.Status.UPLOADED, run.Status.CHECKED},
            "columns": [
                Choice(f"column-{f.name}", str(f.label), str(f.help), f.required, columns.get(f.name, ""), headers)
                for f in fields_of(importer)
            ]
            if run.headers
            else [],
            "options": [_option(option, run.options) for option in (*ENGINE_OPTIONS, *options_of(importer))],
            "encodings": Choice("encoding", _("Encoding"), "", False, run.encoding, _translated(ENCODINGS)),
            "mappings": get_saved_mappings(request.actor, run.importer),
        },
        fragment="state",
    )


def _option(option: ImportOption, chosen: dict[str, str]) -> Choice:
    choices = option.choices or YES_NO if option.default in {"yes", "no"} else option.choices
    return Choice(
        f"option-{option.name}",
        str(option.label),
        str(option.help),
        False,
        chosen.get(option.name, option.default),
        _translated(choices),
    )


def _translated(choices: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, str], ...]:
    words = {"auto": _("find out"), "yes": _("yes"), "no": _("no")}
    return tuple((value, words.get(str(label), str(label))) for value, label in choices)


@require_POST
@page(permission="imports.run", nav="imports")
def import_configure(request: PageRequest, run_id: int) -> HttpResponseBase:
    """Read the file again with the columns and options chosen, or with a saved mapping."""
    run = get_visible_run(request.actor, run_id)
    now = clock.now()
    saved = request.POST.get("mapping", "")
    run = operations.configure_run(
        run=run,
        columns=None if saved else _chosen(request, "column-"),
        options=None if saved else _chosen(request, "option-"),
        encoding=request.POST.get("encoding", ""),
        mapping_name=saved,
        actor=request.actor,
        now=now,
    )
    if name := request.POST.get("save_as", "").strip():
        operations.save_mapping(
            importer=run.importer,
            name=name,
            columns=_chosen(request, "column-"),
            options=run.options,
            actor=request.actor,
            now=now,
        )
        messages.success(request, _("The mapping is saved as “%(name)s”.") % {"name": name})
    operations.start_check(run=run, actor=request.actor, now=now)
    return redirect("import", run_id)


def _chosen(request: PageRequest, prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): str(value) for name, value in request.POST.items() if name.startswith(prefix)}


@require_POST
@page(permission="imports.run", nav="imports")
def import_start(request: PageRequest, run_id: int) -> HttpResponseBase:
    """Have the worker import the file."""
    run = get_visible_run(request.actor, run_id)
    if run.details.get("checking"):
        raise InvalidInput(_("The file is still being read. Wait a moment."))
    operations.start_run(run=run, actor=request.actor, now=clock.now())
    return redirect("import", run_id)


@require_POST
@page(permission="imports.run", nav="imports")
def import_cancel(request: PageRequest, run_id: int) -> HttpResponse:
    """Stop; what is in stays in."""
    operations.cancel_run(run=get_visible_run(request.actor, run_id), actor=request.actor, now=clock.now())
    messages.info(request, _("The import stops after the rows at work."))
    return redirect("import", run_id)


@page(permission="imports.run", nav="imports")
def import_errors(request: PageRequest, run_id: int) -> HttpResponseBase:
    """The rows that did not go in, with the reasons, as a file to mend and import again."""
    path = get_error_file(request.actor, run_id)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv; charset=utf-8")
