"""Files of purchases: each kind of dirty row has its stated treatment, and totals of the source are kept."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from patron.business.purchases.models import CouponUse, Purchase, PurchaseLine, Tender
from patron.core.accounts.models import Branch
from patron.core.activities.models import Activity
from patron.core.catalog.models import Product
from patron.core.customers.models import Customer, ExternalId
from patron.kernel.actor import SYSTEM
from patron.kernel.intake.engine import import_file
from patron.kernel.intake.reports import Report

NOW = datetime(2025, 6, 1, 4, tzinfo=UTC)
TILL = "receipt_no,sold_at,branch,customer_no,product_code,description,quantity,unit_price,discount"
EXPORT = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

pytestmark = pytest.mark.django_db


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    monkeypatch.setattr(settings, "IMPORT_DIRECTORY", tmp_path / "imports")

    def run(header: str, *lines: str, name: str = "till.csv", **given: Any) -> Report:
        path = tmp_path / name
        path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        return import_file("purchases", path, actor=SYSTEM, now=NOW, **given)

    return run


def _treated(report: Report) -> dict[str, int]:
    return {line.code: line.rows for line in report.treatments}


def test_one_file_brings_its_customers_products_and_branches_along(bring: Callable[..., Report]) -> None:
    report = bring(
        TILL,
        "R1,2025-01-31 10:00,TST,M1,MILK,Milk 1 l,2,18.50,2.00",
        "R1,2025-01-31 10:00,TST,M1,BREAD,Rye,1,26.00,",
        "R2,2025-02-01 11:00,MK,M1,MILK,Milk 1 l,1,18.50,0",
        "R3,2025-02-01 12:00,MK,,MILK,Milk 1 l,1,18.50,0",
    )

    assert (report.added, report.rejected) == (3, 0)
    assert report.created == {"branches": 2, "products": 2, "customers": 1, "lines": 4, "home_branches": 1}
    assert _treated(report) == {"anonymous": 1}
    first = Purchase.objects.get(source_key="R1")
    assert (first.gross_amount, first.discount_amount, first.net_amount, first.line_count) == (
        Decimal("63.00"), Decimal("2.00"), Decimal("61.00"), 2,
    )  # fmt: skip
    assert (first.source, first.currency, first.kind) == ("pos", "HKD", "sale")
    assert first.occurred_at == datetime(2025, 1, 31, 2, 0, tzinfo=UTC)
    lines = [
        (x.line_no, x.product.code, x.quantity, x.net_amount) for x in first.lines.order_by("line_no") if x.product
    ]
    assert lines == [(1, "MILK", Decimal(2), Decimal("35.00")), (2, "BREAD", Decimal(1), Decimal("26.00"))]
    customer = Customer.objects.get()
    assert ExternalId.objects.get().value == "M1"
    assert first.customer == customer
    assert customer.registered_on == date(2025, 1, 31)
    assert customer.home_branch == Branch.objects.get(code="MK")
    assert Product.objects.get(code="MILK").name == "Milk 1 l"
    told = Activity.objects.filter(kind="purchase.completed").order_by("occurred_at")
    assert [(a.customer, a.source, a.facts["net"]) for a in told] == [
        (customer, f"purchase:{p.pk}", str(p.net_amount))
        for p in Purchase.objects.filter(customer=customer).order_by("pk")
    ]


def test_an_export_with_everything_dirty_in_it(bring: Callable[..., Report]) -> None:
    rows = [
        "536365,85123A,HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom",
        "536365,85123A,HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom",
        "536365,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom",
        "536366,22633,GLOVE,1,12/1/2010 8:28,1.85,,United Kingdom",
        "C536379,85123A,HEART,-6,12/13/2010 9:41,2.55,17850,United Kingdom",
        "C536380,99999,NEVER SOLD,-1,12/13/2010 9:42,27.50,17850,United Kingdom",
        "536381,22000,,-3,12/14/2010 10:00,0,,United Kingdom",
        "A563185,B,Adjust bad debt,1,12/14/2010 14:50,-11062.06,,United Kingdom",
        "536382,,POSTAGE,1,12/14/2010 15:00,18.00,17850,United Kingdom",
        "536382,,,1,12/14/2010 15:00,1.00,17850,United Kingdom",
        "536383,22000,BOX,1,32/14/2010 15:00,1.00,17850,United Kingdom",
        "536384,22000,BOX,1,12/15/2010 15:00,n/a,17850,United Kingdom",
    ]
    report = bring(EXPORT, *rows)

    assert _treated(report) == {
        "negative_price": 1, "no_product": 1, "not_instant": 1, "not_decimal": 1, "cancelled": 2,
        "negative_quantity": 1, "anonymous": 2, "no_code": 1, "zero_price": 1, "identical": 1,
        "matched": 1, "unmatched": 2,
    }  # fmt: skip
    assert (report.rows, report.accepted, report.rejected, report.added) == (12, 8, 4, 6)
    assert report.dates["occurred_at"]["order"] == "mdy"
    assert [(e.row, e.column) for e in report.errors] == [
        (9, "UnitPrice"), (11, "StockCode"), (12, "InvoiceDate"), (13, "UnitPrice"),
    ]  # fmt: skip
    total = Purchase.objects.aggregate(Sum("net_amount"))["net_amount__sum"]
    assert total == 2 * Decimal("15.30") + Decimal("20.34") + Decimal("1.85") - Decimal("15.30") - Decimal("27.50") + 18
    assert PurchaseLine.objects.aggregate(Sum("net_amount"))["net_amount__sum"] == total
    cancelled = Purchase.objects.get(source_key="C536379")
    assert (cancelled.kind, cancelled.net_amount) == ("return", Decimal("-15.30"))
    assert cancelled.original == Purchase.objects.get(source_key="536365")
    line = cancelled.lines.get()
    assert (line.original_purchase_id, line.original_line_no) == (cancelled.original_id, 1)
    assert Purchase.objects.get(source_key="C536380").original is None
    assert Purchase.objects.get(source_key="536382").lines.get().description == "POSTAGE"
    assert Purchase.objects.get(source_key="536381").kind == "return"


def test_the_same_file_again_adds_nothing(bring: Callable[..., Report]) -> None:
    rows = ["R1,2025-01-31 10:00,TST,M1,MILK,Milk,2,18.50,0", "R2,2025-01-31 11:00,TST,,MILK,Milk,1,18.50,0"]
    bring(TILL, *rows)
    before = (
        Purchase.objects.count(),
        PurchaseLine.objects.count(),
        Activity.objects.count(),
        Customer.objects.count(),
    )

    again = bring(TILL, *rows)

    assert (again.added, again.unchanged, again.rejected) == (0, 2, 0)
    assert again.created == {"branches": 0, "products": 0, "customers": 0, "lines": 0, "home_branches": 0}
    after = (Purchase.objects.count(), PurchaseLine.objects.count(), Activity.objects.count(), Customer.objects.count())
    assert after == before


def test_a_second_file_that_overlaps_adds_what_is_new_and_refuses_other_content(bring: Callable[..., Report]) -> None:
    bring(TILL, "R1,2025-01-31 10:00,TST,M1,MILK,Milk,2,18.50,0", "R2,2025-01-31 11:00,TST,M1,MILK,Milk,1,18.50,0")

    report = bring(
        TILL,
        "R1,2025-01-31 10:00,TST,M1,MILK,Milk,2,18.50,0",
        "R2,2025-01-31 11:00,TST,M1,MILK,Milk,3,18.50,0",
        "R3,2025-01-31 12:00,TST,M1,MILK,Milk,1,18.50,0",
        name="second.csv",
    )

    assert (report.added, report.unchanged, report.rejected) == (1, 1, 1)
    assert _treated(report) == {"other_content": 1}
    with Path(report.error_file).open(encoding="utf-8-sig", newline="") as file:
        refused = list(csv.reader(file))[1:]
    assert [(row[0], row[3]) for row in refused] == [("3", "R2")]
    assert Purchase.objects.get(source_key="R2").net_amount == Decimal("18.50")


def test_returns_find_the_latest_sale_that_has_enough_left(bring: Callable[..., Report]) -> None:
    bring(
        TILL,
        "R1,2025-01-01 10:00,TST,M1,MILK,,2,10,0",
        "R2,2025-01-02 10:00,TST,M1,MILK,,3,10,0",
        "R3,2025-01-03 10:00,TST,M1,MILK,,1,12,0",
        "R4,2025-01-04 10:00,TST,M2,MILK,,9,10,0",
    )
    report = bring(
        TILL,
        "B1,2025-01-05 10:00,TST,M1,MILK,,-2,10,0",
        "B2,2025-01-05 11:00,TST,M1,MILK,,-2,10,0",
        "B3,2025-01-05 12:00,TST,M1,MILK,,-1,10,0",
        "B4,2025-01-05 13:00,TST,M1,MILK,,-1,10,0",
        "B5,2025-01-01 09:00,TST,M1,MILK,,-1,12,0",
        name="returns.csv",
    )
    found = {
        p.source_key: p.original.source_key if p.original else None for p in Purchase.objects.filter(kind="return")
    }
    assert found == {"B1": "R2", "B2": "R1", "B3": "R2", "B4": None, "B5": None}
    assert (_treated(report)["matched"], _treated(report)["unmatched"]) == (3, 2)


def test_returns_never_take_more_of_a_line_than_was_bought_over_several_files(bring: Callable[..., Report]) -> None:
    bring(TILL, "R1,2025-01-01 10:00,TST,M1,MILK,,2,10,0")
    for day in (2, 3, 4):
        bring(TILL, f"B{day},2025-01-0{day} 10:00,TST,M1,MILK,,-1,10,0", name=f"b{day}.csv")
    matched = PurchaseLine.objects.filter(original_purchase_id__isnull=False)
    assert matched.aggregate(Sum("quantity"))["quantity__sum"] == -2


def test_a_line_number_that_comes_twice_counts_once(bring: Callable[..., Report]) -> None:
    report = bring(
        "receipt_no,line_no,sold_at,product_code,quantity,amount,kind",
        "R1,2,2025-01-01,B,1,5,",
        "R1,1,2025-01-01,A,1,3,",
        "R1,2,2025-01-01,B,1,5,",
        "R2,1,2025-01-02,A,1,3,Return",
    )
    assert _treated(report) == {"line_repeated": 1, "return_signed": 1, "unmatched": 1}
    assert (report.skipped, report.accepted) == (1, 3)
    lines = [
        (x.line_no, x.net_amount) for x in PurchaseLine.objects.filter(purchase__source_key="R1").order_by("line_no")
    ]
    assert lines == [(1, Decimal(3)), (2, Decimal(5))]
    assert Purchase.objects.get(source_key="R2").net_amount == Decimal(-3)


def test_amounts_of_the_source_are_kept_whatever_the_quantity(bring: Callable[..., Report]) -> None:
    report = bring(
        "basket_id,household_id,transaction_timestamp,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc",
        "1,900,2017-01-01 11:53:26,10,0,0.50,0,0,0",
        "1,900,2017-01-01 11:53:26,11,3,9.00,1.50,1.00,0.50",
        "1,900,2017-01-01 11:53:26,12,1,0,0,0,0",
    )
    assert _treated(report) == {"zero_quantity": 1, "zero_price": 1}
    purchase = Purchase.objects.get()
    assert (purchase.gross_amount, purchase.discount_amount, purchase.net_amount) == (
        Decimal("12.50"), Decimal("3.00"), Decimal("9.50"),
    )  # fmt: skip
    assert [x.unit_price for x in purchase.lines.order_by("line_no")] == [Decimal("0.5"), Decimal(4), Decimal(0)]


def test_other_currencies_are_refused_and_tenders_and_coupons_are_kept(bring: Callable[..., Report]) -> None:
    report = bring(
        "receipt,date,sku,amount,currency,payment,coupon code,coupon amount",
        "R1,2025-01-01,A,80,HKD,octopus,SAVE20,20",
        "R2,2025-01-01,A,80,USD,cash,,",
    )
    assert _treated(report) == {"other_currency": 1}
    assert [(t.kind, t.amount) for t in Tender.objects.all()] == [("octopus", Decimal(80))]
    assert [(c.code, c.amount) for c in CouponUse.objects.all()] == [("SAVE20", Decimal(20))]


def test_a_customer_is_known_by_external_id_or_by_number(bring: Callable[..., Report]) -> None:
    known = Customer.objects.create(number="C0000001")
    ExternalId.objects.create(customer=known, source="pos", value="M1")
    ExternalId.objects.create(customer=Customer.objects.create(number="C0000002"), source="web", value="M2")
    bring(
        TILL,
        "R1,2025-01-01,,M1,A,,1,1,",
        "R2,2025-01-01,,C0000001,A,,1,1,",
        "R3,2025-01-01,,M2,A,,1,1,",
    )
    owners = {p.source_key: p.customer.number if p.customer else None for p in Purchase.objects.all()}
    assert owners["R1"] == owners["R2"] == "C0000001"
    assert owners["R3"] not in ("C0000001", "C0000002")


def test_statements_do_not_grow_with_the_rows(bring: Callable[..., Report]) -> None:
    def statements(count: int) -> int:
        asked = 0

        def tally(execute: Any, *given: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*given)

        rows = [f"Q{count}-{i},2025-01-01,TST,M{i % 7},P{i % 5},,1,1," for i in range(count)]
        with connection.execute_wrapper(tally):
            bring(TILL, *rows, name=f"{count}.csv")
        return asked

    statements(10)
    assert statements(200) == statements(2000)


def test_the_error_file_can_be_mended_and_brought_again(bring: Callable[..., Report]) -> None:
    report = bring(TILL, "R1,2025-01-01,TST,M1,A,,1,1,", "R2,soon,TST,M1,=A,,-1,1,")
    text = Path(report.error_file).read_text(encoding="utf-8-sig").replace("soon", "2025-01-02")
    mended = bring(*text.splitlines(), name="mended.csv")
    assert (mended.added, mended.rejected) == (1, 0)
    line = PurchaseLine.objects.get(purchase__source_key="R2")
    assert (line.quantity, line.product.code if line.product else "") == (Decimal(-1), "=A")
