"""What an operation must know before it moves a member's money, read under the lock of the member's account."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import KeyReused, MembershipNotActive, NoSuchMember
from patron.business.loyalty.ledger.movements import Movement
from patron.business.loyalty.models import LedgerTransaction, Membership, Unit
from patron.business.storedvalue.errors import InvalidAmount, WalletFrozen
from patron.business.storedvalue.models import Wallet
from patron.business.storedvalue.rules import MOST_MONEY, Policy
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone
from patron.kernel.errors import InvalidInput
from patron.kernel.money import quantum
from patron.kernel.prepared import fetch

UNIT = Unit.STORED_VALUE
LONGEST_KEY = 120

_POLICY = tuple(Policy.__dataclass_fields__)
_WALLET = ("id", "is_frozen", "pin_hash", "pin_failures", "pin_locked_until", "max_payment", "max_per_day")

_STANDING = f"""
SELECT m.status, g.currency, p.id, {", ".join(f"p.{name}" for name in _POLICY)}, {", ".join(f"w.{n}" for n in _WALLET)},
    (SELECT t.id FROM loyalty_ledgertransaction t WHERE t.request_key = %(key)s::text),
    (SELECT coalesce(-sum(t.amount), 0) FROM loyalty_ledgertransaction t
     WHERE t.membership_id = m.id AND t.unit = 'stored_value' AND t.kind IN ('spend', 'refund')
        AND t.occurred_at >= %(since)s::timestamptz AND t.occurred_at < %(until)s::timestamptz),
    (SELECT coalesce(jsonb_agg(l.id), '[]')::text FROM loyalty_account a
        JOIN loyalty_lot l ON l.account_id = a.id AND l.remaining > 0
        JOIN loyalty_ledgertransaction t ON t.id = l.opened_by_id
     WHERE a.membership_id = m.id AND a.unit = 'stored_value' AND a.bucket = 'available'
        AND t.explanation ->> 'what' = 'bonus')
FROM loyalty_membership m
    JOIN loyalty_programme g ON g.id = m.programme_id
    LEFT JOIN storedvalue_walletpolicy p ON p.programme_id = m.programme_id
    LEFT JOIN storedvalue_wallet w ON w.membership_id = m.id
WHERE m.id = %(membership)s::bigint
"""  # noqa: S608 (names of columns)


@dataclass(frozen=True, slots=True)
class Standing:
    """The terms for one member now, and what is known of the request.

    `policy` holds the member's own limits where there are any; `policy_id` is None where the programme has no policy.
    `earlier` is the movement that this request key gave before. `bonus` names the open lots of bonus money.
    """

    membership_id: int
    status: str
    currency: str
    policy_id: int | None
    policy: Policy
    wallet: Wallet | None
    earlier: int | None
    paid_today: Decimal
    bonus: frozenset[int]

    def require_active(self) -> None:
        """Raises MembershipNotActive."""
        if self.status != Membership.Status.ACTIVE:
            raise MembershipNotActive(details={"status": self.status})

    def require_thawed(self) -> None:
        """Raises WalletFrozen."""
        if self.wallet is not None and self.wallet.is_frozen:
            raise WalletFrozen


def read_standing(membership_id: int, request_key: str, day: date) -> Standing:
    """One query. Raises NoSuchMember."""
    since, until = day_bounds(day)
    rows = fetch(
        _STANDING, {"membership": membership_id, "key": stored_key(request_key), "since": since, "until": until}
    )
    if not rows:
        raise NoSuchMember(details={"membership": membership_id})
    status, currency, policy_id, *rest = rows[0]
    terms, rest = rest[: len(_POLICY)], rest[len(_POLICY) :]
    kept, (earlier, paid_today, bonus) = rest[: len(_WALLET)], rest[len(_WALLET) :]
    wallet = None if kept[0] is None else Wallet(membership_id=membership_id, **dict(zip(_WALLET, kept, strict=True)))
    policy = Policy() if policy_id is None else Policy(*terms)
    if wallet is not None:
        policy = replace(
            policy,
            max_payment=policy.max_payment if wallet.max_payment is None else wallet.max_payment,
            max_per_day=policy.max_per_day if wallet.max_per_day is None else wallet.max_per_day,
        )
    return Standing(
        membership_id=membership_id,
        status=status,
        currency=currency,
        policy_id=policy_id,
        policy=policy,
        wallet=wallet,
        earlier=earlier,
        paid_today=paid_today,
        bonus=frozenset(json.loads(bonus)),
    )


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """When a day of the organisation begins and ends."""
    begin, end = (datetime.combine(d, time(), house_zone()).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    return begin, end


def checked_amount(amount: Decimal, currency: str) -> Decimal:
    """`amount` with two decimals. Raises InvalidAmount unless it is positive, in whole minor units, and sane."""
    if not amount.is_finite() or not 0 < amount <= MOST_MONEY or amount != amount.quantize(quantum(currency)):
        raise InvalidAmount(details={"field": "amount"})
    return amount.quantize(Decimal("0.01"))


def stored_key(request_key: str) -> str:
    """Keys of wallets have a room of their own in the ledger. Raises InvalidInput for one that is empty or too long."""
    if not 0 < len(request_key) <= LONGEST_KEY:
        raise InvalidInput(
            _("A request key has 1 to %(most)s characters.") % {"most": LONGEST_KEY}, details={"field": "request_key"}
        )
    return f"wallet:{request_key}"


def answered(
    earlier: int | None, request_key: str, *, membership_id: int, what: str, asked: dict[str, object]
) -> LedgerTransaction | None:
    """The first answer to this key, or None. Raises KeyReused where the key was used for anything but this."""
    if earlier is None:
        return None
    transaction = LedgerTransaction.objects.get(pk=earlier)
    told = transaction.explanation
    if (transaction.membership_id, told.get("what"), told.get("asked")) != (membership_id, what, asked):
        raise KeyReused(details={"request_key": request_key})
    return transaction


def where(*, branch_id: int | None, terminal: str, cashier: str) -> dict[str, object]:
    """Where and with whom a movement happened, as its explanation keeps it."""
    told = {"branch": branch_id, "terminal": terminal, "cashier": cashier}
    return {name: value for name, value in told.items() if value}


def as_transaction(movement: Movement, *, actor: Actor) -> LedgerTransaction:
    """A movement just written, as the row that it is; `recorded_at` is read when somebody asks for it."""
    known = {
        "id": movement.id,
        "membership_id": movement.membership_id,
        "unit": str(UNIT),
        "kind": str(movement.kind),
        "request_key": movement.request_key,
        "amount": movement.amount,
        "basis_amount": movement.basis_amount,
        "occurred_at": movement.occurred_at,
        "purchase_id": movement.purchase_id,
        "origin_id": movement.origin_id,
        "rule_id": movement.rule_id,
        "explanation": dict(movement.explanation),
        "actor": actor.reference,
    }
    names = [field.attname for field in LedgerTransaction._meta.concrete_fields if field.attname in known]
    return LedgerTransaction.from_db(DEFAULT_DB_ALIAS, names, [known[name] for name in names])
