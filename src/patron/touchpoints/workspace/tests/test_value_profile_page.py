"""The page of who is worth more: each question answered in its first sentence, for the house and a branch."""

import pytest

from patron.intelligence.insights.analyses.value_profile import ANALYSIS
from patron.intelligence.reports.value_profile import QUESTIONS
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses.contract import Answer, ChartPart, Who
from patron.touchpoints.workspace.analyses.value_profile import PAGE
from patron.touchpoints.workspace.tests.desks import Shop, desk_in, shop_with, table_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The generated house, in which those born from 1995 on pay three times as much."""
    tables = generated(seed=3, size=Size(customers=260, receipts=6000))
    young = {row["customer_id"] for row in tables["customers"] if row["birth_year"] >= 1992}
    dearer = {"net_amount": 3, "gross_amount": 3, "discount_amount": 3}
    purchases = [
        {**row, **{name: row[name] * times for name, times in dearer.items()}} if row["customer_id"] in young else row
        for row in tables["purchases"]
    ]
    return shop_with(ANALYSIS, tmp_path_factory, {**tables, "purchases": purchases})


def answer(shop: Shop, query: str = "", branch: int | None = None) -> Answer:
    return PAGE.build(desk_in(*shop, query, branch))


def test_are_those_under_35_worth_more(shop: Shop) -> None:
    [(customers, typical, rest, low, high)] = shop[0].rows(
        "SELECT customers, typical, rest_typical, ratio_low, ratio_high FROM value_profile_groups "
        "WHERE branch_id = 0 AND question = 'young' AND group_key = 'under_35'"
    )
    assert str(answer(shop).sentence).startswith(
        f"Yes, more: Under 35 ({customers} customers) typically bring HK${typical:,.0f} a year, the others "
        f"HK${rest:,.0f}; with 95 % certainty between {low:.2f} and {high:.2f} times as much. They bring "
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_an_answer_and_its_groups(shop: Shop, question: str) -> None:
    page = answer(shop, f"by={question}")
    assert str(page.sentence).endswith(".")
    assert all(part.chart.reading for part in page.parts if isinstance(part, ChartPart))
    groups = table_of(page, "groups")
    assert all(len(row) == len(groups.columns) for row in groups.rows)
    if question in ("occupation", "district"):
        assert "not known of any customer here" in str(page.sentence)
        assert not groups.rows


def test_a_question_without_a_proven_difference_says_so(shop: Shop) -> None:
    assert str(answer(shop, "by=sex").sentence).startswith("No difference is proven: Women (")


def test_a_branch_is_asked_about_its_own_customers_and_not_about_branches(shop: Shop) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM value_profile_customers WHERE branch_id = 2")}
    page = answer(shop, "by=branch", branch=2)
    assert page.tiles[0].value == str(len(own))
    part = table_of(page, "customers")
    assert part.every is not None
    assert {row[0] for row in part.every()} == {Who(each) for each in own}
    assert str(page.sentence) == "Under 35 or not: every group here has too few customers to compare."
    assert answer(shop, branch=99).parts == ()


def test_the_prices_of_serving_are_shown(shop: Shop) -> None:
    texts = [str(paragraph) for part in answer(shop).parts for paragraph in getattr(part, "paragraphs", ())]
    assert any("purchase HK$1.00, return HK$5.00, message HK$0.50, call HK$20.00" in text for text in texts)
