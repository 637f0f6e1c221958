"""Stored value: money that members deposit and pay with.

The money itself is unit `stored_value` of the loyalty ledger: same accounts, lots, postings and triggers, of which the
balance is never below zero. This room keeps what the ledger does not know: the terms, and each member's wallet with its
locks. Each of its movements says in `explanation["what"]` what it is (`WHAT`), where and with whom (branch, terminal,
cashier, receipt) and by which means (tender). The origin of a lot is what opened it: own money a deposit, bonus money
a bonus. Movements of one request share the key `wallet:<request key>`.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Membership, Programme
from patron.business.storedvalue.rules import Policy, Tier


class What(models.TextChoices):
    """What a movement of stored value is, finer than the ledger's kinds."""

    DEPOSIT = "deposit", _("Deposit")
    BONUS = "bonus", _("Bonus")
    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    BONUS_BACK = "bonus_back", _("Bonus taken back")
    EXPIRY = "expiry", _("Expired")


class Tender(models.TextChoices):
    """How a deposit was paid, or a withdrawal paid out."""

    CASH = "cash", _("Cash")
    CARD = "card", _("Bank card")
    TRANSFER = "transfer", _("Bank transfer")
    MOBILE = "mobile", _("Mobile wallet")
    CHEQUE = "cheque", _("Cheque")
    OTHER = "other", _("Other")


def _money(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=16, decimal_places=2, **options)


class WalletPolicy(models.Model):
    """The terms of a programme's stored value; what the fields mean: `rules.Policy`. Deposits need one."""

    programme = models.OneToOneField(Programme, on_delete=models.PROTECT, related_name="wallet_policy")
    is_offered = models.BooleanField(default=True)
    min_deposit = _money(default="0.01")
    max_deposit = _money(null=True, blank=True)
    max_balance = _money(null=True, blank=True)
    max_payment = _money(null=True, blank=True)
    max_per_day = _money(null=True, blank=True)
    secret_above = _money(null=True, blank=True)
    bonus_months = models.PositiveSmallIntegerField(null=True, blank=True, default=12)
    bonus_first = models.BooleanField(default=True)
    withdrawals_allowed = models.BooleanField(default=False)
    withdrawal_fee = _money(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(min_deposit__gt=0)
                & (Q(max_deposit__isnull=True) | Q(max_deposit__gte=F("min_deposit")))
                & (Q(max_balance__isnull=True) | Q(max_balance__gte=F("min_deposit"))),
                name="wallet_policy_deposits",
            ),
            models.CheckConstraint(
                condition=(Q(max_payment__isnull=True) | Q(max_payment__gt=0))
                & (Q(max_per_day__isnull=True) | Q(max_per_day__gt=0))
                & (Q(secret_above__isnull=True) | Q(secret_above__gte=0)),
                name="wallet_policy_payments",
            ),
            models.CheckConstraint(condition=Q(withdrawal_fee__gte=0), name="wallet_policy_fee"),
            models.CheckConstraint(
                condition=Q(bonus_months__isnull=True) | Q(bonus_months__lte=600), name="wallet_policy_bonus_months"
            ),
        ]

    def __str__(self) -> str:
        return f"stored value of programme {self.programme_id}"

    @property
    def terms(self) -> Policy:
        """The policy as the rules read it."""
        return Policy(**{name: getattr(self, name) for name in Policy.__dataclass_fields__})


class BonusTier(models.Model):
    """A deposit of `from_amount` or more brings `percent` of it as bonus; the highest tier reached counts."""

    policy = models.ForeignKey(WalletPolicy, on_delete=models.CASCADE, related_name="tiers")
    from_amount = _money()
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "from_amount"], name="bonus_tier_once"),
            models.CheckConstraint(condition=Q(from_amount__gt=0), name="bonus_tier_amount"),
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=100), name="bonus_tier_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.from_amount}"

    @property
    def terms(self) -> Tier:
        return Tier(self.from_amount, self.percent)


class Wallet(models.Model):
    """The locks of a member's stored value: frozen or not, PIN, limits of their own (null: the policy's)."""

    membership = models.OneToOneField(Membership, on_delete=models.PROTECT, related_name="wallet")
    is_frozen = models.BooleanField(default=False)
    frozen_reason = models.CharField(max_length=200, blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    pin_hash = models.CharField(max_length=160, blank=True)
    pin_failures = models.PositiveSmallIntegerField(default=0)
    pin_locked_until = models.DateTimeField(null=True, blank=True)
    max_payment = _money(null=True, blank=True)
    max_per_day = _money(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_frozen=False) | (~Q(frozen_reason="") & Q(frozen_at__isnull=False)),
                name="wallet_frozen_with_reason",
            ),
            models.CheckConstraint(condition=Q(pin_failures__lte=5), name="wallet_pin_failures"),
            models.CheckConstraint(
                condition=(Q(max_payment__isnull=True) | Q(max_payment__gt=0))
                & (Q(max_per_day__isnull=True) | Q(max_per_day__gt=0)),
                name="wallet_limits",
            ),
        ]

    def __str__(self) -> str:
        return f"wallet of {self.membership_id}"


class OneTimeCode(models.Model):
    """A code that lets one large amount through, once. Only its keyed digest is kept.

    `closed_at`: it was used, replaced by a newer one, or tried too often. A member has one open code at most.
    """

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="wallet_codes")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(closed_at__isnull=True), name="one_time_code_one_open"
            ),
            models.CheckConstraint(condition=Q(attempts__lte=5), name="one_time_code_attempts"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="one_time_code_expires"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="one_time_code_digest"),
        ]

    def __str__(self) -> str:
        return f"code for {self.membership_id} until {self.expires_at:%H:%M}"
