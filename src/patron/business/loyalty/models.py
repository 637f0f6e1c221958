"""The loyalty programme: members, cards, and the double-entry points ledger.

The ledger in one paragraph. An *account* holds one unit (points, …) in one bucket for one membership, or for the
programme itself (where points come from and go to). A *ledger transaction* moves an amount between accounts; its
*postings* sum to zero, which the database checks statement by statement. A credit that can expire or be returned
opens a *lot*; later debits name the lots they consume, soonest to expire first. Nothing in it is ever changed or
deleted: an account's balance and a lot's remainder are running totals of the postings, kept in the same transaction.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.purchases.models import Purchase
from patron.core.customers.models import Customer
from patron.kernel.fields import CurrentXid, Tracked, Xid8Field


class Programme(models.Model):
    """The terms under which points are earned and expire. Versions of its rules come as new rows of `EarningRule`."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=150)
    currency = models.CharField(max_length=3)
    card_prefix = models.CharField(max_length=8, default="8800")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class EarningRule(models.Model):
    """A version of the base rule: `points_per_unit` for each whole `unit_amount` paid, from `valid_from` on."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="rules")
    points_per_unit = models.DecimalField(max_digits=12, decimal_places=4)
    unit_amount = models.DecimalField(max_digits=16, decimal_places=2)
    expiry_months = models.PositiveSmallIntegerField(null=True, blank=True)
    valid_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "valid_from"], name="earning_rule_once"),
            models.CheckConstraint(condition=Q(points_per_unit__gte=0, unit_amount__gt=0), name="earning_rule_sane"),
        ]

    def __str__(self) -> str:
        return f"{self.points_per_unit} per {self.unit_amount} from {self.valid_from:%Y-%m-%d}"


class Membership(Tracked):
    """A customer in the programme."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="memberships")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="memberships")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    joined_on = models.DateField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "customer"], name="membership_once")]
        indexes = [models.Index(fields=["changed_xid"], name="membership_changed")]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.customer_id}"


class Card(models.Model):
    """A member's card. The last digit of `number` is its check digit (ISO/IEC 7812, Luhn)."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        LOST = "lost", _("Lost")
        REPLACED = "replaced", _("Replaced")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="cards")
    number = models.CharField(max_length=24, unique=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    issued_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership"], condition=Q(status="active"), name="card_one_active"),
        ]

    def __str__(self) -> str:
        return self.number


class Unit(models.TextChoices):
    POINTS = "points", _("Points")
    QUALIFYING = "qualifying", _("Qualifying points")
    STORED_VALUE = "stored_value", _("Stored value")
    STAMPS = "stamps", _("Stamps")


class Bucket(models.TextChoices):
    """Where an amount stands. The first four are a member's; the others are the programme's counterparts."""

    AVAILABLE = "available", _("Available")
    PENDING = "pending", _("Pending")
    RESERVED = "reserved", _("Reserved")
    OWED = "owed", _("Owed")
    ISSUED = "issued", _("Issued")
    REDEEMED = "redeemed", _("Redeemed")
    EXPIRED = "expired", _("Expired")
    ADJUSTED = "adjusted", _("Adjusted")


class Account(Tracked):
    """What one membership (or the programme, where `membership` is null) holds of one unit in one bucket.

    `balance` is the sum of the account's postings. A member's available balance may fall below zero only where
    `overdraft_allowed` says so (points taken back after they were spent).
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    membership = models.ForeignKey(
        Membership, null=True, on_delete=models.PROTECT, related_name="accounts", db_index=False
    )
    unit = models.CharField(max_length=12, choices=Unit.choices)
    bucket = models.CharField(max_length=9, choices=Bucket.choices)
    balance = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    overdraft_allowed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "programme", "unit", "bucket"], name="account_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(membership__isnull=True) | Q(overdraft_allowed=True) | Q(balance__gte=0),
                name="account_not_overdrawn",
            ),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="account_changed")]

    def __str__(self) -> str:
        return f"{self.unit}/{self.bucket} {self.balance}"


class LedgerTransaction(models.Model):
    """One balanced movement. Append-only. `request_key` is unique: a retry finds the first answer."""

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned")
        RETURN = "return", _("Taken back")
        SPEND = "spend", _("Spent")
        REFUND = "refund", _("Given back")
        RESERVE = "reserve", _("Reserved")
        RELEASE = "release", _("Released")
        MATURE = "mature", _("Became available")
        EXPIRE = "expire", _("Expired")
        ADJUST = "adjust", _("Adjusted")
        TRANSFER = "transfer", _("Transferred")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="transactions", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="transactions", db_index=False)
    unit = models.CharField(max_length=12, choices=Unit.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    request_key = models.CharField(max_length=120, unique=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    purchase = models.ForeignKey(
        Purchase, null=True, on_delete=models.PROTECT, related_name="ledger_transactions", db_index=False
    )
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.ForeignKey(EarningRule, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    explanation = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    actor = models.CharField(max_length=60, blank=True)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["membership", "-occurred_at", "-id"], name="ledger_statement"),
            models.Index(fields=["purchase"], name="ledger_of_purchase", condition=Q(purchase__isnull=False)),
            models.Index(fields=["changed_xid"], name="ledger_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.unit}"


class Lot(models.Model):
    """Points of one origin and one expiry. `remaining` is what its postings have left of `amount`."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lots", db_index=False)
    opened_by = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="lots")
    earned_at = models.DateTimeField()
    expires_on = models.DateField(null=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    remaining = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")), name="lot_remaining_within_amount"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_on", "id"], name="lot_open_soonest", condition=Q(remaining__gt=0)),
            models.Index(fields=["expires_on"], name="lot_expiring", condition=Q(remaining__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount} until {self.expires_on}"


class Posting(models.Model):
    """One side of a movement. Append-only; a transaction's postings are written in one statement and sum to zero."""

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings", db_index=False)
    lot = models.ForeignKey(Lot, null=True, on_delete=models.PROTECT, related_name="postings", db_index=False)
    amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero")]
        indexes = [models.Index(fields=["lot"], name="posting_of_lot", condition=Q(lot__isnull=False))]

    def __str__(self) -> str:
        return f"{self.amount} on {self.account_id}"
