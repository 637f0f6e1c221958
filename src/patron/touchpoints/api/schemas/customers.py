"""Customers as callers see and send them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StringConstraints
from pydantic_core import PydanticCustomError

from patron.core.customers.models import Consent, ContactPoint, ExternalId
from patron.core.customers.queries.api import CustomerRecord
from patron.core.customers.queries.file import shown_contact
from patron.touchpoints.api.schemas.parts import Code, Day, Input, Instant, LongText, Name, Output, ShortText

Kind = Literal[
    "individual", "household", "organisation", "intermediary", "indirect", "internal", "community", "prospect"
]
Sex = Literal["", "female", "male", "other"]
Language = Literal["", "en", "zh-hant", "zh-hans"]
ContactKind = Literal["phone", "email", "wechat", "line", "whatsapp"]
Purpose = Literal["marketing", "service", "profiling", "partners"]
Channel = Literal["sms", "email", "phone", "post", "app", "any"]
Source = Annotated[str, StringConstraints(min_length=1, max_length=60), Field(examples=["web-shop"])]


class ContactOut(Output):
    """A way to reach a customer."""

    kind: ContactKind
    value: str = Field(description="Phones in E.164, e-mails in lower case; masked without `customers.personal`.")
    label: str
    is_primary: bool
    source: str

    @classmethod
    def of(cls, point: ContactPoint, *, personal: bool) -> "ContactOut":
        return cls.model_construct(
            kind=point.kind,
            value=point.value if personal else shown_contact(point.kind, point.value, masked=True),
            label=point.label,
            is_primary=point.is_primary,
            source=point.source,
        )


class ExternalIdOut(Output):
    """The number under which another system knows the customer."""

    source: str
    value: str

    @classmethod
    def of(cls, external: ExternalId) -> "ExternalIdOut":
        return cls.model_construct(source=external.source, value=external.value)


class ConsentOut(Output):
    """What the customer said last about a purpose over a channel."""

    purpose: Purpose
    channel: Channel
    granted: bool
    given_at: datetime
    source: str

    @classmethod
    def of(cls, consent: Consent) -> "ConsentOut":
        return cls.model_construct(
            purpose=consent.purpose,
            channel=consent.channel,
            granted=consent.granted,
            given_at=consent.given_at,
            source=consent.source,
        )


class CustomerOut(Output):
    """A customer. Personal data is masked, and `birth_on` is null, for keys without `customers.personal`."""

    number: str
    kind: Kind
    status: Literal["active", "archived", "blocked"]
    name: str = Field(description="How the customer is addressed in full; Chinese names family name first.")
    family_name: str
    given_name: str
    latin_name: str
    sex: Sex
    birth_on: date | None
    occupation: str
    language: Language
    preferred_channel: str
    preferences: str
    home_branch: str | None = Field(description="The code of the branch.")
    registered_on: date | None
    masked: bool
    contacts: list[ContactOut]
    external_ids: list[ExternalIdOut]
    consents: list[ConsentOut]

    @classmethod
    def of(cls, record: CustomerRecord) -> "CustomerOut":
        customer = record.customer
        return cls.model_construct(
            **{
                name: getattr(customer, name)
                for name in (
                    "number", "kind", "status", "name", "family_name", "given_name", "latin_name", "sex", "occupation",
                    "language", "preferred_channel", "preferences", "registered_on",
                )
            },
            birth_on=customer.birth_on if record.personal else None,
            home_branch=customer.home_branch.code if customer.home_branch else None,
            masked=not record.personal,
            contacts=[ContactOut.of(point, personal=record.personal) for point in record.contact_points],
            external_ids=[ExternalIdOut.of(external) for external in record.external_ids],
            consents=[ConsentOut.of(consent) for consent in record.consents],
        )  # fmt: skip


class IdentifiedOut(Output):
    """Who it is: enough to serve them, whatever their home branch."""

    number: str
    name: str
    kind: Kind
    status: Literal["active", "archived", "blocked"]
    language: Language
    home_branch: str | None


def _after_1890(day: date) -> date:
    if day.year < 1890:
        raise PydanticCustomError("date_too_early", "before 1890")
    return day


PastDate = Annotated[Day, AfterValidator(_after_1890), Field(examples=["1990-11-21"])]


class CustomerChangesIn(Input):
    """What may be changed; what is left out stays as it is."""

    kind: Kind = "individual"
    name: Name = ""
    family_name: ShortText = ""
    given_name: ShortText = ""
    latin_name: Name = ""
    sex: Sex = ""
    birth_on: PastDate | None = None
    occupation: ShortText = ""
    language: Language = ""
    preferred_channel: Annotated[str, StringConstraints(max_length=20)] = ""
    preferences: LongText = ""
    home_branch: Code | None = Field(default=None, description="The code of the branch.")
    registered_on: PastDate | None = None


class ExternalIdIn(Input):
    """A number in another system."""

    source: Source
    value: Annotated[str, StringConstraints(min_length=1, max_length=120), Field(examples=["10042"])]


class CustomerIn(CustomerChangesIn):
    """A new customer. A name, a phone or an e-mail is needed."""

    name: Annotated[Name, Field(examples=["王美玲"])] = ""
    phone: Annotated[Name, Field(description="With + and country code from abroad.", examples=["6123 4567"])] = ""
    email: Name = ""
    external_ids: Annotated[list[ExternalIdIn], Field(max_length=20)] = []
    source: Annotated[str, StringConstraints(max_length=60)] = Field(
        default="", description="Where the contact details come from."
    )
    channel: Annotated[str, StringConstraints(max_length=20)] = Field(
        default="", description="The touchpoint over which the customer came."
    )


class ContactIn(Input):
    """A way to reach a customer."""

    kind: ContactKind
    value: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(examples=["6123 4567"])]
    label: Annotated[str, StringConstraints(max_length=40)] = ""
    primary: StrictBool = False
    source: Annotated[str, StringConstraints(max_length=60)] = ""


class ConsentIn(Input):
    """Something that a customer allowed or refused."""

    purpose: Purpose
    channel: Channel
    granted: StrictBool
    source: Source
    given_at: Instant | None = Field(default=None, description="When they said so; now unless told.")


class IdentifyIn(Input):
    """Anything that belongs to one customer alone."""

    code: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200),
        Field(description="Customer number, card number, whole phone number, e-mail or external id."),
    ]
