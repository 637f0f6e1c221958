"""The lists of customers that numbers on other pages open. What makes them is loaded when somebody opens one."""

from collections.abc import Mapping

from patron.kernel.actor import Actor
from patron.touchpoints.workspace.selections import Selected, Selection, register


def _cell(query: Mapping[str, str], actor: Actor) -> Selected:
    from patron.touchpoints.workspace.cells import select

    return select(query, actor)


def _finding(query: Mapping[str, str], actor: Actor) -> Selected:
    from patron.touchpoints.workspace.findings import select

    return select(query, actor)


register(Selection("inventory", select=_cell, parameters=("month", "cell", "of", "to", "home")))
register(Selection("finding", select=_finding, parameters=("analysis", "found")))
