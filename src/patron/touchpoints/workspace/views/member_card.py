"""A member's card from their page: the picture, printing it, wallets, and a new one for one that was lost."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from patron.business.cards.drawing.keeping import card_png, card_slip_png, cards_pdf
from patron.business.cards.drawing.typesetting import Paper
from patron.business.cards.operations import hand_out_card, replace_member_card
from patron.business.cards.queries import get_card
from patron.business.cards.receipts import receipt
from patron.business.cards.wallets.apple import MEDIA_TYPE, pkpass
from patron.business.cards.wallets.google import google_account, save_link
from patron.business.cards.wallets.signing import pass_identity
from patron.core.customers.queries import get_visible_customer
from patron.kernel import clock
from patron.kernel.ui.pages import PageRequest, page
from patron.touchpoints.workspace.card_pictures import membership_of


@page(permission="loyalty.view", nav="customer-list")
@require_safe
def card_picture(request: PageRequest, number: str) -> HttpResponseBase:
    """The card as it is now, for a screen or (`?paper=384`) a receipt printer; kept by browsers until it changes."""
    card = get_card(get_visible_customer(number, request.actor), request.actor, now=clock.now())
    paper = request.GET.get("paper", "")
    tag = quote_etag(f"{card.content_hash}-{paper if paper in ('384', '576') else 'screen'}")
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag, "Cache-Control": "private, no-cache"})
    papers: dict[str, Paper] = {"384": 384, "576": 576}
    drawn = card_slip_png(card, papers[paper]) if paper in papers else card_png(card)
    # An address with the face's hash shows this face for ever; without one the browser asks each time.
    lasts = (
        "private, max-age=31536000, immutable" if request.GET.get("of") == card.content_hash else "private, no-cache"
    )
    return HttpResponse(drawn, content_type="image/png", headers={"ETag": tag, "Cache-Control": f"private, {lasts}"})


@page(permission="cards.hand_out", nav="customer-list")
@require_safe
def card_print(request: PageRequest, number: str) -> HttpResponseBase:
    """The card for a card printer: PDF of 85.6 × 54 mm."""
    card = hand_out_card(membership_of(number, request.actor), actor=request.actor, now=clock.now())
    return _file(cards_pdf([card]), "application/pdf", f"card-{number}.pdf")


@page(permission="cards.hand_out", nav="customer-list")
@require_safe
def card_receipt(request: PageRequest, number: str) -> HttpResponseBase:
    """The card as commands of a receipt printer."""
    card = get_card(get_visible_customer(number, request.actor), request.actor, now=clock.now())
    return _file(receipt(card.content), "application/octet-stream", f"card-{number}.escpos")


@page(permission="cards.hand_out", nav="customer-list")
@require_safe
def card_pass(request: PageRequest, number: str) -> HttpResponseBase:
    """The card for Apple Wallet."""
    identity = pass_identity()
    card = hand_out_card(membership_of(number, request.actor), actor=request.actor, now=clock.now())
    return _file(pkpass(card, identity), MEDIA_TYPE, f"card-{number}.pkpass")


@page(permission="cards.hand_out", nav="customer-list")
@require_safe
def card_google(request: PageRequest, number: str) -> HttpResponseBase:
    """On to Google Wallet, with the signed link."""
    account, now = google_account(), clock.now()
    card = hand_out_card(membership_of(number, request.actor), actor=request.actor, now=now)
    return HttpResponseRedirect(save_link(card, account, now=now))


@page(permission="loyalty.enrol", nav="customer-list")
@require_POST
def card_replace(request: PageRequest, number: str) -> HttpResponseBase:
    """A new card; the old one is blocked for good, as lost or as replaced."""
    lost = request.POST.get("lost") == "yes"
    replace_member_card(membership_of(number, request.actor), lost=lost, actor=request.actor, now=clock.now())
    messages.success(request, _("The member has a new card. The old one is blocked, also on phones."))
    return HttpResponseRedirect(f"{reverse('customer', args=[number])}?tab=loyalty")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        content,
        content_type=media_type,
        headers={"Content-Disposition": disposition, "Cache-Control": "private, no-store"},
    )
