"""Looks at the ledger of stored value."""

from decimal import Decimal
from typing import Any

from patron.business.loyalty.models import Account, Lot, Membership


def row(*values: object) -> tuple[Any, ...]:
    """Values side by side, to be compared with plain numbers."""
    return values


def balance(member: Membership) -> Decimal:
    account = Account.objects.filter(membership=member, unit="stored_value", bucket="available").first()
    return account.balance if account else Decimal(0)


def lots(member: Membership) -> list[tuple[str, Decimal]]:
    """(origin, money left) of the open lots, bonus first, then in order of opening."""
    open_lots = Lot.objects.filter(account__membership=member, account__unit="stored_value", remaining__gt=0)
    found = [(lot.opened_by.explanation["what"], lot.remaining) for lot in open_lots.order_by("pk")]
    return sorted(found, key=lambda lot: lot[0])
