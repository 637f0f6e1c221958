"""Builders of products, for the tests of every room."""

from decimal import Decimal

from patron.core.catalog.models import Category, Product


def make_product(
    code: str = "MILK-1L",
    name: str = "有機牛奶 Organic milk 1 L",
    *,
    category: str = "Dairy > Milk",
    list_price: Decimal | str | None = "28.50",
    cost: Decimal | str | None = "19.00",
    brand: str = "",
) -> Product:
    """A bottle of milk, or as told. `category` is a path; the same code gives the same product."""
    parent: Category | None = None
    parts = [part.strip() for part in category.split(">") if part.strip()]
    for depth, part in enumerate(parts):
        parent, _created = Category.objects.get_or_create(
            path=" > ".join(parts[: depth + 1]), defaults={"name": part, "parent": parent, "depth": depth}
        )
    return Product.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "brand": brand,
            "category": parent,
            "list_price": None if list_price is None else Decimal(list_price),
            "cost": None if cost is None else Decimal(cost),
        },
    )[0]
