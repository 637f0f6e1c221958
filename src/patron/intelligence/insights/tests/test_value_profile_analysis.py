"""Who is worth more, in the house: figures that add up, answers for each branch, costs at the house's prices."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.insights.analyses.value_profile import ANALYSIS
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.lrfmc import REASON_CODES
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


def found_in(root: Path, size: Size, **changed: float) -> tuple[Context, Findings]:
    tables = generated(seed=3, size=size)
    called = [
        {**row, "activity_id": 10_000_000 + place, "kind": "contact.called", "customer_id": 1}
        for place, row in enumerate(tables["activities"][-5:])
    ]
    published(root, {**tables, "activities": [*tables["activities"], *called]})
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={"value_profile": changed})
    context.running = "value_profile"
    return context, ANALYSIS.find(context)


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Findings]:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse", Size(customers=260, receipts=5000), call_cost=30.0)


def rows(found: tuple[Context, Findings], mart: str, **wanted: object) -> list[dict[str, Any]]:
    return [
        row
        for row in found[1].tables[f"value_profile_{mart}"].to_pylist()
        if all(row[name] == value for name, value in wanted.items())
    ]


def test_every_mart_has_its_columns(found: tuple[Context, Findings]) -> None:
    for mart in ANALYSIS.marts:
        assert {column.name for column in mart.columns} <= set(found[1].tables[mart.name].column_names), mart.name


def test_groups_of_a_question_add_up_to_those_whose_group_is_known(found: tuple[Context, Findings]) -> None:
    people = found[1].tables["value_profile_customers"].to_pylist()
    for question in ("young", "age", "sex", "newcomer", "tenure"):
        groups = rows(found, "groups", branch_id=0, question=question)
        known = [row for row in people if row[question] is not None]
        assert sum(row["customers"] for row in groups) == len(known)
        assert sum(row["value"] for row in groups) == pytest.approx(sum(float(row["monetary"]) for row in known))
        assert sum(row["value_share"] for row in groups) == pytest.approx(1)
    assert not rows(found, "groups", question="occupation")


def test_branches_add_up_to_the_house(found: tuple[Context, Findings]) -> None:
    own = [row["customers"] for row in rows(found, "summary") if row["branch_id"]]
    [house] = rows(found, "summary", branch_id=0)
    at_home = [row for row in rows(found, "customers") if row["branch_id"] is not None]
    assert sum(own) == len(at_home) < house["customers"]
    named = rows(found, "groups", branch_id=0, question="branch")
    assert {row["group_key"] for row in named} == {"Branch 1", "Branch 2", "Branch 3"}
    assert not [row for row in rows(found, "groups", question="branch") if row["branch_id"]]


def test_what_is_left_is_profit_less_purchases_returns_and_calls_at_the_house_prices(
    found: tuple[Context, Findings],
) -> None:
    context, _ = found
    [(sales, returns)] = context.warehouse.rows(
        """
        SELECT count(*) FILTER (kind = 'sale'), count(*) FILTER (kind = 'return') FROM purchases
        WHERE customer_id = 1 AND NOT is_voided AND currency = 'HKD' AND occurred_on > CAST(? AS DATE) - 365
        """,
        [AS_OF],
    )
    [one] = rows(found, "customers", customer_id=1)
    assert float(one["cost_to_serve"]) == sales * 1 + returns * 5 + 5 * 30
    assert float(one["contribution"]) == pytest.approx(float(one["gross_profit"]) - float(one["cost_to_serve"]))
    [house] = rows(found, "summary", branch_id=0)
    assert house["contribution"] == pytest.approx(sum(float(row["contribution"]) for row in rows(found, "customers")))


def test_a_newcomers_money_is_drawn_out_to_a_year(found: tuple[Context, Findings]) -> None:
    people = rows(found, "customers")
    new = [row for row in people if row["newcomer"] == "new"]
    assert new
    assert all(float(row["yearly_pace"]) >= float(row["monetary"]) - 0.01 for row in new if row["monetary"] > 0)
    old = [row for row in people if row["newcomer"] == "existing" and row["tenure"] != "under_1"]
    assert all(float(row["yearly_pace"]) == pytest.approx(float(row["monetary"])) for row in old)


def test_curves_run_from_nothing_to_all(found: tuple[Context, Findings]) -> None:
    for name in ("lorenz", "whale"):
        points = rows(found, "curves", branch_id=0, curve=name)
        assert (points[0]["customer_share"], points[0]["value_share"]) == (0, 0)
        assert (points[-1]["customer_share"], points[-1]["value_share"]) == (1, 1)
    x, y = np.array([(each["customer_share"], each["value_share"]) for each in points]).T
    assert np.all(np.diff(np.diff(y) / np.diff(x)) <= 1e-4)


def test_the_shares_of_one_half_year_foretell_those_of_the_next(found: tuple[Context, Findings]) -> None:
    told, baseline = (found[1].metrics[name] for name in ("proof_error", "proof_baseline"))
    assert isinstance(told, float)
    assert isinstance(baseline, float)
    assert told < baseline
    assert found[1].proof is None


def test_each_customer_has_an_insight_by_what_is_left(found: tuple[Context, Findings]) -> None:
    insights = found[1].insights
    assert insights is not None
    assert insights.column_names == list(INSIGHT_COLUMNS)
    assert sorted(insights["rank"].to_pylist()) == list(range(1, insights.num_rows + 1))
    assert set(insights["reason_code"].to_pylist()) <= set(REASON_CODES)
    scores = dict(zip(insights["rank"].to_pylist(), insights["score"].to_pylist(), strict=True))
    assert scores[1] == max(scores.values())


def test_too_few_customers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="A value profile needs 50 customers with a purchase in the last year; there "):
        found_in(tmp_path / "house", Size(customers=40, receipts=400))
