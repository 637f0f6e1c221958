"""The till: one screen on which a basket is made, priced and sold."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from patron.business.tills.errors import ClientIdReused
from patron.business.tills.operations import commit_sale, create_terminal
from patron.business.tills.queries import get_visible_terminals
from patron.business.tills.sales import entry_told
from patron.business.vouchers.operations import note_wrong_codes
from patron.core.accounts.queries import get_visible_branches
from patron.core.catalog.queries import list_products, price_at, scanned_product
from patron.core.customers.search import search_customers
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.errors import DomainError, NotFound
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.till_counter import CounterView
from patron.touchpoints.workspace.till_draft import MEANS, MOST_ROWS, Draft, many_of
from patron.touchpoints.workspace.till_places import (
    BASKET,
    TERMINAL,
    branches_without,
    counter_code,
    terminal_at,
    terminals_in_use,
)

TEMPLATE = "workspace/pages/till.html"
HITS = 8


@page(permission="tills.sell", nav="till")
@require_safe
def till(request: PageRequest) -> HttpResponseBase:
    """The basket as it was left; or which terminal to sell at."""
    terminal = terminal_at(request)
    if terminal is None or "choose" in request.GET:
        return _choose(request)
    now = present()
    draft = _kept(request)
    draft.touched(now)
    return _screen(request, CounterView(terminal, draft, request.actor, now), focus="till-q")


def _choose(request: PageRequest) -> HttpResponseBase:
    context = {
        "terminals": terminals_in_use(request),
        "branches": branches_without(request),
        "may_manage": request.actor.can("tills.manage"),
        "chosen": request.session.get(TERMINAL),
    }
    return show(request, "workspace/pages/till_choose.html", context)


@page(permission="tills.sell", nav="till")
@require_POST
def choose_terminal(request: PageRequest) -> HttpResponseBase:
    """Sell at this terminal from now on."""
    code = request.POST.get("terminal", "")
    if code not in {terminal.code for terminal in get_visible_terminals(request.actor) if terminal.is_active}:
        raise NotFound
    request.session[TERMINAL] = code
    return redirect("till")


@page(permission="tills.manage", nav="till")
@require_POST
def new_counter(request: PageRequest) -> HttpResponseBase:
    """Set up a counter for a branch that has no terminal, and sell there."""
    branches = {branch.code: branch for branch in get_visible_branches(request.actor)}
    branch = branches.get(request.POST.get("branch", ""))
    if branch is None:
        raise NotFound(_("This branch is not one of yours."))
    taken = {terminal.code for terminal in get_visible_terminals(request.actor)}
    terminal = create_terminal(
        branch, code=counter_code(branch, taken), name=_("Counter"), actor=request.actor, now=present()
    )
    request.session[TERMINAL] = terminal.code
    return redirect("till" if request.actor.can("tills.sell") else "terminals")


@page(permission="tills.sell", nav="till")
@require_POST
def basket(request: PageRequest) -> HttpResponseBase:
    """Take what was typed, scanned or clicked into the basket; or sell it."""
    terminal = terminal_at(request)
    if terminal is None:
        return redirect("till")
    now = present()
    draft = Draft.of_form(request.POST)
    do, _colon, what = request.POST.get("do", "take").partition(":")
    if do == "sell":
        return _sell(request, terminal, draft)
    if do == "clear":
        draft = Draft()
    focus, notes = _changed(request, draft, terminal, do, what)
    draft.touched(now)
    view = CounterView(terminal, draft, request.actor, now)
    if do == "fill" and what in MEANS:
        view.fill(what)
        view.problems = {k: v for k, v in view.problems.items() if not k.startswith("pay-")} | dict(view.due.problems)
        focus = f"pay-{what}"
    if view.refusal and draft.drop_voucher(request.POST.get("voucher_typed", "").strip()):
        notes.append(view.refusal)
        view = CounterView(terminal, draft, request.actor, now)
    notes += _refused_vouchers(request, view)
    if view.problems.get("member"):
        focus = "till-member"
    elif not notes and (wrong := next((key for key in view.problems if key.startswith("price-")), "")):
        focus = wrong
    _keep(request, draft)
    if request.is_fragment:
        return _screen(request, view, focus=focus, notes=notes)
    for note in notes:
        messages.warning(request, note)
    return redirect("till")


def _changed(request: PageRequest, draft: Draft, terminal: Any, do: str, what: str) -> tuple[str, list[str]]:
    """Change the basket as asked. Returns the field to go on with, and what did not work."""
    match do:
        case "add":
            return "till-q", _add(request, draft, terminal, what)
        case "free":
            draft.add("", request.POST.get("q", "").strip() or _("Item"), price=None)
            return f"price-{len(draft.rows) - 1}", []
        case "remove" if what.isdigit() and int(what) < len(draft.rows):
            del draft.rows[int(what)]
        case "voucher":
            draft.use_voucher(what)
        case "unvoucher":
            draft.drop_voucher(what)
        case "member":
            draft.member = what
        case "take":
            return _taken(request, draft, terminal)
    return "till-q", []


def _taken(request: PageRequest, draft: Draft, terminal: Any) -> tuple[str, list[str]]:
    if code := request.POST.get("voucher_typed", "").strip()[:60]:
        draft.use_voucher(code)
    typed = (request.POST.get("scanned") or request.POST.get("q", "")).strip()
    return "till-q", _add(request, draft, terminal, typed) if typed else []


def _add(request: PageRequest, draft: Draft, terminal: Any, typed: str) -> list[str]:
    """Add the product with this code or barcode, else the only one of this name."""
    quantity, text = many_of(typed[:200])
    product = scanned_product(text, request.actor)
    if product is None:
        named = list_products(request.actor, text=text, limit=2).products
        if len(named) != 1:
            words = (
                _("Several products match “%(text)s”. Choose one.") if named else _("No product matches “%(text)s”.")
            )
            return [words % {"text": text}]
        product = named[0]
    if len(draft.rows) >= MOST_ROWS:
        return [_("A basket has at most %(most)s lines. Sell this one first.") % {"most": MOST_ROWS}]
    price = price_at(product, terminal.branch, today(present()))
    draft.add(product.code, product.name, price=price, quantity=quantity)
    return []


def _refused_vouchers(request: PageRequest, view: CounterView) -> list[str]:
    """Take codes that are no vouchers out of the basket again, and say so; they are counted, so that nobody guesses."""
    unknown = [check for check in view.said.get("vouchers", ()) if check["refusal"] == "no_such_voucher"]
    if not unknown:
        return []
    if request.actor.can("vouchers.use"):
        note_wrong_codes(terminal=view.terminal.code, count=len(unknown), actor=request.actor, now=view.now)
    for check in unknown:
        view.draft.drop_voucher(check["code"])
    view.said["vouchers"] = [check for check in view.said["vouchers"] if check not in unknown]
    return [f"{check['code']}: {check['words']}" for check in unknown]


@page(permission="tills.sell", nav="till")
@require_POST
def quoted(request: PageRequest) -> HttpResponseBase:
    """What the basket comes to as it is typed; the basket is remembered."""
    terminal = terminal_at(request)
    if terminal is None:
        return redirect("till")
    now = present()
    draft = Draft.of_form(request.POST)
    draft.touched(now)
    _keep(request, draft)
    view = CounterView(terminal, draft, request.actor, now)
    if not request.is_fragment:
        return redirect("till")
    return show(request, TEMPLATE, view.context() | {"oob": True}, fragment="quoted")


@page(permission="tills.sell", nav="till")
@require_safe
def products(request: PageRequest) -> HttpResponseBase:
    """Products whose code, barcode or name fits what is typed."""
    _quantity, text = many_of(request.GET.get("q", "")[:200])
    found = list_products(request.actor, text=text, limit=HITS).products if len(text) > 1 else ()
    return show(request, "workspace/partials/till_products.html", {"typed": text, "products": found})


@page(permission="tills.sell", nav="till")
@require_safe
def members(request: PageRequest) -> HttpResponseBase:
    """Customers whom the typed text may mean."""
    text = request.GET.get("member", "").strip()[:100]
    found = search_customers(text, actor=request.actor, limit=HITS) if len(text) > 1 else []
    return show(request, "workspace/partials/till_members.html", {"typed": text, "hits": found})


def _sell(request: PageRequest, terminal: Any, draft: Draft) -> HttpResponseBase:
    """Sell the basket, and on to its receipt; sent twice, it is sold once."""
    now = present()
    if (told := entry_told(terminal, draft.client_id)) is not None:
        messages.info(request, _("This basket was sold already."))
        return _sold(request, told, draft)
    view = CounterView(terminal, draft, request.actor, now)
    if not view.may_sell:
        draft.touched(now)
        return _refused(request, view, view.refusal or next(iter(view.problems.values()), _("The basket is empty.")))
    secret = {name: request.POST.get(name, "")[:12] for name in ("pin", "code")}
    try:
        commit_sale(
            terminal,
            draft.client_id,
            basket=view.basket,
            payments=view.due.payments(**secret),
            occurred_at=draft.occurred_at(now),
            cashier=request.actor.name,
            actor=request.actor,
            now=now,
        )
    except ClientIdReused:  # sent twice at the same moment, with something changed in between
        messages.warning(request, _("This basket was sold already. What was changed since was not sold."))
    except DomainError as error:
        draft.touched(now)
        return _refused(request, view, str(error.message))
    return _sold(request, entry_told(terminal, draft.client_id), draft)


def _sold(request: PageRequest, entry: Any, draft: Draft) -> HttpResponseBase:
    """On to the receipt, with the money given for the change; the counter is free for the next basket."""
    kept = _kept(request)
    if kept.client_id == draft.client_id:
        request.session.pop(BASKET, None)
    given = f"?{urlencode({'given': draft.given})}" if draft.given else ""
    return _on_to(request, reverse("till-sale", args=[entry.pk]) + given)


def _refused(request: PageRequest, view: CounterView, words: str) -> HttpResponseBase:
    _keep(request, view.draft)
    return _screen(request, view, focus="till-sell", notes=[words], status=422)


def _screen(
    request: PageRequest, view: CounterView, *, focus: str, notes: list[str] | None = None, status: int = 200
) -> HttpResponseBase:
    context = view.context() | {"focus": focus, "notes": notes or (), "oob": request.is_fragment}
    return show(request, TEMPLATE, context, fragment="changed", status=status)


def _on_to(request: PageRequest, address: str) -> HttpResponseBase:
    if not request.is_fragment:
        return redirect(address)
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def _kept(request: PageRequest) -> Draft:
    return Draft.of_session(request.session.get(BASKET))


def _keep(request: PageRequest, draft: Draft) -> None:
    request.session[BASKET] = draft.as_session()
