"""The page of lifetime value: the answer on top, the lists, the proof; the same figures for one branch."""

from datetime import date

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses.clv import ANALYSIS
from patron.intelligence.insights.analyses.contract import Context
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, generated, published
from patron.kernel.actor import system
from patron.touchpoints.workspace.analyses.clv import PAGE
from patron.touchpoints.workspace.analyses.contract import ChartPart, TablePart, Who
from patron.touchpoints.workspace.analyses.desk import Desk, Run

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Run]:
    root = tmp_path_factory.mktemp("house") / "warehouse"
    published(root, generated(seed=5))
    warehouse = open_warehouse(root)
    context = Context(warehouse, as_of=AS_OF, currency="HKD", changed={})
    context.running = "clv"
    findings = ANALYSIS.find(context)
    for name, table in findings.tables.items():
        warehouse.connection.register(name, table)
    return warehouse, Run(as_of=AS_OF, parameters=findings.parameters, metrics=findings.metrics)


def desk(shop: tuple[Warehouse, Run], query: str = "", branch: int | None = None) -> Desk:
    warehouse, run = shop
    return Desk(
        warehouse=warehouse, scope=Scope(branch), place="", currency="HKD", as_of=date(2026, 3, 3),
        actor=system("test"), query=QueryDict(query), run=run,
    )  # fmt: skip


def test_the_first_sentence_is_the_answer(shop: tuple[Warehouse, Run]) -> None:
    [(value,)] = shop[0].rows("SELECT sum(clv) FROM clv_customers")
    answer = PAGE.build(desk(shop))
    roughly = float(f"{value:.3g}")
    assert str(answer.sentence).startswith(
        f"The customers you have today will bring about HK${roughly:,.0f} in the next 52 weeks; 80 % of it comes from "
    )
    charts = [part.chart for part in answer.parts if isinstance(part, ChartPart)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert {part.key for part in answer.parts if isinstance(part, TablePart)} == {
        "customers", "holdout", "models", "parameters",
    }  # fmt: skip
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)


def test_a_branch_sees_its_own(shop: tuple[Warehouse, Run]) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM clv_customers WHERE branch_id = 2")}
    answer = PAGE.build(desk(shop, branch=2))
    table = next(part for part in answer.parts if isinstance(part, TablePart) and part.key == "customers")
    shown = {cell.customer_id for row in table.rows for cell in row if isinstance(cell, Who)}
    assert shown
    assert shown <= own
    assert table.every is not None
    assert len(list(table.every())) == len(own)


def test_every_list_can_be_chosen(shop: tuple[Warehouse, Run]) -> None:
    for chosen in ("best", "gone", "doubtful", "once", "nonsense"):
        answer = PAGE.build(desk(shop, f"list={chosen}"))
        table = next(part for part in answer.parts if isinstance(part, TablePart) and part.key == "customers")
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_branch_without_customers_says_so(shop: tuple[Warehouse, Run]) -> None:
    answer = PAGE.build(desk(shop, branch=-1))
    assert "nothing to forecast" in str(answer.sentence)
    assert answer.parts == ()
