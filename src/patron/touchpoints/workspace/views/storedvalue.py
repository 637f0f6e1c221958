"""Stored value for finance: what members hold, the statement of a day, and the terms."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patron.business.storedvalue.operations import set_policy
from patron.business.storedvalue.queries import (
    TENDERS,
    DailyStatement,
    DayLine,
    daily_statement,
    policies,
    stored_value_liability,
)
from patron.kernel import clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import chosen_branch
from patron.touchpoints.workspace.forms.customers import refuse
from patron.touchpoints.workspace.forms.storedvalue import DayForm, PolicyForm

COLUMNS = ("deposit", "bonus", "payment", "refund", "withdrawal", "bonus_back", "expiry")


@page(permission="storedvalue.report", nav="stored-value")
def stored_value(request: PageRequest) -> HttpResponseBase:
    """The statement of a day: for the branch chosen in the top bar, or all that the reader sees."""
    now = clock.now()
    told, day_form = _told(request)
    day = told.day
    return show(
        request,
        "workspace/pages/stored_value.html",
        {
            "owed": stored_value_liability(now=now) if request.actor.branch_ids is None else None,
            "statement": told,
            "lines": [_row(line) for line in told.lines],
            "total": _row(told.total),
            "tenders": _tenders(told.total),
            "day_form": day_form,
            "previous_url": f"?day={(day - timedelta(days=1)).isoformat()}",
            "next_url": f"?day={(day + timedelta(days=1)).isoformat()}" if day < clock.today(now) else "",
            "export_query": urlencode({"day": day.isoformat()}),
            "may_export": request.actor.can("reports.export"),
            "may_manage": request.actor.can("storedvalue.manage"),
            "is_one_branch": chosen_branch(request) is not None,
            "currency": settings.CURRENCY,
            "at": now,
        },
    )


@page(permission="storedvalue.report", nav="stored-value")
def stored_value_export(request: PageRequest, file_format: str) -> HttpResponseBase:
    """The statement of the day as a CSV or XLSX file."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    told, _form = _told(request)
    rows = [*((line.branch or _("No branch"), line) for line in told.lines), (_("Total"), told.total)]
    return download(
        name=f"stored-value-{told.day:%Y-%m-%d}",
        header=[
            _("Branch"), _("Opening"), *(str(label) for _code, label in TENDERS), _("Deposits"), _("Bonus granted"),
            _("Payments"), _("Refunds"), _("Withdrawals"), _("Bonus taken back"), _("Expired"), _("Closing"),
            _("Paid out"),
        ],
        rows=[
            (
                name, line.opening, *(line.by_tender.get(code, Decimal("0.00")) for code, _label in TENDERS),
                *(line.moved[what] for what in COLUMNS), line.closing, line.paid_out,
            )
            for name, line in rows
        ],
        file_format=file_format,
    )  # fmt: skip


@page(permission="storedvalue.manage", nav="stored-value")
def stored_value_terms(request: PageRequest) -> HttpResponseBase:
    """The terms of each programme; posting a programme's form changes them from now on."""
    found = policies()
    forms = {programme.code: PolicyForm.showing(policy, list(tiers)) for programme, policy, tiers in found}
    status = 200
    if request.method == "POST":
        programme = next((p for p, _policy, _tiers in found if p.code == request.POST.get("programme", "")), None)
        if programme is None:
            raise NotFound
        form = forms[programme.code] = PolicyForm(request.POST)
        if form.is_valid():
            policy, tiers = form.given()
            try:
                set_policy(programme, policy=policy, tiers=tiers, actor=request.actor, now=clock.now())
            except InvalidInput as error:
                refuse(form, error)
            else:
                messages.success(request, _("The terms count from now on."))
                return redirect("stored-value-terms")
        status = 422
    return show(
        request,
        "workspace/pages/stored_value_terms.html",
        {"programmes": [(programme, forms[programme.code]) for programme, _policy, _tiers in found]},
        status=status,
    )


def _told(request: PageRequest) -> tuple[DailyStatement, DayForm]:
    today = clock.today(clock.now())
    form = DayForm(request.GET)
    day = (form.cleaned_data["day"] if form.is_valid() else None) or today
    if not date(2000, 1, 1) <= day <= today:
        raise InvalidInput(_("Choose a day that has begun."), details={"field": "day"})
    branch = chosen_branch(request)
    told = daily_statement(request.actor, day=day, branch_id=branch.id if branch else None)
    return told, DayForm(initial={"day": day})


def _row(line: DayLine) -> dict[str, Any]:
    """A line with its amounts in the order of the columns."""
    return {"line": line, "amounts": [line.moved[what] for what in COLUMNS]}


def _tenders(total: DayLine) -> list[tuple[str, Decimal]]:
    return [(str(label), total.by_tender[code]) for code, label in TENDERS if code in total.by_tender]
