"""One order of a gift: where it stands, how it came there, and what can be done next."""

from typing import Any

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.gifts import operations
from patron.business.gifts.queries import events_of, get_order
from patron.business.gifts.rules import GONE, State, next_states
from patron.kernel.clock import now as present
from patron.kernel.errors import DomainError, InvalidInput
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.gifts import CancelOrderForm, IdentifyForm, PickupForm, ShipForm, refuse_field

ICONS = {
    "reserved": "gift",
    "ready": "package",
    "handed_over": "gift",
    "shipped": "truck-delivery",
    "delivered": "home-check",
    "cancelled": "gift-off",
}


@page(permission="gifts.view", nav="gift-desk")
def order(request: PageRequest, order_id: int) -> HttpResponseBase:
    """An order with its history."""
    return _show(request, get_order(order_id, request.actor))


def _show(
    request: PageRequest, found: Any, *, bound: dict[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    can, following = request.actor.can, next_states(found.state, way=found.way)
    left = found.state in GONE
    return show(
        request,
        "workspace/pages/gift_order.html",
        {
            "order": found,
            "events": [
                {
                    "event": each,
                    "title": each.get_to_state_display(),
                    "text": " · ".join(part for part in (each.actor_name, each.note) if part),
                    "icon": ICONS[each.to_state],
                }
                for each in events_of(found)
            ],
            "may_ready": State.READY in following and can("gifts.fulfil"),
            "may_hand_over": State.HANDED_OVER in following and can("gifts.fulfil"),
            "may_ship": State.SHIPPED in following and can("gifts.fulfil"),
            "may_deliver": State.DELIVERED in following and can("gifts.fulfil"),
            "may_cancel": State.CANCELLED in following and can("gifts.cancel") and (not left or can("gifts.take_back")),
            "has_left": left,
            "pickup_form": PickupForm(),
            "identify_form": IdentifyForm(),
            "ship_form": ShipForm(),
            "cancel_form": _cancel_form(found),
            **(bound or {}),
        },
        status=status,
    )


def _cancel_form(found: Any, data: Any = None) -> CancelOrderForm:
    initial = {"money_refunded": found.money, "goods_back": True}
    return CancelOrderForm(data, initial=initial, has_money=found.money > 0, has_left=found.state in GONE)


@page(permission="gifts.fulfil", nav="gift-desk")
@require_POST
def move(request: PageRequest, order_id: int) -> HttpResponseBase:
    """Make ready, hand over, send or deliver: `to` names the state."""
    found, to = get_order(order_id, request.actor), request.POST.get("to", "")
    given, now = request.POST, present()
    try:
        if to == State.READY:
            operations.mark_ready(found, actor=request.actor, now=now)
        elif to == State.HANDED_OVER:
            operations.hand_over(
                found,
                code=given.get("code", "")[:20],
                identified_by=given.get("identified_by", "")[:100],
                actor=request.actor,
                now=now,
            )
        elif to == State.SHIPPED:
            operations.ship(found, tracking=given.get("tracking", ""), actor=request.actor, now=now)
        elif to == State.DELIVERED:
            operations.deliver(found, actor=request.actor, now=now)
        else:
            raise InvalidInput(details={"field": "to"})
    except DomainError as error:
        if error.details.get("field") != "code":
            raise
        form = PickupForm(request.POST)
        form.full_clean()
        form.errors.pop("code", None)
        form.add_error("code", str(error.message))
        return _show(request, found, bound={"pickup_form": form}, status=error.status)
    messages.success(request, _DONE[State(to)]())
    return redirect("gift-order", found.pk)


_DONE = {
    State.READY: lambda: _("The gift is ready."),
    State.HANDED_OVER: lambda: _("The gift is handed over."),
    State.SHIPPED: lambda: _("The gift is on its way."),
    State.DELIVERED: lambda: _("The gift has arrived."),
}


@page(permission="gifts.cancel", nav="gift-desk")
@require_POST
def cancel(request: PageRequest, order_id: int) -> HttpResponseBase:
    """Cancel an order with a reason; points go back to where they came from."""
    found = get_order(order_id, request.actor)
    form = _cancel_form(found, request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            operations.cancel_order(
                found,
                reason=given["reason"],
                money_refunded=given.get("money_refunded"),
                goods_back=given.get("goods_back", True),
                actor=request.actor,
                now=present(),
            )
        except InvalidInput as error:
            refuse_field(form, error)
        else:
            messages.success(request, _("The order is cancelled, and the points are back."))
            return redirect("gift-order", found.pk)
    return _show(request, found, bound={"cancel_form": form}, status=422)
