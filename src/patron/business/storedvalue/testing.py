"""Builders of stored value, for the tests of this room and those above."""

from datetime import datetime
from decimal import Decimal
from itertools import count

from patron.business.loyalty.models import LedgerTransaction, Membership, Programme
from patron.business.storedvalue.models import Tender, WalletPolicy
from patron.business.storedvalue.operations import deposit, set_policy
from patron.business.storedvalue.rules import Policy, Tier
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM

_keys = count(1)

TIERS = (Tier(Decimal(500), Decimal(5)), Tier(Decimal(1000), Decimal(8)))
"""A deposit of 500 or more brings 5 %, of 1,000 or more 8 %."""


def make_policy(programme: Programme, *, tiers: tuple[Tier, ...] = TIERS, **terms: object) -> WalletPolicy:
    """Stored value is offered and can be withdrawn, with TIERS and no limits, unless told."""
    values = {"is_offered": True, "withdrawals_allowed": True, **terms}
    return set_policy(programme, policy=Policy(**values), tiers=tiers, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]


def make_deposit(
    membership: Membership, amount: Decimal | int | str, *, now: datetime = NOW, **details: object
) -> LedgerTransaction:
    """A deposit in cash. The programme gets a policy (`make_policy`) where it has none."""
    if not WalletPolicy.objects.filter(programme=membership.programme).exists():
        make_policy(membership.programme)
    values = {"tender": Tender.CASH, "request_key": f"deposit {next(_keys)}", **details}
    return deposit(membership, Decimal(amount), actor=SYSTEM, now=now, **values)  # type: ignore[arg-type]
