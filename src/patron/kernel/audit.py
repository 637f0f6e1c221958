"""The audit trail: who did what, when, to what. Append-only."""

from collections.abc import Mapping
from datetime import datetime

from django.apps import apps

from patron.kernel.actor import Actor


def record(*, actor: Actor, now: datetime, operation: str, subject: str, facts: Mapping[str, object]) -> None:
    """Write one audit row in the caller's transaction. `facts` must not hold personal data."""
    entry = apps.get_model("kernel", "AuditEntry")
    entry.objects.create(
        at=now, actor=actor.reference, actor_name=actor.name, operation=operation, subject=subject, facts=dict(facts)
    )
