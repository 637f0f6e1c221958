"""Watch, events, drift and the planning of experiments in the house: marts that agree, insights, proofs, refusals."""

import json
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from patron.intelligence.insights.analyses import drift, events, experiment_planning, watch
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.registry import model_named
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ALL = (drift, events, experiment_planning, watch)


def context_in(root: Path, size: Size, **changed: dict[str, float]) -> Context:
    published(root, generated(seed=3, size=size))
    return with_marts(Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed=changed))


def with_marts(context: Context) -> Context:
    """The marts of the refresh that these analyses read, from the models that make them."""
    duck = context.warehouse.connection
    for mart, model in (("customer_value", "value"), ("customer_stage", "lifecycle")):
        duck.register("made", model_named(model).run(context.purchases(), as_of=AS_OF).table)
        duck.execute(f"CREATE OR REPLACE TEMP TABLE {mart} AS SELECT customer AS customer_id, * FROM made")
    month = AS_OF.replace(day=1) - timedelta(1)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE inventory_cells AS SELECT DATE '{month}' AS closed_on, 'mature' AS from_stage, "
        "stage::VARCHAR AS to_stage, count(*) AS customers FROM customer_stage GROUP BY stage"
    )
    return context


def found_by(context: Context, analysis: ModuleType) -> Findings:
    context.running = analysis.ANALYSIS.name
    findings: Findings = analysis.ANALYSIS.find(context)
    return findings


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return context_in(tmp_path_factory.mktemp("house") / "warehouse", Size(customers=300, receipts=9000, days=420))


@pytest.fixture(name="found", scope="module")
def _found(house: Context) -> dict[str, Findings]:
    return {each.ANALYSIS.name: found_by(house, each) for each in ALL}


@pytest.mark.parametrize("analysis", [each.ANALYSIS for each in ALL], ids=lambda each: each.name)
def test_each_mart_has_its_columns_and_order(house: Context, found: dict[str, Findings], analysis) -> None:
    duck = house.warehouse.connection
    for mart in analysis.marts:
        duck.register("found", found[analysis.name].tables[mart.name])
        columns = ", ".join(f'CAST("{column.name}" AS {column.sql_type})' for column in mart.columns)
        duck.execute(f"SELECT {columns} FROM found ORDER BY {mart.order}").fetchall()
        duck.unregister("found")


@pytest.mark.parametrize("analysis", ALL, ids=lambda each: each.ANALYSIS.name)
def test_the_same_data_give_the_same_tables(house: Context, found: dict[str, Findings], analysis) -> None:
    again = found_by(house, analysis)
    for name, table in found[analysis.ANALYSIS.name].tables.items():
        assert again.tables[name].equals(table), name


@pytest.mark.parametrize("name", ["watch", "events"])
def test_insights_have_the_columns_that_publishing_needs(found: dict[str, Findings], name: str) -> None:
    insights = found[name].insights
    assert insights is not None
    assert tuple(insights.column_names) == INSIGHT_COLUMNS
    customers = insights["customer_id"].to_pylist()
    assert len(customers) == len(set(customers)) > 0
    assert all(isinstance(json.loads(facts), dict) for facts in insights["facts"].to_pylist())
    assert all(insights["reason"].to_pylist())


def test_every_customer_is_watched_once_and_the_unusual_are_published(found: dict[str, Findings]) -> None:
    table = found["watch"].tables["watch_customers"]
    metrics = found["watch"].metrics
    assert table.num_rows == len(set(table["customer_id"].to_pylist())) == metrics["customers"]
    unusual = [row for row in table.to_pylist() if row["state"] == "unusual"]
    insights = found["watch"].insights
    assert insights is not None
    assert len(unusual) == metrics["unusual"] == insights.num_rows
    assert all(row["since"] is not None and row["severity"] for row in unusual)


def test_the_placebo_keeps_its_level_on_the_houses_own_customers(found: dict[str, Findings]) -> None:
    rows = {row["measure"]: row for row in found["experiment_planning"].tables["experiment_placebo"].to_pylist()}
    assert set(rows) == {"return", "spend", "spend_cuped"}
    # One customer of these spends more than all others together: on spend as it is the test hardly ever speaks.
    assert rows["spend"]["alarms"] < 0.071
    assert [rows[name]["alarms"] for name in ("return", "spend_cuped")] == pytest.approx([0.05, 0.05], abs=0.021)
    assert all(row["keeps_level"] for row in rows.values())
    proof = found["experiment_planning"].proof
    assert proof is not None
    assert proof.value == pytest.approx(rows["spend_cuped"]["width"] / rows["spend"]["width"])
    assert proof.holds
    shares = found["experiment_planning"].tables["experiment_placebo_p"].to_pylist()
    assert sum(row["share"] for row in shares if row["measure"] == "spend") == pytest.approx(1)


def test_the_planner_is_fed_with_what_customers_did_in_the_window(house: Context, found: dict[str, Findings]) -> None:
    table = found["experiment_planning"].tables["experiment_customers"]
    [window] = {
        (row["opened_on"], row["closed_on"])
        for row in found["experiment_planning"].tables["experiment_placebo"].to_pylist()
    }
    assert (window[1] - window[0]).days == 27
    spent = dict(
        house.warehouse.rows(
            "SELECT customer_id, sum(net_amount)::DOUBLE FROM purchases WHERE NOT is_voided AND currency = 'HKD' "
            "AND customer_id IS NOT NULL AND occurred_on BETWEEN ? AND ? GROUP BY 1",
            list(window),
        )
    )
    for row in table.to_pylist():
        assert row["spend"] == pytest.approx(spent.get(row["customer_id"], 0.0), abs=0.005)
        assert row["returned"] or row["spend"] <= 0


def test_drift_compares_every_fact_and_every_branch(house: Context, found: dict[str, Findings]) -> None:
    table = found["drift"].tables["drift_features"]
    assert {row["unit"] for row in table.to_pylist()} >= {"receipts", "lines", "customers"}
    assert found["drift"].metrics["features"] == table.num_rows
    assert set(table["level"].to_pylist()) <= {"stable", "watch", "shifted"}
    [(branches,)] = house.warehouse.rows("SELECT count(DISTINCT branch_id) FROM purchases WHERE NOT is_voided")
    assert 0 < found["drift"].tables["drift_branches"].num_rows <= branches


def test_a_branch_that_falls_silent_is_found(tmp_path: Path) -> None:
    house = context_in(tmp_path / "warehouse", Size(customers=200, receipts=6000, days=300))
    duck = house.warehouse.connection
    until = found_by(house, drift).metrics["until"]
    [(branch,)] = house.warehouse.rows("SELECT branch_id FROM purchases GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    duck.execute(
        "CREATE OR REPLACE TEMP TABLE purchases AS SELECT * FROM purchases "
        f"WHERE branch_id <> {branch} OR occurred_on <= DATE '{until}' - 21"
    )
    rows = {row["branch_id"]: row for row in found_by(house, drift).tables["drift_branches"].to_pylist()}
    assert (rows[branch]["level"], rows[branch]["now"]) == ("low", 0)
    assert [each for each, row in rows.items() if row["level"] == "low"] == [branch]


def test_events_lie_within_their_days(found: dict[str, Findings]) -> None:
    table = found["events"].tables["customer_events"].to_pylist()
    assert {row["kind"] for row in table} <= set(events.KINDS)
    for row in table:
        if row["happens_on"] is not None and row["kind"] != "moved":
            assert abs((row["happens_on"] - AS_OF).days) <= 30
        assert row["upcoming"] == (row["happens_on"] is None or row["happens_on"] > AS_OF)
    milestones = [row for row in table if row["kind"] == "milestone"]
    assert all(row["number"] in (10, 25, 50, 100, 200, 300, 500, 1000) for row in milestones)


@pytest.mark.parametrize("analysis", [drift, experiment_planning], ids=lambda each: each.ANALYSIS.name)
def test_too_little_data_is_refused_with_what_is_needed(tmp_path: Path, analysis) -> None:
    house = context_in(tmp_path / "warehouse", Size(customers=30, receipts=300, days=60))
    with pytest.raises(InputError, match=r"112 days of purchases; there are \d+ so far"):
        found_by(house, analysis)


@pytest.mark.parametrize("analysis", [watch, events], ids=lambda each: each.ANALYSIS.name)
def test_a_young_house_has_little_to_tell_and_says_so(tmp_path: Path, analysis) -> None:
    house = context_in(tmp_path / "warehouse", Size(customers=5, receipts=70, days=5))
    findings = found_by(house, analysis)
    assert all(isinstance(table, pa.Table) for table in findings.tables.values())
    assert findings.proof is None
