"""Products over the API."""

from typing import Any

import pytest

from patron.core.catalog.models import Product
from patron.core.catalog.testing import make_product
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

MILK = {
    "name": "有機牛奶 Organic milk 1 L",
    "brand": "Meadow",
    "category": "Food > Dairy",
    "unit": "bottle",
    "list_price": "28.50",
    "cost": "19",
    "barcode": "4891234567890",
}


def test_a_product_is_put_and_replaced(caller: Caller) -> None:
    first = caller.put("/products/MILK-1L", MILK)
    second = caller.put("/products/MILK-1L", {"name": "Milk", "list_price": 30})

    assert first.status_code == 200, first.content
    assert first.json() == {
        "code": "MILK-1L",
        "name": "有機牛奶 Organic milk 1 L",
        "brand": "Meadow",
        "category": "Food > Dairy",
        "unit": "bottle",
        "list_price": "28.5000",
        "cost": "19.0000",
        "barcode": "4891234567890",
        "is_active": True,
    }
    assert second.json() == caller.get("/products/MILK-1L").json()
    assert second.json() | {"name": "", "list_price": ""} == {
        "code": "MILK-1L",
        "name": "",
        "brand": "",
        "category": "",
        "unit": "",
        "list_price": "",
        "cost": "19.0000",
        "barcode": "",
        "is_active": True,
    }
    assert Product.objects.count() == 1


def test_a_code_may_hold_a_slash(caller: Caller) -> None:
    caller.put("/products/A%2FB/1", {"name": "x"})

    assert Product.objects.get().code == "A/B/1"
    assert caller.get("/products/A/B/1").json()["code"] == "A/B/1"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": ""}, "name"), ({"list_price": "-1"}, "list_price"), ({"cost": "1.00001"}, "cost"), ({"x": 1}, "x")],
)
def test_what_is_not_valid_is_named(caller: Caller, changes: dict[str, object], field: str) -> None:
    answer = caller.put("/products/MILK-1L", {**MILK, **changes})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Product.objects.exists()


def test_what_products_cost_us_is_for_keys_that_may_know(make_caller: CallerMaker) -> None:
    make_product("MILK-1L")
    shop = make_caller("catalog.view", "catalog.manage")

    assert shop.get("/products/MILK-1L").json()["cost"] is None
    assert shop.get("/products").json()["items"][0]["cost"] is None
    assert shop.put("/products/MILK-1L", MILK).json()["code"] == "missing_scope"
    assert shop.put("/products/MILK-1L", {"name": "Milk"}).json()["cost"] is None
    assert str(Product.objects.get().cost) == "19.0000"


def test_the_list_gives_every_product_once_by_code_and_searches(caller: Caller) -> None:
    codes = [f"P{number:02d}" for number in range(7)]
    for code in reversed(codes):
        make_product(code, f"Product {code}")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = caller.get("/products", {"limit": 3, "cursor": cursor}).json()
        seen += [product["code"] for product in page["items"]]
        cursor = page["next"]

    assert seen == codes
    found = caller.get("/products", {"search": "P03"}).json()["items"]
    assert [product["code"] for product in found] == ["P03"]


def test_a_list_costs_the_same_for_one_and_for_twenty(caller: Caller, django_assert_num_queries: Any) -> None:
    make_product("P00")
    caller.get("/products")
    with django_assert_num_queries(3):  # key, rate, products
        caller.get("/products")
    for number in range(1, 20):
        make_product(f"P{number:02d}")
    with django_assert_num_queries(3):
        assert len(caller.get("/products").json()["items"]) == 20
