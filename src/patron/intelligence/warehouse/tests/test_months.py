"""Facts by month: where they lie, late and corrected ones, months that are let go, small parts that become one."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from patron.core.customers.testing import make_customer
from patron.intelligence.warehouse.engine import write_months
from patron.intelligence.warehouse.errors import WarehouseError
from patron.intelligence.warehouse.manifest import Part
from patron.intelligence.warehouse.merging import SMALL_PARTS, compacted, merge
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.retention import SETTING, kept_from
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import TODAY, contents, run_update, sell, void

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)

database = pytest.mark.django_db(transaction=True)


@database
def test_each_month_of_a_fact_has_files_of_its_own(tmp_path: Path) -> None:
    chan = make_customer()
    for days_ago in (0, 1, 20, 21, 40):
        sell(chan, "1.00", "2.00", days_ago=days_ago)
    table = run_update(tmp_path).manifest.tables["purchase_lines"]
    assert {part.month: part.rows for part in table.parts} == {"2026-03": 4, "2026-02": 4, "2026-01": 2}
    assert all(part.file.startswith(f"parts/purchase_lines/month={part.month}/") for part in table.parts)
    assert sorted((tmp_path / "parts" / "purchase_lines").iterdir()) == [
        tmp_path / "parts" / "purchase_lines" / f"month=2026-0{month}" for month in (1, 2, 3)
    ]


@database
def test_a_reader_opens_only_the_months_that_it_asks_for(tmp_path: Path) -> None:
    chan = make_customer()
    for days_ago in (0, 20, 40):
        sell(chan, "1.00", days_ago=days_ago)
    run_update(tmp_path)
    asked = "SELECT sum(net_amount) FROM purchase_lines WHERE occurred_on >= DATE '2026-03-01'"
    plan = open_warehouse(tmp_path).rows(f"EXPLAIN ANALYZE {asked}")[0][1]
    assert "Row Groups Scanned: 1 / 3" in plan, plan


@database
def test_a_late_sale_corrects_its_month_and_a_void_takes_it_out_again(tmp_path: Path) -> None:
    chan = make_customer()
    sell(chan, "100.00", days_ago=20)
    run_update(tmp_path)
    assert contents(tmp_path, "corrections") == []

    late = sell(chan, "70.00", days_ago=15)
    sell(chan, "5.00")
    assert run_update(tmp_path).mode == "incremental"
    assert contents(tmp_path, "corrections") == [(2, TODAY, FEBRUARY, "HKD", 1, 0, Decimal("70.00"))]

    void(late)
    run_update(tmp_path)
    assert contents(tmp_path, "corrections")[1:] == [(3, TODAY, FEBRUARY, "HKD", -1, 1, Decimal("-70.00"))]
    counted = "SELECT sum(net_amount) FROM purchases WHERE NOT is_voided AND occurred_on < DATE '2026-03-01'"
    assert open_warehouse(tmp_path).rows(counted) == [(Decimal("100.00"),)]


@database
def test_reading_everything_anew_corrects_nothing(tmp_path: Path) -> None:
    sell(make_customer(), "100.00", days_ago=20)
    run_update(tmp_path)
    assert run_update(tmp_path, full=True).mode == "full"
    assert contents(tmp_path, "corrections") == []


@database
def test_details_are_let_go_after_the_months_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "25")
    chan = make_customer()
    old = sell(chan, "100.00", days_ago=900)
    sell(chan, "1.00", days_ago=700)

    first = run_update(tmp_path)
    lines = first.manifest.tables["purchase_lines"]
    assert (lines.rows, lines.kept_from, lines.let_go["count"], lines.let_go["net_amount"]) == (
        1,
        "2024-03",
        "1",
        "100",
    )
    assert lines.totals["count"] == "2"
    assert first.manifest.tables["purchases"].rows == 2

    sell(chan, "2.00")
    second = run_update(tmp_path)
    lines = second.manifest.tables["purchase_lines"]
    assert (second.mode, lines.rows, lines.totals["count"]) == ("incremental", 2, "3")

    void(old)
    third = run_update(tmp_path)
    lines = third.manifest.tables["purchase_lines"]
    assert (third.mode, lines.rows, lines.totals["count"]) == ("full", 2, "3")

    monkeypatch.delenv(SETTING)
    last = run_update(tmp_path)
    lines = last.manifest.tables["purchase_lines"]
    assert (last.reason, lines.rows, lines.let_go) == ("months that were let go are to be kept again", 3, {})


@pytest.mark.parametrize("given", ["24", "-1", "two years", "1e3"])
def test_a_setting_that_keeps_too_little_is_refused(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, given)
    with pytest.raises(WarehouseError, match="25 or more"):
        run_update(tmp_path)


def test_the_running_month_is_one_of_those_kept() -> None:
    assert kept_from(date(2026, 3, 2), 25) == "2024-03"
    assert kept_from(date(2026, 1, 31), 25) == "2024-01"
    assert kept_from(date(2026, 12, 1), 36) == "2024-01"
    assert kept_from(date(2026, 3, 2), None) == ""


def small_parts(store: Store, duck: duckdb.DuckDBPyConnection, month: date, keys: range) -> list[Part]:
    parts = []
    for key in keys:
        query = f"SELECT {key}::BIGINT AS id, DATE '{month}' AS day, 'first' AS what"
        files = write_months(duck, query, store.part_directory("facts"), day="day", key="id")
        parts += [Part(str(f.path.relative_to(store.root)), f.rows, f.bytes, f.low, f.high, f.month) for f in files]
    return parts


def test_small_parts_of_a_month_become_one(tmp_path: Path) -> None:
    store, duck = Store(tmp_path), duckdb.connect()
    january = small_parts(store, duck, JANUARY, range(SMALL_PARTS))
    february = small_parts(store, duck, FEBRUARY, range(100, 100 + SMALL_PARTS - 1))
    found = compacted(store, duck, ["id"], [*january, *february])
    assert found[:-1] == february
    assert (found[-1].month, found[-1].rows, found[-1].low, found[-1].high) == ("2026-01", 12, 0, 11)


def test_a_row_that_moves_to_another_month_is_not_kept_twice(tmp_path: Path) -> None:
    store, duck = Store(tmp_path), duckdb.connect()
    there = small_parts(store, duck, JANUARY, range(3))
    arrived = small_parts(store, duck, FEBRUARY, range(1, 2))
    found = merge(store, duck, ["id"], there=there, arrived=arrived)
    assert sorted((part.month, part.low) for part in found) == [("2026-01", 0), ("2026-01", 2), ("2026-02", 1)]
