"""A member's account statement: every unit, every movement, and why; and giving or taking points by hand."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from patron.business.loyalty.operations import request_adjustment
from patron.business.loyalty.queries import (
    Wanted,
    approvals_of,
    get_membership,
    holdings,
    points_balance,
    statement,
    whole_statement,
)
from patron.core.accounts.names import names_of_actors
from patron.core.customers.queries import get_visible_customer
from patron.kernel import clock
from patron.kernel.downloads import FORMATS, download
from patron.kernel.errors import DomainError, InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.points import AdjustForm
from patron.touchpoints.workspace.periods import beginning_of, parse_day
from patron.touchpoints.workspace.positions import parse_position, written_position

LINES_PER_PAGE = 50

UNITS: Mapping[str, str | Promise] = {
    "points": gettext_lazy("Points"),
    "qualifying": gettext_lazy("Qualifying points"),
    "stamps": gettext_lazy("Stamps"),
}
KINDS: Mapping[str, str | Promise] = {
    "earn": gettext_lazy("Earned"),
    "return": gettext_lazy("Taken back"),
    "spend": gettext_lazy("Spent"),
    "refund": gettext_lazy("Given back"),
    "reserve": gettext_lazy("Reserved"),
    "release": gettext_lazy("Released"),
    "mature": gettext_lazy("Became available"),
    "expire": gettext_lazy("Expired"),
    "adjust": gettext_lazy("Adjusted"),
    "transfer": gettext_lazy("Transferred"),
}


@page(permission="loyalty.view", nav="customer-list")
def points_statement(request: PageRequest, number: str) -> HttpResponseBase:
    """The statement, newest first, a page at a time."""
    return _shown(request, number, AdjustForm(initial={"request_key": uuid4().hex}))


@page(permission="loyalty.view", nav="customer-list")
def points_statement_export(request: PageRequest, number: str, file_format: str) -> HttpResponseBase:
    """The movements that the filters leave, as a file."""
    if file_format not in FORMATS:
        raise InvalidInput(_("Choose CSV or XLSX."))
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    wanted = _wanted(request.GET)
    header = [
        _("When"), _("Movement"), _("Change"), _("Balance"), _("Pending"), _("Reserved"), _("Why"), _("Receipt"),
        _("Number"),
    ]  # fmt: skip
    return download(
        name=f"{wanted.unit}-{number}",
        header=header,
        rows=_rows(whole_statement(membership, wanted=wanted)),
        file_format=file_format,
    )


@page(permission="loyalty.adjust", nav="customer-list")
@require_POST
def points_adjust(request: PageRequest, number: str) -> HttpResponseBase:
    """Give or take points by hand; above the programme's limit it waits for a second person."""
    form = AdjustForm(request.POST)
    if not form.is_valid():
        return _shown(request, number, form, status=422)
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    try:
        done = request_adjustment(
            membership,
            form.cleaned_data["points"],
            reason=form.cleaned_data["reason"],
            request_key=form.cleaned_data["request_key"],
            expires_on=form.cleaned_data["expires_on"],
            actor=request.actor,
            now=clock.now(),
        )
    except DomainError as error:
        field = str(error.details.get("field", ""))
        form.add_error(field if field in form.fields else None, str(error.message))
        return _shown(request, number, form, status=error.status)
    if hasattr(done, "asked_by"):
        messages.info(request, _("These are many points: somebody else has to approve them."))
    else:
        messages.success(request, _("The points are adjusted."))
    return redirect("points-statement", number)


def _shown(request: PageRequest, number: str, form: AdjustForm, *, status: int = 200) -> HttpResponseBase:
    customer = get_visible_customer(number, request.actor)
    membership = get_membership(customer, request.actor)
    now = clock.now()
    wanted = _wanted(request.GET)
    position = parse_position(request.GET.get("before", ""))
    found = statement(membership, before=position, limit=LINES_PER_PAGE, wanted=wanted)
    held = holdings(membership)
    balance = points_balance(membership, now=now)
    waiting = approvals_of(membership)
    chosen = wanted.kinds[0] if wanted.kinds else ""
    return show(
        request,
        "workspace/pages/loyalty_statement.html",
        {
            "customer": customer,
            "membership": membership,
            "customer_url": reverse("customer", args=[customer.number]),
            "unit": wanted.unit,
            "unit_label": UNITS[wanted.unit],
            "units": [
                {"label": label, "url": f"?{_query(request.GET, unit=unit)}", "current": unit == wanted.unit}
                for unit, label in UNITS.items()
                if unit in held
            ],
            "held": held.get(wanted.unit),
            "balance": balance,
            "money": balance.available * membership.programme.point_value,
            "currency": membership.programme.currency,
            "kinds": [{"code": code, "label": label, "current": code == chosen} for code, label in KINDS.items()],
            "from_day": request.GET.get("from", ""),
            "to_day": request.GET.get("to", ""),
            "filtered": bool(wanted.kinds or wanted.since or wanted.until),
            "lines": [{"line": line, "label": KINDS[line.transaction.kind]} for line in found.lines],
            "has_aside": any(line.pending or line.reserved for line in found.lines),
            "first_url": f"?{_query(request.GET)}" if position else "",
            "next_url": f"?{_query(request.GET, before=written_position(found.following))}" if found.following else "",
            "export_query": _query(request.GET),
            "waiting": [
                {"approval": each, "who": names}
                for each, names in zip(waiting, _names([each.asked_by for each in waiting]), strict=True)
            ],
            "may_adjust": request.actor.can("loyalty.adjust"),
            "adjust_form": form,
            "adjust_open": bool(form.errors),
            "limit": membership.programme.four_eyes_above,
            "as_of": now,
        },
        status=status,
    )


def _names(references: Sequence[str]) -> list[str]:
    names = names_of_actors(references)
    return [names[reference] for reference in references]


def _wanted(query: QueryDict) -> Wanted:
    unit, kind = query.get("unit", "points"), query.get("kind", "")
    if unit not in UNITS or (kind and kind not in KINDS):
        raise InvalidInput(_("There is no such statement. Open it again from the member's page."))
    first, last = parse_day(query, "from", date.min), parse_day(query, "to", date.max)
    return Wanted(
        unit=unit,
        kinds=(kind,) if kind else (),
        since=beginning_of(first) if first > date.min else None,
        until=beginning_of(last + timedelta(days=1)) if last < date.max else None,
    )


def _rows(lines: Iterator[Any]) -> Iterator[Sequence[object]]:
    for line in lines:
        movement = line.transaction
        yield (
            clock_local(movement.occurred_at), str(KINDS[movement.kind]), line.amount, line.balance, line.pending,
            line.reserved, line.words, movement.purchase.source_key if movement.purchase else "", movement.pk,
        )  # fmt: skip


def clock_local(at: Any) -> Any:
    """An instant on the organisation's clock, as files show it."""
    return at.astimezone(clock.house_zone()).replace(tzinfo=None)


def _query(query: QueryDict, **changes: str) -> str:
    """The address's filters with some changed; paging starts over."""
    found = query.copy()
    found.pop("before", None)
    for name, value in changes.items():
        found[name] = value
    return found.urlencode()
