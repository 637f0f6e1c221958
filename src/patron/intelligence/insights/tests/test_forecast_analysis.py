"""The sales forecast in the house: marts that add up, a proof by past dates, holidays only where they help."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from patron.intelligence.insights.analyses.contract import Context, Findings
from patron.intelligence.insights.analyses.forecast import ANALYSIS
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import published

AS_OF = date(2026, 3, 1)
WEEKDAYS = (0.8, 0.8, 0.9, 1.0, 1.2, 1.4, 0.9)


def sales(*, days: int, incomplete: int = 0) -> dict[str, list[dict[str, object]]]:
    """Two branches that sell food and drinks every day; a third that closed long ago; a voided and a foreign line."""
    dice = np.random.default_rng(3)
    lines: list[dict[str, object]] = []

    def line(day: date, branch: int, product: int, amount: float, **other: object) -> None:
        lines.append({
            "purchase_id": len(lines) + 1, "line_no": 1, "product_id": product, "quantity": Decimal(1),
            "net_amount": Decimal(f"{amount:.2f}"), "discount_amount": Decimal(0), "branch_id": branch,
            "customer_id": None, "kind": "sale", "is_voided": False, "occurred_on": day, "currency": "HKD", **other,
        })  # fmt: skip

    for back in range(days):
        day = AS_OF - timedelta(back)
        share = 0.02 if back < incomplete else 1.0
        for branch, level in ((1, 300), (2, 100)):
            for product, part in ((1, 0.7), (2, 0.3)):
                amount = share * level * part * WEEKDAYS[day.weekday()] * (1 + 0.1 * dice.standard_normal())
                line(day, branch, product, amount)
    if days > 200:
        line(AS_OF - timedelta(200), 3, 1, 500)
    line(AS_OF - timedelta(9), 1, 1, 9_000_000, is_voided=True)
    line(AS_OF - timedelta(9), 1, 1, 9_000_000, currency="USD")
    return {
        "branches": [
            {"branch_id": number, "code": f"B{number}", "name": name, "country": "HK"}
            for number, name in ((1, "Central"), (2, "Mong Kok"), (3, "Old Pier"))
        ],
        "products": [
            {"product_id": 1, "code": "1", "name": "Bread", "category_1": "Food"},
            {"product_id": 2, "code": "2", "name": "Tea", "category_1": "Drinks"},
        ],
        "purchase_lines": lines,
    }


def found_in(root: Path, **options: int) -> Findings:
    published(root, sales(**options))
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={})
    context.running = "forecast"
    return ANALYSIS.find(context)


@pytest.fixture(name="findings", scope="module")
def _findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse", days=330)


def test_tables_are_those_of_the_marts(findings: Findings) -> None:
    for mart in ANALYSIS.marts:
        assert findings.tables[mart.name].schema.names == [column.name for column in mart.columns]


def test_branches_and_departments_add_up_to_the_whole(findings: Findings) -> None:
    lines = findings.tables["forecast_lines"].to_pandas()
    weeks = lines.groupby(["dimension", "week"]).forecast.sum().astype(float).unstack("week")
    assert weeks.loc["total"].to_numpy() == pytest.approx(weeks.loc["branch"].to_numpy(), abs=0.05)
    assert weeks.loc["total"].to_numpy() == pytest.approx(weeks.loc["department"].to_numpy(), abs=0.05)
    assert weeks.loc["total"].to_numpy() == pytest.approx(400 * 7, rel=0.05)


def test_first_week_starts_tomorrow_and_the_largest_comes_first(findings: Findings) -> None:
    rows = findings.tables["forecast_lines"].to_pylist()
    first = [each for each in rows if each["dimension"] == "branch" and each["week"] == 1]
    assert [(each["name"], each["place"], each["kind"]) for each in sorted(first, key=lambda each: each["place"])] == [
        ("Central", 1, "regular"), ("Mong Kok", 2, "regular"), ("Old Pier", 3, "closed"),
    ]  # fmt: skip
    assert {(each["starts_on"], each["ends_on"]) for each in first} == {(date(2026, 3, 2), date(2026, 3, 8))}
    assert next(each for each in first if each["name"] == "Old Pier")["forecast"] == 0
    assert all(each["last_year"] is None for each in rows)


def test_proof_compares_with_the_last_week_again(findings: Findings) -> None:
    assert findings.proof is not None
    assert findings.proof.holds
    assert findings.proof.value == pytest.approx(findings.metrics["branch_error_share"])
    assert float(findings.metrics["branch_tests"] or 0) >= 5
    assert 0.7 <= float(findings.metrics["branch_coverage_80"] or 0) <= 0.95
    compared = findings.tables["forecast_backtest"].to_pandas()
    assert compared.groupby(["dimension", "series"]).chosen.sum().max() == 1


def test_holidays_of_the_branches_country_are_listed(findings: Findings) -> None:
    assert findings.parameters["country"] == "HK"
    assert [each["date"] for each in findings.tables["forecast_events"].to_pylist()] == [
        date(2026, 4, 3), date(2026, 4, 4), date(2026, 4, 5), date(2026, 4, 6), date(2026, 4, 7),
    ][-len(findings.tables["forecast_events"]):]  # fmt: skip
    assert any("Public holidays of HK are" in note for note in findings.notes)


def test_history_ends_where_the_forecast_begins(findings: Findings) -> None:
    history = findings.tables["forecast_history"].to_pylist()
    assert max(each["starts_on"] for each in history) == date(2026, 2, 23)
    assert len({each["starts_on"] for each in history}) == 47


def test_days_whose_receipts_are_missing_are_left_out(tmp_path: Path) -> None:
    findings = found_in(tmp_path / "sales", days=330, incomplete=5)
    assert findings.metrics["last_day"] == "2026-02-24"
    assert "look incomplete; the forecast starts after 2026-02-24" in findings.notes[0]
    assert findings.tables["forecast_lines"]["starts_on"][0].as_py() == date(2026, 2, 25)


def test_little_history_is_forecast_without_proof_and_less_is_refused(tmp_path: Path) -> None:
    findings = found_in(tmp_path / "some", days=40)
    assert findings.proof is None
    assert findings.tables["forecast_backtest"].num_rows == 0
    assert findings.tables["forecast_lines"].num_rows == 8 * 5
    with pytest.raises(InputError, match="a forecast needs at least 14"):
        found_in(tmp_path / "few", days=12)
    published(tmp_path / "none", {})
    with pytest.raises(InputError, match="There are no sales yet"):
        ANALYSIS.find(Context(open_warehouse(tmp_path / "none"), as_of=AS_OF, currency="HKD", changed={}))
