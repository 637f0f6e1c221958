"""Rules: what was planted is found word for word, everybody is covered once, and what cannot be learned is refused."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.churning.judging import wilson
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.ruling.cases import Numeric, written
from patron.intelligence.mining.ruling.conditions import Condition, joined
from patron.intelligence.mining.ruling.learning import RulesParameters, learn

AS_OF = dt.date(2025, 12, 31)
RULES = model_named("rules")
FEATURES = ("visits", "spend", "district", "noise")


def planted(rows=2000, *, seed=1, noise=0.0):
    """VIP is who came 12 times and spent 1,500; a part of the labels is turned round."""
    draw = np.random.default_rng(seed)
    visits, spend = draw.poisson(8, rows), draw.gamma(2, 900, rows).round(2)
    vip = (visits >= 12) & (spend >= 1500)
    vip ^= draw.random(rows) < noise
    return pa.table(
        {
            "target": np.where(vip, "VIP", "other"),
            "visits": visits,
            "spend": spend,
            "district": draw.choice(["Kowloon", "Central", "Tai Po"], rows),
            "noise": draw.normal(size=rows),
        }
    )


def run(table, features=FEATURES, **settings):
    return RULES.run(Rows.of(table, features=features), as_of=AS_OF, parameters=RulesParameters(**settings))


def test_planted_rule_is_found_word_for_word():
    result = run(planted())
    assert result.table["conditions"].to_pylist()[0] == ["visits ≥ 12", "spend ≥ 1,500"]
    assert result.table["prediction"].to_pylist() == ["VIP", "other", "other"]
    metrics = result.report.metrics
    assert (metrics["interest"], metrics["accuracy"], metrics["auc"]) == ("VIP", 1.0, 1.0)
    assert "look whether a feature was known only after" in result.report.notes[-1]


def test_rules_hold_on_rows_kept_back_with_noise():
    metrics = run(planted(noise=0.05)).report.metrics
    assert metrics["accuracy"] > metrics["majority_accuracy"]
    assert metrics["log_loss"] < 0.8 * metrics["base_log_loss"]
    assert metrics["tested"] == pytest.approx(600, abs=2)


def test_figures_of_a_rule_by_counting():
    table = planted(noise=0.05)
    table = table.append_column("holdout", pa.array(["yes" if place % 4 == 0 else "no" for place in range(2000)]))
    result = RULES.run(Rows.of(table, features=FEATURES), as_of=AS_OF)
    first = result.table.to_pylist()[0]
    bound = {fact["feature"]: fact["low"] for fact in json.loads(first["facts"])}
    covered = pc.and_(
        pc.greater_equal(table["visits"], bound["visits"]), pc.greater_equal(table["spend"], bound["spend"])
    )
    tested = table.filter(covered).filter(pc.equal(table.filter(covered)["holdout"], "yes"))
    hits = pc.sum(pc.equal(tested["target"], "VIP")).as_py()
    assert (first["support"], first["tested"]) == (table.filter(covered).num_rows, tested.num_rows)
    assert first["interest_share"] == hits / tested.num_rows
    assert [first["interest_low"], first["interest_high"]] == [float(each) for each in wilson(hits, tested.num_rows)]
    held = table.filter(pc.equal(table["holdout"], "yes"))
    base = pc.mean(pc.equal(held["target"], "VIP")).as_py()
    assert first["interest_lift"] == pytest.approx(first["interest_share"] / base)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_every_row_is_covered_by_exactly_one_rule(seed, depth):
    table = planted(300, seed=seed, noise=0.2)
    found = learn(table, FEATURES, RulesParameters(max_depth=depth, min_rows=5))
    rows = table.to_pylist()
    numbers = found.numbers(table)
    for row, number in zip(rows, numbers, strict=True):
        matching = [rule.number for rule in found.rules if all(holds(each, row) for each in rule.conditions)]
        assert matching == [number]
    assert sum(rule.support for rule in found.rules) == 300
    assert sum(rule.tested for rule in found.rules) == found.tested
    assert all(len(rule.conditions) <= depth for rule in found.rules)


def holds(condition, row):
    value = row[condition.feature]
    if condition.among or condition.not_among:
        return (not condition.among or value in condition.among) and value not in condition.not_among
    return (condition.low is None or value >= condition.low) and (condition.high is None or value < condition.high)


def test_steps_that_say_the_same_are_one():
    path = ()
    for step in (
        Condition("visits", low=5),
        Condition("spend", high=900),
        Condition("visits", low=12),
        Condition("visits", high=30),
        Condition("district", not_among=("Tai Po",)),
        Condition("district", not_among=("Central",)),
    ):
        path = joined(path, step)
    assert [each.words() for each in path] == ["12 ≤ visits < 30", "spend < 900", "district is not Central or Tai Po"]
    (only,) = joined((Condition("district", not_among=("Tai Po",)),), Condition("district", among=("Central",)))
    assert only.words() == "district is Central"


def test_texts_are_told_as_texts_and_missing_ones_are_unknown():
    table = planted(600)
    district = [None if place % 5 == 0 else "Kowloon" if place % 5 < 3 else "Central" for place in range(600)]
    gone = ["gone" if each is None else "here" for each in district]
    table = pa.table({"target": gone, "district": district, "noise": table["noise"]})
    result = run(table, ("district", "noise"))
    assert result.table["conditions"].to_pylist() == [["district is unknown"], ["district is not unknown"]]
    assert "district is unknown in 120 rows; there unknown is a value of its own." in result.report.notes


def test_cuts_are_round():
    draw = np.random.default_rng(2)
    table = pa.table({"target": np.where(draw.random(500) < 0.5, "a", "b"), "money": draw.lognormal(6, 1, 500)})
    feature = learn(table, ("money",), RulesParameters()).cases.features[0]
    assert isinstance(feature, Numeric)
    assert all(len(written(cut).replace(",", "").strip("0")) <= 2 for cut in feature.cuts)


def test_number_as_target_is_cut_into_ranges():
    draw = np.random.default_rng(3)
    visits = draw.integers(1, 60, 900)
    result = run(pa.table({"target": visits * 10.0 + draw.normal(0, 20, 900), "visits": visits}), ("visits",))
    assert set(result.table["prediction"].to_pylist()) == {"under 200", "200 to 390", "390 and more"}
    assert result.report.metrics["accuracy"] > 0.85
    assert result.report.metrics["auc"] is None


def test_noise_gives_one_rule_for_everybody():
    draw = np.random.default_rng(4)
    table = pa.table({"target": np.where(draw.random(800) < 0.3, "yes", "no"), "noise": draw.normal(size=800)})
    result = run(table, ("noise",))
    (only,) = result.table.to_pylist()
    assert (only["conditions"], only["coverage"], only["reason_code"]) == ([], 1.0, "everybody")
    assert only["reason"].startswith("For everybody: yes in ")
    assert result.report.notes[-1].startswith("No feature tells the classes apart")


def test_same_seed_same_rules():
    assert run(planted(noise=0.1)).table.equals(run(planted(noise=0.1)).table)


def test_interest_can_be_chosen():
    result = run(planted(), interest="other")
    assert result.table["interest"].to_pylist()[0] == "other"
    assert result.table["prediction"].to_pylist()[-1] == "VIP"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.set_column(0, "target", pa.array(["same"] * 100)), "The target is always same: rules need at"),
        (lambda t: t.set_column(0, "target", pa.array([f"t{i}" for i in range(100)])), "has 100 different texts"),
        (lambda t: t.slice(0, 30), "Rules need at least 40 rows with a target; there are 30."),
        (lambda t: t.slice(0, 0), "Rules need at least 40 rows with a target; there are 0."),
        (lambda t: t.set_column(0, "target", pa.nulls(100, pa.string())), "with a target; there are 0."),
        (lambda t: t.append_column("holdout", pa.array(["yes"] * 100)), "Mark some rows as holdout"),
    ],
)
def test_refusals_say_what_is_needed(change, message):
    with pytest.raises(InputError, match=message):
        run(change(planted(100)))


def test_columns_without_information_are_left_out_and_named():
    table = planted(300).append_column("empty", pa.nulls(300, pa.float64()))
    table = table.append_column("same", pa.array([7] * 300))
    result = run(table, (*FEATURES, "empty", "same"))
    assert result.report.notes[:2] == (
        "empty is left out: it has no values that differ.",
        "same is left out: it has no values that differ.",
    )
    with pytest.raises(InputError, match="No feature is left to learn from"):
        run(table, ("empty", "same"))
    with pytest.raises(InputError, match="interest is 'gold'; the target has: VIP, other"):
        run(table, interest="gold")
    with pytest.raises(InputError, match="at least one feature"):
        run(table, ())


def test_rows_in_another_order_give_the_same_rules():
    table = planted(400, noise=0.2)
    turned = table.take(pa.array(np.random.default_rng(5).permutation(400)))
    once, again = run(table), run(turned)
    assert once.table.equals(again.table)
    assert once.report == again.report
