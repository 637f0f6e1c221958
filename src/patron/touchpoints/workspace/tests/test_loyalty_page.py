"""The page of loyalty: the answer on top, lists, groups, price cuts by age; a branch sees its own customers."""

import pytest
from django.http import QueryDict

from patron.intelligence.insights.analyses.contract import Context
from patron.intelligence.insights.analyses.loyalty import ANALYSIS
from patron.intelligence.reports.scope import Scope
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, generated, published
from patron.kernel.actor import system
from patron.touchpoints.workspace.analyses._loyalty_groups import DIMENSION_LABELS
from patron.touchpoints.workspace.analyses.contract import Answer, ChartPart, TablePart, Who
from patron.touchpoints.workspace.analyses.desk import Desk, Run
from patron.touchpoints.workspace.analyses.loyalty import LIST_LABELS, PAGE

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Run]:
    root = tmp_path_factory.mktemp("house") / "warehouse"
    published(root, generated(seed=5))
    warehouse = open_warehouse(root)
    context = Context(warehouse, as_of=AS_OF, currency="HKD", changed={})
    context.running = "loyalty"
    findings = ANALYSIS.find(context)
    for name, table in findings.tables.items():
        warehouse.connection.register(name, table)
    return warehouse, Run(as_of=AS_OF, parameters=findings.parameters, metrics=findings.metrics)


def page(shop: tuple[Warehouse, Run], query: str = "", branch: int | None = None) -> Answer:
    warehouse, run = shop
    return PAGE.build(Desk(
        warehouse=warehouse, scope=Scope(branch), place="", currency="HKD", as_of=AS_OF, actor=system("test"),
        query=QueryDict(query), run=run,
    ))  # fmt: skip


def table(answer: Answer, key: str) -> TablePart:
    return next(part for part in answer.parts if isinstance(part, TablePart) and part.key == key)


def test_first_sentence_counts_the_firm(shop: tuple[Warehouse, Run]) -> None:
    [(customers, firm)] = shop[0].rows("SELECT count(*), count(*) FILTER (label = 'firm') FROM loyalty_customers")
    answer = page(shop)
    assert str(answer.sentence).startswith(f"{firm} of {customers} customers (")
    charts = [part.chart for part in answer.parts if isinstance(part, ChartPart)]
    assert len(charts) == 3
    assert all(chart.reading and chart.table.rows for chart in charts)
    assert any("Back-test" in str(paragraph) for paragraph in answer.explanation)


def test_every_list_and_every_grouping_can_be_chosen(shop: tuple[Warehouse, Run]) -> None:
    for chosen in (*LIST_LABELS, "nonsense"):
        found = table(page(shop, f"list={chosen}"), "customers")
        assert found.every is not None
        assert all(len(row) == len(found.columns) for row in found.every())
    for by in DIMENSION_LABELS:
        found = table(page(shop, f"by={by}"), "groups")
        assert found.rows
        assert all(len(row) == len(found.columns) for row in found.rows)


def test_sales_of_one_group_can_be_shown(shop: tuple[Warehouse, Run]) -> None:
    whole, part = (page(shop, query).parts[0] for query in ("", "by=age_band&group=35_44"))
    assert isinstance(whole, ChartPart)
    assert isinstance(part, ChartPart)
    assert whole.chart.table.rows != part.chart.table.rows


def test_a_branch_sees_its_own_customers(shop: tuple[Warehouse, Run]) -> None:
    own = {row[0] for row in shop[0].rows("SELECT customer_id FROM loyalty_customers WHERE branch_id = 2")}
    for chosen in LIST_LABELS:
        found = table(page(shop, f"list={chosen}", branch=2), "customers")
        assert {cell.customer_id for row in found.rows for cell in row if isinstance(cell, Who)} <= own


def test_nobody_bought_says_so(shop: tuple[Warehouse, Run]) -> None:
    answer = page(shop, branch=-1)
    assert "nothing can be said of loyalty" in str(answer.sentence)
    assert answer.parts == ()
