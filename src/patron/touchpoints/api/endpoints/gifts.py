"""Gifts: the catalogue, ordering and cancelling."""

from typing import Annotated

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Body, Path, Query, Router, Status

from patron.business.gifts.errors import NoSuchGift
from patron.business.gifts.operations import cancel_order, order_gift
from patron.business.gifts.queries import catalogue, find_member, get_gift, get_order, offers_for
from patron.kernel.api import cursors
from patron.kernel.errors import InvalidInput, NotFound
from patron.touchpoints.api.endpoints.branches import branch_named, own_branch
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.gifts import GiftOrderCancelIn, GiftOrderIn, GiftOrderOut, GiftOut
from patron.touchpoints.api.schemas.parts import Page

router = Router(tags=["Gifts"])

OrderId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/gifts", response=Page[GiftOut], summary="List gifts", **needs("gifts.view"))
def list_gifts(
    request: ApiRequest,
    branch: Annotated[str | None, Query(max_length=64, description="The code of the branch.")] = None,
    member: Annotated[
        str | None, Query(max_length=100, description="A member's card, number, whole phone or e-mail; with a branch.")
    ] = None,
    limit: Limit = cursors.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[GiftOut]:
    """The gifts that are offered, by code; with a member and a branch, whether the member can have each of them.

    Asking for a member needs the scopes `customers.view` and `loyalty.view` as well.
    """
    place = branch_named(branch, request.actor, field="branch") or own_branch(request.actor)
    if member is not None:
        if place is None:
            raise InvalidInput(_("Say in which branch."), details={"field": "branch"})
        them = find_member(member, request.actor)
        offers = offers_for(them, branch=place, actor=request.actor, now=request.now)
        found = [GiftOut.of(offer.gift, free=offer.free, offer=offer) for offer in offers]
    else:
        rows = catalogue(request.actor, branch_id=place.pk if place else None)
        found = [GiftOut.of(row.gift, free=row.free) for row in rows]
    after = cursors.read_cursor("gifts", cursor)
    following = sorted((g for g in found if after is None or g.code > str(after[0])), key=lambda gift: gift.code)
    page, more = cursors.cut(following[: limit + 1], of="gifts", limit=limit, key=lambda gift: (gift.code,))
    return Page[GiftOut](items=page, next=more)


@router.get("/gift-orders/{order_id}", response=GiftOrderOut, summary="Get an order of a gift", **needs("gifts.view"))
def get_gift_order(request: ApiRequest, order_id: OrderId) -> GiftOrderOut:
    """An order of the key's own branches, as it stands."""
    return GiftOrderOut.of(get_order(order_id, request.actor))


@router.post("/gift-orders", response={201: GiftOrderOut}, summary="Order a gift", **needs("gifts.redeem"))
def create_gift_order(request: ApiRequest, response: HttpResponse, wish: Body[GiftOrderIn]) -> Status[GiftOrderOut]:
    """Reserve a gift for a member and spend their points, both or neither. Safe to send again with its `request_key`.

    Needs the scopes `gifts.view`, `loyalty.spend`, `loyalty.view` and `customers.view` as well.
    """
    place = branch_named(wish.branch, request.actor, field="branch") or own_branch(request.actor)
    if place is None:
        raise InvalidInput(_("Say in which branch."), details={"field": "branch"})
    try:
        gift = get_gift(wish.gift, request.actor)
    except NoSuchGift as error:
        raise InvalidInput(error.message, details={"field": "gift"}) from error
    try:
        member = find_member(wish.member, request.actor)
    except NotFound as error:
        raise InvalidInput(error.message, details={"field": "member"}) from error
    order = order_gift(
        member,
        gift,
        branch=place,
        quantity=wish.quantity,
        delivery_address=wish.delivery_address,
        request_key=f"api {wish.request_key}",
        actor=request.actor,
        now=request.now,
    )
    response.headers["Location"] = f"/api/v1/gift-orders/{order.pk}"
    return Status(201, GiftOrderOut.of(get_order(order.pk, request.actor)))


@router.post(
    "/gift-orders/{order_id}/cancel",
    response=GiftOrderOut,
    summary="Cancel an order of a gift",
    **needs("gifts.cancel"),
)
def cancel_gift_order(request: ApiRequest, order_id: OrderId, cancelled: Body[GiftOrderCancelIn]) -> GiftOrderOut:
    """Cancel an order whose gift has not left: the points return to their old lots. Again changes nothing.

    Needs the scopes `gifts.view` and `loyalty.spend` as well.
    """
    order = get_order(order_id, request.actor)
    cancel_order(
        order,
        reason=cancelled.reason,
        money_refunded=cancelled.money_refunded,
        actor=request.actor,
        now=request.now,
    )
    return GiftOrderOut.of(get_order(order_id, request.actor))
