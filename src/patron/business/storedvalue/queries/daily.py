"""The daily statement of stored value for finance, and what is owed to members.

Both come from the ledger alone. Days are the organisation's. A movement without a branch (an expiry, for one) stands
in a line of its own, so that the lines add up to the house.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from patron.business.storedvalue.models import What
from patron.business.storedvalue.standing import day_bounds
from patron.core.accounts.models import Branch
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import PermissionRefused

ZERO = Decimal("0.00")

_MOVED = """
SELECT (t.explanation ->> 'branch')::bigint AS branch_id,
    CASE WHEN t.kind = 'expire' THEN 'expiry' ELSE coalesce(t.explanation ->> 'what', t.kind) END AS what,
    CASE WHEN t.kind = 'earn' THEN coalesce(t.explanation ->> 'tender', '') ELSE '' END AS tender,
    coalesce(sum(t.amount) FILTER (WHERE t.occurred_at < %(since)s), 0),
    coalesce(sum(t.amount) FILTER (WHERE t.occurred_at >= %(since)s), 0),
    count(*) FILTER (WHERE t.occurred_at >= %(since)s),
    coalesce(sum((t.explanation ->> 'paid_out')::numeric) FILTER (WHERE t.occurred_at >= %(since)s), 0)
FROM loyalty_ledgertransaction t
WHERE t.unit = 'stored_value' AND t.occurred_at < %(until)s AND t.amount <> 0
GROUP BY 1, 2, 3
"""

_HELD = """
SELECT coalesce(sum(p.amount), 0)
FROM loyalty_ledgertransaction t
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_account a ON a.id = p.account_id AND a.bucket IN ('available', 'pending', 'reserved')
WHERE t.unit = 'stored_value' AND t.occurred_at < %s
"""


@dataclass(slots=True)
class DayLine:
    """One branch on one day. Amounts are signed as they change what members hold: payments are negative.

    `opening` and `closing` of a branch are what all its movements up to then come to: what it took in more than others
    served. Those of the house are what members hold. `moved` is by kind of movement (`models.What`), `by_tender`
    divides the deposits; `paid_out` is what left the till for withdrawals (less than what was withdrawn by fees and
    spent bonus), positive.
    """

    branch_id: int | None
    branch: str = ""
    opening: Decimal = ZERO
    moved: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(What.values, ZERO))
    counts: dict[str, int] = field(default_factory=dict)
    by_tender: dict[str, Decimal] = field(default_factory=dict)
    paid_out: Decimal = ZERO

    @property
    def closing(self) -> Decimal:
        return self.opening + sum(self.moved.values(), ZERO)

    @property
    def is_silent(self) -> bool:
        """Nothing happened, and nothing is carried."""
        return not self.opening and not self.counts


@dataclass(frozen=True, slots=True)
class DailyStatement:
    """A day: a line for each branch that the reader sees, their total, and whether the house ties to the ledger.

    `ledger` is the sum of all postings on members' accounts up to the end of the day, `computed` opening plus movements
    of all branches: the two must be the same.
    """

    day: date
    lines: Sequence[DayLine]
    total: DayLine
    computed: Decimal
    ledger: Decimal

    @property
    def ties(self) -> bool:
        return self.computed == self.ledger


def daily_statement(actor: Actor, *, day: date, branch_id: int | None = None) -> DailyStatement:
    """The statement of a day, for all branches that the actor may see or one of them. Three queries.

    Raises PermissionRefused without `storedvalue.report`.
    """
    if not actor.can("storedvalue.report"):
        raise PermissionRefused(details={"permission": "storedvalue.report"})
    since, until = day_bounds(day)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"since": since, "until": until})
        rows = cursor.fetchall()
        cursor.execute(_HELD, [until])
        ((ledger,),) = cursor.fetchall()
    by_branch: dict[int | None, DayLine] = {}
    for moved_in, what, tender, before, moved, count, paid_out in rows:
        line = by_branch.setdefault(moved_in, DayLine(moved_in))
        line.opening += before
        line.paid_out += paid_out
        if count:
            line.moved[what] = line.moved.get(what, ZERO) + moved
            line.counts[what] = line.counts.get(what, 0) + count
            if what == What.DEPOSIT:
                line.by_tender[tender] = line.by_tender.get(tender, ZERO) + moved
    names = dict(Branch.objects.filter(pk__in=[b for b in by_branch if b]).values_list("pk", "name"))
    for line in by_branch.values():
        line.branch = names.get(line.branch_id or 0, "")
    shown = [
        line
        for line in by_branch.values()
        if (actor.branch_ids is None or line.branch_id in actor.branch_ids)
        and (branch_id is None or line.branch_id == branch_id)
        and not line.is_silent
    ]
    return DailyStatement(
        day=day,
        lines=sorted(shown, key=lambda line: (line.branch_id is None, line.branch)),
        total=_total(shown),
        computed=sum((line.closing for line in by_branch.values()), ZERO),
        ledger=ledger,
    )


def _total(lines: Sequence[DayLine]) -> DayLine:
    total = DayLine(None)
    for line in lines:
        total.opening += line.opening
        total.paid_out += line.paid_out
        _add(total.moved, line.moved)
        _add(total.by_tender, line.by_tender)
        for what, count in line.counts.items():
            total.counts[what] = total.counts.get(what, 0) + count
    return total


def _add(to: dict[str, Decimal], amounts: Mapping[str, Decimal]) -> None:
    for name, amount in amounts.items():
        to[name] = to.get(name, ZERO) + amount


@dataclass(frozen=True, slots=True)
class StoredValueLiability:
    """What is owed to members: their own money and usable bonus, how many members hold some, and how much of the bonus
    goes next (`expiring` after `expires_on`, None: none expires)."""

    own: Decimal
    bonus: Decimal
    members: int
    expiring: Decimal
    expires_on: date | None

    @property
    def total(self) -> Decimal:
        return self.own + self.bonus


_LIABILITY = """
WITH held AS (
    SELECT l.account_id, l.expires_on, t.explanation ->> 'what' = 'bonus' AS is_bonus, {amount} AS amount
    FROM loyalty_ledgertransaction t JOIN loyalty_lot l ON l.opened_by_id = t.id
    WHERE t.unit = 'stored_value' AND (l.expires_on IS NULL OR l.expires_on >= %(day)s)
)
SELECT expires_on, is_bonus, sum(amount), (SELECT count(DISTINCT account_id) FROM held WHERE amount > 0)
FROM held WHERE amount > 0 GROUP BY 1, 2
"""
_AMOUNT_THEN = """
(SELECT coalesce(sum(p.amount), 0) FROM loyalty_posting p
    JOIN loyalty_ledgertransaction m ON m.id = p.transaction_id AND m.occurred_at <= %(as_of)s WHERE p.lot_id = l.id)
"""


def stored_value_liability(*, now: datetime, as_of: datetime | None = None) -> StoredValueLiability:
    """What is owed now, or was owed after everything that had happened by `as_of`."""
    amount = "l.remaining" if as_of is None else _AMOUNT_THEN
    with connection.cursor() as cursor:
        cursor.execute(_LIABILITY.format(amount=amount), {"day": today(as_of or now), "as_of": as_of})
        rows = cursor.fetchall()
    expiring: dict[date, Decimal] = {}
    for expires_on, _is_bonus, amount, _members in rows:
        if expires_on is not None:
            expiring[expires_on] = expiring.get(expires_on, ZERO) + amount
    first = min(expiring, default=None)
    return StoredValueLiability(
        own=sum((amount for _, is_bonus, amount, _members in rows if not is_bonus), ZERO),
        bonus=sum((amount for _, is_bonus, amount, _members in rows if is_bonus), ZERO),
        members=rows[0][3] if rows else 0,
        expiring=expiring[first] if first else ZERO,
        expires_on=first,
    )
