"""The terms of stored value."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Programme
from patron.business.storedvalue.models import BonusTier, WalletPolicy
from patron.business.storedvalue.rules import MOST_MONEY, Policy, Tier
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.money import quantum
from patron.kernel.operation import operation

LONGEST_BONUS_MONTHS = 600
_LIMITS = ("min_deposit", "max_deposit", "max_balance", "max_payment", "max_per_day", "secret_above", "withdrawal_fee")
_MAY_BE_ZERO = ("secret_above", "withdrawal_fee")


@operation(permission="storedvalue.manage")
def set_policy(
    programme: Programme, *, policy: Policy, tiers: Sequence[Tier] = (), actor: Actor, now: datetime
) -> WalletPolicy:
    """Set the terms of a programme's stored value, all of them; they count from now on. Raises InvalidInput."""
    _check(policy, tiers, currency=programme.currency)
    values = {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
    kept, _created = WalletPolicy.objects.update_or_create(programme=programme, defaults={**values, "updated_at": now})
    kept.tiers.all().delete()
    BonusTier.objects.bulk_create(
        BonusTier(policy=kept, from_amount=tier.from_amount, percent=tier.percent) for tier in tiers
    )
    return kept


def _check(policy: Policy, tiers: Sequence[Tier], *, currency: str) -> None:
    for name in _LIMITS:
        limit = getattr(policy, name)
        if limit is None:
            continue
        least = 0 if name in _MAY_BE_ZERO else quantum(currency)
        if not (limit.is_finite() and least <= limit <= MOST_MONEY and limit == limit.quantize(quantum(currency))):
            raise InvalidInput(_("This is not an amount of money that can be a limit."), details={"field": name})
    for name in ("max_deposit", "max_balance"):
        limit = getattr(policy, name)
        if limit is not None and limit < policy.min_deposit:
            raise InvalidInput(_("This must not be less than the smallest deposit."), details={"field": name})
    if policy.bonus_months is not None and not 0 <= policy.bonus_months <= LONGEST_BONUS_MONTHS:
        raise InvalidInput(_("Bonus expires after 0 to 600 months, or never."), details={"field": "bonus_months"})
    if len({tier.from_amount for tier in tiers}) < len(tiers):
        raise InvalidInput(_("Two bonus steps begin at the same amount."), details={"field": "tiers"})
    for tier in tiers:
        sound = (
            tier.from_amount.is_finite()
            and tier.percent.is_finite()
            and 0 < tier.from_amount <= MOST_MONEY
            and 0 < tier.percent <= Decimal(100)
            and tier.percent == tier.percent.quantize(Decimal("0.01"))
        )
        if not sound:
            raise InvalidInput(
                _("A bonus step has an amount and a percentage of more than 0 and at most 100."),
                details={"field": "tiers"},
            )
