"""The loyalty programme: members, cards, and the double-entry points ledger.

The ledger in one paragraph. An *account* holds one unit (points, …) of one membership in one bucket: what the member
has (available, pending, reserved), or where it came from and went to (issued, redeemed, expired, …). A *ledger
transaction* moves an amount between accounts of one member; its *postings* sum to zero. A credit opens a *lot* with
its own expiry; later debits name the lots they draw on, soonest to expire first. Points that are taken back after they
were spent are a debit without a lot: a debt, repaid by the next credits before any of them opens a lot. So of an
available account the open lots always add up to its balance, or to nothing while the balance is below zero.

Nothing in it is ever changed or deleted. The database itself keeps an account's balance and a lot's remainder as
running totals of the postings, and refuses a movement that is not whole (migration `0002_rules`). No two members share
a row that is written, so tills never wait for one another.
"""

from decimal import Decimal

from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.purchases.models import Purchase
from patron.core.customers.models import Customer
from patron.kernel.fields import CurrentXid, Tracked, Xid8Field


class Programme(Tracked):
    """A loyalty programme. Its terms (earning, expiry, tiers) are versions: rows of `ProgrammeVersion`.

    `debt` says what happens when points are taken back that the member has spent: the balance falls below zero and the
    next points repay it (`offset`), so does it, and nothing can be earned or redeemed until it is settled (`block`), or
    only what is still there is taken (`forgive`). `point_value` is what a point is worth in money, for the liability.
    Adjustments by hand above `four_eyes_above` points need a second person.
    """

    class Debt(models.TextChoices):
        OFFSET = "offset", _("The next points repay it")
        BLOCK = "block", _("Nothing more can be redeemed until it is repaid")
        FORGIVE = "forgive", _("It is let go")

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=150)
    currency = models.CharField(max_length=3)
    card_prefix = models.CharField(max_length=8, default="8800")
    debt = models.CharField(max_length=8, choices=Debt.choices, default=Debt.OFFSET)
    point_value = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal("0.01"))
    four_eyes_above = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(5000))
    draft = models.JSONField(null=True, blank=True)
    draft_saved_at = models.DateTimeField(null=True, blank=True)
    draft_saved_by = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(card_prefix__regex=r"^[0-9]{1,8}$"), name="programme_card_prefix"),
        ]

    def __str__(self) -> str:
        return self.name


class ProgrammeVersion(models.Model):
    """The terms in force from `valid_from` on, as JSON (`rules.terms.Terms`). Append-only.

    At any moment the version with the latest `valid_from` not after it counts, the newest of equals. Purchases keep the
    version that they earned under, also when they are returned.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    terms = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    valid_from = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=60, blank=True)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "version"], name="programme_version_once")]

    def __str__(self) -> str:
        return f"{self.version} from {self.valid_from:%Y-%m-%d}"


class Membership(Tracked):
    """A customer in the programme.

    `tier` is the code of the tier held, empty for none, kept until `tier_until`; its history is rows of `TierChange`.
    Members of one `pool` (a household) spend from one another's points.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="memberships")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    joined_on = models.DateField()
    tier = models.CharField(max_length=40, blank=True, db_default="", default="")
    tier_since = models.DateField(null=True, blank=True)
    tier_until = models.DateField(null=True, blank=True)
    tier_invited = models.BooleanField(db_default=False, default=False)
    referred_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="referrals", db_index=False
    )
    pool = models.ForeignKey(
        "Pool", null=True, blank=True, on_delete=models.PROTECT, related_name="memberships", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["programme", "customer"], name="membership_once")]
        indexes = [
            models.Index(fields=["changed_xid"], name="membership_changed"),
            models.Index(fields=["tier_until", "id"], name="membership_review", condition=Q(tier_until__isnull=False)),
            models.Index(fields=["pool"], name="membership_of_pool", condition=Q(pool__isnull=False)),
            models.Index(fields=["referred_by"], name="membership_referred", condition=Q(referred_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id}/{self.customer_id}"


class Pool(models.Model):
    """A household whose members spend from one another's points."""

    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.name


class TierChange(models.Model):
    """Why a member holds a tier since `effective_at`: what was measured, over which days, against which threshold.

    Append-only; also a review that keeps the tier is a row.
    """

    class Reason(models.TextChoices):
        UPGRADE = "upgrade", _("Reached")
        KEPT = "kept", _("Kept at the review")
        DOWN = "down", _("Not kept at the review")
        SOFT_LANDING = "soft_landing", _("One tier down at the review")
        INVITED = "invited", _("Granted by invitation")
        INVITATION_OVER = "invitation_over", _("The invitation ended")
        REVOKED = "revoked", _("Taken back by hand")

    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="tier_changes", db_index=False, db_constraint=False
    )
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    effective_at = models.DateTimeField()
    until = models.DateField(null=True)
    version = models.ForeignKey(
        ProgrammeVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    measure = models.CharField(max_length=12, blank=True)
    value = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    threshold = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    window_from = models.DateField(null=True)
    window_until = models.DateField(null=True)
    purchase_id = models.BigIntegerField(null=True)
    note = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=60, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["membership", "-effective_at", "-id"], name="tier_change_of_member"),
            models.Index(fields=["changed_xid"], name="tier_change_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.before or '-'} > {self.after or '-'} ({self.reason})"


class Card(Tracked):
    """A member's card. The last digit of `number` is its check digit (ISO/IEC 7812, Luhn)."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        LOST = "lost", _("Lost")
        REPLACED = "replaced", _("Replaced")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="cards")
    number = models.CharField(max_length=24)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    issued_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="card_number_once"),
            models.UniqueConstraint(fields=["membership"], condition=Q(status="active"), name="card_one_active"),
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{8,24}$"), name="card_number_digits"),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="card_changed")]

    def __str__(self) -> str:
        return self.number


class Unit(models.TextChoices):
    POINTS = "points", _("Points")
    QUALIFYING = "qualifying", _("Qualifying points")
    STORED_VALUE = "stored_value", _("Stored value")
    STAMPS = "stamps", _("Stamps")


class Bucket(models.TextChoices):
    """Where an amount stands. The first three are what the member has; the others are its counterparts."""

    AVAILABLE = "available", _("Available")
    PENDING = "pending", _("Pending")
    RESERVED = "reserved", _("Reserved")
    ISSUED = "issued", _("Issued")
    REDEEMED = "redeemed", _("Redeemed")
    EXPIRED = "expired", _("Expired")
    ADJUSTED = "adjusted", _("Adjusted")
    TRANSFERRED = "transferred", _("Transferred")


HELD = ("available", "pending", "reserved")
"""The buckets that are the member's own."""


class Account(Tracked):
    """What one membership has of one unit in one bucket. `balance` is the sum of its postings, kept by the database.

    A counterpart's balance is the other side: minus all points ever issued to this member, plus all ever redeemed, ….
    An available balance may fall below zero only where `overdraft_allowed` says so.
    """

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    unit = models.CharField(max_length=12, choices=Unit.choices)
    bucket = models.CharField(max_length=12, choices=Bucket.choices)
    balance = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    overdraft_allowed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "unit", "bucket"], name="account_once"),
            models.CheckConstraint(
                condition=~Q(bucket__in=HELD) | Q(overdraft_allowed=True) | Q(balance__gte=0),
                name="account_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(overdraft_allowed=False) | Q(bucket=Bucket.AVAILABLE), name="account_debt_where_available"
            ),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="account_changed")]

    def __str__(self) -> str:
        return f"{self.unit}/{self.bucket} {self.balance}"


class LedgerTransaction(models.Model):
    """One balanced movement of one member. Append-only.

    `request_key` is unique: a retry finds the first answer. `amount` is what the movement gives the member (negative:
    takes). `basis_amount` is the money that it answers to: what was paid for an award, what a return gave back
    (negative). `origin` is the award or spend whose points this one takes or gives back. `explanation` holds the
    numbers behind `amount`, so that anybody can be told why.
    """

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

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="transactions", db_index=False)
    unit = models.CharField(max_length=12, choices=Unit.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    request_key = models.CharField(max_length=160)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    basis_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    purchase = models.ForeignKey(
        Purchase, null=True, on_delete=models.PROTECT, related_name="ledger_transactions", db_index=False
    )
    origin = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="answers", db_index=False)
    rule = models.ForeignKey(
        ProgrammeVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    explanation = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    actor = models.CharField(max_length=60, blank=True)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_key"], name="ledger_request_once"),
            models.CheckConstraint(
                condition=Q(kind__in=("adjust", "transfer"))
                | Q(kind__in=("earn", "refund", "release", "mature"), amount__gte=0)
                | Q(kind__in=("return", "spend", "reserve", "expire"), amount__lte=0),
                name="ledger_amount_sign",
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "-occurred_at", "-id"], name="ledger_statement"),
            models.Index(fields=["purchase"], name="ledger_of_purchase", condition=Q(purchase__isnull=False)),
            models.Index(fields=["origin"], name="ledger_of_origin", condition=Q(origin__isnull=False)),
            models.Index(fields=["changed_xid"], name="ledger_changed"),
            BrinIndex(fields=["occurred_at"], name="ledger_period"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.unit}"


class Lot(models.Model):
    """Points of one origin and one expiry: usable up to and on `expires_on` (null: for ever).

    A lot of a pending account becomes available on `available_on`: then it moves into a lot of the available account.

    `remaining` is what its postings have left of `amount`; the database keeps it. A lot and the posting that opens it
    are written in one statement. The references are checked by that statement's trigger, for all rows at once.
    """

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="lots", db_index=False, db_constraint=False
    )
    opened_by = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="lots", db_constraint=False)
    earned_at = models.DateTimeField()
    expires_on = models.DateField(null=True)
    available_on = models.DateField(null=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    remaining = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, remaining__gte=0, remaining__lte=F("amount")),
                name="lot_remaining_within_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_on", "id"], name="lot_open_soonest", condition=Q(remaining__gt=0)),
            models.Index(fields=["expires_on", "id"], name="lot_expiring", condition=Q(remaining__gt=0)),
            models.Index(
                fields=["available_on", "id"],
                name="lot_maturing",
                condition=Q(remaining__gt=0) & Q(available_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount} until {self.expires_on}"


class Posting(models.Model):
    """One side of a movement, numbered from 1. Append-only; all of a transaction's are written in one statement.

    The references are checked by that statement's trigger, for all rows at once; what they point to is never deleted.
    """

    pk = models.CompositePrimaryKey("transaction_id", "line_no")
    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    line_no = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    lot = models.ForeignKey(
        Lot, null=True, on_delete=models.PROTECT, related_name="postings", db_index=False, db_constraint=False
    )
    amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero")]
        indexes = [models.Index(fields=["lot"], name="posting_of_lot", condition=Q(lot__isnull=False))]

    def __str__(self) -> str:
        return f"{self.amount} on {self.account_id}"


class Reservation(models.Model):
    """Points set aside for a while: used or released, at the latest when `until` has passed."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        USED = "used", _("Used")
        RELEASED = "released", _("Released")

    transaction = models.OneToOneField(
        LedgerTransaction, primary_key=True, on_delete=models.PROTECT, related_name="reservation"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["until"], name="reservation_ending", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.state} until {self.until:%Y-%m-%d %H:%M}"


class Approval(Tracked):
    """An adjustment by hand that waits for a second person: whoever asked cannot approve it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="approvals")
    request_key = models.CharField(max_length=160, unique=True)
    points = models.DecimalField(max_digits=18, decimal_places=2)
    reason = models.CharField(max_length=500)
    expires_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=60)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    transaction = models.OneToOneField(
        LedgerTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="approval"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting") | ~Q(decided_by=F("asked_by")), name="approval_by_a_second_person"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True) | Q(decided_at__isnull=False),
                name="approval_decided",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], name="approval_waiting", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.points} ({self.state})"
