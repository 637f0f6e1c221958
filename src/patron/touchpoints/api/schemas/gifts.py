"""Gifts and their orders as callers see them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from patron.business.gifts.models import Gift, GiftOrder
from patron.business.gifts.queries import Offer
from patron.business.gifts.rules import MOST_PIECES
from patron.touchpoints.api.schemas.parts import Code, Input, Number, Output, PositiveAmount

Reason = Literal[
    "member_not_active", "withdrawn", "not_yet", "ended", "tier", "limit", "no_delivery", "no_stock", "points"
]  # fmt: skip
RequestKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    Field(description="Unique for each wish: the same key again gives the first order.", examples=["web-2026-000123"]),
]


class StandingOut(Output):
    """How the member who was asked for stands to a gift."""

    can_have: bool
    reasons: list[Reason] = Field(description="Why not, the weightiest first.")
    points_missing: Number


class GiftOut(Output):
    """A gift that is offered."""

    code: str
    name: str = Field(description="In the language of Accept-Language, where it was translated.")
    description: str
    points_price: Number
    money_price: Number
    tiers: list[str] = Field(description="Codes of the tiers that may have it; empty: every member.")
    member_limit: int | None
    starts_on: date | None
    ends_on: date | None
    can_be_delivered: bool
    free: int = Field(description="Pieces that nobody has reserved, in the branch asked for or in all of yours.")
    member: StandingOut | None = Field(description="Where a member and a branch were asked for.")

    @classmethod
    def of(cls, gift: Gift, *, free: int, offer: Offer | None = None) -> "GiftOut":
        return cls.model_construct(
            code=gift.code,
            name=gift.local_name,
            description=gift.local_description,
            points_price=gift.points_price,
            money_price=gift.money_price,
            tiers=list(gift.tiers),
            member_limit=gift.member_limit,
            starts_on=gift.starts_on,
            ends_on=gift.ends_on,
            can_be_delivered=gift.can_be_delivered,
            free=free,
            member=None
            if offer is None
            else StandingOut.model_construct(
                can_have=offer.can_have,
                reasons=[reason.value for reason in offer.reasons],
                points_missing=offer.missing,
            ),
        )


class GiftOrderIn(Input):
    """A wish for a gift."""

    member: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="The member's card, number, whole phone or e-mail."
    )
    gift: Code = Field(description="The code of the gift.")
    quantity: int = Field(default=1, ge=1, le=MOST_PIECES)
    branch: Code | None = Field(
        default=None, description="Where it is picked up, or from where it is sent; the key's own branch if it has one."
    )
    delivery_address: Annotated[str, StringConstraints(max_length=600)] = Field(
        default="", description="Where it is sent; empty: it is picked up in the branch."
    )
    request_key: RequestKey


class GiftOrderCancelIn(Input):
    """Why an order is cancelled."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    money_refunded: PositiveAmount | None = Field(
        default=None, description="What of the money was paid back; null: all of it."
    )


class GiftOrderOut(Output):
    """An order as it stands."""

    id: int
    customer: str = Field(description="The number of the member.")
    gift: str
    quantity: int
    branch: str
    state: Literal["reserved", "ready", "handed_over", "shipped", "delivered", "cancelled"]
    way: Literal["pick_up", "delivery"]
    points: Number
    money: Number = Field(description="To be paid beside the points.")
    currency: str
    pickup_code: str | None = Field(description="What the member shows at the counter; null once the order is over.")
    collect_by: date | None = Field(description="The last day on which it is kept.")
    tracking: str
    ordered_at: datetime
    closed_at: datetime | None
    money_refunded: Number | None

    @classmethod
    def of(cls, order: GiftOrder) -> "GiftOrderOut":
        money: Decimal | None = order.money_refunded
        return cls.model_construct(
            id=order.pk,
            customer=order.membership.customer.number,
            gift=order.gift.code,
            quantity=order.quantity,
            branch=order.branch.code,
            state=str(order.state),
            way=str(order.way),
            points=order.points,
            money=order.money,
            currency=order.currency,
            pickup_code=order.shown_code if order.is_open and order.way == "pick_up" else None,
            collect_by=order.collect_by,
            tracking=order.tracking,
            ordered_at=order.ordered_at,
            closed_at=order.closed_at,
            money_refunded=money,
        )
