"""What one customer's page shows of who they are: contacts masked where they must be, consents, relations, brief."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q

from patron.core.customers import rules
from patron.core.customers.models import Address, Consent, ContactPoint, Customer, CustomerNote, ExternalId, Relation
from patron.core.customers.phones import shown_phone
from patron.core.customers.queries.visible import require_visible, sees_personal
from patron.core.customers.rules import Birthday, ConsentGiven
from patron.kernel.actor import Actor

_PHONES = frozenset({str(ContactPoint.Kind.PHONE), str(ContactPoint.Kind.WHATSAPP)})


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach someone, as the reader may see it. `dial` is the value itself, empty where it is masked."""

    id: int
    kind: str
    kind_label: str
    shown: str
    dial: str
    label: str
    is_primary: bool
    source: str
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Related:
    """Someone who belongs to the customer. `outwards`: the customer is `kind` of the other; else the reverse."""

    id: int
    outwards: bool
    kind: str
    kind_label: str
    role: str
    since_on: date | None
    number: str
    name: str
    photo_url: str


@dataclass(frozen=True, slots=True)
class ConsentShown:
    """What the customer said last about a purpose and a channel."""

    purpose: str
    purpose_label: str
    channel: str
    channel_label: str
    granted: bool
    given_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """Everything on file about one customer, as one reader may see it."""

    customer: Customer
    masked: bool
    birthday: Birthday | None
    contacts: tuple[Contact, ...]
    addresses: tuple[Address, ...]
    external_ids: tuple[tuple[str, str], ...]
    consents: tuple[ConsentShown, ...]
    relations: tuple[Related, ...]
    notes: tuple[CustomerNote, ...]


@dataclass(frozen=True, slots=True)
class CustomerBrief:
    """What whoever meets the customer should know at a glance. `birthday_in_days` is None unless it is near."""

    name: str
    number: str
    kind: str
    status: str
    language: str
    language_label: str
    preferred_channel: str
    preferences: str
    notes: tuple[str, ...]
    allows: tuple[str, ...]
    refuses: tuple[str, ...]
    birthday_in_days: int | None


def shown_contact(kind: str, value: str, *, masked: bool) -> str:
    """A contact point's value as it is written on screen, masked or not."""
    if kind in _PHONES:
        shown = shown_phone(value, region=settings.PHONE_REGION)
        return rules.masked_phone(shown) if masked else shown
    if not masked:
        return value
    return rules.masked_email(value) if kind == ContactPoint.Kind.EMAIL else rules.masked_text(value)


def customer_file(customer: Customer, actor: Actor) -> CustomerFile:
    """The file of `customer` for `actor`, in six queries. Raises NotFound for who may not be seen."""
    require_visible(customer, actor)
    masked = not sees_personal(actor)
    return CustomerFile(
        customer=customer,
        masked=masked,
        birthday=rules.birthday(customer.birth_on, unmasked=not masked),
        contacts=_contacts(customer, masked=masked),
        addresses=tuple(Address.objects.filter(customer=customer).order_by("-is_primary", "pk")),
        external_ids=tuple(
            ExternalId.objects.filter(customer=customer).order_by("source", "value").values_list("source", "value")
        ),
        consents=_shown_consents(current_consents(customer)),
        relations=_relations(customer),
        notes=tuple(_notes(customer)),
    )


def customer_brief(customer: Customer, actor: Actor, *, today: date) -> CustomerBrief:
    """What the front desk sees of `customer` on day `today`, in two queries.

    Whoever may identify a customer may read it, also at another branch: it holds nothing that needs unmasking.
    """
    said = _shown_consents(current_consents(customer))
    marketing = [consent for consent in said if consent.purpose == Consent.Purpose.MARKETING]
    days = rules.days_to_birthday(customer.birth_on, today)
    return CustomerBrief(
        name=customer.name,
        number=customer.number,
        kind=customer.kind,
        status=customer.status,
        language=customer.language,
        language_label=dict(settings.LANGUAGES).get(customer.language, customer.language),
        preferred_channel=customer.preferred_channel,
        preferences=customer.preferences if actor.can("customers.view") else "",
        notes=tuple(note.text for note in _notes(customer) if note.for_front_desk),
        allows=tuple(consent.channel_label for consent in marketing if consent.granted),
        refuses=tuple(consent.channel_label for consent in marketing if not consent.granted),
        birthday_in_days=days if days is not None and days <= rules.BIRTHDAY_NOTICE_DAYS else None,
    )


def current_consents(customer: Customer) -> list[ConsentGiven]:
    """What the customer said last about each purpose and channel. One query."""
    latest = (
        Consent.objects.filter(customer=customer)
        .order_by("purpose", "channel", "-given_at", "-id")
        .distinct("purpose", "channel")
    )
    return [ConsentGiven(c.purpose, c.channel, c.granted, c.given_at, c.source, c.pk) for c in latest]


def _shown_consents(said: Iterable[ConsentGiven]) -> tuple[ConsentShown, ...]:
    return tuple(
        ConsentShown(
            purpose=consent.purpose,
            purpose_label=str(Consent.Purpose(consent.purpose).label),
            channel=consent.channel,
            channel_label=str(Consent.Channel(consent.channel).label),
            granted=consent.granted,
            given_at=consent.given_at,
            source=consent.source,
        )
        for consent in said
    )


def _contacts(customer: Customer, *, masked: bool) -> tuple[Contact, ...]:
    points = ContactPoint.objects.filter(customer=customer).order_by("kind", "-is_primary", "pk")
    return tuple(
        Contact(
            id=point.pk,
            kind=point.kind,
            kind_label=point.get_kind_display(),
            shown=shown_contact(point.kind, point.value, masked=masked),
            dial="" if masked else point.value,
            label=point.label,
            is_primary=point.is_primary,
            source=point.source,
            verified_at=point.verified_at,
        )
        for point in points
    )


def _notes(customer: Customer) -> list[CustomerNote]:
    return list(CustomerNote.objects.filter(customer=customer, archived_at__isnull=True).order_by("-written_at", "-pk"))


def _relations(customer: Customer) -> tuple[Related, ...]:
    rows = (
        Relation.objects.filter(Q(customer=customer) | Q(other=customer))
        .select_related("customer", "other")
        .order_by("kind", "pk")
    )
    related = []
    for row in rows:
        outwards = row.customer_id == customer.pk
        them = row.other if outwards else row.customer
        related.append(
            Related(
                id=row.pk,
                outwards=outwards,
                kind=row.kind,
                kind_label=row.get_kind_display(),
                role=row.role,
                since_on=row.since_on,
                number=them.number,
                name=them.name,
                photo_url=them.photo.url if them.photo else "",
            )
        )
    return tuple(related)
