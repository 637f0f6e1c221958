"""Rules in the house: every question has rules that cover everybody once, tested on a day they had not seen."""

from collections import Counter
from pathlib import Path

import pytest

from patron.intelligence.insights.analyses.contract import Context, Findings
from patron.intelligence.insights.analyses.rules import ANALYSIS, FIGURES, QUESTION_LIST
from patron.intelligence.mining.churning.features import BY_NAME
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.testing_files import AS_OF, Size, generated, published


def found_in(root: Path, *, days: int) -> Findings:
    published(root, generated(seed=8, size=Size(customers=500, receipts=5000, days=days)))
    context = Context(open_warehouse(root), as_of=AS_OF, currency="HKD", changed={"churn": {"horizon_days": 45}})
    context.running = "rules"
    return ANALYSIS.find(context)


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return found_in(tmp_path_factory.mktemp("house") / "warehouse", days=460)


def test_each_mart_has_its_columns(found: Findings) -> None:
    for mart in ANALYSIS.marts:
        assert {column.name for column in mart.columns} <= set(found.tables[mart.name].column_names)
        assert found.tables[mart.name].num_rows > 0


def test_rules_of_a_question_cover_every_case_once(found: Findings) -> None:
    asked = {row["question"]: row for row in found.tables["rules_questions"].to_pylist()}
    assert set(asked) == {question.name for question in QUESTION_LIST}
    for name, row in asked.items():
        rules = [rule for rule in found.tables["rules_list"].to_pylist() if rule["question"] == name]
        assert sum(rule["support"] for rule in rules) == row["cases"] + row["tested"]
        assert sum(rule["tested"] for rule in rules) == row["tested"]
        assert sum(rule["coverage"] for rule in rules) == pytest.approx(1)
        assert row["learned_from"] < row["tested_on"]


def test_customers_of_today_are_those_that_the_rules_count(found: Findings) -> None:
    today = Counter((row["question"], row["rule"]) for row in found.tables["rules_customers"].to_pylist())
    listed = {(row["question"], row["rule"]): row["customers_today"] for row in found.tables["rules_list"].to_pylist()}
    assert {key: count for key, count in listed.items() if count} == dict(today)


def test_proof_is_the_loss_on_the_test_day(found: Findings) -> None:
    asked = found.tables["rules_questions"].to_pylist()
    assert found.proof is not None
    assert found.proof.value == pytest.approx(sum(row["log_loss"] for row in asked) / len(asked))
    assert found.proof.baseline == pytest.approx(sum(row["base_log_loss"] for row in asked) / len(asked))
    assert not found.proof.higher_is_better


def test_rules_speak_of_figures_that_there_are() -> None:
    assert set(FIGURES) <= set(BY_NAME)


def test_too_little_history_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vip: 360 days of history are needed to learn and to test; there are 100"):
        found_in(tmp_path / "warehouse", days=100)
