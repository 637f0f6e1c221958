"""What customers allow. Append-only: a new answer is a new row, and the latest counts."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.core.customers.checking import chosen
from patron.core.customers.models import Consent, Customer
from patron.core.customers.operations.changes import locked, told
from patron.kernel.actor import Actor
from patron.kernel.clock import require_aware
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation


@operation(permission="customers.consent")
def record_consent(
    customer: Customer,
    *,
    purpose: str,
    channel: str,
    granted: bool,
    source: str,
    actor: Actor,
    now: datetime,
    given_at: datetime | None = None,
) -> Consent:
    """Record that the customer allowed or refused `purpose` over `channel`, and return the row.

    `source` says how it is known (`form`, `till`, `phone call`…) and is needed; `given_at` is when they said so
    (now by default, never later). Raises InvalidInput naming the field.
    """
    chosen(purpose, Consent.Purpose.values, "purpose")
    chosen(channel, Consent.Channel.values, "channel")
    if not source.strip():
        raise InvalidInput(_("Say how the consent is known."), details={"field": "source"})
    said_at = require_aware(given_at or now)
    if said_at > now:
        raise InvalidInput(_("A consent is not given in the future."), details={"field": "given_at"})
    fresh = locked(customer, actor)
    consent = Consent.objects.create(
        customer=fresh,
        purpose=purpose,
        channel=channel,
        granted=granted,
        given_at=said_at,
        source=source.strip(),
        recorded_by=actor.reference,
    )
    told(
        fresh,
        "customer.consent_recorded",
        actor=actor,
        now=now,
        source=f"customers.consent:{consent.pk}",
        facts={"purpose": str(purpose), "channel": str(channel), "granted": granted},
    )
    return consent
