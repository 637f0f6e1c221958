"""Lists of customers that other pages point at: "every cell opens its customers".

A page with figures registers what its cells stand for; the customer list then shows exactly those customers, with the
sentence that says who they are, and with its own search, filters, order and export on top.

    register(Selection("inventory", select=customers_of_cell))
    → /customers/?from_report=inventory&month=2026-02&from=mature&to=declining

Registered in a room's `navigation.py` or wherever start-up imports it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound
from patron.kernel.registries import Registry

PARAMETER = "from_report"
MOST_CUSTOMERS = 200_000
"""So many ids a list can carry; a cell with more opens with the first of them, and says so."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What a cell stands for. `sentence` is shown as a filter: "went from mature to declining in February 2026".

    `customer_ids` may name customers that the actor may not see: the list asks for those it may. `back_url` and
    `back_label` lead to the page of the figure.
    """

    customer_ids: Sequence[int]
    sentence: str
    back_url: str = ""
    back_label: str = ""


Select = Callable[[Mapping[str, str], Actor], Selected]


@dataclass(frozen=True, slots=True)
class Selection:
    """One page's figures. `parameters` are the query-string names that `select` reads; others stay the list's own.

    `select` raises InvalidInput or NotFound for parameters that name no figure.
    """

    name: str
    select: Select
    parameters: tuple[str, ...] = ()


selections: Registry[Selection] = Registry("selection of customers", name=lambda selection: selection.name)


def register(selection: Selection) -> Selection:
    """Declare what the figures of a page stand for. Raises ValueError when the name is taken."""
    return selections.register(selection)


def selected(query: Mapping[str, str], actor: Actor) -> tuple[Selection, Selected] | None:
    """The selection that the query string asks for, or None. Raises NotFound for one that nobody registered."""
    name = query.get(PARAMETER, "")
    if not name:
        return None
    if name not in selections:
        raise NotFound(details={PARAMETER: name})
    selection = selections.get(name)
    return selection, selection.select({key: query.get(key, "") for key in selection.parameters}, actor)
