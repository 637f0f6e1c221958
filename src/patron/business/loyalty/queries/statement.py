"""The account statement, and the points of purchases."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.models import LedgerTransaction, Membership, Unit
from patron.business.loyalty.queries.words import Working, explain, working_of

Key = tuple[datetime, int]
"""Where a page of the statement ends: the moment and id of its last line."""

ZERO = Decimal(0)

# What came later than a page is at most what the pages before it hold; so the balances are counted back from today's.
_PAGE = """
WITH page AS MATERIALIZED (
    SELECT t.id, t.occurred_at FROM loyalty_ledgertransaction t
    WHERE t.membership_id = %(membership)s AND t.unit = %(unit)s AND {wanted}
    ORDER BY t.occurred_at DESC, t.id DESC LIMIT %(limit)s
), change AS (
    SELECT t.id, t.occurred_at,
        coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'available'), 0) AS available,
        coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'pending'), 0) AS pending,
        coalesce(sum(p.amount) FILTER (WHERE a.bucket = 'reserved'), 0) AS reserved
    FROM loyalty_ledgertransaction t
        LEFT JOIN loyalty_posting p ON p.transaction_id = t.id
        LEFT JOIN loyalty_account a ON a.id = p.account_id
    WHERE t.membership_id = %(membership)s AND t.unit = %(unit)s
        AND (t.occurred_at, t.id) >= (SELECT occurred_at, id FROM page ORDER BY 1, 2 LIMIT 1)
    GROUP BY t.id
), running AS (
    SELECT id, available, pending, reserved, coalesce((
            SELECT balance FROM loyalty_account
            WHERE membership_id = %(membership)s AND unit = %(unit)s AND bucket = 'available'), 0)
        - coalesce(sum(available) OVER (
            ORDER BY occurred_at DESC, id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS balance
    FROM change
)
SELECT id, available, pending, reserved, balance FROM running WHERE id IN (SELECT id FROM page)
"""

_HOLDINGS = """
SELECT unit, coalesce(sum(balance) FILTER (WHERE bucket = 'available'), 0),
    coalesce(sum(balance) FILTER (WHERE bucket = 'pending'), 0),
    coalesce(sum(balance) FILTER (WHERE bucket = 'reserved'), 0)
FROM loyalty_account WHERE membership_id = %s GROUP BY unit
"""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement: what it changed of what can be spent, the balance after it, and why, in words.

    `pending` and `reserved` are what it changed of those: a reservation takes from what can be spent and adds to what
    is reserved; its use later takes it from there, and nothing from what can be spent.
    """

    transaction: LedgerTransaction
    amount: Decimal
    balance: Decimal
    words: str
    pending: Decimal = ZERO
    reserved: Decimal = ZERO

    @property
    def key(self) -> Key:
        return self.transaction.occurred_at, self.transaction.pk

    @property
    def working(self) -> Sequence[Working]:
        """The arithmetic of an award, step by step."""
        return working_of(self.transaction)


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of movements, newest first. `following` is the key for the next page, None on the last."""

    lines: Sequence[StatementLine]
    following: Key | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which movements a statement shows: of one unit; of some kinds (none: all); from `since` to before `until`."""

    unit: str = Unit.POINTS
    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


ALL_POINTS = Wanted()


def statement(
    membership: Membership, *, before: Key | None = None, limit: int = 50, wanted: Wanted = ALL_POINTS
) -> Statement:
    """A member's movements in order of time, newest first, with the running balance. Two queries a page.

    The balance is that of the account, also where movements between two lines are not shown.
    """
    conditions = ["true"]
    values: dict[str, Any] = {"membership": membership.pk, "unit": str(wanted.unit), "limit": limit + 1}
    if before is not None:
        conditions.append("(t.occurred_at, t.id) < (%(at)s, %(id)s)")
        values["at"], values["id"] = before
    if wanted.kinds:
        conditions.append("t.kind = ANY(%(kinds)s)")
        values["kinds"] = list(wanted.kinds)
    if wanted.since is not None:
        conditions.append("t.occurred_at >= %(since)s")
        values["since"] = wanted.since
    if wanted.until is not None:
        conditions.append("t.occurred_at < %(until)s")
        values["until"] = wanted.until
    with connection.cursor() as cursor:
        cursor.execute(_PAGE.format(wanted=" AND ".join(conditions)), values)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    transactions = LedgerTransaction.objects.filter(pk__in=found).select_related("rule", "purchase")
    lines = [
        StatementLine(
            transaction=t,
            amount=found[t.pk][0],
            pending=found[t.pk][1],
            reserved=found[t.pk][2],
            balance=found[t.pk][3],
            words=explain(t),
        )
        for t in transactions.order_by("-occurred_at", "-pk")
    ]
    return Statement(lines=lines[:limit], following=lines[limit - 1].key if len(lines) > limit else None)


def whole_statement(membership: Membership, *, wanted: Wanted = ALL_POINTS) -> Iterator[StatementLine]:
    """Every movement wanted, newest first, read page by page: for files."""
    before: Key | None = None
    while True:
        page = statement(membership, before=before, limit=500, wanted=wanted)
        yield from page.lines
        if page.following is None:
            return
        before = page.following


@dataclass(frozen=True, slots=True)
class UnitHolding:
    """What a member has of one unit by the accounts: what can be spent (below zero: owed), pending, set aside."""

    unit: str
    available: Decimal = ZERO
    pending: Decimal = ZERO
    reserved: Decimal = ZERO


def holdings(membership: Membership) -> dict[str, UnitHolding]:
    """What a member has of each unit that was ever moved, by unit; points are always there. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDINGS, [membership.pk])
        found = {row[0]: UnitHolding(*row) for row in cursor.fetchall()}
    return {str(Unit.POINTS): UnitHolding(str(Unit.POINTS)), **found}


@dataclass(frozen=True, slots=True)
class PurchasePoints:
    """What one purchase did to its customer's points, and why, movement by movement."""

    purchase_id: int
    points: Decimal
    why: Sequence[str]


def points_of_purchases(purchase_ids: Collection[int]) -> dict[int, PurchasePoints]:
    """The points of purchases (sales and returns) by purchase id, in one query; purchases without any are absent."""
    movements: dict[int, list[LedgerTransaction]] = {}
    found = LedgerTransaction.objects.filter(purchase_id__in=purchase_ids, unit="points").select_related("rule")
    for transaction in found.order_by("occurred_at", "pk"):
        if transaction.purchase_id is not None:
            movements.setdefault(transaction.purchase_id, []).append(transaction)
    return {
        purchase_id: PurchasePoints(
            purchase_id=purchase_id,
            points=sum((t.amount for t in done), Decimal(0)),
            why=[explain(t) for t in done],
        )
        for purchase_id, done in movements.items()
    }
