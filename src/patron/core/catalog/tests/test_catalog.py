"""Products, their categories, what they cost, and files of them."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from patron.core.accounts.testing import NOW, actor_with, make_branch
from patron.core.catalog.models import Category, Product
from patron.core.catalog.operations import ProductDetails, save_product, set_branch_price
from patron.core.catalog.queries import get_product, list_products, price_at
from patron.core.catalog.rules import category_path
from patron.core.catalog.testing import make_product
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused
from patron.kernel.intake.engine import import_file

VIEWER = actor_with("catalog.view")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Food > Dairy > Milk", ("Food", "Dairy", "Milk")),
        ("Food / Dairy", ("Food", "Dairy")),
        ("ICE - CRUSHED/CUBED", ("ICE - CRUSHED/CUBED",)),
        ("食品|乳製品", ("食品", "乳製品")),
        (" Food >  > food > Milk ", ("Food", "Milk")),
        ("", ()),
        ("a>b>c>d>e>f>g", ("a", "b", "c", "d", "e", "f")),
    ],
)
def test_category_path_reads_what_people_write(text: str, names: tuple[str, ...]) -> None:
    assert category_path(text) == names


@pytest.mark.django_db
def test_saving_a_product_makes_its_categories_and_saving_again_changes_nothing() -> None:
    details = ProductDetails(
        name="有機牛奶", category="Food > Dairy", list_price=Decimal("28.50"), cost=Decimal("19.00")
    )

    first = save_product(code=" MILK ", details=details, actor=SYSTEM, now=NOW)
    again = save_product(code="MILK", details=details, actor=SYSTEM, now=NOW)

    assert first.pk == again.pk
    assert again.category is not None
    assert (again.category.path, again.category.depth) == ("Food > Dairy", 1)
    assert Category.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "details", "field"),
    [
        ("", ProductDetails(name="x"), "code"),
        ("A", ProductDetails(name=" "), "name"),
        ("A", ProductDetails(name="x", cost=Decimal(-1)), "cost"),
        ("A", ProductDetails(name="x", list_price=Decimal("1.00001")), "list_price"),
    ],
)
def test_a_product_that_cannot_be_is_refused_by_field(code: str, details: ProductDetails, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        save_product(code=code, details=details, actor=SYSTEM, now=NOW)

    assert refused.value.details["field"] == field
    assert not Product.objects.exists()


@pytest.mark.django_db
def test_a_branch_charges_its_own_latest_price_by_then_else_the_list_price() -> None:
    product, branch = make_product(list_price="28.50"), make_branch()
    for price, valid_from in (("25.00", date(2026, 1, 1)), ("26.00", date(2026, 3, 1))):
        set_branch_price(
            product=product, branch=branch, price=Decimal(price), valid_from=valid_from, actor=SYSTEM, now=NOW
        )

    assert price_at(product, branch, date(2025, 12, 31)) == Decimal("28.50")
    assert price_at(product, branch, date(2026, 2, 28)) == Decimal("25.0000")
    assert price_at(product, branch, date(2026, 3, 1)) == Decimal("26.0000")
    assert price_at(product, None, date(2026, 3, 1)) == Decimal("28.50")


@pytest.mark.django_db
def test_the_list_goes_by_code_page_by_page() -> None:
    for code in ("A", "B", "C"):
        make_product(code)

    first = list_products(VIEWER, limit=2)
    second = list_products(VIEWER, limit=2, after=first.next_after or "")

    assert [p.code for p in first.products] == ["A", "B"]
    assert ([p.code for p in second.products], second.next_after) == (["C"], None)
    assert [p.code for p in list_products(VIEWER, text="牛奶").products] == ["A", "B", "C"]
    with pytest.raises(NotFound):
        get_product("X", VIEWER)
    with pytest.raises(PermissionRefused):
        list_products(actor_with())


@pytest.mark.django_db(transaction=True)
def test_a_file_of_products_goes_in_once_and_fills_in_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(
        "貨號,品名,類別,子類別,售價,成本\nM1,牛奶,食品,乳製品,28.50,19\n"
        "B1,麵包,食品 > 烘焙,,26,\nX1,,,,-5,\nM1,牛奶 1 L,,,30,\n",
        encoding="utf-8",
    )

    report = import_file("products", file, actor=SYSTEM, now=NOW)

    assert (report.rows, report.added, report.rejected) == (4, 2, 2)
    milk = Product.objects.select_related("category").get(code="M1")
    assert milk.category is not None
    assert (milk.name, milk.category.path, milk.cost) == ("牛奶", "食品 > 乳製品", Decimal("19.0000"))
    file.write_text("貨號,售價\nM1,29.90\nB1,26\n", encoding="utf-8")
    second = import_file("products", file, actor=SYSTEM, now=NOW)
    assert (second.added, second.updated, second.unchanged) == (0, 1, 1)
    milk.refresh_from_db()
    assert (milk.name, milk.list_price) == ("牛奶", Decimal("29.9000"))
