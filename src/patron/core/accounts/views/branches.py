"""Settings: branches."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from patron.core.accounts import operations
from patron.core.accounts.forms import DAY_LABELS, BranchForm, add_refusal
from patron.core.accounts.registers import get_branch, list_branches
from patron.core.accounts.rules import WEEKDAYS, is_open, shown_intervals
from patron.kernel import clock
from patron.kernel.errors import DomainError
from patron.kernel.ui.pages import PageRequest, page, show


@page(permission="accounts.manage", nav="branch-list")
def branch_list(request: PageRequest) -> HttpResponseBase:
    """Where customers are met."""
    now = clock.now()
    rows = [
        {
            "branch": branch,
            "open": is_open(branch.opening_hours, now.astimezone(ZoneInfo(branch.time_zone))),
            "hours": [
                (DAY_LABELS[day], shown_intervals([(a, b) for a, b in branch.opening_hours[day]]))
                for day in WEEKDAYS
                if branch.opening_hours.get(day)
            ],
        }
        for branch in list_branches(request.actor)
    ]
    return show(request, "accounts/pages/branch_list.html", {"rows": rows})


@page(permission="accounts.manage", nav="branch-list")
def branch_new(request: PageRequest) -> HttpResponseBase:
    """Open a branch."""
    form = BranchForm(request.POST or None, initial={"time_zone": clock.house_zone().key})
    if request.method == "POST" and form.is_valid():
        try:
            operations.create_branch(form.cleaned_data["code"], form.details(), actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("branch-list")
    return show(request, "accounts/pages/branch.html", {"form": form}, status=_status(request))


@page(permission="accounts.manage", nav="branch-list")
def branch(request: PageRequest, code: str) -> HttpResponseBase:
    """One branch: where it is, when it is open."""
    one = get_branch(code, request.actor)
    form = BranchForm(request.POST or None, initial=BranchForm.initial_of(one), existing=True)
    if request.method == "POST" and form.is_valid():
        try:
            operations.update_branch(one, form.details(), actor=request.actor, now=clock.now())
        except DomainError as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("branch-list")
    return show(request, "accounts/pages/branch.html", {"form": form, "branch": one}, status=_status(request))


def _status(request: PageRequest) -> int:
    return 422 if request.method == "POST" else 200
