"""Showing one customer's details to someone whose lists are masked. A write: the audit trail says who looked."""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from patron.core.customers.models import ContactPoint, Customer
from patron.core.customers.operations.changes import locked
from patron.core.customers.phones import shown_phone
from patron.kernel.actor import Actor
from patron.kernel.operation import operation


@dataclass(frozen=True, slots=True)
class Unmasked:
    """The details as they are: (contact point id, kind, as shown) and the birthday."""

    contacts: tuple[tuple[int, str, str], ...]
    birth_on: date | None


@operation(permission="customers.unmask")
def unmask_contact(
    customer: Customer,
    *,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> Unmasked:
    """The customer's phones, e-mails and birthday unmasked; audited with `reason`. Raises NotFound."""
    fresh = locked(customer, actor)
    points = ContactPoint.objects.filter(customer=fresh).order_by("kind", "-is_primary", "pk")
    return Unmasked(
        contacts=tuple(
            (
                point.pk,
                point.kind,
                shown_phone(point.value, region=settings.PHONE_REGION)
                if point.kind in (ContactPoint.Kind.PHONE, ContactPoint.Kind.WHATSAPP)
                else point.value,
            )
            for point in points
        ),
        birth_on=fresh.birth_on,
    )
