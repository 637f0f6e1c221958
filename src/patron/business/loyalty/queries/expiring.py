"""Points about to expire: how many, when, and whose."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.models import Programme
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

Place = tuple[Decimal, int]
"""Where a page of members ends: the points and the membership of its last row."""

_OPEN = """
FROM loyalty_lot l
    JOIN loyalty_account a ON a.id = l.account_id AND a.unit = 'points' AND a.bucket = 'available'
    JOIN loyalty_membership m ON m.id = a.membership_id AND m.programme_id = %(programme)s
    JOIN customers_customer c ON c.id = m.customer_id AND (%(everywhere)s OR c.home_branch_id = ANY(%(branches)s))
WHERE l.remaining > 0 AND l.expires_on >= %(day)s AND l.expires_on <= %(until)s
"""

_MONTHS = f"""
SELECT date_trunc('month', l.expires_on)::date AS month, sum(l.remaining), count(DISTINCT m.id)
{_OPEN}
GROUP BY GROUPING SETS ((date_trunc('month', l.expires_on)::date), ())
ORDER BY 1 NULLS FIRST
"""

_MEMBERS = f"""
SELECT m.id, m.customer_id, sum(l.remaining) AS points, min(l.expires_on) AS first_on
{_OPEN}
GROUP BY m.id
HAVING %(points)s::numeric IS NULL OR (-sum(l.remaining), m.id) > (-%(points)s::numeric, %(membership)s::bigint)
ORDER BY points DESC, m.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class ExpiringMonth:
    """Points that expire in a month, and of how many members."""

    month: date
    points: Decimal
    members: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """What expires from the day asked about up to and on `until`; a member with points in two months counts once."""

    until: date
    points: Decimal
    members: int
    months: Sequence[ExpiringMonth]
    point_value: Decimal
    currency: str

    def worth(self, points: Decimal) -> Decimal:
        """Points in money, to the cent."""
        return (points * self.point_value).quantize(Decimal("0.01"))

    @property
    def money(self) -> Decimal:
        return self.worth(self.points)


@dataclass(frozen=True, slots=True)
class AtStake:
    """A member whose points expire: how many until the day asked about, the first of them after `first_on`."""

    membership_id: int
    customer_id: int
    points: Decimal
    first_on: date


@dataclass(frozen=True, slots=True)
class AtStakePage:
    """Members, most points first. `following` is the place for the next page, None on the last."""

    members: Sequence[AtStake]
    following: Place | None


def expiring(
    programme: Programme, actor: Actor, *, day: date, until: date, branch_ids: Collection[int] | None = None
) -> Expiring:
    """Points of members of `branch_ids` (None: all that the actor sees) that expire from `day` to `until`. One query.

    Raises PermissionRefused without `loyalty.reports`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, _values(programme, actor, day, until, branch_ids))
        rows = cursor.fetchall()
    points, members = next(((row[1], row[2]) for row in rows if row[0] is None), (None, 0))
    return Expiring(
        until=until,
        points=points or Decimal("0.00"),
        members=members,
        months=[ExpiringMonth(*row) for row in rows if row[0] is not None],
        point_value=programme.point_value,
        currency=programme.currency,
    )


def expiring_members(
    programme: Programme,
    actor: Actor,
    *,
    day: date,
    until: date,
    branch_ids: Collection[int] | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> AtStakePage:
    """The members behind `expiring`, most points first, a page at a time. One query."""
    values = _values(programme, actor, day, until, branch_ids)
    points, membership = after or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, values | {"points": points, "membership": membership, "limit": limit + 1})
        found = [AtStake(*row) for row in cursor.fetchall()]
    last = found[limit - 1] if len(found) > limit else None
    return AtStakePage(found[:limit], (last.points, last.membership_id) if last else None)


def all_expiring_members(
    programme: Programme, actor: Actor, *, day: date, until: date, branch_ids: Collection[int] | None = None
) -> Iterator[Sequence[AtStake]]:
    """The same, page by page: for files."""
    after: Place | None = None
    while True:
        page = expiring_members(programme, actor, day=day, until=until, branch_ids=branch_ids, after=after, limit=2000)
        yield page.members
        if page.following is None:
            return
        after = page.following


def require_reports(actor: Actor) -> None:
    """Raise PermissionRefused for those who do not read reports of the programme."""
    if not actor.can("loyalty.reports"):
        raise PermissionRefused(details={"permission": "loyalty.reports"})


def _values(
    programme: Programme, actor: Actor, day: date, until: date, branch_ids: Collection[int] | None
) -> dict[str, Any]:
    require_reports(actor)
    seen = seen_branches(actor, branch_ids)
    return {
        "programme": programme.pk,
        "day": day,
        "until": until,
        "everywhere": seen is None,
        "branches": sorted(seen or ()),
    }


def seen_branches(actor: Actor, branch_ids: Collection[int] | None) -> set[int] | None:
    """Of the branches asked for those that the actor sees; None for everywhere."""
    if actor.branch_ids is None:
        return None if branch_ids is None else set(branch_ids)
    return set(actor.branch_ids) if branch_ids is None else set(branch_ids) & set(actor.branch_ids)
