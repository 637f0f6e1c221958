"""A member's money at the counter: what they hold, the statement, and what may be done with it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.storedvalue import operations
from patron.business.storedvalue.queries import get_wallet_membership, label_of, money_statement, wallet_balance
from patron.core.customers.queries.visible import get_visible_customer
from patron.kernel import clock
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.ui import formats
from patron.kernel.ui.pages import PageRequest, page, show
from patron.kernel.ui.shell import chosen_branch
from patron.touchpoints.workspace.forms import storedvalue as forms
from patron.touchpoints.workspace.forms.customers import refuse
from patron.touchpoints.workspace.positions import parse_position, written_position

LINES_PER_PAGE = 30
FORMS: dict[str, type[Form]] = {
    "deposit": forms.DepositForm,
    "withdraw": forms.WithdrawForm,
    "freeze": forms.FreezeForm,
    "pin": forms.PinForm,
}


@page(permission="storedvalue.view", nav="customer-list")
def wallet(request: PageRequest, number: str) -> HttpResponseBase:
    """What a member holds, and every movement of it."""
    return _render(request, number, _member(request, number))


@page(permission="storedvalue.deposit", nav="customer-list")
@require_POST
def take_deposit(request: PageRequest, number: str) -> HttpResponseBase:
    """Take a deposit."""

    def run(member: Any, given: dict[str, Any]) -> str:
        taken = operations.deposit(
            member,
            given["amount"],
            tender=given["tender"],
            reference=given["reference"],
            request_key=given["request_key"],
            branch_id=_branch_id(request),
            actor=request.actor,
            now=clock.now(),
        )
        bonus = taken.explanation.get("bonus")
        words = _("%(amount)s deposited.") % {"amount": formats.money(taken.amount, places=2)}
        return words + (" " + _("It brought a bonus of %(bonus)s.") % {"bonus": bonus} if bonus else "")

    return _take(request, number, "deposit", run)


@page(permission="storedvalue.withdraw", nav="customer-list")
@require_POST
def pay_out(request: PageRequest, number: str) -> HttpResponseBase:
    """Pay out own money."""

    def run(member: Any, given: dict[str, Any]) -> str:
        taken = operations.withdraw(
            member,
            given["amount"],
            tender=given["tender"],
            reason=given["reason"],
            pin=given["pin"] or None,
            code=given["code"] or None,
            request_key=given["request_key"],
            branch_id=_branch_id(request),
            actor=request.actor,
            now=clock.now(),
        )
        return _("Hand out %(amount)s.") % {"amount": taken.explanation["paid_out"]}

    return _take(request, number, "withdraw", run)


@page(permission="storedvalue.freeze", nav="customer-list")
@require_POST
def freeze_wallet(request: PageRequest, number: str) -> HttpResponseBase:
    """Freeze the money."""

    def run(member: Any, given: dict[str, Any]) -> str:
        operations.freeze(member, reason=given["reason"], actor=request.actor, now=clock.now())
        return _("The money is frozen.")

    return _take(request, number, "freeze", run)


@page(permission="storedvalue.freeze", nav="customer-list")
@require_POST
def unfreeze_wallet(request: PageRequest, number: str) -> HttpResponseBase:
    """Let the money move again."""
    operations.unfreeze(_member(request, number), actor=request.actor, now=clock.now())
    messages.success(request, _("The money can be used again."))
    return redirect("wallet", number)


@page(permission="storedvalue.set_pin", nav="customer-list")
@require_POST
def change_pin(request: PageRequest, number: str) -> HttpResponseBase:
    """Set the PIN that the member typed."""

    def run(member: Any, given: dict[str, Any]) -> str:
        operations.set_pin(member, given["pin"], actor=request.actor, now=clock.now())
        return _("The PIN is set.")

    return _take(request, number, "pin", run)


@page(permission="storedvalue.send_code", nav="customer-list")
@require_POST
def one_time_code(request: PageRequest, number: str) -> HttpResponseBase:
    """Send a one-time code; where it cannot be sent, show it to who may read it out."""
    member = _member(request, number)
    try:
        sent = operations.send_code(member, actor=request.actor, now=clock.now())
    except Conflict as error:
        messages.error(request, str(error.message))
        return redirect("wallet", number)
    if sent.sent_by:
        messages.success(request, _("The code is on its way to the member."))
        return redirect("wallet", number)
    return _render(request, number, member, sent=sent)


def _take(request: PageRequest, number: str, name: str, run: Callable[[Any, dict[str, Any]], str]) -> HttpResponseBase:
    """Run an operation on what the form called `name` holds; refused, it comes back with the words beside the field."""
    member, form = _member(request, number), FORMS[name](request.POST)
    if form.is_valid():
        try:
            done = run(member, form.cleaned_data)
        except InvalidInput as error:
            refuse(form, error)
        except Conflict as error:
            field = str(error.details.get("field", ""))
            form.add_error(field if field in form.fields else None, str(error.message))
        else:
            messages.success(request, done)
            return redirect("wallet", number)
    return _render(request, number, member, bound={name: form}, status=422)


def _render(
    request: PageRequest,
    number: str,
    member: Any,
    *,
    bound: dict[str, Form] | None = None,
    sent: operations.SentCode | None = None,
    status: int = 200,
) -> HttpResponseBase:
    now = clock.now()
    position = parse_position(request.GET.get("before", ""))
    found = money_statement(member, before=position, limit=LINES_PER_PAGE)
    following = urlencode({"before": written_position(found.following)}) if found.following else ""
    can = request.actor.can
    return show(
        request,
        "workspace/pages/wallet.html",
        {
            "customer": member.customer,
            "number": number,
            "wallet": wallet_balance(member, now=now),
            "lines": [{"line": line, "label": label_of(line.transaction)} for line in found.lines],
            "is_first_page": position is None,
            "older_url": f"?{following}" if following else "",
            "forms": {name: (bound or {}).get(name) or form() for name, form in FORMS.items()},
            "open_form": next(iter(bound or {}), ""),
            "sent": sent,
            "may": {
                "deposit": can("storedvalue.deposit"),
                "withdraw": can("storedvalue.withdraw"),
                "freeze": can("storedvalue.freeze"),
                "pin": can("storedvalue.set_pin"),
                "code": can("storedvalue.send_code"),
            },
            "at": now,
        },
        status=status,
    )


def _member(request: PageRequest, number: str) -> Any:
    return get_wallet_membership(get_visible_customer(number, request.actor), request.actor)


def _branch_id(request: PageRequest) -> int | None:
    branch = chosen_branch(request)
    return branch.id if branch else None
