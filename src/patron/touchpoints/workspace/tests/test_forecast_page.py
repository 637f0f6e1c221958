"""The page of the sales forecast: the next week in a sentence, its band, branches and departments."""

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses.contract import Context
from patron.intelligence.insights.analyses.forecast import ANALYSIS
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, generated, published
from patron.kernel.actor import system
from patron.touchpoints.workspace.analyses.contract import Answer, ChartPart, TablePart
from patron.touchpoints.workspace.analyses.desk import Desk, Run
from patron.touchpoints.workspace.analyses.forecast import PAGE

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Run]:
    root = tmp_path_factory.mktemp("house") / "warehouse"
    published(root, generated(seed=5))
    warehouse = open_warehouse(root)
    context = Context(warehouse, as_of=AS_OF, currency="HKD", changed={})
    context.running = "forecast"
    findings = ANALYSIS.find(context)
    for name, table in findings.tables.items():
        warehouse.connection.register(name, table)
    return warehouse, Run(as_of=AS_OF, parameters=findings.parameters, metrics=findings.metrics)


def page(shop: tuple[Warehouse, Run], query: str = "", branch: int | None = None) -> tuple[Answer, Desk]:
    warehouse, run = shop
    desk = Desk(
        warehouse=warehouse, scope=Scope(branch), place="", currency="HKD", as_of=AS_OF, actor=system("test"),
        query=QueryDict(query), run=run,
    )  # fmt: skip
    return PAGE.build(desk), desk


def test_first_sentence_is_the_next_week(shop: tuple[Warehouse, Run]) -> None:
    [(forecast,)] = shop[0].rows("SELECT forecast FROM forecast_lines WHERE dimension = 'total' AND week = 1")
    answer, desk = page(shop)
    assert str(answer.sentence).startswith(f"Sales from 3 Mar to 9 Mar will be about HK${forecast:,.0f}, in 8 of 10")
    (chart,) = [part.chart for part in answer.parts if isinstance(part, ChartPart)]
    assert chart.reading
    assert chart.table.rows
    assert [control.name for control in desk.controls] == ["by", "of"]
    for part in answer.parts:
        if isinstance(part, TablePart):
            assert all(len(row) == len(part.columns) for row in part.rows)


def test_a_department_can_be_chosen(shop: tuple[Warehouse, Run]) -> None:
    answer, _desk = page(shop, "by=department&of=Food")
    assert str(answer.sentence).startswith("Food will sell about HK$")
    table = next(part for part in answer.parts if isinstance(part, TablePart) and part.key == "series")
    assert table.title == "Departments"


def test_a_branch_sees_only_itself(shop: tuple[Warehouse, Run]) -> None:
    answer, desk = page(shop, "by=department", branch=2)
    table = next(part for part in answer.parts if isinstance(part, TablePart) and part.key == "series")
    assert table.every is not None
    assert len(list(table.every())) == 1
    assert [control.name for control in desk.controls] == ["of"]


def test_nothing_sold_says_so(shop: tuple[Warehouse, Run]) -> None:
    answer, _desk = page(shop, branch=-1)
    assert "nothing to forecast" in str(answer.sentence)
    assert answer.parts == ()
