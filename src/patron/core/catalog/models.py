"""Products and their categories, and what branches charge for them."""

from django.db import models
from django.db.models.functions import Now

from patron.core.accounts.models import Branch
from patron.kernel.fields import Tracked


class Category(Tracked):
    """A node of the category tree. `path` holds the names from the root, joined by ' > ', for display and look-up."""

    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=150)
    path = models.CharField(max_length=600, unique=True)
    depth = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path


class Product(Tracked):
    """Something that is sold. Known by its code; a product first met in a purchase line has little more than that."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=300)
    brand = models.CharField(max_length=150, blank=True)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products")
    unit = models.CharField(max_length=40, blank=True)
    list_price = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    barcode = models.CharField(max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["code"]
        indexes = [models.Index(fields=["category"], name="product_category")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cost__isnull=True) | models.Q(cost__gte=0), name="product_cost_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BranchPrice(Tracked):
    """What a branch charges where it differs from the list price."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="branch_prices")
    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="prices")
    price = models.DecimalField(max_digits=16, decimal_places=4)
    valid_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "branch", "valid_from"], name="branch_price_once"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="branch_price_not_negative"),
        ]
        indexes = [models.Index(fields=["changed_xid"], name="branch_price_changed")]

    def __str__(self) -> str:
        return f"{self.product} {self.branch} {self.price}"
