"""What the till sold: the list, and a receipt with the member's card as it is now."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from patron.business.cards.drawing.keeping import card_png
from patron.business.cards.errors import NoSuchCard
from patron.business.cards.queries import current_card
from patron.business.cards.receipts import PointsOfSale, receipt
from patron.business.loyalty.queries import tier_progress
from patron.business.tills.sales import SaleDetails, get_entry, recent_entries, sale_details
from patron.kernel.clock import now as present
from patron.kernel.ui.pages import PageRequest, page, show
from patron.touchpoints.workspace.positions import parse_position, written_position
from patron.touchpoints.workspace.till_counter import MEANS_LABELS
from patron.touchpoints.workspace.till_draft import number
from patron.touchpoints.workspace.till_places import terminal_at

SALES_PER_PAGE = 30


@page(permission="tills.sell", nav="till-sales")
@require_safe
def recent(request: PageRequest) -> HttpResponseBase:
    """What this terminal told, newest first."""
    terminal = terminal_at(request)
    if terminal is None:
        return redirect("till")
    before = parse_position(request.GET.get("before", ""))
    found = recent_entries(terminal, request.actor, before=before, limit=SALES_PER_PAGE)
    following = urlencode({"before": written_position(found.following)}) if found.following else ""
    return show(
        request,
        "workspace/pages/till_sales.html",
        {
            "terminal": terminal,
            "rows": [_row(entry) for entry in found.entries],
            "is_first_page": before is None,
            "newest_url": reverse("till-sales"),
            "older_url": f"?{following}" if following else "",
            "may_void": request.actor.can("purchases.void"),
            "at": present(),
        },
    )


def _row(entry: Any) -> dict[str, Any]:
    voided = entry.purchase.status == "voided"
    money = Decimal(entry.answer.get("money_back", 0))
    return {
        "entry": entry,
        "amount": -money if entry.kind == "void" else entry.purchase.net_amount,
        "earned": Decimal((entry.answer.get("points") or {}).get("earned", 0)) if entry.kind == "sale" else None,
        "is_voided": voided and entry.kind == "sale",
        "may_return": entry.kind == "sale" and not voided,
        "may_void": entry.kind == "sale" and not voided and not entry.has_returns,
    }


@page(permission="tills.sell", nav="till-sales")
@require_safe
def sale(request: PageRequest, entry_id: int) -> HttpResponseBase:
    """The receipt: what was sold, paid and earned, and the card as it is now."""
    entry, now = get_entry(entry_id, request.actor), present()
    details = sale_details(entry)
    answer = entry.answer
    points = answer.get("points") or {}
    member = answer.get("member")
    return show(
        request,
        "workspace/pages/till_sale.html",
        {
            "sale": details,
            "entry": entry,
            "purchase": entry.purchase,
            "number": entry.client_id[:8].upper(),
            "paid": [_paid(tender) for tender in details.tenders],
            "vouchers": [each | {"amount": Decimal(each["amount"])} for each in answer.get("vouchers", ())],
            "back": _back(answer),
            "vouchers_back": answer.get("vouchers_back", ()),
            "points": {name: Decimal(points[name]) for name in points if name != "why"},
            "why": points.get("why", ()),
            "member": member and _holdings(member),
            "risen_to": _risen_to(entry, now),
            "card": _face(entry, now),
            "given": _given(request.GET.get("given", ""), details),
            "may_void": details.may_be_voided and request.actor.can("purchases.void"),
            "may_hand_out": request.actor.can("cards.hand_out"),
        },
    )


def _paid(tender: Any) -> dict[str, Any]:
    label = MEANS_LABELS.get(tender.kind)
    return {"label": label() if label else tender.kind, "amount": tender.amount}


def _back(answer: dict[str, Any]) -> dict[str, Decimal]:
    """What went back to the customer, by means; empty for a sale."""
    names = ("money_back", "points_back", "stored_value_back")
    return {name: Decimal(answer[name]) for name in names if name in answer}


def _holdings(member: dict[str, Any]) -> dict[str, Any]:
    held = member["balances"]
    return {
        "number": member["customer"],
        "name": member["name"] or member["customer"],
        "points": Decimal(held["points"]),
        "pending": Decimal(held["pending"]),
        "stored_value": Decimal(held["stored_value"]),
    }


def _risen_to(entry: Any, now: Any) -> str:
    """The name of the tier that this sale brought; empty where it brought none."""
    tier = (entry.answer.get("member") or {}).get("tier") or {}
    if entry.membership is None or not tier.get("risen"):
        return ""
    progress = tier_progress(entry.membership, now)
    return progress.name if progress is not None and progress.tier == tier["code"] else str(tier["name"])


def _face(entry: Any, now: Any) -> dict[str, str] | None:
    """The member's card as it is now, under an address of this very face; None for who has no active card."""
    if entry.membership is None:
        return None
    try:
        card_now = current_card(entry.membership, now=now)
    except NoSuchCard:
        return None
    said = ", ".join(f"{each.label} {each.text}" for each in card_now.content.shown)
    return {
        "url": f"{reverse('till-sale-card', args=[entry.pk])}?of={card_now.content_hash}",
        "alt": _("Card of %(programme)s: %(said)s") % {"programme": card_now.content.programme, "said": said},
    }


def _given(typed: str, details: SaleDetails) -> dict[str, Decimal] | None:
    """The cash that was given and what goes back of it; None where it is not known."""
    given = number(typed[:20]) if typed else None
    cash = sum((tender.amount for tender in details.tenders if tender.kind == "cash"), Decimal(0))
    return {"given": given, "change": given - cash} if given is not None and cash and given >= cash else None


@page(permission="tills.sell", nav="till-sales")
@require_safe
def card(request: PageRequest, entry_id: int) -> HttpResponseBase:
    """The picture of the member's card, for who was served here, whichever branch is theirs."""
    found = _card_of(request, entry_id)
    lasts = "max-age=31536000, immutable" if request.GET.get("of") == found.content_hash else "no-cache"
    return HttpResponse(card_png(found), content_type="image/png", headers={"Cache-Control": f"private, {lasts}"})


@page(permission="cards.hand_out", nav="till-sales")
@require_safe
def slip(request: PageRequest, entry_id: int) -> HttpResponseBase:
    """The member's part of the receipt, as commands of a receipt printer."""
    entry = get_entry(entry_id, request.actor)
    points = entry.answer.get("points") or {}
    earned, used = Decimal(points.get("earned", 0)), Decimal(points.get("spent", 0))
    after = Decimal((entry.answer.get("member") or {}).get("balances", {}).get("points", 0))
    moved = PointsOfSale(before=after - earned + used, earned=earned, used=used) if entry.kind == "sale" else None
    return HttpResponse(
        receipt(_card_of(request, entry_id).content, moved),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="receipt-{entry_id}.escpos"',
            "Cache-Control": "private, no-store",
        },
    )


def _card_of(request: PageRequest, entry_id: int) -> Any:
    entry = get_entry(entry_id, request.actor)
    if entry.membership is None:
        raise NoSuchCard
    return current_card(entry.membership, now=present())
