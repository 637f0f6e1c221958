"""The account statement, and the points of purchases."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.queries.words import explain

Key = tuple[datetime, int]
"""Where a page of the statement ends: the moment and id of its last line."""

_PAGE = """
WITH page AS (
    SELECT t.id, t.occurred_at FROM loyalty_ledgertransaction t
    WHERE t.membership_id = %(membership)s AND t.unit = 'points' AND {before}
    ORDER BY t.occurred_at DESC, t.id DESC LIMIT %(limit)s
), change AS (
    SELECT g.id, g.occurred_at, coalesce(sum(p.amount), 0) AS amount
    FROM page g LEFT JOIN (
        loyalty_posting p JOIN loyalty_account a ON a.id = p.account_id AND a.bucket = 'available'
    ) ON p.transaction_id = g.id
    GROUP BY g.id, g.occurred_at
), newer AS (
    SELECT coalesce(sum(p.amount), 0) AS amount
    FROM loyalty_ledgertransaction t
        JOIN loyalty_posting p ON p.transaction_id = t.id
        JOIN loyalty_account a ON a.id = p.account_id AND a.bucket = 'available'
    WHERE t.membership_id = %(membership)s AND t.unit = 'points' AND NOT ({before})
)
SELECT c.id, (SELECT balance FROM loyalty_account
              WHERE membership_id = %(membership)s AND unit = 'points' AND bucket = 'available')
    - (SELECT amount FROM newer)
    - coalesce(sum(c.amount) OVER (
        ORDER BY c.occurred_at DESC, c.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
FROM change c
"""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement: what it gave or took, the balance after it, and why, in words."""

    transaction: LedgerTransaction
    amount: Decimal
    balance: Decimal
    words: str

    @property
    def key(self) -> Key:
        return self.transaction.occurred_at, self.transaction.pk


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of movements, newest first. `following` is the key for the next page, None on the last."""

    lines: Sequence[StatementLine]
    following: Key | None


def statement(membership: Membership, *, before: Key | None = None, limit: int = 50) -> Statement:
    """The movements of a member's points in order of time, newest first, with running balance. Two queries a page."""
    condition = "(t.occurred_at, t.id) < (%(at)s, %(id)s)" if before else "true"
    at, last_id = before or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGE.format(before=condition),
            {"membership": membership.pk, "limit": limit + 1, "at": at, "id": last_id},
        )
        balances = dict(cursor.fetchall())
    transactions = LedgerTransaction.objects.filter(pk__in=balances).select_related("rule", "purchase")
    lines = [
        StatementLine(transaction=t, amount=t.amount, balance=balances[t.pk], words=explain(t))
        for t in transactions.order_by("-occurred_at", "-pk")
    ]
    return Statement(lines=lines[:limit], following=lines[limit - 1].key if len(lines) > limit else None)


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
