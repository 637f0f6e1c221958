"""The page of rules: the surest in a sentence, the tree, all rules, and whom each covers today."""

from typing import Any

import pytest
from django.utils import translation

from patron.intelligence.insights.analyses.rules import ANALYSIS, FIGURES
from patron.intelligence.reports.rules import Must
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.analyses.rules import FEATURES, PAGE, condition_words
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, table_of, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    tables = generated(seed=8, size=Size(customers=500, receipts=5000, days=460))
    return shop_with(ANALYSIS, tmp_path_factory, tables, changed={"horizon_days": 45}, of="churn")


def desk(shop: Shop, query: str = "", branch: int | None = None) -> Desk:
    return desk_in(*shop, query, branch)


def test_the_first_sentence_is_the_surest_rule(shop: Shop) -> None:
    answer = PAGE.build(desk(shop, "question=lost"))
    first = table_of(answer, "rules").rows[0]
    assert str(answer.sentence).startswith(f"The surest sign that a customer is being lost: {first[1]}. Of such ")
    assert "call them first." in str(answer.sentence)
    [chart] = [each.chart for each in charts_of(answer)]
    assert chart.reading
    assert len(chart.table.rows) == 2 * len(table_of(answer, "rules").rows) - 1
    assert all("%(" not in str(paragraph) for paragraph in answer.explanation)


@pytest.mark.parametrize("question", ["vip", "lost", "reduced", "nonsense"])
def test_every_question_can_be_chosen(shop: Shop, question: str) -> None:
    answer = PAGE.build(desk(shop, f"question={question}"))
    for each in tables_of(answer):
        assert all(len(row) == len(each.columns) for row in each.rows)


def test_customers_of_the_chosen_rule_and_branch(shop: Shop) -> None:
    rules = table_of(PAGE.build(desk(shop, "question=lost")), "rules").rows
    for number, row in enumerate(rules, start=1):
        table = table_of(PAGE.build(desk(shop, f"question=lost&rule={number}")), "customers")
        assert table.every is not None
        assert len(list(table.every())) == row[-1]
    of_branches = [
        sum(int(str(row[-1])) for row in table_of(PAGE.build(desk(shop, "question=lost", branch)), "rules").rows)
        for branch in (1, 2, 3)
    ]
    everywhere = sum(int(str(row[-1])) for row in rules)
    assert 0 < sum(of_branches) <= everywhere


def test_every_figure_of_the_rules_has_a_name() -> None:
    assert set(FEATURES) == {*FIGURES, "age", "sex", "district"}


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
@pytest.mark.parametrize("feature", FEATURES)
def test_every_condition_can_be_told(feature: str, language: str) -> None:
    with translation.override(language):
        for must in (
            Must(feature, low=0.5),
            Must(feature, high=2.0),
            Must(feature, 1.0, 2.5),
            Must(feature, among=("x",)),
        ):
            assert "%(" not in condition_words(must, days=60, currency="HKD")


def test_conditions_read_as_a_person_would_write_them() -> None:
    def told(**condition: Any) -> str:
        return condition_words(Must(**condition), days=60, currency="HKD")

    assert told(feature="visits_recent", low=3.0, high=12.0) == "3 ≤ visits in the last 60 days < 12"
    assert told(feature="spend_recent", low=1500.0) == "money spent in the last 60 days ≥ HK$1,500"
    assert told(feature="weekend_share", high=0.25) == "share of visits at weekends < 25\N{NO-BREAK SPACE}%"
    assert told(feature="sex", among=("female",)) == "sex: female"
    assert told(feature="district", not_among=("Kowloon", "other")) == "district: not Kowloon or another one"
