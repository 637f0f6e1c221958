"""What the till is told after a transaction: the member's new balances, and why."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from patron.business.loyalty.ledger.rulebooks import rulebook_read
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.queries.words import explain
from patron.business.loyalty.rules.tiers import TierTerms
from patron.kernel.prepared import fetch

_STANDING = """
SELECT m.tier, m.tier_until, b.unit, b.bucket, b.balance, b.overdue
FROM loyalty_membership m LEFT JOIN LATERAL (
    SELECT a.unit, a.bucket, a.balance, CASE WHEN a.bucket = 'available' AND a.unit = 'points' THEN (
        SELECT coalesce(sum(l.remaining), 0) FROM loyalty_lot l
        WHERE l.account_id = a.id AND l.remaining > 0 AND l.expires_on < %s::date) ELSE 0 END AS overdue
    FROM loyalty_account a WHERE a.membership_id = m.id AND a.bucket IN ('available', 'pending', 'reserved')
) b ON true
WHERE m.id = %s::bigint
"""

_MOVEMENTS = """
SELECT id, unit, kind, amount, explanation, membership_id FROM loyalty_ledgertransaction
WHERE purchase_id = %s::bigint AND unit IN ('points', 'stamps') ORDER BY id
"""


def balances_of(membership: Membership, *, day: date) -> dict[str, str]:
    """What a member has of each unit on a day, as texts; points past their date do not count."""
    return _summed(fetch(_STANDING, [day, membership.pk]))


def _summed(rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    found = {"points": Decimal(0), "pending": Decimal(0), "stored_value": Decimal(0), "stamps": Decimal(0)}
    for _tier, _until, unit, bucket, balance, overdue in rows:
        if bucket == "available" and unit in found:
            found[unit] = balance - overdue
        elif unit == "points" and bucket == "pending":
            found["pending"] = balance
    return {name: plain(value) for name, value in found.items()}


def movements_of(purchase_id: int) -> list[LedgerTransaction]:
    """What a purchase did to its member's points and stamps, in order."""
    return [
        LedgerTransaction(
            id=key,
            unit=unit,
            kind=kind,
            amount=amount,
            explanation=json.loads(why) if isinstance(why, str) else why,
            membership_id=membership_id,
        )
        for key, unit, kind, amount, why, membership_id in fetch(_MOVEMENTS, [purchase_id])
    ]


def told(movements: list[LedgerTransaction]) -> dict[str, Any]:
    """Points earned, taken and spent by a transaction, and why, in words."""
    points = [one for one in movements if one.unit == "points"]
    kinds = LedgerTransaction.Kind
    return {
        "earned": plain(sum((one.amount for one in points if one.kind == kinds.EARN), Decimal(0))),
        "taken_back": plain(-sum((one.amount for one in points if one.kind == kinds.RETURN), Decimal(0))),
        "spent": plain(-sum((one.amount for one in points if one.kind == kinds.SPEND), Decimal(0))),
        "given_back": plain(sum((one.amount for one in points if one.kind == kinds.REFUND), Decimal(0))),
        "stamps": plain(sum((one.amount for one in movements if one.unit == "stamps"), Decimal(0))),
        "why": [explain(one) for one in points if one.amount],
    }


def member_facts(membership: Membership, *, day: date, ladder: TierTerms | None = None) -> dict[str, Any]:
    """Who it is, the tier held now by code and name, and what they have now. One statement."""
    rows = fetch(_STANDING, [day, membership.pk])
    code, until = rows[0][:2]
    tier = ladder.tier(code) if ladder is not None else None
    return {
        "customer": membership.customer.number,
        "name": membership.customer.name,
        "tier": {"code": code, "name": tier.name if tier else code, "until": until, "risen": code != membership.tier},
        "balances": _summed(rows),
    }


def ladder_of(movements: Sequence[LedgerTransaction]) -> TierTerms | None:
    """The tiers of the version by which something was earned just now."""
    rules = [one.explanation["rule"] for one in movements if one.kind == "earn" and "rule" in one.explanation]
    rulebook = rulebook_read(rules[0]) if rules else None
    return rulebook.terms.tiers if rulebook is not None else None


def plain(value: Decimal) -> str:
    """A number as text, exact, without needless zeros."""
    return f"{value.normalize():f}" if value else "0"


def moved_clock(moved_seconds: float) -> list[str]:
    """What to say of a clock that was set right."""
    if not moved_seconds:
        return []
    return [
        _("The clock of this till was off: the time of the sale was moved by %(seconds)s seconds.")
        % {"seconds": round(moved_seconds)}
    ]
