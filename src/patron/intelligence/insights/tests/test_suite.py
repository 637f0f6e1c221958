"""Running analyses: published whole or not at all, kept back when worse than the baseline, one failing alone."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from patron.core.customers.models import Insight
from patron.core.customers.testing import CHAN, make_customer
from patron.intelligence.insights.analyses.contract import INSIGHTS, Analysis, Context, Findings, Proof
from patron.intelligence.insights.analyses.registry import analyses, with_needs
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.insights.models import AnalysisRun
from patron.intelligence.insights.queries import get_analysis_runs, has_results, latest_analysis_runs
from patron.intelligence.insights.refresh import refresh
from patron.intelligence.insights.suite import run_analyses
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.errors import RefreshRunning, WarehouseMissing
from patron.intelligence.warehouse.reader import ANALYSES, open_warehouse
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import NOON, sell
from patron.kernel.exports import ExportColumn

pytestmark = pytest.mark.django_db(transaction=True)

SPENT = Mart(
    name="spent",
    meaning="What each spent.",
    columns=(ExportColumn("customer_id", "int64", "Who."), ExportColumn("spent", "decimal(18,2)", "Money.")),
    order="customer_id",
)
TOTAL = Mart("total", "All of it.", (ExportColumn("spent", "decimal(18,2)", "Money."),), "spent")


def spent(context: Context) -> Findings:
    table = context.warehouse.arrow("SELECT customer_id, sum(net_amount) AS spent FROM purchases GROUP BY 1 ORDER BY 1")
    insights = table.select(["customer_id"])
    for name, value in (
        ("label", "buyer"),
        ("score", "1.5"),
        ("rank", None),
        ("reason_code", "bought"),
        ("reason", "Bought."),
        ("facts", "{}"),
    ):
        insights = insights.append_column(
            name, pa.array([value] * len(table), pa.int64() if value is None else pa.string())
        )
    return Findings(
        {"spent": table},
        metrics={"customers": table.num_rows, "odd": float("nan")},
        insights=insights,
        proof=Proof("AUC", 0.8, 0.7),
    )


def total(context: Context) -> Findings:
    return Findings({"total": context.warehouse.arrow("SELECT sum(spent) AS spent FROM spent")})


def suite(find: Callable[[Context], Findings] = spent) -> dict[str, Analysis]:
    return {
        "spent": Analysis("spent", "Spent", (SPENT,), find),
        "total": Analysis("total", "Total", (TOTAL,), total, needs=("spent",)),
    }


@pytest.fixture(autouse=True)
def _sold(house: Path) -> None:
    sell(make_customer(CHAN), "90.00", days_ago=3)


def test_results_are_tables_of_the_warehouse_and_insights_of_the_customers(house: Path) -> None:
    refresh(now=NOON)
    outcomes = run_analyses(now=NOON, among=suite())

    assert [(each.name, each.status) for each in outcomes] == [("spent", "promoted"), ("total", "promoted")]
    warehouse = open_warehouse(house)
    assert [str(money) for (money,) in warehouse.rows("SELECT spent FROM total")] == ["90.00"]
    assert warehouse.table("spent").count().to_pyarrow().as_py() == 1
    assert Insight.objects.get(model="spent").label == "buyer"
    run = latest_analysis_runs()["spent"]
    assert (run.status, run.value, run.baseline, run.metrics) == ("promoted", 0.8, 0.7, {"customers": 1, "odd": None})
    assert warehouse.results is not None
    told = warehouse.results.facts["spent"]
    assert isinstance(told, dict)
    assert told["metrics"] == {"customers": 1, "odd": None}
    assert has_results()


def test_what_is_too_large_for_memory_comes_from_temporary_tables_and_is_let_go(house: Path) -> None:
    seen: list[list[str]] = []

    def large(context: Context) -> Findings:
        found, duck = spent(context), context.warehouse.connection
        for name, table in (("spent_made", found.tables["spent"]), ("spent_told", found.insights)):
            duck.register("arrived", table)
            duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM arrived")
            duck.unregister("arrived")
        return Findings({}, proof=found.proof, large={"spent": "spent_made", INSIGHTS: "spent_told"})

    def after(context: Context) -> Findings:
        seen.append([name for (name,) in context.warehouse.rows("SELECT table_name FROM duckdb_tables()")])
        return total(context)

    refresh(now=NOON)
    chosen = suite(large)
    outcomes = run_analyses(now=NOON, among={**chosen, "total": Analysis("total", "Total", (TOTAL,), after)})

    assert [(each.name, each.status) for each in outcomes] == [("spent", "promoted"), ("total", "promoted")]
    assert open_warehouse(house).rows("SELECT spent::VARCHAR FROM spent") == [("90.00",)]
    assert Insight.objects.get(model="spent").reason == "Bought."
    assert seen == [[]]


def test_a_new_refresh_keeps_the_results(house: Path) -> None:
    refresh(now=NOON)
    run_analyses(now=NOON, among=suite())
    sell(make_customer(), "5.00", days_ago=1)
    refresh(now=NOON)
    assert open_warehouse(house).rows("SELECT spent::VARCHAR FROM total") == [("90.00",)]


def test_a_run_worse_than_its_baseline_leaves_the_former_results_and_says_why(house: Path) -> None:
    def worse(context: Context) -> Findings:
        found = spent(context)
        half = context.warehouse.arrow("SELECT customer_id, spent / 2 AS spent FROM spent")
        return Findings({"spent": half}, insights=found.insights, proof=Proof("AUC", 0.6, 0.7, why="Too few left."))

    refresh(now=NOON)
    run_analyses(now=NOON, among=suite())
    outcomes = run_analyses(now=NOON, among=suite(worse))

    assert [each.status for each in outcomes] == ["kept_back", "promoted"]
    assert outcomes[0].why == "AUC 0.6 is worse than the baseline's 0.7. Too few left."
    assert open_warehouse(house).rows("SELECT spent::VARCHAR FROM spent") == [("90.00",)]
    assert [run.status for run in get_analysis_runs("spent")] == ["kept_back", "promoted"]


@pytest.mark.parametrize(
    ("error", "status", "why"),
    [
        (InputError("At least two purchases are needed."), AnalysisRun.REFUSED, "At least two purchases are needed."),
        (ZeroDivisionError("division by zero"), AnalysisRun.FAILED, "ZeroDivisionError: division by zero"),
    ],
)
def test_one_that_cannot_run_stops_no_other(house: Path, error: Exception, status: str, why: str) -> None:
    def broken(context: Context) -> Findings:
        raise error

    refresh(now=NOON)
    run_analyses(now=NOON, among=suite())
    outcomes = run_analyses(now=NOON, among=suite(broken))
    assert [(each.status, each.why) for each in outcomes] == [(status, why), ("promoted", "")]


def test_one_that_stops_half_way_through_a_result_leaves_the_connection_usable(house: Path) -> None:
    def broken(context: Context) -> Findings:
        context.warehouse.connection.execute("SELECT * FROM range(100000)").fetchone()
        raise ZeroDivisionError

    refresh(now=NOON)
    run_analyses(now=NOON, among=suite())
    assert [each.status for each in run_analyses(now=NOON, among=suite(broken))] == ["failed", "promoted"]


def test_one_whose_need_has_no_results_waits(house: Path) -> None:
    def broken(context: Context) -> Findings:
        raise InputError("At least two purchases are needed.")

    refresh(now=NOON)
    outcomes = run_analyses(now=NOON, among=suite(broken))
    assert [each.why for each in outcomes] == [
        "At least two purchases are needed.",
        "It waits for results of: spent.",
    ]


def test_marts_must_be_those_declared(house: Path) -> None:
    refresh(now=NOON)
    [outcome] = run_analyses(now=NOON, names=["spent"], among=suite(lambda _context: Findings({})))
    assert outcome.why == "TypeError: spent declares and gives different marts: spent"
    assert not has_results()


def test_the_context_gives_purchases_and_lines_up_to_the_day(house: Path) -> None:
    seen = []

    def look(context: Context) -> Findings:
        lines = context.lines()
        seen.extend(
            [context.purchases().days.amount.tolist(), lines.amount.sum().to_pyarrow().as_py(), lines.columns[:3]]
        )
        return spent(context)

    refresh(now=NOON)
    assert [each.status for each in run_analyses(now=NOON, among=suite(look))] == ["promoted"] * 2
    assert seen[0] == [900_000]
    assert str(seen[1]) == "90.00"
    assert list(seen[2]) == ["customer", "date", "basket"]


def test_two_suites_do_not_run_at_once(house: Path) -> None:
    refresh(now=NOON)
    with Store(house / ANALYSES).locked(), pytest.raises(RefreshRunning):
        run_analyses(now=NOON, among=suite())


def test_nothing_runs_before_the_first_refresh() -> None:
    with pytest.raises(WarehouseMissing):
        run_analyses(now=NOON, among=suite())


def test_needs_come_first() -> None:
    assert with_needs(["total"], suite()) == ["spent", "total"]


def test_every_registered_analysis_comes_after_what_it_needs() -> None:
    seen: set[str] = set()
    for name, analysis in analyses().items():
        assert set(analysis.needs) <= seen
        assert analysis.title
        assert analysis.marts or analysis.name
        seen.add(name)
