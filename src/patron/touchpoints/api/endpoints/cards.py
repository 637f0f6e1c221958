"""Members' cards: what stands on them, as picture, as receipt, and for the wallets of phones."""

from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils.http import quote_etag
from ninja import Query, Router

from patron.business.cards.drawing.keeping import card_png, card_slip_png
from patron.business.cards.operations import hand_out_card
from patron.business.cards.queries import CurrentCard, get_card
from patron.business.cards.receipts import receipt
from patron.business.cards.wallets import apple, google
from patron.business.cards.wallets.signing import pass_identity
from patron.business.loyalty.queries import get_membership
from patron.core.customers.queries import get_visible_customer
from patron.touchpoints.api.endpoints.declaring import needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.cards import CardOut, WalletLinkOut

router = Router(tags=["Cards"])

Paper = Annotated[
    Literal["screen", "384", "576"],
    Query(description="`screen`, or the dots across the paper of a receipt printer: black and white."),
]


def _gives(scope: str, media_type: str, words: str) -> dict[str, Any]:
    """As `needs`, for an endpoint whose answer is a file."""
    declared = needs(scope)
    declared["openapi_extra"] = declared["openapi_extra"] | {
        "responses": {
            200: {"description": words, "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}
        }
    }
    return declared


def _card(request: ApiRequest, number: str) -> CurrentCard:
    return get_card(get_visible_customer(number, request.actor), request.actor, now=request.now)


@router.get("/customers/{number}/card", response=CardOut, summary="Get the card", **needs("loyalty.view"))
def get_member_card(request: ApiRequest, number: str) -> CardOut:
    """What stands on a member's card now. 404 for who has none. Needs the scope `customers.view` as well."""
    return CardOut.of(_card(request, number))


@router.get(
    "/customers/{number}/card.png",
    summary="Get a picture of the card",
    **_gives("loyalty.view", "image/png", "The picture; its `ETag` changes with the face"),
)
def get_card_picture(request: ApiRequest, number: str, paper: Paper = "screen") -> HttpResponse:
    """The card for a screen or a receipt printer. Needs the scope `customers.view` as well."""
    card = _card(request, number)
    tag = quote_etag(f"{card.content_hash}-{paper}")
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    drawn = card_png(card) if paper == "screen" else card_slip_png(card, 384 if paper == "384" else 576)
    return HttpResponse(drawn, content_type="image/png", headers={"ETag": tag})


@router.get(
    "/customers/{number}/card.escpos",
    summary="Get the card for a receipt printer",
    **_gives("loyalty.view", "application/octet-stream", "Bytes for an ESC/POS printer, ending with a cut"),
)
def get_card_receipt(
    request: ApiRequest,
    number: str,
    paper: Annotated[Literal["384", "576"], Query(description="Dots across the paper.")] = "576",
    script: Annotated[
        Literal["picture", "gb18030", "big5", "ascii"],
        Query(description="How Chinese is printed: as a picture (every printer), or in the printer's own letters."),
    ] = "picture",
) -> HttpResponse:
    """The card as a member's part of a receipt, in the commands of the printer. Needs `customers.view` as well."""
    content = _card(request, number).content
    printed = receipt(content, paper=384 if paper == "384" else 576, script=script)
    return HttpResponse(printed, content_type="application/octet-stream")


@router.get(
    "/customers/{number}/card.pkpass",
    summary="Get the card for Apple Wallet",
    **_gives("cards.hand_out", apple.MEDIA_TYPE, "The signed pass"),
)
def get_card_pass(request: ApiRequest, number: str) -> HttpResponse:
    """The card as a pass, to be sent to its member alone. 404 where the house has no certificate.

    Needs the scopes `customers.view` and `loyalty.view` as well.
    """
    identity = pass_identity()
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    card = hand_out_card(membership, actor=request.actor, now=request.now)
    return HttpResponse(apple.pkpass(card, identity), content_type=apple.MEDIA_TYPE)


@router.get(
    "/customers/{number}/card/google-wallet",
    response=WalletLinkOut,
    summary="Get the link that saves the card to Google Wallet",
    **needs("cards.hand_out"),
)
def get_google_link(request: ApiRequest, number: str) -> WalletLinkOut:
    """The link, to be sent to the member alone. 404 where the house has no service account.

    Needs the scopes `customers.view` and `loyalty.view` as well.
    """
    account = google.google_account()
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    card = hand_out_card(membership, actor=request.actor, now=request.now)
    return WalletLinkOut.model_construct(url=google.save_link(card, account, now=request.now))
