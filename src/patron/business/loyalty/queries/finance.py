"""Points for finance: what is outstanding on any day, how it came about month by month, and what will never be used.

Everything is read from the postings, so a past day is told as the movements up to then made it. Points are what members
hold in all buckets of their own: available (below zero: owed to the house), pending, set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from patron.business.loyalty.models import Programme
from patron.business.loyalty.rules.breakage import Cohort
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused

ZERO = Decimal("0.00")


def list_programmes() -> list[Programme]:
    """Every programme, oldest first."""
    return list(Programme.objects.order_by("pk"))


_OUTSTANDING = """
SELECT coalesce(sum(balance) FILTER (WHERE bucket = 'available' AND balance > 0), 0),
    count(*) FILTER (WHERE bucket = 'available' AND balance > 0),
    coalesce(-sum(balance) FILTER (WHERE bucket = 'available' AND balance < 0), 0),
    count(*) FILTER (WHERE bucket = 'available' AND balance < 0),
    coalesce(sum(balance) FILTER (WHERE bucket = 'pending'), 0),
    coalesce(sum(balance) FILTER (WHERE bucket = 'reserved'), 0)
FROM (
    SELECT a.id, a.bucket, sum(p.amount) AS balance
    FROM loyalty_posting p
        JOIN loyalty_account a ON a.id = p.account_id AND a.unit = 'points'
            AND a.bucket IN ('available', 'pending', 'reserved')
        JOIN loyalty_membership m ON m.id = a.membership_id AND m.programme_id = %(programme)s
        JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id AND t.occurred_at <= %(as_of)s
    GROUP BY a.id
) held
"""

_AGEING = """
SELECT date_trunc('month', l.expires_on)::date, coalesce(l.expires_on < %(day)s, false), sum(p.amount)
FROM loyalty_posting p
    JOIN loyalty_lot l ON l.id = p.lot_id
    JOIN loyalty_account a ON a.id = l.account_id AND a.unit = 'points'
    JOIN loyalty_membership m ON m.id = a.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id AND t.occurred_at <= %(as_of)s
GROUP BY 1, 2 HAVING sum(p.amount) <> 0
ORDER BY 1 NULLS LAST, 2 DESC
"""

_ROLLED = """
SELECT date_trunc('month', t.occurred_at AT TIME ZONE %(zone)s)::date,
    -coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'issued' AND t.kind = 'earn'), 0),
    coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'issued' AND t.kind <> 'earn'), 0),
    coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'redeemed'), 0),
    coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'expired'), 0),
    -coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'adjusted'), 0),
    -coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'transferred'), 0),
    coalesce(sum(p.amount) FILTER (WHERE a.bucket IN ('available', 'pending', 'reserved')), 0)
FROM loyalty_posting p
    JOIN loyalty_account a ON a.id = p.account_id AND a.unit = 'points'
    JOIN loyalty_membership m ON m.id = a.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id AND t.occurred_at <= %(as_of)s
GROUP BY 1 ORDER BY 1
"""

_HELD_NOW = """
SELECT coalesce(sum(a.balance), 0)
FROM loyalty_account a JOIN loyalty_membership m ON m.id = a.membership_id
WHERE m.programme_id = %s AND a.unit = 'points' AND a.bucket IN ('available', 'pending', 'reserved')
"""

_LATER = """
SELECT coalesce(sum(p.amount), 0)
FROM loyalty_ledgertransaction t
    JOIN loyalty_membership m ON m.id = t.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_account a ON a.id = p.account_id AND a.bucket IN ('available', 'pending', 'reserved')
WHERE t.unit = 'points' AND t.occurred_at > %(as_of)s
"""

# A lot that came by transfer or out of a reservation continues points of an earlier month: it is no new cohort.
_COHORTS = """
SELECT date_trunc('month', l.earned_at AT TIME ZONE %(zone)s)::date AS month,
    12 * (extract(year FROM x.at) - extract(year FROM c.at))
        + extract(month FROM x.at) - extract(month FROM c.at) AS age,
    CASE WHEN t.id = l.opened_by_id THEN 'given' WHEN t.kind = 'expire' THEN 'expired'
        WHEN t.kind IN ('return', 'transfer', 'adjust') THEN 'given'
        WHEN t.kind = 'refund' AND t.explanation ->> 'spend' IS NULL THEN 'given'
        ELSE 'used' END AS what,
    sum(p.amount)
FROM loyalty_lot l
    JOIN loyalty_account a ON a.id = l.account_id AND a.unit = 'points' AND a.bucket = 'available'
    JOIN loyalty_membership m ON m.id = a.membership_id AND m.programme_id = %(programme)s
    JOIN loyalty_ledgertransaction o ON o.id = l.opened_by_id AND (o.kind IN ('earn', 'mature', 'adjust')
        OR o.kind = 'refund' AND o.explanation ->> 'spend' IS NULL)
    JOIN loyalty_posting p ON p.lot_id = l.id
    JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id AND t.occurred_at <= %(as_of)s
    CROSS JOIN LATERAL (SELECT l.earned_at AT TIME ZONE %(zone)s AS at) c
    CROSS JOIN LATERAL (SELECT greatest(t.occurred_at, l.earned_at) AT TIME ZONE %(zone)s AS at) x
GROUP BY 1, 2, 3 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open points by the month in which they expire (None: never). `overdue`: past their date, about to be expired."""

    month: date | None
    points: Decimal
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What members held at an instant. `point_value` is what a point is worth in `currency`.

    `available` counts members with points, `owed` those below zero. `total` is what the roll-forward closes with.
    """

    as_of: datetime
    point_value: Decimal
    currency: str
    available: Decimal
    members: int
    owed: Decimal
    debtors: int
    pending: Decimal
    reserved: Decimal
    ageing: Sequence[Ageing] = ()

    @property
    def total(self) -> Decimal:
        return self.available + self.pending + self.reserved - self.owed

    @property
    def gross(self) -> Decimal:
        """What the house may have to give: nobody's debt lessens what another may redeem."""
        return self.available + self.pending + self.reserved

    @property
    def money(self) -> Decimal:
        return self.worth(self.gross)

    def worth(self, points: Decimal) -> Decimal:
        """Points in money, to the cent."""
        return (points * self.point_value).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Rolled:
    """A month: opening + issued − taken back − redeemed − expired + adjusted + transferred = closing.

    `issued` are awards; `taken_back` is net of what voided returns gave back; `redeemed` net of what cancelled
    redemptions gave back; `adjusted` and `transferred` have their sign. `held` is the change of the members' own
    accounts, computed apart: `ties` says whether both agree.
    """

    month: date
    opening: Decimal
    issued: Decimal
    taken_back: Decimal
    redeemed: Decimal
    expired: Decimal
    adjusted: Decimal
    transferred: Decimal
    held: Decimal

    @property
    def closing(self) -> Decimal:
        gave = self.issued - self.taken_back + self.adjusted + self.transferred
        return self.opening + gave - self.redeemed - self.expired

    @property
    def ties(self) -> bool:
        return self.closing == self.opening + self.held


@dataclass(frozen=True, slots=True)
class RollForward:
    """Months, oldest first, each opening with what the one before closed with. `ledger` is what the accounts say."""

    months: Sequence[Rolled]
    ledger: Decimal

    @property
    def closing(self) -> Decimal:
        return self.months[-1].closing if self.months else ZERO

    @property
    def ties(self) -> bool:
        """Whether every month adds up, and the last one closes with what the accounts hold."""
        return all(month.ties for month in self.months) and self.closing == self.ledger


def outstanding(programme: Programme, actor: Actor, *, as_of: datetime, day: date) -> Outstanding:
    """What members held after everything that had happened by `as_of`, on calendar day `day`. Two queries.

    Dates of expiry are today's, also for a past day: where expiry rolls they may have been earlier then.
    Raises PermissionRefused without `loyalty.finance`.
    """
    require_finance(actor)
    values: dict[str, Any] = {"programme": programme.pk, "as_of": as_of, "day": day}
    with connection.cursor() as cursor:
        cursor.execute(_OUTSTANDING, values)
        ((available, members, owed, debtors, pending, reserved),) = cursor.fetchall()
        cursor.execute(_AGEING, values)
        ageing = [Ageing(month, points, overdue) for month, overdue, points in cursor.fetchall()]
    return Outstanding(
        as_of=as_of,
        point_value=programme.point_value,
        currency=programme.currency,
        available=available,
        members=members,
        owed=owed,
        debtors=debtors,
        pending=pending,
        reserved=reserved,
        ageing=ageing,
    )


def roll_forward(programme: Programme, actor: Actor, *, as_of: datetime) -> RollForward:
    """Every month from the first movement to `as_of`; months without any are there too. Three queries.

    Raises PermissionRefused without `loyalty.finance`.
    """
    require_finance(actor)
    values: dict[str, Any] = {"programme": programme.pk, "as_of": as_of, "zone": settings.TIME_ZONE}
    with connection.cursor() as cursor:
        cursor.execute(_ROLLED, values)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_HELD_NOW, [programme.pk])
        ((now,),) = cursor.fetchall()
        cursor.execute(_LATER, values)
        ((later,),) = cursor.fetchall()
    months: list[Rolled] = []
    opening = ZERO
    for month in _every_month(min(rows), max(rows)) if rows else ():
        rolled = Rolled(month, opening, *rows.get(month, (ZERO,) * 7))
        months.append(rolled)
        opening = rolled.closing
    return RollForward(months=months, ledger=now - later)


def cohorts(programme: Programme, actor: Actor, *, as_of: datetime, day: date) -> list[Cohort]:
    """Points by the month in which they were given, and what became of them by age, oldest first. One query.

    Points that repaid a debt were used before they were given, and are in no cohort; neither are those that were
    handed to another member. Raises PermissionRefused without `loyalty.finance`.
    """
    require_finance(actor)
    given: dict[date, Decimal] = {}
    used: dict[date, dict[int, Decimal]] = {}
    expired: dict[date, dict[int, Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COHORTS, {"programme": programme.pk, "as_of": as_of, "zone": settings.TIME_ZONE})
        for month, age, what, points in cursor.fetchall():
            if what == "given":
                given[month] = given.get(month, ZERO) + points
            else:
                gone = (expired if what == "expired" else used).setdefault(month, {})
                gone[int(age)] = gone.get(int(age), ZERO) - points
    return [
        Cohort(
            month=month,
            given=points,
            age=12 * (day.year - month.year) + day.month - month.month,
            used=used.get(month, {}),
            expired=expired.get(month, {}),
        )
        for month, points in given.items()
    ]


def require_finance(actor: Actor) -> None:
    """Raise PermissionRefused for those who do not keep the books."""
    if not actor.can("loyalty.finance"):
        raise PermissionRefused(details={"permission": "loyalty.finance"})


def _every_month(first: date, last: date) -> list[date]:
    found = [first]
    while found[-1] < last:
        year, month = divmod(12 * found[-1].year + found[-1].month, 12)
        found.append(date(year, month + 1, 1))
    return found
