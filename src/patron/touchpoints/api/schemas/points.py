"""Points as callers see them."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from patron.business.loyalty.models import Membership
from patron.business.loyalty.queries import PointsBalance, StatementLine
from patron.touchpoints.api.schemas.parts import Number, Output


class PointsOut(Output):
    """What a member has now."""

    programme: str = Field(description="The code of the programme.")
    status: Literal["active", "suspended", "closed"]
    card: str | None = Field(description="The number of the active card.")
    joined_on: date
    available: Number = Field(description="Points that can be used.")
    owed: Number = Field(description="Points taken back after they were used; the next ones earned repay them.")
    balance: Number = Field(description="Available less owed.")
    expiring: Number = Field(description="Of the available, those that go next.")
    expires_on: date | None = Field(description="The last day on which they can be used.")
    earned: Number = Field(description="Since joining, less what was taken back.")
    redeemed: Number
    expired: Number

    @classmethod
    def of(cls, membership: Membership, points: PointsBalance, *, card: str | None) -> "PointsOut":
        return cls.model_construct(
            programme=membership.programme.code,
            status=membership.status,
            card=card,
            joined_on=membership.joined_on,
            available=points.available,
            owed=points.owed,
            balance=points.balance,
            expiring=points.expiring,
            expires_on=points.expires_on,
            earned=points.earned,
            redeemed=points.redeemed,
            expired=points.expired,
        )


class MovementOut(Output):
    """One line of the statement."""

    id: int
    occurred_at: datetime
    kind: Literal[
        "earn", "return", "spend", "refund", "reserve", "release", "mature", "expire", "adjust", "transfer"
    ]  # fmt: skip
    amount: Number = Field(description="Points given (positive) or taken (negative).")
    balance: Number = Field(description="The balance after this movement.")
    purchase: int | None = Field(description="The id of the purchase that it belongs to.")
    words: str = Field(description="Why, with the numbers, in the language of Accept-Language.")

    @classmethod
    def of(cls, line: StatementLine) -> "MovementOut":
        return cls.model_construct(
            id=line.transaction.pk,
            occurred_at=line.transaction.occurred_at,
            kind=line.transaction.kind,
            amount=line.amount,
            balance=line.balance,
            purchase=line.transaction.purchase_id,
            words=line.words,
        )
