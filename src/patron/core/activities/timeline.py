"""Reading the log: what happened with one customer, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from patron.core.activities.kinds import ActivityKind, kinds
from patron.core.activities.models import Activity
from patron.core.customers.models import Customer
from patron.core.customers.queries import require_visible
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

Position = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of the log with the words of its kind. `source` points to what it tells of, as `label:id`."""

    id: int
    kind: ActivityKind
    occurred_at: datetime
    channel: str
    branch: str
    source: str
    facts: Mapping[str, Any]

    @property
    def source_id(self) -> int | None:
        """The key of the row that it tells of."""
        key = self.source.rpartition(":")[2]
        return int(key) if key.isdigit() else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some happenings, newest first. Pass `next_before` as `before` to go on; None at the end."""

    happenings: Sequence[Happening]
    next_before: Position | None


def customer_timeline(
    customer: Customer, actor: Actor, *, topic: str = "", before: Position | None = None, limit: int = 30
) -> Timeline:
    """One page of what happened with `customer`, in one query; `topic` keeps the kinds of one topic.

    Reads the index `activity_timeline`. Raises PermissionRefused without `activities.view`, NotFound for who may not be
    seen.
    """
    if not actor.can("activities.view"):
        raise PermissionRefused(details={"permission": "activities.view"})
    require_visible(customer, actor)
    rows = Activity.objects.filter(customer=customer)
    if topic:
        rows = rows.filter(kind__in=[kind.code for kind in kinds if kind.topic == topic])
    if before is not None:
        at, key = before
        rows = rows.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, id__lt=key), occurred_at__lte=at)
    found = list(rows.select_related("branch").order_by("-occurred_at", "-id")[: limit + 1])
    shown = found[:limit]
    return Timeline(
        happenings=[_happening(row) for row in shown],
        next_before=(shown[-1].occurred_at, shown[-1].pk) if len(found) > limit else None,
    )


def _happening(row: Activity) -> Happening:
    kind = kinds.get(row.kind) if row.kind in kinds else ActivityKind(row.kind, row.kind, icon="point", topic="")
    return Happening(
        id=row.pk,
        kind=kind,
        occurred_at=row.occurred_at,
        channel=row.channel,
        branch=row.branch.name if row.branch else "",
        source=row.source,
        facts=row.facts,
    )
