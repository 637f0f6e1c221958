"""Watch, events, drift and experiments: the answer on top, complete tables, one branch's own, every choice."""

from datetime import timedelta
from decimal import Decimal

import pytest

from patron.intelligence.insights.analyses import drift, events, experiment_planning, watch
from patron.intelligence.mining.registry import model_named
from patron.intelligence.warehouse.reader import Warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated
from patron.kernel.ui import formats
from patron.touchpoints.workspace.analyses import drift as drift_page
from patron.touchpoints.workspace.analyses import events as events_page
from patron.touchpoints.workspace.analyses import experiments as experiments_page
from patron.touchpoints.workspace.analyses import watch as watch_page
from patron.touchpoints.workspace.analyses.contract import (
    AnalysisPage,
    Answer,
    Badge,
    ChartPart,
    Finding,
    Link,
    TablePart,
    Who,
)
from patron.touchpoints.workspace.analyses.desk import Run
from patron.touchpoints.workspace.tests.desks import desk_in, house, run_of, shown_in, table_of

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

PAGES = {each.PAGE.name: each.PAGE for each in (drift_page, events_page, experiments_page, watch_page)}
Shop = tuple[Warehouse, dict[str, Run]]


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    context = house(tmp_path_factory, generated(seed=3, size=Size(customers=300, receipts=9000, days=420)))
    duck = context.warehouse.connection
    for mart, model in (("customer_value", "value"), ("customer_stage", "lifecycle")):
        duck.register("made", model_named(model).run(context.purchases(), as_of=AS_OF).table)
        duck.execute(f"CREATE TEMP TABLE {mart} AS SELECT customer AS customer_id, * FROM made")
    month = AS_OF.replace(day=1) - timedelta(1)
    duck.execute(
        f"CREATE TEMP TABLE inventory_cells AS SELECT DATE '{month}' AS closed_on, 'mature' AS from_stage, "
        "stage::VARCHAR AS to_stage, count(*) AS customers FROM customer_stage GROUP BY stage"
    )
    runs = {}
    for module in (drift, events, experiment_planning, watch):
        context.running = module.ANALYSIS.name
        findings = module.ANALYSIS.find(context)
        for mart in module.ANALYSIS.marts:
            duck.register("found", findings.tables[mart.name])
            columns = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in mart.columns)
            duck.execute(f"CREATE TEMP TABLE {mart.name} AS SELECT {columns} FROM found")
        runs[module.ANALYSIS.name] = run_of(findings)
    return context.warehouse, runs


def built(shop: Shop, name: str, query: str = "", branch: int | None = None) -> Answer:
    page: AnalysisPage = PAGES[name]
    return page.build(desk_in(shop[0], shop[1][page.shows], query, branch))


@pytest.mark.parametrize("branch", [None, 2, -1])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_complete_for_the_house_a_branch_and_nobody(shop: Shop, name: str, branch: int | None) -> None:
    answer = built(shop, name, branch=branch)
    assert str(answer.sentence).endswith(".")
    for part in answer.parts:
        if isinstance(part, ChartPart):
            assert part.chart.reading
        if isinstance(part, TablePart):
            for row in part.rows:
                assert len(row) == len(part.columns)
                for cell, column in zip(row, part.columns, strict=True):
                    if not isinstance(cell, Who | Badge | Link | str):
                        formats.by_name(cell, column.style, currency="HKD")


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("watch", ["group=all", "group=class_a&since=any", "group=all&from=5", "group=nonsense"]),
        ("events", ["kind=moved", "kind=first_category", "kind=nonsense", "from=3"]),
        ("drift", [""]),
        ("experiments", ["measure=spend", "segment=class-a&treated=20&power=90", "rise=99", "segment=nonsense"]),
    ],
)
def test_every_choice_gives_an_answer(shop: Shop, name: str, queries: list[str]) -> None:
    for query in queries:
        assert str(built(shop, name, query).sentence)


@pytest.mark.parametrize(("name", "key"), [("watch", "customers"), ("events", "events")])
def test_a_branch_sees_its_own_and_the_file_has_all(shop: Shop, name: str, key: str) -> None:
    mart, chosen = ("watch_customers", "state = 'unusual'") if name == "watch" else ("customer_events", "true")
    [(branch,)] = shop[0].rows(f"SELECT min(branch_id) FROM {mart} WHERE {chosen}")
    own = shop[0].rows(f"SELECT customer_id FROM {mart} WHERE branch_id = {branch} AND {chosen}")
    part = table_of(built(shop, name, "group=all&since=any", branch=branch), key)
    shown = shown_in(part)
    assert shown
    assert shown <= {customer for (customer,) in own}
    assert part.every is not None
    assert len(list(part.every())) == len(own)


def test_the_watch_says_how_many_and_what_to_do(shop: Shop) -> None:
    [(judged, fresh)] = shop[0].rows(
        "SELECT count(*) FILTER (state <> 'unknown'), count(*) FILTER (fresh) FROM watch_customers"
    )
    sentence = str(built(shop, "watch", "group=all").sentence)
    assert f"{fresh} of {judged} customers began" in sentence or sentence.startswith("None of the")


def test_the_planner_answers_with_numbers_of_the_house(shop: Shop) -> None:
    [(customers, rate)] = shop[0].rows("SELECT count(*), avg(returned::INT) FROM experiment_customers")
    answer = built(shop, "experiments", "rise=3")
    assert f"{rate * 100:.1f}\xa0%" in str(answer.sentence)
    assert f"There are {customers} here (all customers)" in str(answer.sentence)
    uneven = str(built(shop, "experiments", "rise=3&treated=20").sentence)
    assert "treated customers and" in uneven
    assert "in the control group" in uneven


def test_treatments_nobody_drew_lots_for_are_never_called_experiments(shop: Shop) -> None:
    rows = table_of(built(shop, "experiments"), "treatments").rows
    assert rows
    assert {str(cell.text) for row in rows for cell in row if isinstance(cell, Badge)} <= {
        "unlike before",
        "not drawn by lot",
    }


def said(name: str, code: str, **facts: object) -> str:
    page: AnalysisPage = PAGES[name]
    assert page.says is not None
    return page.says(
        Finding(label=code, score=Decimal(1), rank=1, reason_code=code, reason="", facts=facts, currency="HKD")
    )


def test_the_customers_own_page_says_what_is_unusual_and_what_happened():
    assert said("watch", "silence", usual=6.1, now=19.0) == (
        "Stopped coming: Usually comes every 6.1 days; silent for 19."
    )
    assert said("watch", "basket_low", usual=67.26, now=18.18) == (
        "Smaller baskets: Spends HK$18.18 a visit; HK$67.26 is usual."
    )
    assert said("events", "anniversary", happens_on="2026-11-29", number=2, detail="") == (
        "Anniversary of joining (29 Nov 2026): 2 years a member"
    )
    assert said("events", "next_milestone", happens_on=None, number=100, detail="") == (
        "Milestone at the next visit: Visit number 100"
    )
