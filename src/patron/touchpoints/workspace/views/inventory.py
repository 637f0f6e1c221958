"""The customer inventory: customers as stock, by stage and month. Every number opens its customers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from patron.intelligence.mining.inventory import NONE
from patron.intelligence.mining.stages import STAGES
from patron.intelligence.reports.inventory import (
    CellKind,
    Inventory,
    MonthOfStages,
    inventory,
    periods,
    stages_by_month,
)
from patron.intelligence.reports.scope import Scope
from patron.kernel import charts
from patron.kernel.errors import InvalidInput
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.views.figures import no_figures, open_figures


@page(permission="reports.view", nav="inventory")
def customer_inventory(request: PageRequest) -> HttpResponseBase:
    """Opening + new + reactivated − lost = closing, per stage, with flows and the money that each stage carries."""
    figures = open_figures(request)
    if figures is None:
        return no_figures(request, _("Customer inventory"))
    closed = periods(figures.warehouse)
    chosen = _chosen(request.GET.get("month", ""), closed)
    found = inventory(figures.warehouse, figures.scope, chosen) if chosen else None
    links = Links(chosen, figures.scope) if chosen else None
    return show(
        request,
        "workspace/pages/inventory.html",
        {
            **figures.context(),
            "months": [
                {
                    "label": _month_label(day, figures.as_of),
                    "url": f"?month={day.isoformat()}",
                    "current": day == chosen,
                }
                for day in closed
            ],
            "inventory": found,
            "grown": (found.stock.closing - found.stock.opening) if found else 0,
            "stock_urls": {kind: links.to(kind) for kind in ("stock", "new", "reactivated", "lost")} if links else {},
            "lines": _lines(found, links) if found and links else [],
            "sankey": _sankey(found, links) if found and links else None,
            "area": _area(stages_by_month(figures.warehouse, figures.scope)),
        },
    )


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the customers behind the numbers of one period, in one scope."""

    closed_on: date
    scope: Scope

    def to(self, kind: CellKind, stage: str = "", to: str = "") -> str:
        query = {"from_report": "inventory", "month": self.closed_on.isoformat(), "cell": kind, "of": stage, "to": to}
        if self.scope.branch_id is not None:
            query["home"] = str(self.scope.branch_id)
        return f"{reverse('customer-list')}?{urlencode({name: value for name, value in query.items() if value})}"


def _chosen(text: str, closed: list[date]) -> date | None:
    if not text:
        return closed[0] if closed else None
    try:
        wanted = date.fromisoformat(text)
    except ValueError:
        wanted = date.min
    if wanted not in closed:
        raise InvalidInput(_("There is no inventory for this month. Choose one of those listed."))
    return wanted


def _month_label(closed_on: date, as_of: date) -> str:
    return _("This month so far") if closed_on == as_of else formats.day(closed_on, "month")


def _lines(found: Inventory, links: Links) -> list[dict[str, object]]:
    """The rows of the table: each number with the link that opens its customers."""
    return [
        {
            "stage": line.stage,
            "opening": line.opening,
            "opening_url": links.to("opening", line.stage),
            "came": line.came,
            "came_url": links.to("came", line.stage),
            "came_from": _moves(found, links, to=line.stage),
            "left": line.left,
            "left_url": links.to("left", line.stage),
            "left_to": _moves(found, links, of=line.stage),
            "closing": line.closing,
            "closing_url": links.to("closing", line.stage),
            "money": line.closing_money,
            "change": line.closing_money - line.opening_money,
        }
        for line in found.stages
    ]


def _moves(found: Inventory, links: Links, *, of: str = "", to: str = "") -> list[dict[str, object]]:
    """The moves into or out of a stage, the largest first."""
    moves = [
        flow
        for flow in found.flows
        if flow.from_stage != flow.to_stage and (flow.from_stage == of if of else flow.to_stage == to)
    ]
    return [
        {
            "stage": flow.to_stage if of else flow.from_stage,
            "label": _label(flow.to_stage if of else flow.from_stage),
            "customers": flow.customers,
            "url": links.to("flow", flow.from_stage, flow.to_stage),
        }
        for flow in sorted(moves, key=lambda flow: -flow.customers)
    ]


def _label(stage: str) -> str:
    return _("First purchase") if stage == NONE else str(STAGE_LABELS[stage])


def _sankey(found: Inventory, links: Links) -> charts.Chart:
    before = [
        charts.Node(
            f"from-{stage}",
            _label(stage),
            0,
            charts.colour("ink", "muted") if stage == NONE else charts.colour("stage", stage),
        )
        for stage in (NONE, *STAGES)
    ]
    after = [charts.Node(f"to-{stage}", _label(stage), 1, charts.colour("stage", stage)) for stage in STAGES]
    return charts.sankey(
        [*before, *after],
        [
            charts.Flow(
                f"from-{flow.from_stage}",
                f"to-{flow.to_stage}",
                flow.customers,
                links.to("flow", flow.from_stage, flow.to_stage),
            )
            for flow in found.flows
        ],
        counted=_("Customers"),
    )


def _area(months: list[MonthOfStages]) -> charts.Chart | None:
    if not months:
        return None
    return charts.stacked_area(
        [month.closed_on for month in months],
        [
            charts.Band(
                _label(stage),
                charts.colour("stage", stage),
                tuple(Decimal(month.customers.get(stage, 0)) for month in months),
            )
            for stage in STAGES
        ],
    )
