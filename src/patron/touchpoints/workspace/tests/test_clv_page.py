"""The page of lifetime value: the answer on top, the lists, the proof; the same figures for one branch."""

import pytest

from patron.intelligence.insights.analyses.clv import ANALYSIS
from patron.intelligence.warehouse.testing_files import generated
from patron.touchpoints.workspace.analyses.clv import PAGE
from patron.touchpoints.workspace.analyses.contract import TablePart
from patron.touchpoints.workspace.analyses.desk import Desk
from patron.touchpoints.workspace.tests.desks import Shop, charts_of, desk_in, shop_with, shown_in, table_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return shop_with(ANALYSIS, tmp_path_factory, generated(seed=5))


def desk(shop: Shop, query: str = "", branch: int | None = None) -> Desk:
    return desk_in(*shop, query, branch)


def test_the_first_sentence_is_the_answer(shop: Shop) -> None:
    [(value,)] = shop[0].rows("SELECT sum(clv) FROM clv_customers")
    answer = PAGE.build(desk(shop))
    roughly = float(f"{value:.3g}")
    assert str(answer.sentence).startswith(
        f"The customers you have today will bring about HK${roughly:,.0f} in the next 52 weeks; 80 % of it comes from "
    )
    charts = [part.chart for part in charts_of(answer)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert {part.key for part in answer.parts if isinstance(part, TablePart)} == {
        "customers", "holdout", "models", "parameters",
    }  # fmt: skip
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)


def test_a_branch_sees_its_own(shop: Shop) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM clv_customers WHERE branch_id = 2")}
    answer = PAGE.build(desk(shop, branch=2))
    table = table_of(answer, "customers")
    shown = shown_in(table)
    assert shown
    assert shown <= own
    assert table.every is not None
    assert len(list(table.every())) == len(own)


def test_every_list_can_be_chosen(shop: Shop) -> None:
    for chosen in ("best", "gone", "doubtful", "once", "nonsense"):
        answer = PAGE.build(desk(shop, f"list={chosen}"))
        table = table_of(answer, "customers")
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_branch_without_customers_says_so(shop: Shop) -> None:
    answer = PAGE.build(desk(shop, branch=-1))
    assert "nothing to forecast" in str(answer.sentence)
    assert answer.parts == ()
