"""The customers behind the numbers of the inventory, for the customer list."""

from collections.abc import Mapping
from datetime import date

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from patron.intelligence.mining.inventory import NONE
from patron.intelligence.mining.stages import STAGES
from patron.intelligence.reports.inventory import CELL_KINDS, Cell, all_cell_rows
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import open_warehouse
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, PermissionRefused
from patron.kernel.ui import formats
from patron.kernel.ui.badges import STAGE_LABELS
from patron.touchpoints.workspace.selections import MOST_CUSTOMERS, Selected


def select(query: Mapping[str, str], actor: Actor) -> Selected:
    """The customers of one cell, the most money first. `home` narrows to a branch."""
    if not actor.can("reports.view"):
        raise PermissionRefused(details={"permission": "reports.view"})
    cell = _cell(query)
    warehouse = open_warehouse(settings.WAREHOUSE_DIRECTORY)
    ids: list[int] = []
    for rows in all_cell_rows(warehouse, Scope(int(query["home"]) if query.get("home", "").isdigit() else None), cell):
        ids += (row.customer_id for row in rows)
        if len(ids) >= MOST_CUSTOMERS:
            break
    return Selected(
        customer_ids=ids[:MOST_CUSTOMERS],
        sentence=_sentence(cell),
        back_url=f"{reverse('inventory')}?month={cell.closed_on.isoformat()}",
        back_label=_("Customer inventory"),
    )


def _cell(query: Mapping[str, str]) -> Cell:
    kind, stage, to = query.get("cell", ""), query.get("of", ""), query.get("to", "")
    try:
        closed_on = date.fromisoformat(query.get("month", ""))
    except ValueError:
        kind = ""
    if kind not in CELL_KINDS or {stage, to} - {"", NONE, *STAGES}:
        raise InvalidInput(_("This is no number of the inventory. Open the report again and choose one."))
    return Cell(closed_on, kind, stage, to)


def _sentence(cell: Cell) -> str:
    named = {
        "month": formats.day(cell.closed_on),
        "stage": _("first purchase") if cell.stage == NONE else str(STAGE_LABELS.get(cell.stage, "")),
        "to": str(STAGE_LABELS.get(cell.to, "")),
    }
    sentences = {
        "opening": _("%(stage)s at the opening of the period to %(month)s"),
        "came": _("became %(stage)s in the period to %(month)s"),
        "left": _("no longer %(stage)s in the period to %(month)s"),
        "closing": _("%(stage)s on %(month)s"),
        "flow": _("%(stage)s → %(to)s in the period to %(month)s"),
        "new": _("new in the period to %(month)s"),
        "reactivated": _("came back in the period to %(month)s"),
        "lost": _("lost in the period to %(month)s"),
        "stock": _("in stock on %(month)s"),
    }
    return sentences[cell.kind] % named
