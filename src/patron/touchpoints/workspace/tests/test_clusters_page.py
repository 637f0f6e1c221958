"""The page of the groups: the answer on top, the profit table, a branch's own, the members of a group."""

import pytest
from django.utils import translation

from patron.intelligence.insights.analyses.clusters import ANALYSIS
from patron.intelligence.reports.clusters import TraitRow
from patron.intelligence.warehouse.testing_files import Size, generated
from patron.touchpoints.workspace.analyses.clusters import PAGE, group_name
from patron.touchpoints.workspace.analyses.contract import Answer, Badge, Who
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, table_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    tables = generated(seed=3, size=Size(customers=260, receipts=5000))
    return shop_with(ANALYSIS, tmp_path_factory, tables, changed={"resamples": 2, "k_max": 5})


def answer(shop: Shop, query: str = "", branch: int | None = None) -> Answer:
    return PAGE.build(desk_in(*shop, query, branch))


def test_the_first_sentence_says_who_brings_the_money(shop: Shop) -> None:
    kept = shop[0].rows(
        "SELECT count(*), sum(customer_share), sum(revenue_share) FROM clusters_groups "
        "WHERE branch_id = 0 AND treatment = 'retain'"
    )
    [(groups, customers, revenue)] = kept
    page = answer(shop)
    subject = "One group" if groups == 1 else f"{groups} groups"
    verb = "brings" if groups == 1 else "bring"
    assert str(page.sentence).startswith(
        f"{subject} ({customers:.0%} of customers) {verb} {revenue:.0%} of sales: keep them.".replace("%", "\u00a0%")
    )
    charts = [part.chart for part in charts_of(page)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert any("Back-test" in str(paragraph) for paragraph in page.explanation)


def test_the_profit_table_has_the_columns_of_the_frequent_flyer_form(shop: Shop) -> None:
    part = table_of(answer(shop), "groups")
    assert [column.label for column in part.columns] == [
        "Group", "Sales", "Sales %", "Customers", "Customers %", "Product index", "Leverage", "Tenure (months)",
        "Gross profit %", "Treatment",
    ]  # fmt: skip
    assert all(isinstance(row[-1], Badge) and len(row) == len(part.columns) for row in part.rows)


def test_the_members_of_a_group_and_the_file_of_all(shop: Shop) -> None:
    own = [row[0] for row in shop[0].rows("SELECT customer_id FROM clusters_customers WHERE cluster = 2")]
    part = table_of(answer(shop, "group=2"), "customers")
    assert len(part.rows) == min(len(own), 25)
    assert part.every is not None
    assert {row[0] for row in part.every()} == {Who(each) for each in own}


def test_a_branch_sees_its_own_and_an_unknown_one_nothing(shop: Shop) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM clusters_customers WHERE branch_id = 2")}
    part = table_of(answer(shop, branch=2), "customers")
    assert part.every is not None
    assert {row[0] for row in part.every()} == {Who(each) for each in own}
    assert answer(shop, branch=99).parts == ()


def test_a_group_is_named_in_the_readers_language() -> None:
    traits = [TraitRow(2, "visits", "high", 9, 3, 1.2), TraitRow(2, "basket", "usual", 1, 1, 0.1)]
    assert group_name(2, traits) == "2 · Come often"
    with translation.override("zh-hant"):
        assert group_name(2, traits).startswith("2 · ")
    assert group_name(3, []) == "3 · Like everybody"
