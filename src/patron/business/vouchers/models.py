"""Vouchers: definitions, the vouchers issued under them, reservations and uses.

The room in one paragraph. A *definition* says what its vouchers promise; once one is issued the promise is frozen. A
*voucher* is one code, a member's or a bearer's. A *hold* keeps a use of it for a till until an instant; a *use* is what
was given on a purchase, and is undone by another row, never changed. The database keeps the running totals: what is
left of a voucher, how many of a definition are issued, what of its budget is spent or held, and how often a member or a
terminal has used it (`VoucherTally`). Each total stands behind a CHECK, so that no two tills together can go
beyond a limit, and nobody can set a total by hand (migration `0002_rules`).
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.models import Membership, Programme
from patron.business.purchases.models import Purchase
from patron.business.vouchers.rules import grouped
from patron.core.accounts.models import Branch
from patron.kernel.fields import CurrentXid, Tracked, Xid8Field


class VoucherDefinition(Tracked):
    """What a kind of voucher promises, to whom it is issued, and its limits.

    `terms` is `rules.VoucherTerms` as JSON, frozen with the first voucher. Each voucher is valid for `valid_days`
    counted from its day of issue (that day included), and within `valid_from` to `valid_until`. `stock` is how
    many may be issued, `budget` how much money they may give in all. `member_day_limit` and `terminal_day_limit` are
    how often a day one member or one terminal may use them. `issue_terms` belong to the trigger `issue_on`: `tiers`
    (codes of tiers; none: each that is reached), `days_before` (a birthday).
    """

    class IssueOn(models.TextChoices):
        MANUAL = "manual", _("By hand")
        ENROLMENT = "enrolment", _("On joining")
        BIRTHDAY = "birthday", _("For the birthday")
        TIER = "tier", _("On reaching a tier")
        POINTS = "points", _("Bought with points")
        CAMPAIGN = "campaign", _("By a campaign")

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True)
    programme = models.ForeignKey(
        Programme, null=True, blank=True, on_delete=models.PROTECT, related_name="voucher_definitions"
    )
    terms = models.JSONField()
    valid_days = models.PositiveIntegerField(null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    stock = models.PositiveIntegerField(null=True, blank=True)
    issued = models.PositiveIntegerField(default=0)
    budget = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    spent = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    member_limit = models.PositiveIntegerField(null=True, blank=True)
    member_day_limit = models.PositiveIntegerField(null=True, blank=True)
    terminal_day_limit = models.PositiveIntegerField(null=True, blank=True)
    points_price = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    issue_on = models.CharField(max_length=9, choices=IssueOn.choices, default=IssueOn.MANUAL)
    issue_terms = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stock=None) | Q(issued__lte=F("stock")), name="voucher_stock"),
            models.CheckConstraint(
                condition=Q(spent__gte=0) & (Q(budget=None) | Q(spent__lte=F("budget"))), name="voucher_budget"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="voucher_validity",
            ),
            models.CheckConstraint(condition=Q(valid_days=None) | Q(valid_days__gte=1), name="voucher_valid_days"),
            models.CheckConstraint(
                condition=(Q(issue_on="points") & Q(points_price__gt=0))
                | (~Q(issue_on="points") & Q(points_price=None)),
                name="voucher_points_price",
            ),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="voucher_definition_changed")]

    def __str__(self) -> str:
        return self.name


class Voucher(Tracked):
    """One code: of a member, or of whoever holds it (`membership` None).

    `code` is as `rules.normalised` gives it; `printed` is how a chosen word is written, empty for a random code.
    `uses` of it are allowed in all, `uses_left` still; a cash voucher that keeps a remainder has one use and
    `amount`, of which `remaining` is left. `held` counts reservations. It was first issued to `issued_to` for
    `occasion`: the same occasion once. Usable from `valid_from` up to and on `valid_until` (None: for ever).
    """

    class Status(models.TextChoices):
        ISSUED = "issued", _("Usable")
        USED = "used", _("Used")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    definition = models.ForeignKey(VoucherDefinition, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    membership = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="vouchers", db_index=False
    )
    issued_to = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    occasion = models.CharField(max_length=120)
    code = models.CharField(max_length=24)
    printed = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ISSUED)
    uses = models.PositiveIntegerField(default=1)
    uses_left = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    remaining = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    held = models.PositiveIntegerField(default=0)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    issued_at = models.DateTimeField()
    closed_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="voucher_code_once"),
            models.UniqueConstraint(
                fields=["definition", "issued_to", "occasion"],
                condition=Q(issued_to__isnull=False),
                name="voucher_occasion_once",
            ),
            models.CheckConstraint(
                condition=Q(uses__gte=1, uses_left__lte=F("uses"), held__lte=F("uses_left")),
                name="voucher_uses_within",
            ),
            models.CheckConstraint(
                condition=Q(amount=None, remaining=None)
                | Q(uses=1, amount__gt=0, remaining__gte=0, remaining__lte=F("amount")),
                name="voucher_remaining_within",
            ),
            models.CheckConstraint(
                condition=(Q(status="used") & Q(uses_left=0)) | (~Q(status="used") & Q(uses_left__gt=0)),
                name="voucher_used_up",
            ),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9A-Z]{4,24}$"), name="voucher_code_characters"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="voucher_valid_days_run"
            ),
        ]
        indexes = [
            models.Index(
                fields=["membership", "valid_until"], name="voucher_of_member", condition=Q(membership__isnull=False)
            ),
            models.Index(fields=["definition", "-id"], name="voucher_of_definition"),
            models.Index(fields=["valid_until", "id"], name="voucher_expiring", condition=Q(status="issued")),
            models.Index(fields=["changed_xid"], name="voucher_changed"),
        ]

    def __str__(self) -> str:
        return self.shown_code

    @property
    def shown_code(self) -> str:
        """The code as it is printed and read aloud."""
        return self.printed or grouped(self.code)


class Taken(models.Model):
    """What a hold and a use have in common: a part of a voucher, by whom, where, on which day."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="+", db_index=False)
    definition = models.ForeignKey(VoucherDefinition, on_delete=models.PROTECT, related_name="+", db_index=False)
    membership = models.ForeignKey(Membership, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    request_key = models.CharField(max_length=140)
    line_no = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    basket_amount = models.DecimalField(max_digits=16, decimal_places=2)
    by_line = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    branch = models.ForeignKey(Branch, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    terminal = models.CharField(max_length=40, blank=True)
    taken_on = models.DateField()

    class Meta:
        abstract = True


class VoucherHold(Taken):
    """A use kept for the request `request_key` until an instant. It goes when it is used, released or too old."""

    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_key", "line_no"], name="voucher_hold_once"),
            models.UniqueConstraint(fields=["voucher", "request_key"], name="voucher_hold_of_request"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="voucher_hold_positive"),
        ]
        indexes = [models.Index(fields=["until"], name="voucher_hold_until")]

    def __str__(self) -> str:
        return f"{self.voucher_id} for {self.request_key}"


class VoucherUse(Taken):
    """What a voucher gave on a basket (`committed`), or that it did not after all (`undone`, naming the use).

    Append-only. `taken_on` of an undone row is that of its use: the day whose limits it frees again.
    """

    class State(models.TextChoices):
        COMMITTED = "committed", _("Used")
        UNDONE = "undone", _("Undone")

    state = models.CharField(max_length=9, choices=State.choices)
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone_by", db_index=False)
    purchase = models.ForeignKey(
        Purchase, null=True, on_delete=models.PROTECT, related_name="voucher_uses", db_index=False
    )
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=60, blank=True)
    changed_xid = Xid8Field(db_default=CurrentXid(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_key", "line_no"], name="voucher_use_once"),
            models.UniqueConstraint(fields=["undoes"], condition=Q(undoes__isnull=False), name="voucher_undone_once"),
            models.CheckConstraint(
                condition=Q(state="committed", undoes=None) | Q(state="undone", undoes__isnull=False),
                name="voucher_use_states",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="voucher_use_positive"),
        ]
        indexes = [
            models.Index(fields=["voucher"], name="voucher_use_of_voucher"),
            models.Index(fields=["definition", "-id"], name="voucher_use_of_definition"),
            models.Index(fields=["purchase"], name="voucher_use_of_purchase", condition=Q(purchase__isnull=False)),
            models.Index(fields=["changed_xid"], name="voucher_use_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.amount}"


class VoucherTally(models.Model):
    """How often a definition is used (or held) within a limited scope; kept by the database.

    `scope`: `member:12`, `member:12:2026-03-02`, `terminal:T1:2026-03-02`.
    """

    definition = models.ForeignKey(VoucherDefinition, on_delete=models.PROTECT, related_name="+", db_index=False)
    scope = models.CharField(max_length=80)
    uses = models.PositiveIntegerField()
    most = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["definition", "scope"], name="voucher_tally_once"),
            models.CheckConstraint(condition=Q(uses__lte=F("most")), name="voucher_tally_within"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.uses}/{self.most}"


class WrongCodes(models.Model):
    """Codes typed at a terminal within an hour that nobody has been given: mistyped, or guessed."""

    terminal = models.CharField(max_length=60)
    hour = models.DateTimeField()
    attempts = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["terminal", "hour"], name="voucher_wrong_codes_once")]
        verbose_name_plural = "wrong codes"

    def __str__(self) -> str:
        return f"{self.terminal} {self.hour:%H}: {self.attempts}"
