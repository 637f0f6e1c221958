"""Terminals: which tills there are, their limits and keys, in use or not."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from patron.business.tills.keys import keys_for
from patron.business.tills.operations import change_terminal, create_terminal
from patron.business.tills.queries import get_visible_terminals
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.clock import now as present
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.gifts import refuse_field
from patron.touchpoints.workspace.forms.till import TerminalForm

FORM = "workspace/pages/terminal_form.html"
SETTINGS = ("name", "is_active", "most_amount", "most_points", "most_voucher_amount", "offline_days")


@page(permission="tills.manage", nav="terminals")
def terminal_list(request: PageRequest) -> HttpResponseBase:
    """Every terminal of the reader's branches."""
    terminals = get_visible_terminals(request.actor)
    context = {
        "terminals": terminals,
        "in_use": sum(terminal.is_active for terminal in terminals),
        "branches": len({terminal.branch_id for terminal in terminals if terminal.is_active}),
        "currency": settings.CURRENCY,
        "may_make_keys": request.actor.can("accounts.keys"),
    }
    return show(request, "workspace/pages/terminals.html", context)


@page(permission="tills.manage", nav="terminals")
def terminal_new(request: PageRequest) -> HttpResponseBase:
    """Set up a terminal."""
    branches = get_visible_branches(request.actor)
    form = TerminalForm(request.POST or None, branches=branches, is_new=True)
    if request.method == "POST" and form.is_valid():
        branch = next(branch for branch in branches if branch.code == form.cleaned_data["branch"])
        try:
            terminal = create_terminal(branch, actor=request.actor, now=present(), **form.changes())
        except (InvalidInput, Conflict) as error:
            refuse_field(form, error)
        else:
            messages.success(request, _("The terminal is set up. Give it a key if a till of another maker uses it."))
            return redirect("terminal-edit", terminal.code)
    return show(request, FORM, {"form": form}, status=422 if form.errors else 200)


@page(permission="tills.manage", nav="terminals")
def terminal_edit(request: PageRequest, code: str) -> HttpResponseBase:
    """Change what a terminal may do, or take it out of use."""
    terminal: Any = next((each for each in get_visible_terminals(request.actor) if each.code == code), None)
    if terminal is None:
        raise NotFound
    keys = keys_for(terminal.branch, request.actor, terminal=terminal)
    initial = {name: getattr(terminal, name) for name in SETTINGS} | {"key": terminal.key_id}
    form = TerminalForm(request.POST or None, initial=initial, keys=keys, is_new=False)
    if request.method == "POST" and form.is_valid():
        try:
            change_terminal(terminal, actor=request.actor, now=present(), **form.changes())
        except (InvalidInput, Conflict) as error:
            refuse_field(form, error)
        else:
            messages.success(request, _("The terminal is changed."))
            return redirect("terminals")
    return show(request, FORM, {"form": form, "terminal": terminal, "keys": keys}, status=422 if form.errors else 200)
