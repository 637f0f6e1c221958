"""The VIP report: who the 20 % are, what they bring, who came and went."""

from collections.abc import Iterator, Sequence

from django.http import HttpResponseBase, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patron.core.customers.queries.names import get_named_customers
from patron.intelligence.reports.vips import (
    GROUPS,
    MEASURES,
    Group,
    Measure,
    VipRow,
    all_vip_rows,
    has_profit,
    lorenz_curve,
    vip_rows,
    vip_summary,
)
from patron.kernel import charts
from patron.kernel.actor import Actor
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput, PermissionRefused
from patron.kernel.ui.badges import STAGE_LABELS
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.views.figures import Figures, no_figures, open_figures

GROUP_LABELS: dict[Group, Promise | str] = {
    "vips": gettext_lazy("VIPs"),
    "entered": gettext_lazy("Entered"),
    "left": gettext_lazy("Left"),
    "at_risk": gettext_lazy("At risk"),
    "class_a": gettext_lazy("A class"),
}
MOVEMENT_LABELS: dict[str, Promise | str] = {
    "stayed": gettext_lazy("Stayed"),
    "entered": gettext_lazy("Entered"),
    "left": gettext_lazy("Left"),
}


@page(permission="reports.view", nav="vips")
def vips(request: PageRequest) -> HttpResponseBase:
    """The answer, the Lorenz curve, the movement since the end of last month, and the list."""
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, _("VIPs"))
    measure, group = _chosen(request.GET)
    summary = vip_summary(figures.warehouse, figures.scope, measure)
    curve = lorenz_curve(figures.warehouse, figures.scope, measure)
    try:
        found = vip_rows(figures.warehouse, figures.scope, measure, group, after=request.GET.get("after", ""))
    except ValueError as error:
        raise InvalidInput(_("This page of the list is not there any more. Start again from the first.")) from error
    names = get_named_customers((row.customer_id for row in found.rows), request.actor)
    counts = {} if summary is None else {
        "vips": summary.vips, "entered": summary.entered, "left": summary.left, "at_risk": summary.at_risk,
    }  # fmt: skip
    return show(
        request,
        "workspace/pages/vips.html",
        {
            **figures.context(),
            "summary": summary,
            "measure": measure,
            "group": group,
            "lorenz": charts.lorenz([charts.LorenzPoint(step.customers, step.money) for step in curve])
            if curve
            else None,
            "rows": [
                {"customer": names[row.customer_id], "row": row} for row in found.rows if row.customer_id in names
            ],
            "tabs": [
                {
                    "label": label,
                    "url": f"?{_query(request, group=key, after=None)}",
                    "current": key == group,
                    "count": counts.get(key),
                }
                for key, label in GROUP_LABELS.items()
            ],
            "measures": [
                {"label": label, "url": f"?{_query(request, by=key, after=None)}", "current": key == measure}
                for key, label in (("revenue", _("By sales")), ("profit", _("By profit")))
            ]
            if has_profit(figures.warehouse)
            else [],
            "first_url": f"?{_query(request, after=None)}" if request.GET.get("after") else "",
            "next_url": f"?{_query(request, after=found.next_after)}" if found.next_after else "",
            "export_query": _query(request, after=None),
            "may_export": request.actor.can("reports.export"),
        },
        fragment="list",
    )


@page(permission="reports.export", nav="vips")
def vips_export(request: PageRequest, file_format: str) -> HttpResponseBase:
    """The chosen group as a CSV or XLSX file; phones masked as on the page."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, _("VIPs"))
    if not request.actor.can("customers.export"):
        raise PermissionRefused(details={"permission": "customers.export"})
    measure, group = _chosen(request.GET)
    header = [
        _("Rank"), _("Customer number"), _("Name"), _("Phone"), _("Branch"), _("Class"), _("Stage"), _("Amount"),
        _("Share"), _("Cumulative share"), _("Visits"), _("Last visit"), _("Previous amount"), _("Change"),
        _("At risk"),
    ]  # fmt: skip
    return download(
        name=f"{group}-{figures.as_of:%Y-%m-%d}",
        header=header,
        rows=_export_rows(figures, measure, group, request.actor),
        file_format=file_format,
    )


def _export_rows(figures: Figures, measure: Measure, group: Group, actor: Actor) -> Iterator[Sequence[object]]:
    for rows in all_vip_rows(figures.warehouse, figures.scope, measure, group):
        names = get_named_customers((row.customer_id for row in rows), actor)
        for row in rows:
            if row.customer_id in names:
                named = names[row.customer_id]
                yield (
                    row.position, named.number, named.name, named.phone, named.home_branch, row.value_class,
                    _stage(row), row.money, row.share, row.cumulative_share, row.visits, row.last_on,
                    row.previous_money, str(MOVEMENT_LABELS.get(row.movement, "")),
                    _("yes") if row.at_risk else _("no"),
                )  # fmt: skip


def _stage(row: VipRow) -> str:
    return str(STAGE_LABELS.get(row.stage, ""))


def _chosen(query: QueryDict) -> tuple[Measure, Group]:
    measure, group = query.get("by", "revenue"), query.get("group", "vips")
    if measure not in MEASURES or group not in GROUPS:
        raise InvalidInput(_("There is no such list. Open the report again from the navigation."))
    return measure, group


def _query(request: PageRequest, **changes: str | None) -> str:
    """The page's query string with some values changed, those that are None taken out."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return query.urlencode()
