"""Churn in the house: marts that agree with one another, insights with their reasons, a proof by date."""

import json
from pathlib import Path

import pytest

from patron.intelligence.insights.analyses.churn import ANALYSIS
from patron.intelligence.insights.analyses.contract import INSIGHT_COLUMNS, Context, Findings
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published


def found_in(root: Path, *, horizon: int = 45) -> Findings:
    published(root, generated(seed=8, size=Size(customers=500, receipts=5000, days=420)))
    changed = {"churn": {"horizon_days": horizon}}
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed=changed)
    context.running = "churn"
    return ANALYSIS.find(context)


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse")


def test_each_mart_has_its_columns(found: Findings) -> None:
    for mart in ANALYSIS.marts:
        assert {column.name for column in mart.columns} <= set(found.tables[mart.name].column_names)
        assert found.tables[mart.name].num_rows > 0


def test_risks_and_insights_are_the_same_customers(found: Findings) -> None:
    table = found.tables["churn_customers"]
    assert found.insights is not None
    assert tuple(found.insights.column_names) == INSIGHT_COLUMNS
    assert found.insights["customer_id"].to_pylist() == table["customer_id"].to_pylist()
    first = json.loads(found.insights["facts"][0].as_py())
    assert first["reasons"][0] == table["reason_code"][0].as_py()
    assert first["expected_loss"] == f"{table['expected_loss'][0].as_py():.2f}"
    assert found.insights["label"].to_pylist() == table["risk"].to_pylist()


def test_proof_is_the_test_day_against_the_better_rule(found: Findings) -> None:
    contest = {row["model"]: row for row in found.tables["churn_models"].to_pylist()}
    chosen = next(row for row in contest.values() if row["chosen"])
    assert found.proof is not None
    assert found.proof.value == chosen["auc"]
    assert found.proof.baseline == max(contest["silence_ratio"]["auc"], contest["silence_days"]["auc"])
    bands = found.tables["churn_backtest"].to_pylist()
    assert sum(band["customers"] for band in bands) == found.metrics["test_customers"]
    assert sum(band["left"] for band in bands) == found.metrics["test_left"]
    tested = found.tables["churn_known"].to_pylist()[-1]
    assert (tested["use"], tested["customers"]) == ("test", found.metrics["test_customers"])


def test_too_little_history_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Leaving within 365 days needs 1460 days of history"):
        found_in(tmp_path / "warehouse", horizon=365)
