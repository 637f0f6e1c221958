"""The gift catalogue, the shelves of the branches, and the orders of members.

A shelf (`GiftStock`) is the running total of its movements, kept by the database: nobody writes it by hand. An order
moves by the table in `rules.TRANSITIONS`, which the database keeps as well; every move is an event that nothing changes
any more. Points are spent by the ledger when the order is made and given back to their old lots when it is cancelled.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from patron.business.gifts.rules import MOST_PIECES, Movement, State, Terms, Way, in_language
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.core.accounts.models import Branch
from patron.kernel.fields import Tracked


class Gift(Tracked):
    """Something that members redeem, for `points_price` points and `money_price` money each.

    `names` and `descriptions` hold translations by language code. No `tiers`: for every member. `collect_days` is how
    long a piece is kept for who ordered it; `low_stock` the number of free pieces from which a branch should be told.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=150)
    names = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True, max_length=2000)
    descriptions = models.JSONField(default=dict, blank=True)
    picture = models.FileField(upload_to="gifts/", blank=True)
    points_price = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    money_price = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    tiers = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    member_limit = models.PositiveIntegerField(null=True, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    can_be_delivered = models.BooleanField(default=False)
    collect_days = models.PositiveSmallIntegerField(default=14)
    low_stock = models.PositiveIntegerField(default=3)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Z0-9][A-Z0-9_-]*$"), name="gift_code_plain"),
            models.CheckConstraint(condition=~Q(name=""), name="gift_has_name"),
            models.CheckConstraint(
                condition=Q(points_price__gte=0, money_price__gte=0) & (Q(points_price__gt=0) | Q(money_price__gt=0)),
                name="gift_costs_something",
            ),
            models.CheckConstraint(
                condition=Q(member_limit__isnull=True) | Q(member_limit__gte=1), name="gift_limit_sane"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="gift_dates_in_order",
            ),
            models.CheckConstraint(condition=Q(collect_days__gte=1, collect_days__lte=365), name="gift_collect_days"),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="gift_changed")]

    def __str__(self) -> str:
        return self.name

    @property
    def local_name(self) -> str:
        """The name in the active language, where it was translated."""
        return in_language(self.name, self.names, get_language() or "en")

    @property
    def local_description(self) -> str:
        """The description in the active language, where it was translated."""
        return in_language(self.description, self.descriptions, get_language() or "en")

    @property
    def terms(self) -> Terms:
        """What the gift asks, for the rules."""
        return Terms(
            points_price=self.points_price,
            money_price=self.money_price,
            is_active=self.is_active,
            tiers=frozenset(self.tiers),
            limit=self.member_limit,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            can_be_delivered=self.can_be_delivered,
        )


class GiftStock(Tracked):
    """What lies of a gift in a branch, and how much of it is reserved for orders: totals of the movements."""

    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, related_name="stocks", db_index=False)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="gift_stocks")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gift", "branch"], name="gift_stock_once"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, reserved__lte=F("on_hand")), name="gift_stock_covers"
            ),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="gift_stock_changed")]

    def __str__(self) -> str:
        return f"{self.on_hand} ({self.reserved})"

    @property
    def free(self) -> int:
        """Pieces that nobody has reserved."""
        return self.on_hand - self.reserved


class GiftTaken(models.Model):
    """How many pieces of a gift a member has ordered and kept: the row that a limit for each member locks.

    `most` is the limit that the latest order was held to.
    """

    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, related_name="+", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="gifts_taken")
    taken = models.IntegerField()
    most = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gift", "membership"], name="gift_taken_once"),
            models.CheckConstraint(
                condition=Q(taken__gte=0) & (Q(most__isnull=True) | Q(taken__lte=F("most"))),
                name="gift_taken_within_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken} of {self.most}"


class GiftOrder(Tracked):
    """Pieces of one gift for one member, from `branch`: picked up there, or sent from there to `delivery_address`.

    `spend` is the movement of the ledger that paid the points, `refund` the one that gave them back. `pickup_code` is
    what the member shows at the counter. `collect_by` is the last day on which a pick-up is kept. `money_refunded` is
    what of `money` was paid back with a cancellation.
    """

    class States(models.TextChoices):
        RESERVED = State.RESERVED.value, _("Reserved")
        READY = State.READY.value, _("Ready")
        HANDED_OVER = State.HANDED_OVER.value, _("Handed over")
        SHIPPED = State.SHIPPED.value, _("Shipped")
        DELIVERED = State.DELIVERED.value, _("Delivered")
        CANCELLED = State.CANCELLED.value, _("Cancelled")

    class Ways(models.TextChoices):
        PICK_UP = Way.PICK_UP.value, _("Pick-up")
        DELIVERY = Way.DELIVERY.value, _("Delivery")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="gift_orders", db_index=False)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, related_name="orders", db_index=False)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="gift_orders", db_index=False)
    quantity = models.PositiveIntegerField()
    points = models.DecimalField(max_digits=16, decimal_places=2)
    money = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=3)
    way = models.CharField(max_length=8, choices=Ways.choices)
    delivery_address = models.CharField(max_length=600, blank=True)
    state = models.CharField(max_length=11, choices=States.choices, default=States.RESERVED)
    pickup_code = models.CharField(max_length=10)
    tracking = models.CharField(max_length=100, blank=True)
    request_key = models.CharField(max_length=100)
    spend = models.OneToOneField(LedgerTransaction, null=True, on_delete=models.PROTECT, related_name="gift_order")
    refund = models.OneToOneField(LedgerTransaction, null=True, on_delete=models.PROTECT, related_name="+")
    money_refunded = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    ordered_at = models.DateTimeField()
    collect_by = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_key"], name="gift_order_request_once"),
            models.UniqueConstraint(
                fields=["pickup_code"], condition=Q(state__in=("reserved", "ready")), name="gift_order_code_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MOST_PIECES, points__gte=0, money__gte=0),
                name="gift_order_sane",
            ),
            models.CheckConstraint(
                condition=Q(points=0, spend__isnull=True) | Q(points__gt=0, spend__isnull=False),
                name="gift_order_points_are_spent",
            ),
            models.CheckConstraint(
                condition=Q(way="pick_up", delivery_address="", collect_by__isnull=False)
                | (Q(way="delivery", collect_by__isnull=True) & ~Q(delivery_address="")),
                name="gift_order_goes_somewhere",
            ),
            models.CheckConstraint(
                condition=~Q(state="handed_over") | Q(way="pick_up"), name="gift_order_handed_over_here"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("shipped", "delivered")) | Q(way="delivery"), name="gift_order_shipped_there"
            ),
            models.CheckConstraint(
                condition=(Q(state__in=("reserved", "ready", "shipped")) & Q(closed_at__isnull=True))
                | (~Q(state__in=("reserved", "ready", "shipped")) & Q(closed_at__isnull=False)),
                name="gift_order_closed_when_over",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="cancelled", money_refunded__isnull=False)
                    & Q(money_refunded__gte=0, money_refunded__lte=F("money"))
                    & (Q(points=0, refund__isnull=True) | Q(points__gt=0, refund__isnull=False))
                )
                | (~Q(state="cancelled") & Q(refund__isnull=True, money_refunded__isnull=True)),
                name="gift_order_refund_when_cancelled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["branch", "ordered_at", "id"],
                name="gift_order_worklist",
                condition=Q(state__in=("reserved", "ready", "shipped")),
            ),
            models.Index(
                fields=["collect_by", "id"],
                name="gift_order_uncollected",
                condition=Q(state__in=("reserved", "ready"), way="pick_up"),
            ),
            models.Index(fields=["membership", "-ordered_at", "-id"], name="gift_order_of_member"),
            models.Index(fields=["gift", "ordered_at"], name="gift_order_of_gift"),
            models.Index(fields=["changed_xid"], name="gift_order_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.gift_id} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether the pieces still wait on the shelf."""
        return self.state in ("reserved", "ready")

    @property
    def shown_code(self) -> str:
        """The pick-up code as it is read out: `K7Q-4MXP`."""
        return f"{self.pickup_code[:3]}-{self.pickup_code[3:]}"


class GiftOrderEvent(models.Model):
    """One move of an order: who, when, from, to, and why. Append-only."""

    order = models.ForeignKey(GiftOrder, on_delete=models.PROTECT, related_name="events")
    from_state = models.CharField(max_length=11, blank=True)
    to_state = models.CharField(max_length=11, choices=GiftOrder.States.choices)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "to_state"], name="gift_event_once"),
            models.CheckConstraint(condition=~Q(from_state=F("to_state")), name="gift_event_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class StockMovement(models.Model):
    """Pieces that came to a shelf, left it, or were reserved on it. Append-only; the shelf is their running total.

    `quantity` is below zero only for a correction. One order moves a shelf once in each kind.
    """

    class Kind(models.TextChoices):
        RECEIVED = Movement.RECEIVED.value, _("Received")
        CORRECTED = Movement.CORRECTED.value, _("Corrected")
        RESERVED = Movement.RESERVED.value, _("Reserved")
        RELEASED = Movement.RELEASED.value, _("Released")
        HANDED_OUT = Movement.HANDED_OUT.value, _("Handed out")
        RETURNED = Movement.RETURNED.value, _("Came back")

    stock = models.ForeignKey(GiftStock, on_delete=models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    quantity = models.IntegerField()
    order = models.ForeignKey(GiftOrder, null=True, on_delete=models.PROTECT, related_name="movements", db_index=False)
    request_key = models.CharField(max_length=100, null=True)  # noqa: DJ001 (unique where there is one)
    reason = models.CharField(max_length=300, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request_key"], name="gift_movement_request_once"),
            models.UniqueConstraint(
                fields=["order", "kind"], condition=Q(order__isnull=False), name="gift_movement_once_of_order"
            ),
            models.CheckConstraint(
                condition=(Q(kind="corrected") & ~Q(quantity=0)) | (~Q(kind="corrected") & Q(quantity__gt=0)),
                name="gift_movement_sign",
            ),
            models.CheckConstraint(
                condition=(Q(kind__in=("received", "corrected")) & Q(order__isnull=True))
                | (~Q(kind__in=("received", "corrected")) & Q(order__isnull=False)),
                name="gift_movement_of_order",
            ),
            models.CheckConstraint(condition=~Q(kind="corrected") | ~Q(reason=""), name="gift_correction_says_why"),
        ]
        indexes = [models.Index(fields=["stock", "-id"], name="gift_movement_of_stock")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"
