"""The journal: every side of every movement, for finance and auditors. Debit and credit as the house books them.

What members hold is the house's liability: a credit raises it, a debit lowers it; the counterparts run the other way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from patron.business.loyalty.queries.finance import require_finance
from patron.kernel.actor import Actor

_LINES = """
SELECT t.id, p.line_no, t.occurred_at, t.recorded_at, t.unit, t.kind, c.number, a.bucket, p.amount,
    l.expires_on, u.source || ' ' || u.source_key, t.origin_id, t.request_key, t.actor
FROM (
    SELECT * FROM loyalty_ledgertransaction
    WHERE id > %(after)s AND occurred_at >= %(since)s AND occurred_at < %(until)s
        AND (%(unit)s = '' OR unit = %(unit)s)
    ORDER BY id LIMIT %(limit)s
) t
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_account a ON a.id = p.account_id
    JOIN loyalty_membership m ON m.id = t.membership_id
    JOIN customers_customer c ON c.id = m.customer_id
    LEFT JOIN loyalty_lot l ON l.id = p.lot_id
    LEFT JOIN purchases_purchase u ON u.id = t.purchase_id
ORDER BY t.id, p.line_no
"""

_TOTALS = """
SELECT t.unit, a.bucket, coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0),
    coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0), count(*)
FROM loyalty_ledgertransaction t
    JOIN loyalty_posting p ON p.transaction_id = t.id
    JOIN loyalty_account a ON a.id = p.account_id
WHERE t.occurred_at >= %(since)s AND t.occurred_at < %(until)s AND (%(unit)s = '' OR t.unit = %(unit)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""

_BALANCE = """
SELECT count(*), count(*) FILTER (WHERE total <> 0) FROM (
    SELECT sum(p.amount) AS total
    FROM loyalty_ledgertransaction t JOIN loyalty_posting p ON p.transaction_id = t.id
    WHERE t.occurred_at >= %(since)s AND t.occurred_at < %(until)s AND (%(unit)s = '' OR t.unit = %(unit)s)
    GROUP BY t.id
) each
"""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of a movement. `amount` is above zero for a credit, below for a debit."""

    transaction_id: int
    line_no: int
    occurred_at: datetime
    recorded_at: datetime
    unit: str
    kind: str
    customer: str
    bucket: str
    amount: Decimal
    lot_expires_on: object
    purchase: str | None
    origin_id: int | None
    request_key: str
    actor: str

    @property
    def debit(self) -> Decimal | None:
        return -self.amount if self.amount < 0 else None

    @property
    def credit(self) -> Decimal | None:
        return self.amount if self.amount > 0 else None


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """What was debited and credited in a period to all accounts of one unit in one bucket."""

    unit: str
    bucket: str
    debit: Decimal
    credit: Decimal
    postings: int

    @property
    def net(self) -> Decimal:
        return self.credit - self.debit


@dataclass(frozen=True, slots=True)
class JournalTotals:
    """A period's totals by account, how many movements there were, and how many of them do not sum to zero."""

    accounts: Sequence[AccountTotal]
    transactions: int
    unbalanced: int

    @property
    def debit(self) -> Decimal:
        return sum((each.debit for each in self.accounts), Decimal(0))

    @property
    def credit(self) -> Decimal:
        return sum((each.credit for each in self.accounts), Decimal(0))

    @property
    def balances(self) -> bool:
        return not self.unbalanced and self.debit == self.credit


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Whole movements in the order in which they were written; `following` goes on after them, None at the end."""

    lines: Sequence[JournalLine]
    following: int | None


def journal_totals(actor: Actor, *, since: datetime, until: datetime, unit: str = "") -> JournalTotals:
    """Totals from `since` to before `until`. Raises PermissionRefused without `loyalty.finance`. Two queries."""
    require_finance(actor)
    values: dict[str, Any] = {"since": since, "until": until, "unit": unit}
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, values)
        accounts = [AccountTotal(*row) for row in cursor.fetchall()]
        cursor.execute(_BALANCE, values)
        ((transactions, unbalanced),) = cursor.fetchall()
    return JournalTotals(accounts, transactions, unbalanced)


def journal(
    actor: Actor, *, since: datetime, until: datetime, unit: str = "", after: int = 0, limit: int = 50
) -> JournalPage:
    """The lines of up to `limit` movements from `since` to before `until`, after movement `after`. One query.

    Raises PermissionRefused without `loyalty.finance`.
    """
    require_finance(actor)
    with connection.cursor() as cursor:
        cursor.execute(_LINES, {"since": since, "until": until, "unit": unit, "after": after, "limit": limit})
        lines = [JournalLine(*row) for row in cursor.fetchall()]
    shown = len({line.transaction_id for line in lines})
    return JournalPage(lines, lines[-1].transaction_id if shown == limit else None)


def whole_journal(actor: Actor, *, since: datetime, until: datetime, unit: str = "") -> Iterator[JournalLine]:
    """Every line, read some thousand movements at a time: for files."""
    after: int | None = 0
    while after is not None:
        page = journal(actor, since=since, until=until, unit=unit, after=after, limit=2000)
        yield from page.lines
        after = page.following
