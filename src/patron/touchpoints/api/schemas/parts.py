"""Parts that several schemas share."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Input(BaseModel):
    """What a caller sends: a field that we do not know is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """What a caller gets."""


class Page(Output, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(description="Give this as `cursor` for the next page; null on the last one.")


_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"


def _plain_number(value: object) -> object:
    """A number, or plain decimal text: true is no 1, and “1e3” nobody writes on a receipt."""
    if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(_DECIMAL, value)):
        raise PydanticCustomError("decimal_parsing", "not a number")
    return value


def _shown(*, minimum: int | None = None, above: int | None = None) -> WithJsonSchema:
    """How a number is described to callers."""
    number: dict[str, object] = {"type": "number"}
    if minimum is not None:
        number["minimum"] = minimum
    if above is not None:
        number["exclusiveMinimum"] = above
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": _DECIMAL}]}, mode="validation")


Number = Annotated[Decimal, WithJsonSchema({"type": "string", "format": "decimal"}, mode="serialization")]
"""A number in an answer: text, so that no program rounds it."""

Amount = Annotated[
    Decimal,
    Field(max_digits=16, decimal_places=2, description="An amount of money, at most two decimals.", examples=["28.50"]),
    BeforeValidator(_plain_number),
    _shown(),
]
PositiveAmount = Annotated[
    Decimal,
    Field(max_digits=16, decimal_places=2, ge=0, description="An amount of money, not negative.", examples=["2.50"]),
    BeforeValidator(_plain_number),
    _shown(minimum=0),
]
UnitPrice = Annotated[
    Decimal,
    Field(max_digits=16, decimal_places=4, ge=0, description="A price for one unit.", examples=["28.5000"]),
    BeforeValidator(_plain_number),
    _shown(minimum=0),
]
Quantity = Annotated[
    Decimal,
    Field(max_digits=14, decimal_places=3, gt=0, description="How much, at most three decimals.", examples=["2"]),
    BeforeValidator(_plain_number),
    _shown(above=0),
]


def _in_utc(at: datetime) -> datetime:
    """The instant in UTC, as it is kept. Those near the ends of the calendar cannot be moved to another zone."""
    if not 1900 <= at.year <= 2200:
        raise PydanticCustomError("datetime_out_of_range", "outside the years 1900 to 2200")
    return at.astimezone(UTC)


def _written_out(value: object) -> object:
    """Dates and instants as ISO 8601 alone: a bare number could be seconds, milliseconds or days."""
    if not isinstance(value, str) or not _ISO_DAY.match(value):
        raise PydanticCustomError("datetime_parsing", "not in ISO 8601")
    return value


_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
Day = Annotated[date, BeforeValidator(_written_out)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc), Field(examples=["2026-03-02T09:00:00+08:00"])
]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ShortText = Annotated[str, StringConstraints(max_length=100)]
Name = Annotated[str, StringConstraints(max_length=200)]
LongText = Annotated[str, StringConstraints(max_length=4000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(examples=["HKD"])]
