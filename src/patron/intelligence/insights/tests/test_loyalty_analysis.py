"""Loyalty in the house: every customer measured and named, groups as of today, silent tills no silent customers."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.insights.analyses.loyalty import ANALYSIS
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import published

AS_OF = date(2026, 3, 1)
BEFORE = datetime(2025, 6, 1, tzinfo=UTC)


def sales(*, silent_days: int = 0) -> dict[str, list[dict[str, object]]]:
    """60 customers who come about weekly for a year; every tenth comes less and less; the tills may stop early."""
    dice = np.random.default_rng(8)
    customers: list[dict[str, object]] = []
    purchases: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for number in range(1, 61):
        customers.append({
            "customer_id": number, "number": f"C{number}", "home_branch_id": 1 + number % 2,
            "birth_year": 1960 + number if number % 6 else None,
        })  # fmt: skip
        back = 360 - int(dice.integers(0, 7))
        while back >= silent_days:
            for line_no in (1, 2):
                cut = Decimal(2) if dice.random() < 0.4 else Decimal(0)
                quantity = 2 if cut else 1
                lines.append({
                    "purchase_id": len(purchases) + 1, "line_no": line_no, "product_id": line_no,
                    "quantity": Decimal(quantity), "net_amount": 10 * quantity - cut * quantity,
                    "discount_amount": cut * quantity, "customer_id": number, "branch_id": 1 + number % 2,
                    "kind": "sale", "is_voided": False, "occurred_on": AS_OF - timedelta(back), "currency": "HKD",
                })  # fmt: skip
            purchases.append({
                "purchase_id": len(purchases) + 1, "customer_id": number, "branch_id": 1 + number % 2,
                "occurred_on": AS_OF - timedelta(back), "net_amount": Decimal(20), "currency": "HKD",
                "is_voided": False,
            })  # fmt: skip
            slower = 3 if number % 10 == 0 and back < 100 else 1
            back -= slower * (6 + int(dice.integers(0, 3)))
    products = [
        {"product_id": number, "code": str(number), "name": name, "brand": f"Brand {number}", "category_2": name}
        for number, name in ((1, "Bread"), (2, "Tea"))
    ]
    return {
        "customers": customers, "purchases": purchases, "purchase_lines": lines, "products": products,
        "memberships": [{"membership_id": 1, "customer_id": 1, "programme": "club"}],
        "tier_changes": [
            {"tier_change_id": 1, "membership_id": 1, "before": "", "after": "silver", "effective_at": BEFORE},
            {"tier_change_id": 2, "membership_id": 1, "before": "silver", "after": "gold", "effective_at": BEFORE},
        ],
    }  # fmt: skip


def found_in(root: Path, **options: int) -> Findings:
    published(root, sales(**options))
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={})
    context.running = "loyalty"
    return ANALYSIS.find(context)


@pytest.fixture(name="findings", scope="module")
def _findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse")


def test_tables_are_those_of_the_marts(findings: Findings) -> None:
    assert set(findings.tables) == {mart.name for mart in ANALYSIS.marts}
    for mart in ANALYSIS.marts:
        assert findings.tables[mart.name].schema.names == [column.name for column in mart.columns]


def test_those_who_come_less_are_drifting_and_the_others_are_not(findings: Findings) -> None:
    rows = findings.tables["loyalty_customers"].to_pylist()
    assert {each["customer_id"] for each in rows if each["label"] == "drifting"} == {10, 20, 30, 40, 50, 60}
    assert all(each["branch_id"] == 1 + each["customer_id"] % 2 for each in rows)
    assert sorted(each["rank"] for each in rows) == list(range(1, 61))
    firm = next(each for each in rows if each["customer_id"] == 7)
    assert firm["label"] == "firm"
    assert firm["main_branch_share"] == 1
    assert firm["earlier_gap_days"] == pytest.approx(7, abs=0.5)


def test_insights_have_every_customer_with_facts(findings: Findings) -> None:
    insights = findings.insights
    assert insights is not None
    assert tuple(insights.schema.names) == INSIGHT_COLUMNS
    assert insights.num_rows == 60
    facts = json.loads(insights["facts"][0].as_py())
    assert facts["cycle"] in {"longer", "steady", "shorter"}
    assert 0 <= facts["persistence"] <= 100


def test_groups_add_up_and_know_the_answer_to_price_cuts(findings: Findings) -> None:
    groups = findings.tables["loyalty_groups"].to_pandas()
    assert (groups.groupby("dimension").customers.sum() == 60).all()
    everybody = groups[groups.dimension == "all"].iloc[0]
    # Twice as many at 20 % off: ln 2 ÷ ln 0.8.
    assert everybody.price_response == pytest.approx(np.log(2) / -np.log(0.8), rel=1e-5)
    assert everybody.drifting == 6
    ages = groups[groups.dimension == "age_band"].set_index("group").customers
    assert ages["unknown"] == 10
    assert groups[groups.dimension == "tier"].group.tolist() == ["", "gold"]


def test_series_are_whole_and_go_on(findings: Findings) -> None:
    series = findings.tables["loyalty_series"].to_pandas()
    own = series[series.dimension == "all"]
    past = own[own.actual.notna()]
    assert past.actual.to_numpy() == pytest.approx((past.trend + past.season + past.irregular).to_numpy())
    assert past.starts_on.max() == date(2026, 2, 23)
    ahead = own[own.forecast.notna()]
    assert ahead.starts_on.tolist() == [date(2026, 3, 2) + timedelta(7 * week) for week in range(8)]
    assert ((ahead.low <= ahead.forecast) & (ahead.forecast <= ahead.high)).all()
    weekdays = findings.tables["loyalty_weekdays"].to_pylist()
    assert [each["weekday"] for each in weekdays] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(each["share"] for each in weekdays) == pytest.approx(0, abs=0.05)


def test_visits_foretold_are_compared_with_the_weeks_before(findings: Findings) -> None:
    error, naive = findings.metrics["visits_error"], findings.metrics["visits_naive_error"]
    assert isinstance(error, float)
    assert isinstance(naive, float)
    # Customers as regular as these do as before: the run says so.
    assert any("go by those" in note for note in findings.notes) == (error > naive)


def test_silent_tills_do_not_make_customers_silent(tmp_path: Path) -> None:
    findings = found_in(tmp_path / "sales", silent_days=9)
    assert findings.metrics["measured_until"] == (AS_OF - timedelta(9)).isoformat()
    assert findings.metrics["drifting"] == 6


def test_nothing_bought_is_refused(tmp_path: Path) -> None:
    published(tmp_path / "none", {})
    with pytest.raises(InputError, match="There are no purchases of known customers yet"):
        ANALYSIS.find(Context(open_warehouse(tmp_path / "none"), as_of=AS_OF, currency="HKD", changed={}))
