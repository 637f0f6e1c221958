"""Every write of products, categories and branch prices that is not an import."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from patron.core.accounts.models import Branch
from patron.core.catalog.models import BranchPrice, Category, Product
from patron.core.catalog.rules import SEPARATOR, category_path
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation

LARGEST = Decimal("999999999999.9999")


@dataclass(frozen=True, slots=True)
class ProductDetails:
    """What is known of a product. `category` is a path such as `Food > Dairy`; prices are per unit."""

    name: str
    brand: str = ""
    category: str = ""
    unit: str = ""
    list_price: Decimal | None = None
    cost: Decimal | None = None
    barcode: str = ""
    is_active: bool = True


@operation(permission="catalog.manage")
def save_product(*, code: str, details: ProductDetails, actor: Actor, now: datetime) -> Product:
    """Create the product with this code, or replace what is said of it; the same again changes nothing.

    Categories that do not exist yet are made. Raises InvalidInput naming the field.
    """
    code = code.strip()
    if not code or len(code) > 64:
        raise InvalidInput(_("A product needs a code of at most 64 characters."), details={"field": "code"})
    if not details.name.strip():
        raise InvalidInput(_("A product needs a name."), details={"field": "name"})
    for field in ("list_price", "cost"):
        value: Decimal | None = getattr(details, field)
        if value is not None and (not value.is_finite() or not 0 <= value <= LARGEST or value != round(value, 4)):
            raise InvalidInput(_("Prices are not negative and have at most four decimals."), details={"field": field})
    product, _created = Product.objects.update_or_create(
        code=code,
        defaults={
            "name": details.name.strip()[:300],
            "brand": details.brand.strip()[:150],
            "category": _category(details.category),
            "unit": details.unit.strip()[:40],
            "list_price": details.list_price,
            "cost": details.cost,
            "barcode": details.barcode.strip()[:64],
            "is_active": details.is_active,
        },
    )
    return product


@operation(permission="catalog.manage")
def set_branch_price(
    *, product: Product, branch: Branch, price: Decimal, valid_from: date, actor: Actor, now: datetime
) -> BranchPrice:
    """What `branch` charges for `product` from a day on, where it differs from the list price."""
    if not price.is_finite() or not 0 <= price <= LARGEST or price != round(price, 4):
        raise InvalidInput(_("Prices are not negative and have at most four decimals."), details={"field": "price"})
    saved, _created = BranchPrice.objects.update_or_create(
        product=product, branch=branch, valid_from=valid_from, defaults={"price": price}
    )
    return saved


def _category(path: str) -> Category | None:
    """The category at the end of `path`, its ancestors made where they are missing; None for no path."""
    category: Category | None = None
    names = category_path(path)
    for depth, name in enumerate(names):
        category, _created = Category.objects.get_or_create(
            path=SEPARATOR.join(names[: depth + 1]), defaults={"name": name, "parent": category, "depth": depth}
        )
    return category
