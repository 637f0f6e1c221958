"""Voiding a sale and taking goods back: first what goes back by which means, then doing it."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from patron.business.purchases.rules import ReturnedLine
from patron.business.tills.operations import return_goods, void_sale
from patron.business.tills.sales import (
    Foreseen,
    SaleDetails,
    entry_told,
    foresee_return,
    foresee_void,
    get_entry,
    sale_details,
)
from patron.kernel.clock import now as present
from patron.kernel.errors import Conflict, DomainError, InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.till_draft import STALE, number

_CLIENT_ID = re.compile(r"[0-9a-f]{32}\Z")


@page(permission="tills.sell", nav="till-sales")
def take_back(request: PageRequest, entry_id: int) -> HttpResponseBase:
    """Choose lines and quantities, see what goes back, and take the goods back."""
    entry = get_entry(entry_id, request.actor)
    sale = sale_details(entry)
    if not sale.is_sale:
        raise Conflict(_("Only a sale that stands can be returned."))
    given = request.POST if request.method == "POST" else request.GET
    typed = {line.line_no: given.get(f"line-{line.line_no}", "").strip()[:20] for line in sale.lines}
    lines, problems = _chosen(sale, typed)
    foreseen, problem = None, ""
    if lines and not problems:
        try:
            foreseen = foresee_return(sale, lines)
        except DomainError as error:
            problem = str(error.message)
    if request.method == "POST" and lines and not problems:

        def take(client_id: str, at: datetime, now: datetime) -> Any:
            return return_goods(
                entry.terminal,
                client_id,
                sale=entry.client_id,
                lines=lines,
                occurred_at=at,
                cashier=request.actor.name,
                actor=request.actor,
                now=now,
            )

        try:
            return _done(request, entry, take, _("The goods are taken back."))
        except DomainError as error:
            problem = str(error.message)
    elif not lines and "look" in given and not problems:
        problem = _("Type how many of which line come back.")
    rows = [
        {"line": line, "typed": typed[line.line_no], "problem": problems.get(line.line_no, "")} for line in sale.lines
    ]
    context = {"sale": sale, "rows": rows, **_undoing(entry, foreseen, problem)}
    return show(request, "workspace/pages/till_return.html", context, status=422 if problem or problems else 200)


def _chosen(sale: SaleDetails, typed: dict[int, str]) -> tuple[list[ReturnedLine], dict[int, str]]:
    """The lines that come back, and what is wrong with a quantity, by line."""
    lines, problems = [], {}
    for line in sale.lines:
        text = typed[line.line_no]
        quantity = number(text) if text else Decimal(0)
        if quantity is None or quantity < 0 or quantity % Decimal("0.001"):
            problems[line.line_no] = _("Type a quantity.")
        elif quantity > line.left:
            problems[line.line_no] = _("Only %(left)s can still come back.") % {"left": f"{line.left.normalize():f}"}
        elif quantity:
            lines.append(ReturnedLine(line.line_no, quantity))
    return lines, problems


@page(permission="purchases.void", nav="till-sales")
def void(request: PageRequest, entry_id: int) -> HttpResponseBase:
    """See what goes back for a whole sale, and void it."""
    entry = get_entry(entry_id, request.actor)
    sale = sale_details(entry)
    problem = ""
    if request.method == "POST":

        def cancel(client_id: str, _at: datetime, now: datetime) -> Any:
            return void_sale(entry.terminal, client_id, sale=entry.client_id, actor=request.actor, now=now)

        try:
            return _done(request, entry, cancel, _("The sale is voided."))
        except DomainError as error:
            problem = str(error.message)
    elif not sale.may_be_voided:
        problem = _("Only a sale that stands, and of which nothing came back, can be voided.")
    foreseen = foresee_void(sale) if sale.may_be_voided else None
    context = {"sale": sale, **_undoing(entry, foreseen, problem)}
    return show(request, "workspace/pages/till_void.html", context, status=422 if problem else 200)


def _undoing(entry: Any, foreseen: Foreseen | None, problem: str) -> dict[str, Any]:
    points = entry.answer.get("points") or {}
    return {
        "entry": entry,
        "purchase": entry.purchase,
        "foreseen": foreseen,
        "earned": Decimal(points.get("earned", 0)),
        "vouchers": entry.answer.get("vouchers", ()),
        "problem": problem,
        "client_id": uuid4().hex,
        "at": present().isoformat(),
    }


def _done(
    request: PageRequest, entry: Any, act: Callable[[str, datetime, datetime], Any], words: str
) -> HttpResponseBase:
    """Do it under the id that the form drew, so that sending it twice does it once, and on to its receipt."""
    client_id, now = request.POST.get("client_id", ""), present()
    if not _CLIENT_ID.match(client_id):
        raise InvalidInput(details={"field": "client_id"})
    if entry_told(entry.terminal, client_id) is None:
        act(client_id, _moment(request.POST, now), now)
    messages.success(request, words)
    told = entry_told(entry.terminal, client_id)
    return redirect("till-sale", told.pk if told is not None else entry.pk)


def _moment(post: QueryDict, now: datetime) -> datetime:
    """When it counts: when the form was made, so that sending it twice says the same."""
    try:
        at = datetime.fromisoformat(post.get("at", ""))
    except ValueError:
        return now
    return at if at.tzinfo is not None and now - STALE <= at <= now else now
