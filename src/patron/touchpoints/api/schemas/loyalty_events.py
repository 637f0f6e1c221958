"""Events that earn, and tiers, as callers see them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from patron.business.loyalty.models import LedgerTransaction
from patron.business.loyalty.queries import TierProgress, explain
from patron.touchpoints.api.schemas.parts import Input, Number, Output


class EventIn(Input):
    """Something that a member did."""

    event: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="Its code in the terms of the programme.", examples=["survey"]
    )
    reference: Annotated[str, StringConstraints(max_length=60)] = Field(
        default="",
        description="Your name for this occasion. Needed for events that count every time: the same one counts once.",
        examples=["survey-2026-03"],
    )


class EventOut(Output):
    """The movement of points that the event gave, or gave before."""

    id: int
    event: str
    reference: str = Field(description="Of the occasion that was counted.")
    occurred_at: datetime = Field(description="When it was counted: earlier than now, where it counted before.")
    points: Number
    available_on: date | None = Field(description="The day on which the points can be used; null for at once.")
    words: str = Field(description="Why, in the language of Accept-Language.")

    @classmethod
    def of(cls, movement: LedgerTransaction) -> "EventOut":
        facts = movement.explanation
        return cls.model_construct(
            id=movement.pk,
            event=facts["event"],
            reference=facts.get("reference", ""),
            occurred_at=movement.occurred_at,
            points=movement.amount,
            available_on=facts.get("available_on"),
            words=explain(movement),
        )


class TierOut(Output):
    """Where a member stands on the ladder."""

    tier: str = Field(description="The code of the tier held, empty for none.")
    name: str
    until: date | None = Field(description="The last day of the tier; null for one without end, or for none.")
    invited: bool = Field(description="Granted by invitation.")
    measure: Literal["qualifying", "spend", "visits"]
    value: Number = Field(description="What counts now.")
    following: str = Field(description="The name of the next tier, empty at the top.")
    missing: Number | None = Field(description="Of the measure, for the next tier.")
    deadline: date | None = Field(description="The last day for it; null where the window moves with every day.")
    next_words: str = Field(description="The same in words, in the language of Accept-Language.")
    keep_words: str = Field(description="What keeps the tier held.")

    @classmethod
    def of(cls, found: TierProgress) -> "TierOut":
        return cls.model_construct(
            tier=found.tier,
            name=found.name,
            until=found.until,
            invited=found.invited,
            measure=found.measure,
            value=found.progress.value,
            following=found.following,
            missing=found.missing,
            deadline=found.deadline,
            next_words=found.next_words,
            keep_words=found.keep_words,
        )
