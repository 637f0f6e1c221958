"""The churn page: whom to call, the proof, the reasons in words; the same for one branch."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from patron.intelligence.insights.analyses.churn import ANALYSIS
from patron.intelligence.mining.churning.features import FEATURES
from patron.intelligence.mining.churning.reasons import REASONS
from patron.intelligence.reports.churn import RiskRow
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses._churn_words import FIGURES, reason_words
from patron.touchpoints.workspace.analyses.churn import PAGE
from patron.touchpoints.workspace.analyses.contract import TablePart
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, shown_in, table_of, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

FACTS: dict[str, Any] = {
    "customer_id": 1, "rank": 1, "risk": "high", "vip": True, "probability": 0.4, "low": 0.3, "high": 0.5,
    "money_per_year": Decimal("1234.50"), "expected_loss": Decimal("493.80"), "days_since_last": 19,
    "typical_gap_days": 6.4, "visits": 1, "visits_recent": 1, "visits_before": 5, "spend_recent": Decimal("40.00"),
    "spend_before": Decimal("250.00"), "basket": Decimal("40.00"), "kinds_recent": 3, "kinds_before": 9,
    "tenure_days": 80, "reason_code_2": None, "reason_code_3": None, "reason": "as the model wrote it",
}  # fmt: skip


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    tables = generated(seed=8, size=Size(customers=500, receipts=5000, days=420))
    return shop_with(ANALYSIS, tmp_path_factory, tables, changed={"horizon_days": 45})


def desk(shop: Shop, query: str = "", branch: int | None = None) -> Desk:
    return desk_in(*shop, query, branch)


def risks(shop: Shop, query: str = "", branch: int | None = None) -> TablePart:
    return table_of(PAGE.build(desk(shop, query, branch)), "risks")


def test_the_first_sentence_is_the_answer(shop: Shop) -> None:
    [(customers, money)] = shop[0].rows("SELECT count(*), sum(money_per_year) FROM churn_customers WHERE risk = 'high'")
    answer = PAGE.build(desk(shop))
    assert str(answer.sentence).startswith(f"{customers} customers are at high risk of leaving within 45 days (about ")
    assert f"and spend HK${money:,.0f} a year: call the first ten today." in str(answer.sentence)
    charts = [part.chart for part in charts_of(answer)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    for part in tables_of(answer):
        assert all(len(row) == len(part.columns) for row in part.rows)


def test_the_list_goes_by_money_at_stake_and_on_to_the_next_page(shop):
    first = risks(shop, "group=all")
    losses = [row[5] for row in first.rows]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 20
    following = risks(shop, first.more.removeprefix("?"))
    assert following.rows[0][5] <= losses[-1]
    assert first.every is not None
    assert len(list(first.every())) == shop[1].metrics["customers"]


def test_a_branch_sees_its_own(shop: Shop) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM churn_customers WHERE branch_id = 2")}
    shown = shown_in(risks(shop, "group=all", branch=2))
    assert shown
    assert shown <= own
    assert str(PAGE.build(desk(shop, branch=-1)).sentence).startswith("Nobody here has bought lately")


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
@pytest.mark.parametrize("code", REASONS)
def test_every_reason_has_a_sentence(code: str, language: str) -> None:
    with translation.override(language):
        told = reason_words(RiskRow(**FACTS, reason_code=code), horizon=45, lookback=90, currency="HKD")
    assert told not in ("", "as the model wrote it")
    assert "%(" not in told


def test_unknown_reason_falls_back_to_the_models_sentence() -> None:
    row = RiskRow(**FACTS, reason_code="of tomorrow")
    assert reason_words(row, horizon=45, lookback=90, currency="HKD") == "as the model wrote it"
    assert {field.name for field in fields(RiskRow)} == {*FACTS, "reason_code"}


def test_every_figure_but_the_logarithms_has_a_name() -> None:
    assert {feature.name for feature in FEATURES if not feature.name.endswith("_change")} - {"gap_spread"} == set(
        FIGURES
    )
