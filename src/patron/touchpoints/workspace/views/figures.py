"""What every page of figures needs: the warehouse, the scope chosen, and how fresh the figures are."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.http import HttpResponseBase

from patron.intelligence.insights.queries import Freshness, get_freshness
from patron.intelligence.reports.scope import Scope, scope_for
from patron.intelligence.warehouse.errors import WarehouseMissing
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.kernel.ui.pages import PageRequest, show
from patron.kernel.ui.shell import branches_for, chosen_branch


@dataclass(frozen=True, slots=True)
class Figures:
    """The published figures as one request sees them. `place` names the branch, empty for the whole organisation."""

    warehouse: Warehouse
    freshness: Freshness
    scope: Scope
    place: str

    @property
    def as_of(self) -> date:
        return self.freshness.as_of

    @property
    def currency(self) -> str:
        return str(settings.CURRENCY)

    def context(self) -> dict[str, object]:
        """What the templates of all these pages read."""
        return {
            "as_of": self.as_of,
            "computed_at": self.freshness.checked_at,
            "currency": self.currency,
            "place": self.place,
        }


def open_figures(request: PageRequest) -> Figures | None:
    """The figures for the branch chosen in the top bar; None before the first refresh."""
    freshness = get_freshness()
    if freshness is None:
        return None
    try:
        warehouse = open_warehouse(settings.WAREHOUSE_DIRECTORY)
    except WarehouseMissing:
        return None
    choice = chosen_branch(request)
    scope = scope_for(request.actor, choice.id if choice else None)
    names = {branch.id: branch.name for branch in branches_for(request.actor)} if scope.branch_id is not None else {}
    return Figures(warehouse, freshness, scope, names.get(scope.branch_id or 0, ""))


def no_figures(request: PageRequest, title: str) -> HttpResponseBase:
    """The page of someone who comes before the first refresh: what to do next."""
    return show(request, "workspace/pages/no_figures.html", {"page_title": title})
