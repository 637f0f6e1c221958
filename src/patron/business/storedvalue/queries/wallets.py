"""What members hold: own money and bonus, and every movement of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from patron.business.loyalty.models import LedgerTransaction, Membership, Programme
from patron.business.loyalty.queries import get_membership
from patron.business.storedvalue.models import Tender, WalletPolicy
from patron.business.storedvalue.queries.words import explain
from patron.business.storedvalue.rules import Policy, Tier, is_locked
from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import PermissionRefused

ZERO = Decimal("0.00")
Key = tuple[datetime, int]

TENDERS = tuple(Tender.choices)
"""How a deposit is paid: code and label."""

_BALANCES = """
SELECT m.id, g.currency, coalesce(s.own, 0), coalesce(s.bonus, 0), n.amount, n.expires_on,
    coalesce(w.is_frozen, false), coalesce(w.frozen_reason, ''), coalesce(w.pin_hash, '') <> '', w.pin_locked_until,
    w.max_payment, w.max_per_day
FROM loyalty_membership m
    JOIN loyalty_programme g ON g.id = m.programme_id
    LEFT JOIN loyalty_account a ON a.membership_id = m.id AND a.unit = 'stored_value' AND a.bucket = 'available'
    LEFT JOIN storedvalue_wallet w ON w.membership_id = m.id
    LEFT JOIN LATERAL (
        SELECT sum(l.remaining) FILTER (WHERE t.explanation ->> 'what' IS DISTINCT FROM 'bonus') AS own,
            sum(l.remaining) FILTER (WHERE t.explanation ->> 'what' = 'bonus') AS bonus
        FROM loyalty_lot l JOIN loyalty_ledgertransaction t ON t.id = l.opened_by_id
        WHERE l.account_id = a.id AND l.remaining > 0 AND (l.expires_on IS NULL OR l.expires_on >= %(day)s)
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT l.expires_on, sum(l.remaining) AS amount FROM loyalty_lot l
        WHERE l.account_id = a.id AND l.remaining > 0 AND l.expires_on >= %(day)s
        GROUP BY l.expires_on ORDER BY l.expires_on LIMIT 1
    ) n ON true
WHERE m.id = ANY(%(members)s)
"""


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """What a member holds on a day, and the locks on it.

    `own` was deposited and can be withdrawn, `bonus` cannot; `expiring` of the bonus goes next, after `expires_on`
    (None: nothing expires). `pin_locked` after too many wrong PINs. Limits are the member's own (None: the policy's).
    """

    membership_id: int
    currency: str
    own: Decimal
    bonus: Decimal
    expiring: Decimal
    expires_on: date | None
    is_frozen: bool
    frozen_reason: str
    has_pin: bool
    pin_locked: bool
    max_payment: Decimal | None
    max_per_day: Decimal | None

    @property
    def balance(self) -> Decimal:
        """All that can be paid with."""
        return self.own + self.bonus


def get_wallet_membership(customer: Customer, actor: Actor) -> Membership:
    """The customer's membership for whoever may see stored value. Raises PermissionRefused, NotFound, NoSuchMember."""
    if not actor.can("storedvalue.view"):
        raise PermissionRefused(details={"permission": "storedvalue.view"})
    return get_membership(customer, actor)


def wallet_balance(membership: Membership, *, now: datetime) -> WalletBalance:
    """What a member holds at `now`. Bonus past its date does not count, also where the expiry job has yet to come."""
    return wallet_balances([membership.pk], now=now)[membership.pk]


def wallet_balances(membership_ids: Iterable[int], *, now: datetime) -> dict[int, WalletBalance]:
    """The same for many members, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"day": today(now), "members": list(membership_ids)})
        rows = cursor.fetchall()
    return {
        row[0]: WalletBalance(
            membership_id=row[0],
            currency=row[1],
            own=row[2],
            bonus=row[3],
            expiring=row[4] or ZERO,
            expires_on=row[5],
            is_frozen=row[6],
            frozen_reason=row[7],
            has_pin=row[8],
            pin_locked=is_locked(row[9], now),
            max_payment=row[10],
            max_per_day=row[11],
        )
        for row in rows
    }


_PAGE = """
WITH page AS (
    SELECT t.id, t.occurred_at, t.amount FROM loyalty_ledgertransaction t
    WHERE t.membership_id = %(membership)s AND t.unit = 'stored_value' AND t.amount <> 0 AND {before}
    ORDER BY t.occurred_at DESC, t.id DESC LIMIT %(limit)s
)
SELECT p.id,
    (SELECT coalesce(sum(balance), 0) FROM loyalty_account
     WHERE membership_id = %(membership)s AND unit = 'stored_value' AND bucket IN ('available', 'pending', 'reserved'))
    - (SELECT coalesce(sum(t.amount), 0) FROM loyalty_ledgertransaction t
       WHERE t.membership_id = %(membership)s AND t.unit = 'stored_value' AND NOT ({before}))
    - coalesce(sum(p.amount) OVER (
        ORDER BY p.occurred_at DESC, p.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
FROM page p
"""


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One movement: what it brought or took, the balance after it, and what it was, in words."""

    transaction: LedgerTransaction
    amount: Decimal
    balance: Decimal
    words: str

    @property
    def key(self) -> Key:
        return self.transaction.occurred_at, self.transaction.pk


@dataclass(frozen=True, slots=True)
class MoneyStatement:
    """A page of movements, newest first. `following` is the key for the next page, None on the last."""

    lines: Sequence[MoneyLine]
    following: Key | None


def money_statement(membership: Membership, *, before: Key | None = None, limit: int = 50) -> MoneyStatement:
    """The movements of a member's money, newest first, with running balance. Two queries a page."""
    condition = "(t.occurred_at, t.id) < (%(at)s, %(id)s)" if before else "true"
    at, last_id = before or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGE.format(before=condition),
            {"membership": membership.pk, "limit": limit + 1, "at": at, "id": last_id},
        )
        balances = dict(cursor.fetchall())
    lines = [
        MoneyLine(transaction=t, amount=t.amount, balance=balances[t.pk], words=explain(t))
        for t in LedgerTransaction.objects.filter(pk__in=balances).order_by("-occurred_at", "-pk")
    ]
    return MoneyStatement(lines=lines[:limit], following=lines[limit - 1].key if len(lines) > limit else None)


def policies() -> list[tuple[Programme, Policy, Sequence[Tier]]]:
    """Every active programme with the terms of its stored value (those of none offered, where it has none)."""
    kept = {p.programme_id: p for p in WalletPolicy.objects.prefetch_related("tiers")}
    found: list[tuple[Programme, Policy, Sequence[Tier]]] = []
    for programme in Programme.objects.filter(is_active=True).order_by("pk"):
        policy = kept.get(programme.pk)
        tiers = sorted((t.terms for t in policy.tiers.all()), key=lambda t: t.from_amount) if policy else []
        found.append((programme, policy.terms if policy else Policy(), tiers))
    return found
