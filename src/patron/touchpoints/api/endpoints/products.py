"""Products."""

from typing import Annotated

from ninja import Body, Path, Query, Router

from patron.core.catalog.operations import ProductDetails, save_product
from patron.core.catalog.queries import get_product, list_products
from patron.kernel.api import cursors
from patron.kernel.errors import NotFound
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest, MissingScope
from patron.touchpoints.api.schemas.parts import Page
from patron.touchpoints.api.schemas.products import ProductIn, ProductOut

router = Router(tags=["Products"])

ProductCode = Annotated[str, Path(min_length=1, max_length=64, description="The code; it may hold a slash.")]


@router.get("/products", response=Page[ProductOut], summary="List products", **needs("catalog.view"))
def list_catalogue(
    request: ApiRequest,
    search: Annotated[
        str | None, Query(max_length=200, description="The beginning of a code or barcode, or a part of the name.")
    ] = None,
    limit: Limit = cursors.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ProductOut]:
    """Products by code."""
    after = cursors.read_cursor("products", cursor)
    page = list_products(request.actor, text=search or "", after=str(after[0]) if after else "", limit=limit)
    with_cost = request.actor.can("catalog.cost")
    return Page[ProductOut](
        items=[ProductOut.of(product, with_cost=with_cost) for product in page.products],
        next=None if page.next_after is None else cursors.write_cursor("products", (page.next_after,)),
    )


@router.get("/products/{path:code}", response=ProductOut, summary="Get a product", **needs("catalog.view"))
def get_one_product(request: ApiRequest, code: ProductCode) -> ProductOut:
    """One product by its code."""
    return ProductOut.of(get_product(code, request.actor), with_cost=request.actor.can("catalog.cost"))


@router.put(
    "/products/{path:code}", response=ProductOut, summary="Create or replace a product", **needs("catalog.manage")
)
def put_product(request: ApiRequest, code: ProductCode, product: Body[ProductIn]) -> ProductOut:
    """Put a product into the catalogue, or replace what is said of it; the same again changes nothing. Needs the scope
    `catalog.view` as well."""
    with_cost = request.actor.can("catalog.cost")
    given = product.model_dump()
    if "cost" not in product.model_fields_set:
        try:
            given["cost"] = get_product(code.strip(), request.actor).cost
        except NotFound:
            given["cost"] = None
    elif not with_cost:
        raise MissingScope(details={"scope": "catalog.cost"})
    saved = save_product(code=code, details=ProductDetails(**given), actor=request.actor, now=request.now)
    return ProductOut.of(saved, with_cost=with_cost)
