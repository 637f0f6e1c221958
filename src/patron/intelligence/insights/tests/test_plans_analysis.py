"""The contact plan and the budget of the house: stakes from the marts, plans by the standing assumptions."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from patron.intelligence.insights.analyses import budget, contact_plan
from patron.intelligence.insights.analyses.contract import Context
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.optimising.assumptions import ACTIONS, CHANNELS, DOSE_SHARE, GONE_PART, UPLIFT
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import published

AS_OF = date(2026, 3, 1)


def cents(*values: float) -> pa.Array:
    return pa.array([Decimal(f"{value:.2f}") for value in values], pa.decimal128(18, 2))


def house(root: Path, *, churn: bool = False, people: int = 4) -> Context:
    published(root, {})
    warehouse = open_warehouse(root)
    tables = {
        "customer_value": {
            "customer_id": [1, 2, 3, 4], "gross_profit": cents(30, 10, 5, 5), "covered_revenue": cents(120, 40, 20, 20),
        },
        "customer_stage": {
            "customer_id": [1, 2, 3, 4], "branch_id": [1, 1, 2, 2],
            "stage": ["mature", "declining", "lost", "new"], "money_per_year": cents(40_000, 20_000, 4000, 400),
            "at_risk": [False, True, False, False], "trend_days": pa.array([90, 73, 90, 90], pa.int32()),
            "spend_recent": cents(900, 100, 0, 10), "spend_before": cents(800, 500, 600, 10),
        },
        "clv_customers": {
            "customer_id": [1, 2, 3, 4], "branch_id": [1, 1, 2, 2], "label": ["high", "high", "gone", "low"],
            "clv": cents(36_000, 8000, 500, 0), "p_alive": [0.9, 0.8, 0.1, 0.001],
            "silent_days": pa.array([3, 40, 200, 1], pa.int32()),
        },
    }  # fmt: skip
    if churn:
        tables["churn_customers"] = {"customer_id": [1], "probability": [0.5]}
    for name, columns in tables.items():
        table = pa.table(columns)
        warehouse.connection.register(name, table.slice(0, people))
    return Context(warehouse, as_of=AS_OF, currency="HKD", changed={})


def test_stakes_are_what_leaving_and_buying_less_would_cost(tmp_path: Path) -> None:
    findings = contact_plan.ANALYSIS.find(house(tmp_path / "w"))
    found = {row["customer_id"]: row for row in findings.tables["contact_candidates"].to_pylist()}
    assert sorted(found) == [1, 2, 3]  # of the fourth nothing can be said
    assert found[1]["if_stays"] == Decimal("10000.00")  # 36,000 / 0.9 at a margin of a quarter
    assert found[1]["stake"] == Decimal("1000.00")
    assert found[2]["fallen"] == Decimal("500.00")  # 400 less in 73 days, five times a year, a quarter of it
    assert found[2]["stake"] == Decimal("1000.00")  # 2,500 x 0.2 and what has fallen away
    assert found[3]["stake"] == Decimal(f"{1250 * 0.9 * GONE_PART:.2f}")
    assert any("assumed" in note for note in findings.notes)


def test_churn_knows_better_where_it_has_run(tmp_path: Path) -> None:
    findings = contact_plan.ANALYSIS.find(house(tmp_path / "w", churn=True))
    first = findings.tables["contact_candidates"].to_pylist()[0]
    assert (first["customer_id"], first["p_leave"], first["stake"]) == (1, 0.5, Decimal("5000.00"))


def test_the_plan_calls_those_worth_it_and_tells_the_customers_page(tmp_path: Path) -> None:
    findings = contact_plan.ANALYSIS.find(house(tmp_path / "w"))
    plan = {row["customer_id"]: row for row in findings.tables["contact_plan"].to_pylist()}
    call = CHANNELS["call"]
    assert plan[1]["channel"] == plan[2]["channel"] == "call"
    assert plan[1]["gain"] == Decimal(f"{1000 * call.saves - call.cost:.2f}")
    assert plan[1]["day"] == date(2026, 3, 2)
    insights = findings.insights
    assert insights is not None
    assert set(insights["customer_id"].to_pylist()) == {who for who, row in plan.items() if row["channel"] == "call"}
    assert json.loads(insights["facts"][0].as_py())["day"] == "2026-03-02"


def test_nobody_is_planned_for_a_way_that_is_closed(tmp_path: Path) -> None:
    def told(*rows: tuple[int, str, bool, str]) -> Context:
        context = house(tmp_path / f"w{len(list(tmp_path.iterdir()))}")
        who, channel, has_contact, permission = zip(*rows, strict=True)
        reach = {
            "customer_id": who, "channel": channel, "has_contact": has_contact, "permission": permission,
            "reachable": [there and said == "granted" for there, said in zip(has_contact, permission, strict=True)],
        }  # fmt: skip
        context.warehouse.connection.register("customer_reach", pa.table(reach))
        return context

    silent = contact_plan.ANALYSIS.find(told((1, "phone", False, "not_asked"), (2, "sms", True, "not_asked")))
    found = contact_plan.ANALYSIS.find(
        told(
            (1, "phone", True, "refused"), (1, "sms", True, "granted"), (1, "email", False, "granted"),
            (2, "phone", True, "not_asked"), (2, "sms", True, "not_asked"),
            (3, "phone", False, "granted"), (3, "email", True, "refused"),
        )
    )  # fmt: skip
    with pytest.raises(InputError, match="ask for both first"):
        contact_plan.ANALYSIS.find(told((1, "phone", True, "refused")))

    ways = ("by_call", "by_sms", "by_email")
    seen = {row["customer_id"]: [row[way] for way in ways] for row in found.tables["contact_candidates"].to_pylist()}
    assert seen == {1: [False, True, False], 2: [True, False, False], 3: [False] * 3}
    plan = {row["customer_id"]: row["channel"] for row in found.tables["contact_plan"].to_pylist()}
    assert plan == {1: "sms", 2: "call"}
    assert [note for note in silent.notes if "No consent is on file" in note]
    assert not [note for note in found.notes if "No consent is on file" in note]
    assert {row["by_call"] for row in silent.tables["contact_candidates"].to_pylist()} == {True}


def test_without_customers_both_say_what_they_need(tmp_path: Path) -> None:
    context = house(tmp_path / "w", people=0)
    with pytest.raises(InputError, match="forecast of their value"):
        contact_plan.ANALYSIS.find(context)
    with pytest.raises(InputError, match="customers who have bought"):
        budget.ANALYSIS.find(context)


def test_the_budget_works_on_what_stages_bring(tmp_path: Path) -> None:
    findings = budget.ANALYSIS.find(house(tmp_path / "w"))
    segments = findings.tables["budget_segments"].to_pylist()
    assert {(row["branch_id"], row["segment"]): row["customers"] for row in segments} == {
        (1, "mature"): 1, (1, "declining"): 1, (2, "lost"): 1, (2, "new"): 1,
    }  # fmt: skip
    assert {row["margin"] for row in segments} == {0.25}
    division = {(row["segment"], row["action"]): row for row in findings.tables["budget_division"].to_pylist()}
    assert len(division) == 4 * len(ACTIONS)
    called = division["declining", "call"]
    assert called["dose"] == ACTIONS["call"]
    assert called["top"] == pytest.approx(20_000 * 0.25 * UPLIFT["declining"]["call"] / DOSE_SHARE)
    gain, spent, equal = (float(str(findings.metrics[name])) for name in ("gain", "spent", "gain_of_equal_parts"))
    assert gain - spent > equal - 10_000
    assert any("assumed" in note for note in findings.notes)
