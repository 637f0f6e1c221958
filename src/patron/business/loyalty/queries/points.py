"""What members have: balances, lots, and what the organisation owes them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Sum

from patron.business.loyalty.models import Bucket, Lot, Membership, Posting, Programme, Unit
from patron.kernel.clock import today

ZERO = Decimal("0.00")

_BALANCES = """
SELECT a.membership_id, max(a.balance) FILTER (WHERE a.bucket = 'available'),
    -coalesce(max(a.balance) FILTER (WHERE a.bucket = 'issued'), 0),
    coalesce(max(a.balance) FILTER (WHERE a.bucket = 'redeemed'), 0),
    coalesce(max(a.balance) FILTER (WHERE a.bucket = 'expired'), 0),
    (SELECT coalesce(sum(l.remaining), 0) FROM loyalty_lot l
     WHERE l.account_id = max(a.id) FILTER (WHERE a.bucket = 'available') AND l.remaining > 0 AND l.expires_on < %s),
    (SELECT (array_agg(n.expires_on || ' ' || n.points))[1] FROM (
        SELECT l.expires_on, sum(l.remaining) AS points FROM loyalty_lot l
        WHERE l.account_id = max(a.id) FILTER (WHERE a.bucket = 'available') AND l.remaining > 0 AND l.expires_on >= %s
        GROUP BY l.expires_on ORDER BY l.expires_on LIMIT 1) n)
FROM loyalty_account a
WHERE a.membership_id = ANY(%s) AND a.unit = 'points'
GROUP BY a.membership_id
"""


@dataclass(frozen=True, slots=True)
class PointsBalance:
    """A member's points on a day.

    `available` can be spent; `owed` were taken back after they were spent and will be repaid by the next earnings (one
    of the two is zero). `expiring` of them are the next to go, after `expires_on` (None: nothing expires).
    `earned`, `redeemed` and `expired` are totals since joining; `earned` is net of what was taken back.
    """

    membership_id: int
    available: Decimal = ZERO
    owed: Decimal = ZERO
    expiring: Decimal = ZERO
    expires_on: date | None = None
    earned: Decimal = ZERO
    redeemed: Decimal = ZERO
    expired: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """Available less owed: negative for a member in debt."""
        return self.available - self.owed


def points_balance(membership: Membership, *, now: datetime) -> PointsBalance:
    """What a member has at `now`. Points past their date do not count, also where the expiry job has yet to come."""
    return points_balances([membership.pk], now=now)[membership.pk]


def points_balances(membership_ids: Iterable[int], *, now: datetime) -> dict[int, PointsBalance]:
    """The same for many members, in one query."""
    wanted = list(membership_ids)
    day = today(now)
    balances = {membership_id: PointsBalance(membership_id) for membership_id in wanted}
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, [day, day, wanted])
        for membership_id, balance, earned, redeemed, expired, overdue, following in cursor.fetchall():
            if balance is None:
                continue
            expires_on, expiring = following.split() if following else (None, ZERO)
            balances[membership_id] = PointsBalance(
                membership_id=membership_id,
                available=max(balance - overdue, ZERO),
                owed=max(-balance, ZERO),
                expiring=Decimal(expiring),
                expires_on=date.fromisoformat(expires_on) if expires_on else None,
                earned=earned,
                redeemed=redeemed,
                expired=expired + overdue,
            )
    return balances


def points_balance_at(membership: Membership, as_of: datetime) -> Decimal:
    """The balance after everything that had happened by `as_of`, from the postings (also when recorded later)."""
    total = Posting.objects.filter(
        account__membership=membership,
        account__unit=Unit.POINTS,
        account__bucket=Bucket.AVAILABLE,
        transaction__membership=membership,
        transaction__occurred_at__lte=as_of,
    ).aggregate(total=Sum("amount"))["total"]
    return total or ZERO


@dataclass(frozen=True, slots=True)
class LotLine:
    """An open lot: `remaining` of `amount` points, usable up to and on `expires_on` (None: for ever)."""

    remaining: Decimal
    amount: Decimal
    earned_at: datetime
    expires_on: date | None
    purchase_id: int | None


def open_lots(membership: Membership, *, now: datetime) -> list[LotLine]:
    """The member's lots that can still be used at `now`, in order of use."""
    lots = (
        Lot.objects.filter(
            account__membership=membership,
            account__unit=Unit.POINTS,
            account__bucket=Bucket.AVAILABLE,
            remaining__gt=0,
        )
        .order_by("expires_on", "pk")
        .values_list("remaining", "amount", "earned_at", "expires_on", "opened_by__purchase_id")
    )
    return [
        line for line in (LotLine(*lot) for lot in lots) if line.expires_on is None or line.expires_on >= today(now)
    ]


@dataclass(frozen=True, slots=True)
class Liability:
    """What is outstanding: points that members can spend, points that members owe, and how many members of each."""

    points: Decimal
    members: int
    owed: Decimal
    debtors: int


def liability(*, as_of: datetime | None = None, programmes: Sequence[Programme] = ()) -> Liability:
    """Points outstanding now (running balances), or after everything that had happened by `as_of` (postings)."""
    if as_of is None:
        balances = "SELECT a.id, a.membership_id, a.balance FROM loyalty_account a"
    else:
        balances = (
            "SELECT a.id, a.membership_id, sum(p.amount) AS balance FROM loyalty_posting p "
            "JOIN loyalty_account a ON a.id = p.account_id "
            "JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id AND t.occurred_at <= %(as_of)s"
        )
    balances += (
        " JOIN loyalty_membership m ON m.id = a.membership_id"
        " WHERE a.unit = 'points' AND a.bucket = 'available' AND (%(all)s OR m.programme_id = ANY(%(programmes)s))"
    )
    if as_of is not None:
        balances += " GROUP BY a.id, a.membership_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(sum(balance) FILTER (WHERE balance > 0), 0), count(*) FILTER (WHERE balance > 0),
                coalesce(-sum(balance) FILTER (WHERE balance < 0), 0), count(*) FILTER (WHERE balance < 0)
            FROM ({balances}) held
            """,
            {"as_of": as_of, "all": not programmes, "programmes": [programme.pk for programme in programmes]},
        )
        (row,) = cursor.fetchall()
    return Liability(*row)
