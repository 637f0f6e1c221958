"""The page of loyalty: the answer on top, lists, groups, price cuts by age; a branch sees its own customers."""

import pytest

from patron.intelligence.insights.analyses.loyalty import ANALYSIS
from patron.intelligence.warehouse.testing_files import generated
from patron.touchpoints.workspace.analyses._loyalty_groups import DIMENSION_LABELS
from patron.touchpoints.workspace.analyses.contract import Answer, ChartPart
from patron.touchpoints.workspace.analyses.loyalty import LIST_LABELS, PAGE
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, shown_in, table_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return shop_with(ANALYSIS, tmp_path_factory, generated(seed=5))


def page(shop: Shop, query: str = "", branch: int | None = None) -> Answer:
    return PAGE.build(desk_in(*shop, query, branch))


def test_first_sentence_counts_the_firm(shop: Shop) -> None:
    [(customers, firm)] = shop[0].rows("SELECT count(*), count(*) FILTER (label = 'firm') FROM loyalty_customers")
    answer = page(shop)
    assert str(answer.sentence).startswith(f"{firm} of {customers} customers (")
    charts = [part.chart for part in charts_of(answer)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)


def test_every_list_and_every_grouping_can_be_chosen(shop: Shop) -> None:
    for chosen in (*LIST_LABELS, "nonsense"):
        found = table_of(page(shop, f"list={chosen}"), "customers")
        assert found.every is not None
        assert all(len(row) == len(found.columns) for row in found.every())
    for by in DIMENSION_LABELS:
        found = table_of(page(shop, f"by={by}"), "groups")
        assert found.rows
        assert all(len(row) == len(found.columns) for row in found.rows)


def test_sales_of_one_group_can_be_shown(shop: Shop) -> None:
    whole, part = (page(shop, query).parts[0] for query in ("", "by=age_band&group=35_44"))
    assert isinstance(whole, ChartPart)
    assert isinstance(part, ChartPart)
    assert whole.chart.table.rows != part.chart.table.rows


def test_a_branch_sees_its_own_customers(shop: Shop) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM loyalty_customers WHERE branch_id = 2")}
    for chosen in LIST_LABELS:
        found = table_of(page(shop, f"list={chosen}", branch=2), "customers")
        assert shown_in(found) <= own


def test_nobody_bought_says_so(shop: Shop) -> None:
    answer = page(shop, branch=-1)
    assert "nothing can be said of loyalty" in str(answer.sentence)
    assert answer.parts == ()
