"""Lifetime value in the house: marts that agree with the model, insights of every customer, a proof by the hold-out."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from patron.intelligence.insights.analyses.clv import ANALYSIS, LABELS
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.clv import MODEL
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import published

AS_OF = date(2026, 3, 1)


def sales(*, repeat: bool) -> dict[str, list[dict[str, object]]]:
    """150 customers who come at random for 60 weeks; a third of them stop some time in between."""
    dice = np.random.default_rng(11)
    customers: list[dict[str, object]] = []
    purchases: list[dict[str, object]] = []
    for number in range(1, 151):
        customers.append({"customer_id": number, "number": f"C{number}", "home_branch_id": 1 + number % 2})
        day, gap, spend = int(dice.integers(0, 60)), dice.uniform(7, 40), dice.uniform(20, 90)
        stop = int(dice.integers(100, 300)) if number % 3 == 0 else 420
        while day <= stop:
            purchases.append(
                {
                    "purchase_id": len(purchases) + 1,
                    "customer_id": number,
                    "branch_id": 1,
                    "occurred_on": AS_OF - timedelta(days=420 - day),
                    "net_amount": Decimal(f"{dice.normal(spend, 4):.2f}"),
                    "currency": "HKD",
                    "is_voided": False,
                }
            )
            if not repeat:
                break
            day += 1 + int(dice.exponential(gap))
    return {"customers": customers, "purchases": purchases}


def found_in(root: Path, *, repeat: bool = True) -> tuple[Context, Findings]:
    published(root, sales(repeat=repeat))
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={"clv": {"holdout": 13.0}})
    context.running = "clv"
    return context, ANALYSIS.find(context)


@pytest.fixture(name="found")
def _found(tmp_path: Path) -> tuple[Context, Findings]:
    return found_in(tmp_path / "sales")


def test_every_customer_has_value_label_branch_and_insight(found: tuple[Context, Findings]) -> None:
    context, findings = found
    table = findings.tables["clv_customers"].to_pandas()
    model = MODEL.run(context.purchases(), as_of=AS_OF).table.to_pandas()
    assert table.customer_id.tolist() == model.customer.tolist() == list(range(1, 151))
    assert np.allclose(table.clv.astype(float), model.clv, atol=0.005)
    assert (table.branch_id == 1 + table.customer_id % 2).all()
    assert sorted(table["rank"]) == list(range(1, 151))
    assert set(table.label) <= set(LABELS)
    assert (table.label[table.p_alive < 0.3] == "gone").all()
    best = table.sort_values("rank")
    assert best.cumulative_share.is_monotonic_increasing
    assert best.cumulative_share.iloc[-1] == pytest.approx(1)

    insights = findings.insights
    assert insights is not None
    assert tuple(insights.column_names) == INSIGHT_COLUMNS
    facts = json.loads(insights["facts"][0].as_py())
    assert facts["clv"] == float(table.clv[0])
    assert 0 <= facts["p_alive"] <= 1


def test_those_who_stopped_half_way_are_found(found: tuple[Context, Findings]) -> None:
    table = found[1].tables["clv_customers"].to_pandas()
    stopped = table.customer_id % 3 == 0
    assert table.p_alive[stopped].mean() < 0.35
    assert table.p_alive[~stopped].mean() > 0.75
    gone = table[(table.label == "gone") & table.was_good]
    assert found[1].metrics["gone_once_good"] == len(gone) > 0


def test_the_proof_is_the_hold_out_against_the_better_rule(found: tuple[Context, Findings]) -> None:
    _context, findings = found
    compared = findings.tables["clv_models"].to_pandas().set_index("model")
    proof = findings.proof
    assert proof is not None
    assert proof.value == compared.rmse["bgnbd"]
    assert proof.baseline == min(compared.rmse["as_before"], compared.rmse["silent_gone"])
    assert proof.holds
    assert compared.chosen.to_dict() == {
        "bgnbd": True, "mbgnbd": False, "paretonbd": False, "as_before": False, "silent_gone": False,
    }  # fmt: skip
    holdout = findings.tables["clv_holdout"].to_pandas()
    assert (holdout.customers * holdout.actual).sum() == pytest.approx(compared.actual["bgnbd"])
    tracking = findings.tables["clv_tracking"].to_pandas()
    # Weeks count from the first day, so one of the fourteen straddles the cut.
    assert tracking.held_out.sum() in {13, 14}
    symbols = findings.tables["clv_parameters"].to_pandas()
    assert sorted(symbols.symbol) == ["a", "alpha", "b", "p", "q", "r", "v"]


def test_customers_who_never_came_back_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bought on a second day"):
        found_in(tmp_path / "once", repeat=False)
