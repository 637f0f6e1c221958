"""Newcomers in the house: marts that agree, groups by the first day alone, insights, a proof by date, refusals."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.insights.analyses.newcomers import ANALYSIS
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published

BEGIN = AS_OF - timedelta(400)

Visits = dict[int, Sequence[tuple[int, int, str, int]]]
"""Customer → (days after the data begin, branch, department, money)."""


def found_in(root: Path, tables: dict[str, Any], **changed: float) -> Findings:
    published(root, tables)
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={"newcomers": changed})
    context.running = "newcomers"
    return ANALYSIS.find(context)


def house(visits: Visits) -> dict[str, Any]:
    """Customers with exactly these purchases."""
    departments = sorted({each[2] for rows in visits.values() for each in rows})
    products = [
        {"product_id": place, "code": f"P{place}", "name": name, "category_1": name, "category": name}
        for place, name in enumerate(departments, 1)
    ]
    heads: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for customer, rows in visits.items():
        for day, branch, department, money in rows:
            number = len(heads) + 1
            head = {
                "purchase_id": number, "customer_id": customer, "branch_id": branch, "kind": "sale",
                "is_voided": False, "occurred_on": BEGIN + timedelta(day), "currency": "HKD", "channel": "store",
                "net_amount": Decimal(money),
            }  # fmt: skip
            product = departments.index(department) + 1
            heads.append({**head, "gross_amount": Decimal(money), "discount_amount": Decimal(0), "line_count": 1})
            lines.append({**head, "line_no": 1, "product_id": product, "quantity": Decimal(1),
                          "discount_amount": Decimal(0)})  # fmt: skip
    people = [
        {"customer_id": number, "number": f"C{number}", "kind": "individual", "status": "active",
         "birth_year": 2026 - 20 - number % 50, "home_branch_id": 1 + number % 2,
         "registered_on": BEGIN - timedelta(5) if number % 2 else AS_OF}
        for number in visits
    ]  # fmt: skip
    return {"customers": people, "products": products, "purchases": heads, "purchase_lines": lines}


def newcomers(number: int, *, back_after: int | None = 10) -> Visits:
    """An old customer, and newcomers one a day: from branch 1 and Food they come back, from branch 2 and Home not."""
    visits: Visits = {1000: [(0, 1, "Food", 10)]}
    for each in range(number):
        day, good = 95 + each, each % 2 == 0
        first = (day, 1 if good else 2, "Food" if good else "Home", 20 + each)
        again = [(day + back_after, 2, "Home", 500)] if good and back_after is not None else []
        visits[each + 1] = [first, *again]
    return visits


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    tables = generated(seed=8, size=Size(customers=500, receipts=4000, days=420))
    return found_in(tmp_path_factory.mktemp("house") / "warehouse", tables)


def test_each_mart_has_its_columns_and_can_be_stored_in_its_order(found: Findings) -> None:
    for mart in ANALYSIS.marts:
        with duckdb.connect() as duck:
            duck.register("made", found.tables[mart.name])
            columns = ", ".join(f'"{column.name}"::{column.sql_type} AS "{column.name}"' for column in mart.columns)
            assert duck.execute(f"SELECT {columns} FROM made ORDER BY {mart.order}").fetchall()


def test_insights_are_the_listed_newcomers_with_their_facts(found: Findings) -> None:
    table = found.tables["newcomers_customers"]
    assert found.insights is not None
    assert tuple(found.insights.column_names) == INSIGHT_COLUMNS
    assert found.insights["customer_id"].to_pylist() == table["customer_id"].to_pylist()
    assert found.insights["label"].to_pylist() == table["state"].to_pylist()
    for told, row in zip(found.insights.to_pylist(), table.to_pylist(), strict=True):
        facts = json.loads(told["facts"])
        assert (facts["chance"] is None) == (row["state"] == "back")
        assert facts["soon_days"] == 28
        assert float(told["score"]) == (1 if row["state"] == "back" else round(row["chance"], 4))
        assert told["reason"] == row["reason"]


def test_the_due_are_ranked_by_chance_and_first_basket(found: Findings) -> None:
    due = [row for row in found.tables["newcomers_customers"].to_pylist() if row["state"] == "due"]
    assert due
    assert len(due) == found.metrics["due"]
    ordered = sorted(due, key=lambda row: row["rank"])
    assert [row["rank"] for row in ordered] == list(range(1, len(due) + 1))
    worth = [row["chance"] * float(row["first_amount"]) for row in ordered]
    assert worth == sorted(worth, reverse=True)


def test_curves_rise_to_what_the_groups_say(found: Findings) -> None:
    curve = [
        row for row in found.tables["newcomers_curves"].to_pylist()
        if (row["measure"], row["dimension"], row["branch_id"]) == ("back", "all", 0)
    ]  # fmt: skip
    [everybody] = [
        row for row in found.tables["newcomers_groups"].to_pylist()
        if (row["measure"], row["dimension"], row["branch_id"]) == ("back", "all", 0)
    ]  # fmt: skip
    assert [row["day"] for row in curve] == list(range(everybody["watched_days"] + 1))
    assert [row["share"] for row in curve] == sorted(row["share"] for row in curve)
    assert curve[28]["share"] == everybody["soon"]
    assert curve[-1]["share"] == everybody["late"]
    assert all(row["low"] <= row["share"] + 1e-9 and row["share"] <= row["high"] + 1e-9 for row in curve)


def test_proof_is_the_brier_score_of_the_bands_against_one_chance_for_all(found: Findings) -> None:
    assert found.proof is not None
    assert not found.proof.higher_is_better
    assert (found.proof.value, found.proof.baseline) == (found.metrics["brier"], found.metrics["brier_baseline"])
    bands = found.tables["newcomers_backtest"].to_pylist()
    assert sum(band["asked"] for band in bands) == found.metrics["tested_asked"]
    assert sum(band["came"] for band in bands) == found.metrics["tested_came"]
    assert all(band["low"] <= band["observed"] <= band["high"] for band in bands)


def test_groups_are_those_of_the_first_day_and_are_told_apart(tmp_path: Path) -> None:
    found = found_in(tmp_path / "warehouse", house(newcomers(80)))
    assert found.metrics["customers"] == 80
    assert found.metrics["on_file_before"] == 40
    groups = {
        (row["dimension"], row["group"]): row
        for row in found.tables["newcomers_groups"].to_pylist()
        if row["measure"] == "back" and row["branch_id"] == 0
    }
    # They came back to branch 2 and to Home: that is known only of who came back, and does not make them of it.
    assert (groups["branch", "1"]["newcomers"], groups["branch", "1"]["events"]) == (40, 40)
    assert (groups["branch", "2"]["newcomers"], groups["branch", "2"]["events"]) == (40, 0)
    assert groups["department", "Food"]["median_days"] == 10
    assert groups["department", "Home"]["median_days"] is None
    assert groups["channel", "store"]["newcomers"] == 80
    tests = {row["dimension"]: row for row in found.tables["newcomers_tests"].to_pylist() if row["measure"] == "back"}
    assert tests["branch"]["groups"] == 2
    assert tests["branch"]["p"] < tests["branch"]["p_adjusted"] < 1e-6
    assert (tests["channel"]["groups"], tests["channel"]["p"]) == (1, None)


def test_a_branch_with_enough_newcomers_has_its_own_curve(tmp_path: Path) -> None:
    found = found_in(tmp_path / "warehouse", house(newcomers(80)))
    own = {
        row["branch_id"]: row["late"]
        for row in found.tables["newcomers_groups"].to_pylist()
        if (row["measure"], row["dimension"]) == ("back", "all")
    }
    assert own == {0: pytest.approx(0.5), 1: 1, 2: 0}


def test_few_newcomers_make_one_group_and_no_chances(tmp_path: Path) -> None:
    found = found_in(tmp_path / "warehouse", house(newcomers(6)))
    assert found.proof is None
    assert (found.metrics["untold"], found.metrics["due"]) == (3, 0)
    assert {row["groups"] for row in found.tables["newcomers_tests"].to_pylist()} == {1}
    assert {row["group"] for row in found.tables["newcomers_groups"].to_pylist()} == {"all", "other"}
    assert found.tables["newcomers_customers"]["chance"].null_count == found.tables["newcomers_customers"].num_rows
    assert any("from 10 on it can be told" in note for note in found.notes)


def test_nobody_back_is_defined(tmp_path: Path) -> None:
    found = found_in(tmp_path / "warehouse", house(newcomers(30, back_after=None)))
    assert (found.metrics["back"], found.metrics["untold"], found.metrics["median_days"]) == (0, 30, None)
    assert found.metrics["back_by_28"] == 0


def test_without_newcomers_it_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"at least 90 days after the data begin.* hold 401 days and no such"):
        found_in(tmp_path / "old", house({1: [(0, 1, "Food", 10), (200, 1, "Food", 10)]}))
    with pytest.raises(InputError, match="hold 0 days"):
        found_in(tmp_path / "empty", {"customers": house(newcomers(2))["customers"]})


def test_as_of_is_the_last_whole_day(found: Findings) -> None:
    assert date.fromisoformat(str(found.metrics["data_from"])) < date.fromisoformat(str(found.metrics["first_from"]))
    rows = found.tables["newcomers_customers"].to_pylist()
    assert max(row["first_on"] for row in rows) <= AS_OF
