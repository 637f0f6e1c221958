"""The gift desk: find the member, see what they can have, give it to them."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.gifts import operations
from patron.business.gifts.errors import REFUSAL_WORDS
from patron.business.gifts.queries import (
    Offer,
    find_member,
    find_open_by_code,
    get_gift,
    offers_for,
    orders_of,
    waiting,
    worklist,
)
from patron.business.gifts.rules import Refusal
from patron.business.loyalty.queries import points_balance
from patron.core.accounts.queries import get_visible_branches
from patron.core.customers.search import search_customers
from patron.kernel.actor import Actor
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.errors import Conflict, DomainError, InvalidInput, NotFound
from patron.kernel.ui import formats
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.gifts import FindMemberForm, PickupForm, RedeemForm
from patron.touchpoints.workspace.positions import parse_position, written_position
from patron.touchpoints.workspace.views.gift_stock import branch_at

WORK_PER_PAGE = 30
HITS = 8
SHORT_STATES = {"prepare": "reserved", "ready": "ready", "way": "shipped"}


@page(permission="gifts.redeem", nav="gift-desk")
def desk(request: PageRequest) -> HttpResponseBase:
    """Who stands here and what they can have, beside the gifts that wait to be prepared and picked up."""
    return _desk(request)


def _desk(
    request: PageRequest, *, pickup: PickupForm | None = None, problem: str = "", status: int = 200
) -> HttpResponseBase:
    branch = branch_at(request)
    branch_id = branch.pk if branch else None
    typed = (request.GET.get("q") or request.POST.get("q") or "").strip()[:100]
    state = request.GET.get("state", "")
    after = parse_position(request.GET.get("after", ""))
    kept = {name: value for name, value in (("q", typed), ("branch", request.GET.get("branch", ""))) if value}
    states = [SHORT_STATES[state]] if state in SHORT_STATES else list(SHORT_STATES.values())
    work = worklist(request.actor, branch_id=branch_id, after=after, limit=WORK_PER_PAGE, states=states)
    query = urlencode({name: value for name, value in (("state", state), *kept.items()) if value})
    more = urlencode({"after": written_position(work.following)}) if work.following else ""
    following = f"{reverse('gift-desk')}?{query}&{more}" if more else ""
    context = {
        "branch": branch,
        "branches": get_visible_branches(request.actor) if branch is None else (),
        "typed": typed,
        "find_form": FindMemberForm(initial={"q": typed}),
        "pickup_form": pickup or PickupForm(),
        "problem": problem,
        "waiting": waiting(request.actor, branch_id=branch_id),
        "tabs": _tabs(state, kept),
        "work": work.orders,
        "older_url": following,
        "is_first_page": after is None,
        "today": today(present()),
        "may_fulfil": request.actor.can("gifts.fulfil"),
        "currency": settings.CURRENCY,
        **_who(request, typed, branch),
    }
    return show(request, "workspace/pages/gift_desk.html", context, status=status)


def _tabs(state: str, kept: dict[str, str]) -> list[dict[str, object]]:
    """Views of the work."""
    words = {"": _("All"), "prepare": _("To prepare"), "ready": _("Ready"), "way": _("On the way")}
    return [
        {
            "label": label,
            "url": f"{reverse('gift-desk')}?{urlencode({**kept, 'state': code} if code else kept)}",
            "current": state == code,
        }
        for code, label in words.items()
    ]  # fmt: skip


def _who(request: PageRequest, typed: str, branch: Any) -> dict[str, Any]:
    """The member that was typed, with points, orders and offers; or those it may have meant."""
    if not typed:
        return {}
    now = present()
    try:
        membership = find_member(typed, request.actor)
    except (NotFound, Conflict) as error:
        hits = search_customers(typed, actor=request.actor, limit=HITS) if error.code != "no_such_member" else []
        return {"hits": hits, "not_found": "" if hits and error.code == "not_found" else str(error.message)}
    offers = offers_for(membership, branch=branch, actor=request.actor, now=now) if branch else []
    card = next((card.number for card in membership.active_cards), "")  # type: ignore[attr-defined]
    return {
        "member": membership,
        "member_url": _page_of(membership.customer, request.actor),
        "card": card,
        "shown_card": bool(card) and "".join(c for c in typed if c.isdigit()) == card,
        "points": points_balance(membership, now=now),
        "orders": orders_of(membership, limit=8),
        "offers": [_shown(offer) for offer in offers],
        "can_have": sum(offer.can_have for offer in offers),
    }


def _page_of(customer: Any, actor: Actor) -> str:
    """The customer's page for those who may open it: members of other branches are served, not looked into."""
    mine = actor.branch_ids is None or customer.home_branch_id in actor.branch_ids
    return reverse("customer", args=[customer.number]) if mine else ""


def _shown(offer: Offer) -> dict[str, object]:
    """An offer with the words for why not, and a key for the request that the button sends."""
    why = ""
    if offer.reasons == (Refusal.POINTS,):
        why = _("%(points)s more points are needed.") % {"points": formats.count(offer.missing)}
    elif offer.reasons:
        why = str(REFUSAL_WORDS[offer.reasons[0]])
    return {"offer": offer, "gift": offer.gift, "why": why, "key": get_random_string(24)}


@page(permission="gifts.redeem", nav="gift-desk")
@require_POST
def redeem(request: PageRequest) -> HttpResponseBase:
    """Give the member a gift now, keep it for them, or send it; sent twice, it counts once."""
    form = RedeemForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(details={"field": next(iter(form.errors))})
    given = form.cleaned_data
    member, gift = find_member(given["q"], request.actor), get_gift(given["gift"], request.actor)
    branch = branch_at(request)
    common = {"branch": branch, "request_key": f"desk {given['request_key']}", "actor": request.actor}
    try:
        if given["way"] == "now":
            order = operations.redeem_at_counter(member, gift, now=present(), **common)
            words = _("%(gift)s is theirs: hand it over.")
        elif given["way"] == "send" and not given["address"].strip():
            raise InvalidInput(_("Write the address to send it to."), details={"field": "address"})
        else:
            address = given["address"] if given["way"] == "send" else ""
            order = operations.order_gift(member, gift, delivery_address=address, now=present(), **common)
            words = _("%(gift)s will be sent.") if address else _("%(gift)s is kept. Pick-up code: %(code)s")
            words = words.replace("%(code)s", order.shown_code)
    except DomainError as error:
        return _desk(request, problem=str(error.message), status=error.status)
    messages.success(request, words % {"gift": gift.local_name})
    if order.money:
        due = formats.money(order.money, order.currency)
        messages.warning(request, _("%(money)s is to be paid beside the points.") % {"money": due})
    return redirect(f"{reverse('gift-desk')}?{urlencode({'q': given['q'], 'branch': branch.code})}")


@page(permission="gifts.fulfil", nav="gift-desk")
@require_POST
def pick_up(request: PageRequest) -> HttpResponseBase:
    """Hand over what waits under a pick-up code."""
    form = PickupForm(request.POST)
    if form.is_valid():
        code = form.cleaned_data["code"]
        try:
            order = find_open_by_code(code, request.actor)
            operations.hand_over(order, code=code, actor=request.actor, now=present())
        except NotFound:
            form.add_error("code", _("Nothing waits under this code in your branches. Check it, or find the member."))
        except DomainError as error:
            form.add_error("code", str(error.message))
        else:
            name = order.membership.customer.name or order.membership.customer.number
            messages.success(
                request,
                _("Hand over to %(name)s: %(quantity)s × %(gift)s.")
                % {"name": name, "quantity": order.quantity, "gift": order.gift.local_name},
            )
            named = request.POST.get("branch", "")
            return redirect(reverse("gift-desk") + (f"?{urlencode({'branch': named})}" if named else ""))
    return _desk(request, pickup=form, status=422)
