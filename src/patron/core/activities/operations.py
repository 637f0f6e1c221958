"""Writing the log. Always inside the operation whose change is being told of."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import kinds
from patron.core.activities.models import Activity
from patron.core.customers.models import Customer
from patron.core.customers.queries import require_visible
from patron.kernel.actor import Actor
from patron.kernel.clock import require_aware
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import inside_operation, operation
from patron.kernel.prepared import fetch

CONTACT_KINDS = {"call": "contact.called", "visit": "contact.visited"}
CONTACT_OUTCOMES = frozenset({"reached", "no_answer", "will_come", "call_again", "not_interested", "complaint"})
_ONE = """
INSERT INTO activities_activity (customer_id, kind, occurred_at, channel, branch_id, actor, source, facts)
VALUES (%s::bigint, %s::text, %s::timestamptz, %s::text, %s::bigint, %s::text, %s::text, %s::jsonb)
RETURNING id, recorded_at
"""
COLUMNS = ("customer_id", "kind", "occurred_at", "channel", "branch_id", "source", "facts")


@inside_operation
def log_activity(
    *,
    actor: Actor,
    now: datetime,
    customer_id: int | None,
    kind: str,
    occurred_at: datetime | None = None,
    channel: str = "",
    branch_id: int | None = None,
    source: str = "",
    facts: Mapping[str, object] | None = None,
) -> Activity:
    """Write one activity in the caller's transaction.

    `kind` must be registered (LookupError otherwise); `occurred_at` is `now` unless it happened earlier; `source`
    points to the row it tells of as `label:id`; `facts` are numbers and codes for showing it, never personal data.
    """
    kinds.get(kind)
    activity = Activity(
        customer_id=customer_id,
        kind=kind,
        occurred_at=require_aware(occurred_at or now),
        channel=channel,
        branch_id=branch_id,
        actor=actor.reference,
        source=source,
        facts=dict(facts or {}),
    )
    ((activity.pk, activity.recorded_at),) = fetch(
        _ONE,
        [
            customer_id,
            kind,
            activity.occurred_at,
            channel,
            branch_id,
            activity.actor,
            source,
            json.dumps(activity.facts, cls=DjangoJSONEncoder),
        ],
    )
    return activity


@inside_operation
def log_activities_from(
    select_sql: str, params: Sequence[Any] | Mapping[str, Any] = (), *, actor: Actor, now: datetime
) -> int:
    """Write one activity for each row of `select_sql`, in one statement, and return how many.

    `select_sql` is our own SQL (never a user's), with the output columns named
    `customer_id, kind, occurred_at, channel, branch_id, source, facts` in any order; `params` are its parameters
    (positional or named). Kinds written as literals must be registered, as with `log_activity`.
    """
    require_aware(now)
    for code in re.findall(r"'([a-z_]+\.[a-z_]+)'(?:::\w+)?\s+AS\s+kind", select_sql, flags=re.IGNORECASE):
        kinds.get(code)
    named = ", ".join(COLUMNS)
    statement = (
        f"INSERT INTO activities_activity ({named}, actor) "  # noqa: S608 (names are constants, the SELECT is ours)
        f"SELECT {named}, '{_quoted(actor.reference)}' FROM ({select_sql}) AS told"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return int(cursor.rowcount)


@operation(permission="activities.log")
def log_contact(customer: Customer, *, way: str, outcome: str, actor: Actor, now: datetime) -> Activity:
    """Log a call to the customer or a visit, and what came of it; return the row.

    `way` is one of CONTACT_KINDS, `outcome` one of CONTACT_OUTCOMES. What was said is a note. Raises InvalidInput
    naming the field, NotFound for who may not be seen.
    """
    if way not in CONTACT_KINDS:
        raise InvalidInput(_("Say whether it was a call or a visit."), details={"field": "way"})
    if outcome not in CONTACT_OUTCOMES:
        raise InvalidInput(_("Choose what came of it."), details={"field": "outcome"})
    require_visible(customer, actor)
    return log_activity(
        actor=actor,
        now=now,
        customer_id=customer.pk,
        kind=CONTACT_KINDS[way],
        channel="phone" if way == "call" else "visit",
        branch_id=customer.home_branch_id,
        source=f"customers.customer:{customer.pk}",
        facts={"outcome": outcome, "by": actor.name},
    )


def _quoted(text: str) -> str:
    """An actor's reference as the inside of a literal: it may stand beside positional or named parameters."""
    return re.sub(r"[^a-z0-9:_-]", "", text)
