"""The page of the sales forecast: the next week in a sentence, its band, branches and departments."""

import pytest

from patron.intelligence.insights.analyses.forecast import ANALYSIS
from patron.intelligence.warehouse.testing_files import generated
from patron.touchpoints.workspace.analyses.contract import Answer
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.analyses.forecast import PAGE
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, table_of, tables_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return shop_with(ANALYSIS, tmp_path_factory, generated(seed=5))


def page(shop: Shop, query: str = "", branch: int | None = None) -> tuple[Answer, Desk]:
    desk = desk_in(*shop, query, branch)
    return PAGE.build(desk), desk


def test_first_sentence_is_the_next_week(shop: Shop) -> None:
    [(forecast,)] = shop[0].rows("SELECT forecast FROM forecast_lines WHERE dimension = 'total' AND week = 1")
    answer, desk = page(shop)
    assert str(answer.sentence).startswith(f"Sales from 3 Mar to 9 Mar will be about HK${forecast:,.0f}, in 8 of 10")
    (chart,) = [part.chart for part in charts_of(answer)]
    assert chart.reading
    assert chart.table.rows
    assert [control.name for control in desk.controls] == ["by", "of"]
    for part in tables_of(answer):
        assert all(len(row) == len(part.columns) for row in part.rows)


def test_a_department_can_be_chosen(shop: Shop) -> None:
    answer, _desk = page(shop, "by=department&of=Food")
    assert str(answer.sentence).startswith("Food will sell about HK$")
    table = table_of(answer, "series")
    assert table.title == "Departments"


def test_a_branch_sees_only_itself(shop: Shop) -> None:
    answer, desk = page(shop, "by=department", branch=2)
    table = table_of(answer, "series")
    assert table.every is not None
    assert len(list(table.every())) == 1
    assert [control.name for control in desk.controls] == ["of"]


def test_nothing_sold_says_so(shop: Shop) -> None:
    answer, _desk = page(shop, branch=-1)
    assert "nothing to forecast" in str(answer.sentence)
    assert answer.parts == ()
