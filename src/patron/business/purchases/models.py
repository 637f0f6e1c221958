"""Sales and returns as the tills recorded them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

from patron.core.accounts.models import Branch
from patron.core.catalog.models import Product
from patron.core.customers.models import Customer
from patron.kernel.fields import Tracked

if TYPE_CHECKING:
    from patron.business.purchases.receipts import RecordedLine


class Purchase(Tracked):
    """One receipt. A return is a purchase of kind `return` whose amounts are negative.

    `source` and `source_key` say which till or file it came from and under which number: together they are unique, so
    that a retry or a second file adds nothing. Amounts are in `currency`:
    `net_amount` = what the customer paid = `gross_amount` − `discount_amount`.
    """

    class Kind(models.TextChoices):
        SALE = "sale"
        RETURN = "return"

    class Status(models.TextChoices):
        COMPLETED = "completed"
        VOIDED = "voided"

    source = models.CharField(max_length=60)
    source_key = models.CharField(max_length=120)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.SALE)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.COMPLETED)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases", db_index=False
    )
    branch = models.ForeignKey(
        Branch, null=True, blank=True, on_delete=models.PROTECT, related_name="purchases", db_index=False
    )
    channel = models.CharField(max_length=20, default="store")
    occurred_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    gross_amount = models.DecimalField(max_digits=16, decimal_places=2)
    discount_amount = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    net_amount = models.DecimalField(max_digits=16, decimal_places=2)
    cost_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    line_count = models.PositiveIntegerField()
    terminal = models.CharField(max_length=40, blank=True)
    cashier = models.CharField(max_length=100, blank=True)
    original = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="returns", db_index=False
    )
    recorded_at = models.DateTimeField(db_default=Now())
    voided_at = models.DateTimeField(null=True, blank=True)

    # What was written just now, so that those who follow a sale of the till need not read it again.
    recorded_lines: "Sequence[RecordedLine] | None" = None
    recorded_tenders: Sequence[tuple[str, Decimal]] | None = None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_key"], name="purchase_source_once"),
            models.CheckConstraint(
                condition=models.Q(net_amount=models.F("gross_amount") - models.F("discount_amount")),
                name="purchase_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-occurred_at", "-id"], name="purchase_of_customer"),
            models.Index(fields=["-occurred_at", "-id"], name="purchase_recent"),
            models.Index(fields=["changed_xid"], name="purchase_changed"),
            models.Index(fields=["original"], name="purchase_returns", condition=models.Q(original__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.source_key} {self.net_amount} {self.currency}"


class PurchaseLine(models.Model):
    """One line of a receipt; never changed once written. Returned lines point to the line they undo."""

    pk = models.CompositePrimaryKey("purchase_id", "line_no")
    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line_no = models.PositiveIntegerField()
    product = models.ForeignKey(
        Product, null=True, on_delete=models.PROTECT, related_name="purchase_lines", db_index=False
    )
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    unit_price = models.DecimalField(max_digits=16, decimal_places=4)
    discount_amount = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    net_amount = models.DecimalField(max_digits=16, decimal_places=2)
    cost_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    original_purchase_id = models.BigIntegerField(null=True, blank=True)
    original_line_no = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["original_purchase_id", "original_line_no"],
                name="purchase_line_returned",
                condition=models.Q(original_purchase_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purchase_id}/{self.line_no}"


class Tender(models.Model):
    """A means with which a purchase was paid, and how much of it."""

    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="tenders")
    kind = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    reference = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class CouponUse(models.Model):
    """A coupon or voucher that lowered a purchase, or one of its lines."""

    purchase = models.ForeignKey(Purchase, on_delete=models.PROTECT, related_name="coupon_uses")
    line_no = models.PositiveIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60)
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        indexes = [models.Index(fields=["code"], name="coupon_use_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.amount}"
