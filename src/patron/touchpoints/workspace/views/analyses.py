"""What the house found out: the questions, the page of each answer, its tables as files, and the record of the runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.intelligence.insights.operations import request_analyses
from patron.intelligence.insights.queries import (
    FAILED,
    KEPT_BACK,
    PROMOTED,
    REFUSED,
    RunRecord,
    get_analysis_runs,
    latest_analysis_runs,
)
from patron.kernel import charts, clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.analyses.contract import AnalysisPage, Answer, Group, TablePart
from patron.touchpoints.workspace.analyses.desk import PASSED, Desk, Run
from patron.touchpoints.workspace.analyses.registry import pages
from patron.touchpoints.workspace.analyses.showing import file_header, file_rows, shown
from patron.touchpoints.workspace.findings import labelled
from patron.touchpoints.workspace.metric_words import figure_name, setting_name, written
from patron.touchpoints.workspace.run_sentences import page_notes, proof_name, reasons, told
from patron.touchpoints.workspace.views.figures import Figures, no_figures, open_figures

GROUPS: dict[Group, str | Promise] = {
    "who": gettext_lazy("Who they are"),
    "keep": gettext_lazy("Keep them"),
    "sell": gettext_lazy("Sell them more"),
    "win": gettext_lazy("Win new ones"),
    "prove": gettext_lazy("Prove what works"),
    "plan": gettext_lazy("Plan ahead"),
}
STATUS_LABELS: dict[str, tuple[str | Promise, str]] = {
    PROMOTED: (gettext_lazy("In use"), "good"),
    KEPT_BACK: (gettext_lazy("Kept back"), "warn"),
    REFUSED: (gettext_lazy("Not enough data"), "warn"),
    FAILED: (gettext_lazy("Failed"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the list of questions."""

    page: AnalysisPage
    ready: bool


@page(permission="reports.view", nav="analyses")
def questions(request: PageRequest) -> HttpResponseBase:
    """Every question that the data answer, by what people want to do."""
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, _("Questions"))
    told = _told(figures)
    listed: dict[Group, list[Question]] = {group: [] for group in GROUPS}
    for each in pages().values():
        if request.actor.can(each.permission):
            listed[each.group].append(Question(each, not each.shows or each.shows in told))
    return show(
        request,
        "workspace/pages/analyses.html",
        {
            **figures.context(),
            "groups": [(GROUPS[group], found) for group, found in listed.items() if found],
            "count": sum(len(found) for found in listed.values()),
            "may_see_runs": request.actor.can("insights.parameters"),
        },
    )


@page(permission="reports.view", nav="analyses")
def analysis(request: PageRequest, name: str) -> HttpResponseBase:
    """The answer to one question."""
    about = _page(request, name)
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, str(about.title))
    latest = latest_analysis_runs().get(about.shows)
    if about.shows and about.shows not in _told(figures):
        return show(
            request,
            "workspace/pages/analysis_none.html",
            {
                "page": about,
                "latest": latest,
                "reasons": reasons(latest) if latest is not None else [],
                **figures.context(),
            },
        )
    desk, answer = _answered(request, figures, about)
    return show(
        request,
        "workspace/pages/analysis.html",
        {
            **figures.context(),
            "page": about,
            "answer": answer,
            "parts": shown(answer, actor=request.actor, currency=figures.currency),
            "controls": desk.controls,
            "labelled": labelled(about, request.actor),
            "kept": [(key, value) for key, value in request.GET.items() if key not in {*_names_of(desk), PASSED}],
            "run": desk.run,
            "as_of": desk.as_of,
            "until": desk.until,
            "computed_at": desk.run.computed_at or figures.freshness.checked_at,
            "notes": page_notes(desk.run.notes),
            "latest": latest if latest is not None and latest.status != PROMOTED else None,
            "reasons": reasons(latest) if latest is not None else [],
            "query": request.GET.urlencode(),
            "may_export": request.actor.can("reports.export"),
            "may_see_runs": bool(about.shows) and request.actor.can("insights.parameters"),
        },
    )


@page(permission="reports.export", nav="analyses")
def analysis_export(request: PageRequest, name: str, table: str, file_format: str) -> HttpResponseBase:
    """One table of an answer as a file, all of its rows."""
    about = _page(request, name)
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, str(about.title))
    if about.shows and about.shows not in _told(figures):
        raise NotFound(_("This has not been worked out yet."))
    if not request.actor.can("customers.export"):
        raise PermissionRefused(details={"permission": "customers.export"})
    desk, answer = _answered(request, figures, about)
    part = next((part for part in answer.parts if isinstance(part, TablePart) and part.key == table), None)
    if part is None:
        raise NotFound(_("There is no such table on this page."))
    return download(
        name=f"{name}-{table}-{desk.as_of:%Y-%m-%d}",
        header=file_header(part, _("Customer number")),
        rows=file_rows(part, actor=request.actor),
        file_format=file_format,
    )


@page(permission="insights.parameters", nav="analysis-runs")
def analysis_runs(request: PageRequest) -> HttpResponseBase:
    """The register of models: every analysis with its last run; posting has them all run now."""
    if request.method == "POST":
        request_analyses(actor=request.actor, now=clock.now())
        messages.info(request, _("All analyses are being run; this takes some minutes."))
        return redirect("analysis-runs")
    latest = sorted(latest_analysis_runs().values(), key=lambda run: run.model)
    return show(
        request,
        "workspace/pages/analysis_runs.html",
        {
            "runs": [_line(run) for run in latest],
            "promoted": sum(run.status == PROMOTED for run in latest),
            "held": [run for run in latest if run.status != PROMOTED],
            "may_run": request.actor.can("insights.refresh"),
        },
    )


@page(permission="insights.parameters", nav="analysis-runs")
def analysis_history(request: PageRequest, name: str) -> HttpResponseBase:
    """How one analysis did over time, against its baseline."""
    runs = get_analysis_runs(name)
    if not runs:
        raise NotFound(_("This analysis has never been run."))
    return show(
        request,
        "workspace/pages/analysis_history.html",
        {
            "title": _title(name),
            "name": name,
            "runs": [_line(run) for run in runs],
            "latest": runs[0],
            "reasons": reasons(runs[0]),
            "notes": [[told(note)] for note in runs[0].notes],
            "curve": _course(runs),
            "parameters": _named(name, runs[0].parameters, setting_name),
            "metrics": _named(name, runs[0].metrics, figure_name),
        },
    )


def _page(request: PageRequest, name: str) -> AnalysisPage:
    about = pages().get(name)
    if about is None:
        raise NotFound(_("There is no such page."))
    if not request.actor.can(about.permission):
        raise PermissionRefused(details={"permission": about.permission})
    return about


def _told(figures: Figures) -> Mapping[str, object]:
    results = figures.warehouse.results
    return results.facts if results is not None else {}


def _answered(request: PageRequest, figures: Figures, about: AnalysisPage) -> tuple[Desk, Answer]:
    told = _told(figures).get(about.shows)
    desk = Desk(
        warehouse=figures.warehouse,
        scope=figures.scope,
        place=figures.place,
        currency=figures.currency,
        as_of=figures.as_of,
        actor=request.actor,
        query=request.GET,
        run=Run.read(told) if isinstance(told, dict) else Run(),
    )
    return desk, about.build(desk)


def _names_of(desk: Desk) -> set[str]:
    return {control.name for control in desk.controls}


def _title(name: str) -> str:
    found = next((each for each in pages().values() if each.shows == name), None)
    return str(found.title) if found is not None else name.replace("_", " ").capitalize()


def _line(run: RunRecord) -> dict[str, object]:
    label, tone = STATUS_LABELS[run.status]
    return {
        "run": run,
        "title": _title(run.model),
        "status": label,
        "tone": tone,
        "proof": proof_name(run.metric).text,
        "reasons": reasons(run),
    }


def _named(model: str, values: Mapping[str, Any], name_of: Callable[[str, str], str | None]) -> list[tuple[str, str]]:
    """Figures or settings of a run as people name and write them; those without a value are left out."""
    return [
        (name_of(model, name) or name, written(name, value, currency=settings.CURRENCY))
        for name, value in sorted(values.items())
        if value is not None
    ]


def _course(runs: Sequence[RunRecord]) -> charts.Chart | None:
    """The figure by which the analysis is judged, run by run, with its baseline; None where it is judged by none."""
    judged = [run for run in reversed(runs) if run.value is not None and run.baseline is not None]
    if len(judged) < 2:
        return None
    metric = proof_name(judged[-1].metric).text
    return charts.curves(
        [
            charts.Curve(metric, [(place, run.value or 0.0) for place, run in enumerate(judged, 1)]),
            charts.Curve(
                _("Baseline"), [(place, run.baseline or 0.0) for place, run in enumerate(judged, 1)], dashed=True
            ),
        ],
        x=charts.Series(_("Run"), "count"),
        y=charts.Series(metric, "ratio"),
        reading=reasons(judged[-1])[0].text,
    )
