"""The gift catalogue: what is offered, and setting it up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from patron.business.gifts import operations
from patron.business.gifts.errors import GiftCodeTaken
from patron.business.gifts.queries import catalogue, get_gift, redemption_figures
from patron.kernel.clock import now as present
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.ui.context import shell
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.forms.gifts import GiftForm, refuse_field

FIGURE_DAYS = 30
LONGEST_QUERY = 100


@page(permission="gifts.view", nav="gifts")
def gift_list(request: PageRequest) -> HttpResponseBase:
    """The catalogue as cards, with price and what is free in the chosen branch or in all."""
    withdrawn = request.GET.get("show") == "withdrawn"
    text = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    branch = shell(request)["shell"].branch
    branch_id = branch.id if branch else None
    now = present()
    figures = {
        each.code: each
        for each in redemption_figures(
            request.actor, since=now - timedelta(days=FIGURE_DAYS), until=now, branch_id=branch_id
        )
    }
    rows = catalogue(request.actor, branch_id=branch_id, text=text, is_active=not withdrawn)
    return show(
        request,
        "workspace/pages/gifts.html",
        {
            "rows": [{"gift": row.gift, "free": row.free, "is_low": row.is_low, "figures": figures.get(row.gift.code)}
                     for row in rows],
            "pieces": sum(each.pieces for each in figures.values()),
            "points": sum((each.points for each in figures.values()), Decimal(0)),
            "days": FIGURE_DAYS,
            "place": branch.name if branch else "",
            "text": text,
            "withdrawn": withdrawn,
            "tabs": [
                {"label": _("Offered"), "url": "?", "current": not withdrawn},
                {"label": _("Withdrawn"), "url": "?show=withdrawn", "current": withdrawn},
            ],
            "currency": settings.CURRENCY,
            "may_manage": request.actor.can("gifts.manage"),
            "new_gift_url": reverse("gift-new") if request.actor.can("gifts.manage") else "",
            "as_of": now,
        },
    )  # fmt: skip


@page(permission="gifts.manage", nav="gifts")
def gift_new(request: PageRequest) -> HttpResponseBase:
    """Put a gift into the catalogue."""
    form = GiftForm(request.POST, request.FILES) if request.method == "POST" else GiftForm()
    if request.method != "POST":
        return _form(request, form)
    if not form.is_valid():
        return _form(request, form, status=422)
    now = present()
    try:
        gift = operations.define_gift(form.cleaned_data["code"], form.details(), actor=request.actor, now=now)
    except (InvalidInput, GiftCodeTaken) as error:
        refuse_field(form, error)
        return _form(request, form, status=error.status)
    if form.cleaned_data["picture"]:
        try:
            operations.set_gift_picture(gift, form.cleaned_data["picture"], actor=request.actor, now=now)
        except InvalidInput as error:
            messages.warning(request, str(error.message))
            return redirect("gift-edit", gift.code)
    messages.success(request, _("%(gift)s is in the catalogue. Now put some on the shelves.") % {"gift": gift.name})
    return redirect("gift-stock")


@page(permission="gifts.manage", nav="gifts")
def gift_edit(request: PageRequest, code: str) -> HttpResponseBase:
    """Say anew what a gift is and costs; a new picture replaces the old one."""
    gift = get_gift(code, request.actor)
    if request.method != "POST":
        return _form(request, GiftForm(initial=_initial(gift), has_code=False), gift=gift)
    form = GiftForm(request.POST, request.FILES, has_code=False)
    if not form.is_valid():
        return _form(request, form, gift=gift, status=422)
    now = present()
    try:
        if form.cleaned_data["picture"]:
            operations.set_gift_picture(gift, form.cleaned_data["picture"], actor=request.actor, now=now)
        elif "no_picture" in request.POST:
            operations.set_gift_picture(gift, None, actor=request.actor, now=now)
        operations.change_gift(gift, form.details(), actor=request.actor, now=now)
    except InvalidInput as error:
        refuse_field(form, error)
        return _form(request, form, gift=gift, status=422)
    messages.success(request, _("The gift is changed. Orders that were made keep what they cost."))
    return redirect("gifts")


@page(permission="gifts.manage", nav="gifts")
@require_POST
def gift_offer(request: PageRequest, code: str) -> HttpResponseBase:
    """Withdraw a gift, or offer it again."""
    gift = get_gift(code, request.actor)
    if gift.is_active:
        operations.withdraw_gift(gift, actor=request.actor, now=present())
        messages.success(request, _("The gift is no longer offered. Orders that were made stand."))
    else:
        operations.offer_gift(gift, actor=request.actor, now=present())
        messages.success(request, _("The gift is offered again."))
    return redirect("gifts")


@page(permission="gifts.view", nav="gifts")
def gift_picture(request: PageRequest, code: str) -> HttpResponseBase:
    """The gift's picture, for those who may see the catalogue. Its name is new whenever the picture is."""
    gift = get_gift(code, request.actor)
    if not gift.picture:
        raise NotFound(details={"picture": code})
    kind = "image/png" if str(gift.picture.name).endswith(".png") else "image/jpeg"
    return FileResponse(
        gift.picture.open("rb"),
        content_type=kind,
        headers={"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"},
    )


def _form(request: PageRequest, form: GiftForm, *, gift: Any = None, status: int = 200) -> HttpResponseBase:
    return show(request, "workspace/pages/gift_form.html", {"form": form, "gift": gift}, status=status)


def _initial(gift: Any) -> dict[str, object]:
    plain = (
        "name", "description", "points_price", "money_price", "member_limit", "starts_on", "ends_on", "collect_days",
        "low_stock", "can_be_delivered",
    )  # fmt: skip
    return {
        **{name: getattr(gift, name) for name in plain},
        "tiers": ", ".join(gift.tiers),
        **{f"name_{code.replace('-', '_')}": text for code, text in gift.names.items()},
        **{f"description_{code.replace('-', '_')}": text for code, text in gift.descriptions.items()},
    }
