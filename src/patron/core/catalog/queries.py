"""Reads of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from django.db.models import Q, QuerySet

from patron.core.accounts.models import Branch
from patron.core.catalog.models import BranchPrice, Category, Product
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused

GoodsSort = Literal["products", "brands", "categories"]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products by code, and the code after which the next page begins; None at the end."""

    products: Sequence[Product]
    next_after: str | None


def get_visible_products(actor: Actor) -> QuerySet[Product]:
    """The catalogue; everyone in the house sees all of it. Raises PermissionRefused without `catalog.view`."""
    if not actor.can("catalog.view"):
        raise PermissionRefused(details={"permission": "catalog.view"})
    return Product.objects.select_related("category")


def list_products(actor: Actor, *, text: str = "", after: str = "", limit: int = 50) -> ProductPage:
    """One page by code. `text` is the beginning of a code or barcode, or a part of the name."""
    products = get_visible_products(actor).order_by("code")
    if text := text.strip():
        products = products.filter(Q(code__startswith=text) | Q(barcode__startswith=text) | Q(name__icontains=text))
    if after:
        products = products.filter(code__gt=after)
    rows = list(products[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return ProductPage(rows, rows[-1].code if more else None)


def get_product(code: str, actor: Actor) -> Product:
    """The product with this code. Raises NotFound."""
    product = get_visible_products(actor).filter(code=code).first()
    if product is None:
        raise NotFound(details={"product": code})
    return product


def price_at(product: Product, branch: Branch | None, day: date) -> Decimal | None:
    """What the product costs in `branch` on `day`: the branch's latest price by then, else the list price."""
    if branch is not None:
        own = (
            BranchPrice.objects.filter(product=product, branch=branch, valid_from__lte=day)
            .order_by("-valid_from")
            .values_list("price", flat=True)
            .first()
        )
        if own is not None:
            return own
    return product.list_price


def find_goods(actor: Actor, sort: GoodsSort, *, text: str = "", limit: int = 12) -> list[tuple[str, str]]:
    """Products (by code), brands or categories (by path) whose name holds `text`, each with the name to show."""
    products = get_visible_products(actor)
    text = text.strip()
    match sort:
        case "products":
            return [(one.code, one.name) for one in list_products(actor, text=text, limit=limit).products]
        case "brands":
            brands = products.exclude(brand="").filter(brand__icontains=text).order_by("brand")
            return [(brand, brand) for brand in brands.values_list("brand", flat=True).distinct()[:limit]]
        case "categories":
            categories = Category.objects.filter(path__icontains=text).order_by("path")
            return [(path, path) for path in categories.values_list("path", flat=True)[:limit]]


def name_products(actor: Actor, codes: Iterable[str]) -> dict[str, str]:
    """The names of products by code; those not on file are left out."""
    return dict(get_visible_products(actor).filter(code__in=list(codes)).values_list("code", "name"))


def scanned_product(text: str, actor: Actor) -> Product | None:
    """The product whose code or barcode `text` is, a code first; None where there is none or several share it."""
    text = text.strip()
    found = list(get_visible_products(actor).filter(Q(code__in={text, text.upper()}) | Q(barcode=text))[:3])
    codes = [product for product in found if product.code in (text, text.upper())]
    fit = codes or found
    return fit[0] if text and len(fit) == 1 else None
