"""Members' cards as callers see them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from patron.business.cards.queries import CurrentCard
from patron.touchpoints.api.schemas.parts import Output


class ShownOut(Output):
    """A field on the face."""

    place: Literal["corner", "headline", "figure", "first", "second", "third", "foot"]
    field: Literal[
        "name", "tier", "balance", "expiring", "stored_value", "vouchers", "valid_thru", "joined", "number"
    ]  # fmt: skip
    label: str = Field(description="In the member's language.")
    text: str


class CardOut(Output):
    """What stands on the member's card now."""

    number: str
    programme: str
    language: Literal["en", "zh-hant", "zh-hans"] = Field(description="The member's, in which the card speaks.")
    shown: list[ShownOut]
    message: str = Field(description="The personal message, empty for none.")
    occasion: str = Field(description="Why it is said: `birthday`, `expiring`, `near_tier`, `default`; empty for none.")
    code: Literal["qr", "code128", "ean13"] = Field(description="The kind of code that the card carries.")
    payload: str = Field(description="What the code says.")
    blocked: bool
    content_hash: str = Field(description="Equal for equal faces: whether a picture kept of it still holds.")
    changed_at: datetime | None = Field(description="When a change of the face was last told outside.")

    @classmethod
    def of(cls, card: CurrentCard) -> "CardOut":
        content = card.content
        return cls.model_construct(
            number=card.facts.number,
            programme=content.programme,
            language=content.language,
            shown=[
                ShownOut.model_construct(place=each.place, field=each.field, label=each.label, text=each.text)
                for each in content.shown
            ],
            message=content.message,
            occasion=content.occasion,
            code=content.code,
            payload=content.payload,
            blocked=content.blocked,
            content_hash=card.content_hash,
            changed_at=card.kept.changed_at if card.kept else None,
        )


class WalletLinkOut(Output):
    """A link for the member's phone."""

    url: str = Field(description="Opened on a phone, it adds the card to the wallet.")
