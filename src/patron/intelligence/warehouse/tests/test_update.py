"""Extraction: exact, incremental, never missing a late commit, reconciled."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from patron.business.purchases.models import Purchase
from patron.core.accounts.testing import make_branch
from patron.core.catalog.models import Category, Product
from patron.core.catalog.testing import make_product
from patron.core.customers.models import Address, Customer
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.intelligence.warehouse import merging
from patron.intelligence.warehouse.errors import ReconciliationFailed, RefreshRunning
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import (
    Line,
    behind_the_stamps,
    conninfo,
    contents,
    run_update,
    sell,
    void,
)
from patron.kernel.exports import Total, columns_of, exports

pytestmark = pytest.mark.django_db(transaction=True)


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def test_every_export_gives_what_it_declares(tmp_path: Path) -> None:
    customer = make_customer(CHAN, branch=make_branch(), birth_on=None)
    Address.objects.create(customer=customer, city="Hong Kong", latitude=Decimal("22.302711"), longitude=114)
    sell(customer, Line("12.34", make_product(), cost="5.05", quantity="1.125"), branch=make_branch())

    run_update(tmp_path)

    manifest = Store(tmp_path).current()
    for export in exports:
        assert list(manifest.tables[export.name].columns) == [column.name for column in columns_of(export)]
    ((_id, *line),) = contents(tmp_path, "purchase_lines")
    purchase = Purchase.objects.get()
    assert line == [
        1, make_product().pk, Decimal("1.125"), Decimal("12.3400"), Decimal("0.00"), Decimal("12.34"), Decimal("5.05"),
        customer.pk, make_branch().pk, "sale", False, date(2026, 3, 2), "HKD",
    ]  # fmt: skip
    (bought,) = contents(tmp_path, "purchases")
    assert bought[0] == purchase.pk
    assert bought[5] == purchase.occurred_at.replace(tzinfo=None)
    (found,) = contents(tmp_path, "customers")
    assert found[12:] == (
        "Hong Kong", "", "", Decimal("22.302711"), Decimal("114.000000"), True, True, False, False,
    )  # fmt: skip


def test_no_name_phone_or_birthday_leaves_the_database() -> None:
    declared = {column.name for export in exports for column in export.columns if export.name == "customers"}
    assert not declared & {"name", "family_name", "given_name", "latin_name", "birth_on", "phone", "email", "lines"}


def test_totals_equal_an_independent_sum(tmp_path: Path) -> None:
    chan, wang = make_customer(CHAN), make_customer(WANG)
    for day in range(40):
        sell(chan, "10.01", "0.99", days_ago=day)
        sell(wang, "7.77", days_ago=day)
    sell(None, "5.00")
    sell(chan, "-3.50", kind="return")

    found = run_update(tmp_path)

    assert found.mode == "full"
    assert found.manifest.tables["purchase_lines"].totals == {"count": "122", "net_amount": "752.3"}
    assert found.manifest.tables["purchases"].totals == {
        "count": "82", "net_amount": "752.3", "voided": "0", "with_customer": "81",
    }  # fmt: skip
    assert rows("SELECT count(*), sum(net_amount) FROM purchases_purchaseline") == [(122, Decimal("752.30"))]


def test_a_day_is_counted_in_the_zone_of_the_branch(tmp_path: Path) -> None:
    auckland = make_branch("AKL", "Auckland", time_zone="Pacific/Auckland")
    sell(None, "1.00", branch=auckland)
    Purchase.objects.update(occurred_at="2026-03-01T13:30:00Z")
    sell(None, "1.00")
    Purchase.objects.filter(branch=None).update(occurred_at="2026-03-01T15:59:59Z")

    run_update(tmp_path)

    assert sorted(row[6] for row in contents(tmp_path, "purchases")) == [date(2026, 3, 1), date(2026, 3, 2)]


def test_nothing_new_reads_nothing_and_publishes_nothing(tmp_path: Path) -> None:
    sell(make_customer(), "10.00")
    first = run_update(tmp_path)

    second = run_update(tmp_path)

    assert (second.mode, second.rows_read) == ("unchanged", 0)
    assert Store(tmp_path).current_version() == first.manifest.version


def test_only_what_changed_is_read(tmp_path: Path) -> None:
    customer = make_customer()
    for day in range(30):
        sell(customer, "1.00", "2.00", days_ago=day)
    run_update(tmp_path)
    sell(customer, "5.00", "6.00")

    found = run_update(tmp_path)

    assert (found.mode, found.rows_read) == ("incremental", 3)
    assert found.manifest.tables["purchases"].totals["net_amount"] == "101"


def test_a_void_reaches_the_lines_of_the_receipt(tmp_path: Path) -> None:
    purchase = sell(make_customer(), "1.00", "2.00")
    sell(make_customer(WANG), "4.00")
    run_update(tmp_path)
    void(purchase)

    found = run_update(tmp_path)

    assert found.mode == "incremental"
    voided = [(row[0] == purchase.pk, row[11]) for row in contents(tmp_path, "purchase_lines")]
    assert sorted(voided) == [(False, False), (True, True), (True, True)]


def test_a_renamed_category_reaches_its_products(tmp_path: Path) -> None:
    make_product()
    run_update(tmp_path)
    Category.objects.filter(path="Dairy > Milk").update(path="Dairy > Fresh milk")

    run_update(tmp_path)

    assert contents(tmp_path, "products")[0][5:8] == ("Dairy > Fresh milk", "Dairy", "Fresh milk")


@pytest.mark.parametrize("event", ["insert", "update", "delete"])
def test_a_change_of_address_reaches_the_customer(tmp_path: Path, event: str) -> None:
    customer = make_customer()
    if event != "insert":
        Address.objects.create(customer=customer, city="Macao")
    run_update(tmp_path)
    if event == "insert":
        Address.objects.create(customer=customer, city="Taipei")
    elif event == "update":
        Address.objects.update(city="Taipei")
    else:
        Address.objects.all().delete()

    run_update(tmp_path)

    assert contents(tmp_path, "customers")[0][12] == {"insert": "Taipei", "update": "Taipei", "delete": None}[event]


def test_a_transaction_that_commits_late_is_not_missed(tmp_path: Path) -> None:
    sell(make_customer(), "1.00")
    late = psycopg.connect(conninfo())
    insert = (
        "INSERT INTO purchases_purchase (source, source_key, kind, status, channel, occurred_at, currency, "
        "gross_amount, discount_amount, net_amount, line_count, terminal, cashier) "
        "VALUES ('test', %s, 'sale', 'completed', 'store', now(), 'HKD', %s, 0, %s, 0, '', '')"
    )
    late.execute(insert, ["late", 100, 100])  # has its transaction number, is not committed
    with psycopg.connect(conninfo()) as early:
        early.execute(insert, ["early", 10, 10])  # a higher number, committed first
    run_update(tmp_path)
    assert contents_sum(tmp_path) == Decimal("11.00")

    late.commit()
    late.close()
    found = run_update(tmp_path)

    assert (found.mode, found.rows_read) == ("incremental", 1)
    assert contents_sum(tmp_path) == Decimal("111.00")


def contents_sum(root: Path) -> Decimal:
    return sum((row[11] for row in contents(root, "purchases")), Decimal(0))


@pytest.mark.parametrize("seed", range(4))
def test_increments_of_any_changes_equal_a_full_extraction(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SMALL_PARTS", 3)  # so that parts are put together as well
    chance = random.Random(seed)
    branches = [make_branch("A", "A"), make_branch("B", "B")]
    customers = [make_customer(WANG, branch=branches[0]) for _ in range(3)]
    product = make_product()
    bought: list[Purchase] = []
    for _round in range(5):
        for _ in range(chance.randrange(6)):
            change = chance.randrange(6)
            if change <= 2 or not bought:
                amounts = [f"{chance.randrange(1, 9999) / 100:.2f}" for _ in range(chance.randrange(1, 4))]
                sold = [Line(amount, chance.choice([product, None])) for amount in amounts]
                who = chance.choice([*customers, None])
                bought.append(sell(who, *sold, branch=chance.choice(branches), days_ago=chance.randrange(400)))
            elif change == 3:
                void(chance.choice(bought))
            elif change == 4:
                Customer.objects.filter(pk=chance.choice(customers).pk).update(home_branch=chance.choice(branches))
            else:
                Purchase.objects.filter(pk=chance.choice(bought).pk).update(customer=chance.choice(customers))
        run_update(tmp_path / "grown")

    run_update(tmp_path / "anew")

    for export in exports:
        assert contents(tmp_path / "grown", export.name) == contents(tmp_path / "anew", export.name), export.name


def test_a_change_behind_the_stamps_is_noticed_and_everything_read_anew(tmp_path: Path) -> None:
    purchase = sell(make_customer(), "10.00")
    run_update(tmp_path)
    with behind_the_stamps("purchases_purchase"):
        Purchase.objects.filter(pk=purchase.pk).update(gross_amount=11, net_amount=11)
    sell(make_customer(WANG), "1.00")

    found = run_update(tmp_path)

    assert found.mode == "full"
    assert found.reason == "totals differed from the database's"
    assert found.differences == {"purchases.net_amount": "database 12, warehouse 11"}
    assert contents_sum(tmp_path) == Decimal("12.00")


def test_a_vanished_row_is_noticed_though_nothing_was_written(tmp_path: Path) -> None:
    make_product()
    run_update(tmp_path)
    Product.objects.all().delete()

    found = run_update(tmp_path)

    assert (found.mode, contents(tmp_path, "products")) == ("full", [])


def test_totals_that_cannot_agree_publish_nothing(tmp_path: Path) -> None:
    make_product()
    run_update(tmp_path)
    wrong = replace(exports.get("products"), totals=(*exports.get("products").totals, Total("twice", "2", "3")))

    with pytest.raises(ReconciliationFailed, match=r"products\.twice: database 2, warehouse 3"):
        run_update(tmp_path, full=True, chosen=[wrong])

    assert Store(tmp_path).current_version() == 1
    assert contents(tmp_path, "products")


def test_a_rewritten_table_is_read_anew(tmp_path: Path) -> None:
    make_product()
    run_update(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kept AS SELECT * FROM catalog_product")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE catalog_product CASCADE")
        cursor.execute("INSERT INTO catalog_product SELECT * FROM kept")
        cursor.execute("UPDATE catalog_product SET name = 'restored'")
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("DROP TABLE kept")

    found = run_update(tmp_path)

    assert found.reason == "the database or the contract is another one than last time"
    assert contents(tmp_path, "products")[0][2] == "restored"


def test_rows_restored_with_numbers_from_the_future_do_not_come_again_and_again(tmp_path: Path) -> None:
    make_product()
    with behind_the_stamps("catalog_product"):
        Product.objects.update(changed_xid=10**12)
    run_update(tmp_path)

    assert run_update(tmp_path).mode == "unchanged"


def test_when_most_has_changed_everything_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patron.intelligence.warehouse.update.CHANGES_AT_MOST", 2)
    make_product("A")
    run_update(tmp_path)
    make_product("B")
    make_product("C")

    assert run_update(tmp_path).reason == "most of products has changed"


def test_two_refreshes_do_not_run_at_once(tmp_path: Path) -> None:
    with Store(tmp_path).locked(), pytest.raises(RefreshRunning):
        run_update(tmp_path)
