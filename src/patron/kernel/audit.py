"""The audit trail: who did what, when, to what. Append-only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder

from patron.kernel.actor import Actor
from patron.kernel.prepared import fetch


def record(*, actor: Actor, now: datetime, operation: str, subject: str, facts: Mapping[str, object]) -> None:
    """Write one audit row in the caller's transaction. `facts` must not hold personal data."""
    fetch(
        "INSERT INTO kernel_auditentry (at, actor, actor_name, operation, subject, facts) "
        "VALUES (%s::timestamptz, %s::text, %s::text, %s::text, %s::text, %s::jsonb)",
        [now, actor.reference, actor.name, operation, subject, json.dumps(dict(facts), cls=DjangoJSONEncoder)],
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the trail."""

    at: datetime
    actor_name: str
    operation: str
    facts: Mapping[str, object]


def trail_of(subject: str, *, limit: int = 50) -> list[Entry]:
    """What was done to `subject` (`label:key`, as `record` was given it), newest first."""
    entries = apps.get_model("kernel", "AuditEntry").objects.filter(subject=subject).order_by("-id")
    rows = entries.values_list("at", "actor_name", "operation", "facts")[:limit]
    return [Entry(*row) for row in rows]
