"""Which terminal somebody sells at: remembered for the session."""

import re
from typing import Any

from patron.business.tills.queries import get_visible_terminals
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.ui.context import shell
from patron.kernel.ui.pages import PageRequest

TERMINAL, BASKET = "till_terminal", "till_basket"


def terminals_in_use(request: PageRequest) -> list[Any]:
    """The terminals in use that the reader may sell at; those of the branch chosen in the top bar, if one is."""
    branch = shell(request)["shell"].branch
    return [
        terminal
        for terminal in get_visible_terminals(request.actor)
        if terminal.is_active and (branch is None or terminal.branch_id == branch.id)
    ]


def terminal_at(request: PageRequest) -> Any:
    """The terminal that was chosen, or the only one there is; None where one is to be chosen or set up first."""
    offered = terminals_in_use(request)
    chosen = request.session.get(TERMINAL)
    named = next((terminal for terminal in offered if terminal.code == chosen), None)
    return named or (offered[0] if len(offered) == 1 else None)


def branches_without(request: PageRequest) -> list[Any]:
    """The branches in sight that have no terminal in use."""
    branch = shell(request)["shell"].branch
    served = {terminal.branch_id for terminal in terminals_in_use(request)}
    return [
        each
        for each in get_visible_branches(request.actor)
        if each.pk not in served and (branch is None or each.pk == branch.id)
    ]


def counter_code(branch: Any, taken: set[str]) -> str:
    """A free code for the counter of a branch: KLN-COUNTER, KLN-COUNTER-2 …"""
    letters = re.sub(r"[^A-Za-z0-9._-]+", "", branch.code)[:20] or f"B{branch.pk}"
    code, number = f"{letters}-COUNTER", 1
    while code in taken:
        number += 1
        code = f"{letters}-COUNTER-{number}"
    return code
