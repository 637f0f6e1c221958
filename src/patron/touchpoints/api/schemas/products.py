"""Products as callers see and send them."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from patron.core.catalog.models import Product
from patron.touchpoints.api.schemas.parts import Input, Number, Output, UnitPrice


class ProductOut(Output):
    """Something that is sold."""

    code: str
    name: str
    brand: str
    category: str = Field(description="The path from the root, for example `Food > Dairy`.")
    unit: str
    list_price: Number | None
    cost: Number | None = Field(description="Null for keys without the scope `catalog.cost`.")
    barcode: str
    is_active: bool

    @classmethod
    def of(cls, product: Product, *, with_cost: bool) -> "ProductOut":
        return cls.model_construct(
            code=product.code,
            name=product.name,
            brand=product.brand,
            category=product.category.path if product.category else "",
            unit=product.unit,
            list_price=_price(product.list_price),
            cost=_price(product.cost) if with_cost else None,
            barcode=product.barcode,
            is_active=product.is_active,
        )


def _price(value: Decimal | None) -> Decimal | None:
    """As it is kept: a row just written still holds what was sent."""
    return None if value is None else value.quantize(Decimal("0.0001"))


class ProductIn(Input):
    """All that is said of a product; what is left out is emptied, except the cost."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=300), Field(examples=["有機牛奶 Organic milk 1 L"])]
    brand: Annotated[str, StringConstraints(max_length=150)] = ""
    category: Annotated[str, StringConstraints(max_length=500)] = Field(
        default="", description="A path; categories that do not exist yet are made.", examples=["Food > Dairy"]
    )
    unit: Annotated[str, StringConstraints(max_length=40)] = ""
    list_price: UnitPrice | None = None
    cost: UnitPrice | None = Field(
        default=None, description="Needs the scope `catalog.cost`; stays as it is when left out."
    )
    barcode: Annotated[str, StringConstraints(max_length=64)] = ""
    is_active: StrictBool = True
