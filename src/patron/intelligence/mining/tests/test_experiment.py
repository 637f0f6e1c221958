"""Experiments: published intervals and boundaries, textbook sizes, assignment, and the model from rows to a verdict."""

import datetime as dt
import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import proportion_confint, score_test_proportions_2indep

from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.experimenting import power, rates, sequential
from patron.intelligence.mining.experimenting.assigning import assign, balance, lots
from patron.intelligence.mining.experimenting.measuring import measure
from patron.intelligence.mining.experimenting.observations import Observations
from patron.intelligence.mining.experimenting.parameters import ExperimentParameters
from patron.intelligence.mining.models.experiment import MODEL
from patron.intelligence.mining.plain_tables import opened_table
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2026, 3, 31)
KEY = "spring-coffee"


def numbers(*values):
    return [np.array([float(each)]) for each in values]


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 6 (Miettinen-Nurminen).
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((6, 7, 2, 7), 0.0342, 0.8534),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((0, 10, 0, 20), -0.1658, 0.2844),
        ((0, 10, 0, 10), -0.2879, 0.2879),
        ((10, 10, 0, 20), 0.7156, 1.0),
        ((10, 10, 0, 10), 0.6636, 1.0),
    ],
)
def test_difference_of_rates_has_the_published_limits(counts, low, high):
    found = rates.difference_interval(*numbers(*counts), confidence=0.95)
    assert [round(float(each[0]), 4) for each in found] == [low, high]


def test_score_p_value_is_that_of_statsmodels():
    ours = rates.score_p_value(*numbers(56, 70, 48, 80))[0]
    theirs = score_test_proportions_2indep(56, 70, 48, 80, compare="diff", correction=True).pvalue
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("successes", [0, 1, 15, 30])
def test_wilson_limits_are_those_of_statsmodels(successes):
    ours = rates.wilson(*numbers(successes, 30), confidence=0.9)
    theirs = proportion_confint(successes, 30, alpha=0.1, method="wilson")
    assert [float(each[0]) for each in ours] == pytest.approx(theirs, abs=1e-12)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 30), st.integers(0, 30))
def test_interval_holds_the_observed_difference_and_agrees_with_the_test(n1, n0, x1, x0):
    counts = numbers(min(x1, n1), n1, min(x0, n0), n0)
    low, high = (float(each[0]) for each in rates.difference_interval(*counts, confidence=0.95))
    observed = float(counts[0][0] / n1 - counts[2][0] / n0)
    assert -1 <= low <= observed <= high <= 1
    p_value = float(rates.score_p_value(*counts)[0])
    if abs(p_value - 0.05) > 1e-6:
        assert (low > 0 or high < 0) == (p_value < 0.05)


def test_ratio_limits_turn_over_when_groups_change_places():
    low, high = rates.ratio_interval(*numbers(56, 70, 48, 80), confidence=0.95)
    other_low, other_high = rates.ratio_interval(*numbers(48, 80, 56, 70), confidence=0.95)
    assert (low[0], high[0]) == pytest.approx((1 / other_high[0], 1 / other_low[0]), rel=1e-6)


def test_boundaries_are_the_published_ones():
    five = sequential.equal_looks(5)
    # C. Jennison, B. W. Turnbull, Group Sequential Methods (2000), table 2.3: C = 2.040 for five looks, 2.024 for four.
    assert [round(each, 2) for each in sequential.obrien_fleming(5, alpha=0.05)] == [4.56, 3.23, 2.63, 2.28, 2.04]
    assert round(sequential.obrien_fleming(4, alpha=0.05)[-1], 3) == 2.024
    # D. M. Reboussin et al., Controlled Clinical Trials 21 (2000) 190-207, table 1: the spending function of this type.
    spent = sequential.boundaries(five, alpha=0.05)
    assert [round(each, 2) for each in spent] == [4.88, 3.36, 2.68, 2.29, 2.03]
    assert sequential.crossing_probability(five, spent) == pytest.approx(0.05, abs=1e-9)
    assert sequential.boundaries((1.0,), alpha=0.05)[0] == pytest.approx(1.959964, abs=1e-6)


def test_sizes_and_power_are_those_of_the_textbooks():
    # The examples of power.prop.test and power.t.test in R's own documentation.
    assert power.rate_power(0.50, 0.75, 50, 50) == pytest.approx(0.740, abs=5e-4)
    assert power.rate_sizes(0.50, 0.75, power.Design(power=0.9)) == power.Sizes(77, 77)
    assert power.mean_sizes(1, 1, power.Design(power=0.9)) == power.Sizes(22, 22)
    needed = TTestIndPower().solve_power(effect_size=0.2, alpha=0.05, power=0.8)
    assert power.mean_sizes(5, 1, power.Design()).treated == int(np.ceil(needed)) == 394
    uneven = NormalIndPower().solve_power(effect_size=0.1, alpha=0.05, power=0.8, ratio=4.0)
    assert power.mean_sizes(10, 1, power.Design(treated_share=0.2)).treated == pytest.approx(uneven, abs=1.5)


@given(st.floats(0.02, 0.9), st.integers(50, 5000), st.integers(50, 5000), st.sampled_from([0.7, 0.8, 0.95]))
def test_smallest_lift_is_seen_with_just_the_power_wanted(base, treated, control, wanted):
    design = power.Design(power=wanted)
    lift = power.smallest_rate_lift(base, treated, control, design)
    if lift is not None:
        assert power.rate_power(base, base + lift, treated, control) == pytest.approx(wanted, abs=1e-6)
    difference = power.smallest_mean_difference(30, treated, control, design, explained=0.5)
    seen = power.mean_power(30, difference, treated, control, explained=0.5)
    assert seen == pytest.approx(wanted, abs=1e-6)


def test_what_cannot_be_seen_is_said_to_be_so():
    assert power.smallest_rate_lift(0.99, 10, 10, power.Design()) is None
    assert power.rate_power(0.0, 0.0, 10, 10) == 0.0
    with pytest.raises(ValueError, match="difference of nothing"):
        power.rate_sizes(0.3, 0.3, power.Design())
    with pytest.raises(ValueError, match="power must lie between 0 and 1"):
        power.Design(power=1.0)


def test_assignment_is_the_same_in_any_order_and_keeps_shares_in_every_stratum():
    customers, strata = np.arange(5000), np.arange(5000) % 7
    shares = {"coffee": 0.7, "control": 0.3}
    there = assign(pa.array(customers), experiment=KEY, shares=shares, strata=pa.array(strata))
    back = assign(pa.array(customers[::-1]), experiment=KEY, shares=shares, strata=pa.array(strata[::-1]))
    group = np.array(there["group"].to_pylist())
    assert group.tolist() == back["group"].to_pylist()[::-1]
    for each in range(7):
        inside = strata == each
        assert abs((group[inside] == "coffee").sum() - 0.7 * inside.sum()) < 1
    other = np.array(assign(pa.array(customers), experiment="other", shares=shares)["group"].to_pylist())
    both = ((group == "coffee") & (other == "coffee")).mean()
    assert both == pytest.approx(0.49, abs=0.02), "two experiments draw independently"


def test_small_strata_favour_no_group():
    strata = pa.array(np.arange(9000) // 3)
    three = {"a": 0.2, "b": 0.3, "control": 0.5}
    groups = assign(pa.array(range(9000)), experiment=KEY, shares=three, strata=strata)["group"].to_pylist()
    assert [groups.count(name) / 9000 for name in three] == pytest.approx([0.2, 0.3, 0.5], abs=0.015)


def test_lots_are_even_and_documented():
    md5 = hashlib.md5(b"spring-coffee:7", usedforsecurity=False).hexdigest()
    assert lots(pa.array([7]), experiment=KEY).tolist() == [int(md5[:13], 16) / 2**52]
    drawn = lots(pa.array(range(20000)), experiment=KEY)
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx([2000] * 10, abs=200)


@pytest.mark.parametrize(
    ("customers", "options", "refusal", "message"),
    [
        ([1, 1], {}, InputError, "list nobody twice"),
        ([1, None], {}, InputError, "leave out missing ones"),
        ([1, 2], {"shares": {"a": 1.0}}, ParameterError, "at least two groups"),
        ([1, 2], {"shares": {"a": 0.5, "b": 0.4}}, ParameterError, "add up to 1; they are a 0.5, b 0.4"),
        ([1, 2], {"experiment": " "}, ParameterError, "Give the experiment a key"),
        ([1, 2], {"strata": pa.array(["x"])}, InputError, "2 customers and 1 strata"),
    ],
)
def test_assignment_that_cannot_be_drawn_is_refused(customers, options, refusal, message):
    with pytest.raises(refusal, match=message):
        assign(pa.array(customers), **{"experiment": KEY, "shares": {"a": 0.5, "b": 0.5}, **options})


def test_nobody_can_be_assigned():
    assert assign(pa.array([], pa.int64()), experiment=KEY, shares={"a": 0.5, "b": 0.5}).num_rows == 0


def test_balance_finds_lost_customers_and_unlike_groups():
    half = {"a": 0.5, "b": 0.5}
    even = balance(["a"] * 500 + ["b"] * 500, shares=half, covariates={"spend": np.tile(np.arange(500.0), 2)})
    assert (even.size_p_value, even.mismatched) == (1.0, False)
    assert (even.covariates[0].standardised_difference, even.covariates[0].notable) == (0.0, False)
    lost = balance(["a"] * 560 + ["b"] * 440, shares=half, covariates={"spend": np.r_[np.zeros(560), np.ones(440)]})
    assert lost.size_p_value == pytest.approx(0.000148, abs=1e-6)  # χ² = 120² ÷ 1000 = 14.4 with one degree
    assert lost.mismatched
    assert lost.covariates[0].notable
    with pytest.raises(InputError, match="nobody asked for: c"):
        balance(["a", "c"], shares=half)


def run(group, outcome, parameters=None, features=(), **columns):
    data = Rows.of(pa.table({"group": group, "outcome": outcome, **columns}), features=features)
    return MODEL.run(data, as_of=AS_OF, parameters=parameters)


def groups(treated, control):
    return ["coffee"] * treated + ["control"] * control


def test_rate_experiment_tells_lift_limits_and_relative_lift():
    result = run(groups(70, 80), [1] * 56 + [0] * 14 + [1] * 48 + [0] * 32)
    (row,) = result.table.to_pylist()
    assert (row["group"], row["treated_n"], row["control_n"]) == ("coffee", 70, 80)
    assert (row["lift"], row["lift_low"], row["lift_high"]) == pytest.approx((0.2, 0.0528, 0.3382), abs=5e-5)
    assert row["relative_lift"] == pytest.approx(1 / 3)
    assert row["relative_low"] < 1 / 3 < row["relative_high"]
    assert (row["reason_code"], row["significant"]) == ("raised", True)
    assert row["reason"] == (
        "coffee 80.0%, control 60.0%: the treatment raised it by 20.0 points; the effect lies between 5.3 points and "
        "33.8 points."
    )


def test_rows_of_one_customer_are_added_up_and_somebody_in_two_groups_is_refused():
    unit = ["ann", "ann", "bob", "cat", "dan", "dan"]
    group = ["t", "t", "t", "control", "control", "control"]
    (row,) = run(group, [10.0, 20, 5, 1, 2, 3], unit=unit).table.to_pylist()
    assert (row["treated_n"], row["treated_mean"], row["control_mean"]) == (2, 17.5, 3.0)
    (row,) = run(group, [1, 1, 0, 1, 0, 0], unit=unit).table.to_pylist()
    assert (row["treated_mean"], row["control_mean"]) == (0.5, 0.5), "who came back twice has come back"
    with pytest.raises(InputError, match="more than one group: 2"):
        run(["t", "control", "t", "control", "t", "control"], [1, 0, 1, 0, 1, 0], unit=unit)


def test_margin_after_the_offer_counts_what_every_customer_cost():
    rng = np.random.default_rng(3)
    spend = np.r_[rng.gamma(4, 30, 400) + 20, rng.gamma(4, 30, 400)]
    cost = np.r_[np.full(400, 5.0), np.full(400, np.nan)]
    (row,) = run(groups(400, 400), spend, ExperimentParameters(margin_share=0.3), cost=cost).table.to_pylist()
    assert row["margin"] == pytest.approx(0.3 * row["lift"] - 5)
    assert row["margin_low"] == pytest.approx(0.3 * row["lift_low"] - 5, abs=0.2)
    assert (row["offer_cost"], row["margin_total"]) == (5.0, pytest.approx(400 * row["margin"]))
    (row,) = run(groups(400, 400), spend > 100, None, cost=cost, margin=spend * 0.3).table.to_pylist()
    assert row["margin"] == pytest.approx(0.3 * (spend[:400].mean() - spend[400:].mean()) - 5)


def test_what_was_known_before_narrows_the_interval():
    rng = np.random.default_rng(5)
    before = rng.lognormal(4, 1, 600)
    spend = before * rng.lognormal(0, 0.4, 600) + np.r_[np.full(300, 12.0), np.zeros(300)]
    (plain,) = run(groups(300, 300), spend).table.to_pylist()
    result = run(groups(300, 300), spend, before=np.where(np.arange(600) % 50 == 0, np.nan, before))
    (row,) = result.table.to_pylist()
    assert row["lift_high"] - row["lift_low"] < 0.7 * (plain["lift_high"] - plain["lift_low"])
    assert row["lift_low"] < 12 < row["lift_high"]
    assert result.report.parameters["theta"] == pytest.approx(1.0, abs=0.4)
    assert row["method"] == "CUPED, symmetric studentised bootstrap"


def test_an_early_look_asks_for_more_and_the_sum_of_looks_keeps_the_level():
    outcome = [1] * 56 + [0] * 14 + [1] * 48 + [0] * 32
    early = run(groups(70, 80), outcome, ExperimentParameters(looks=5, look=1))
    (row,) = early.table.to_pylist()
    assert row["alpha"] == pytest.approx(1.08e-6, rel=0.01)  # |z| > 4.877
    assert (row["significant"], row["reason_code"]) == (False, "not_shown")
    assert early.report.notes[-1].startswith("Look 1 of 5: limits are those of 99.9999%")
    (row,) = run(groups(70, 80), outcome, ExperimentParameters(looks=5, look=5)).table.to_pylist()
    assert row["alpha"] == pytest.approx(0.0423, abs=5e-4)
    assert row["significant"]


def test_several_groups_share_the_level_and_stand_in_order():
    group = ["a"] * 100 + ["b"] * 100 + ["control"] * 100
    result = run(group, [1] * 30 + [0] * 70 + [1] * 50 + [0] * 50 + [1] * 30 + [0] * 70)
    rows = result.table.to_pylist()
    assert [(row["group"], row["alpha"]) for row in rows] == [
        ("b", pytest.approx(0.025)),
        ("a", pytest.approx(0.025)),
    ]
    assert [row["reason_code"] for row in rows] == ["raised", "not_shown"]


def test_order_of_rows_changes_nothing():
    rng = np.random.default_rng(1)
    group, spend = np.array(groups(200, 150)), rng.lognormal(3, 1.2, 350)
    before = spend * rng.lognormal(0, 1, 350)
    shuffled = rng.permutation(350)
    here = run(group, spend, before=before)
    there = run(group[shuffled], spend[shuffled], before=before[shuffled])
    assert here.table.equals(there.table)
    assert here.report == there.report


@pytest.mark.parametrize(
    ("group", "outcome", "options", "message"),
    [
        (groups(3, 3), [1.0] * 6, {"control": "none"}, r"no group 'none' .* are: coffee \(3\), control \(3\)\."),
        (["control"] * 4, [1.0] * 4, {}, r"Everybody is in the group control \(4\)"),
        (["coffee"] * 4, [1.0] * 4, {}, r"no group 'control' to compare with; the groups are: coffee \(4\)"),
        (groups(1, 3), [1.0, 2, 3, 4], {}, "The group coffee has one customer"),
        (groups(3, 1), [1.0, 2, 3, 4], {}, "The group control has one customer"),
        (groups(2, 2), [None, None, None, None], {}, "nobody to compare"),
        ([None, None], [1.0, 2.0], {}, "nobody to compare"),
        (groups(2, 2), [1.0, 2, 3, float("inf")], {}, "outcome holds numbers without end"),
    ],
)
def test_what_is_no_experiment_is_refused_with_what_is_needed(group, outcome, options, message):
    with pytest.raises(InputError, match=message):
        run(pa.array(group, pa.string()), pa.array(outcome, pa.float64()), ExperimentParameters(**options))


def test_wrong_settings_are_refused():
    with pytest.raises(ParameterError, match="look is 3; only 2 looks are planned"):
        ExperimentParameters(looks=2, look=3)
    with pytest.raises(ParameterError, match=r"there is 2\.5\. Choose kind money"):
        run(groups(2, 2), [1, 0, 2.5, 1], ExperimentParameters(kind="rate"))


def test_outcomes_that_never_vary_give_a_defined_result():
    (nobody,) = run(groups(50, 50), [0] * 100).table.to_pylist()
    assert (nobody["lift"], nobody["p_value"], nobody["reason_code"]) == (0.0, 1.0, "not_shown")
    assert (nobody["lift_low"], nobody["lift_high"]) == pytest.approx((-0.0714, 0.0714), abs=1e-3)
    assert nobody["relative_lift"] is None
    (all_of_one,) = run(groups(50, 50), [1] * 50 + [0] * 50).table.to_pylist()
    assert (all_of_one["lift"], all_of_one["reason_code"]) == (1.0, "raised")
    (same,) = run(groups(50, 50), [7.5] * 100).table.to_pylist()
    assert (same["lift"], same["lift_low"], same["p_value"], same["reason_code"]) == (0.0, None, None, "no_variation")
    assert "chance cannot be judged" in same["reason"]


def test_rows_without_an_outcome_are_left_out_and_names_are_trimmed():
    result = run([" coffee", "coffee ", "control", "control", "control", None], [1.0, 2, 3, 4, None, 9])
    assert result.table.to_pylist()[0]["treated_n"] == 2
    assert result.report.metrics["customers"] == 4


def test_lost_customers_and_unlike_groups_are_pointed_out():
    rng = np.random.default_rng(0)
    before = np.r_[rng.normal(110, 20, 560), rng.normal(100, 20, 440)]
    result = run(groups(560, 440), before, ExperimentParameters(treated_share=0.5), before=before)
    assert "not of the sizes that were asked for" in result.report.notes[0]
    assert "differed before the experiment" in result.report.notes[1]


def test_features_show_whom_it_moves_most_or_that_they_do_not():
    rng = np.random.default_rng(2)
    age, noise = rng.normal(size=(2, 2000))
    group = np.where(rng.random(2000) < 0.5, "coffee", "control")
    came = rng.random(2000) < 0.2 + np.where((group == "coffee") & (age > 0), 0.35, 0.0)
    told = run(group, came.astype(float), None, ("age",), age=age).report
    assert told.metrics["qini_x"] > told.metrics["qini_luck"] > 0
    assert told.series["qini_x"][-1] == (
        1.0,
        pytest.approx(came[group == "coffee"].mean() - came[group != "coffee"].mean(), abs=0.01),
    )
    silent = run(group, came.astype(float), None, ("noise",), noise=noise).report
    assert silent.notes == ("The features do not tell whom the treatment moves: treating everybody alike is as good.",)
    few = run(groups(30, 30), [1.0, 0] * 30, None, ("age",), age=age[:60]).report
    assert few.notes == ("To see whom it moves most takes at least 50 customers in each group; the smaller has 30.",)


def test_measure_serves_campaigns_without_tables():
    seen = Observations.of(groups(70, 80), np.array([1.0] * 56 + [0.0] * 14 + [1.0] * 48 + [0.0] * 32))
    found = measure(seen, ExperimentParameters())
    assert (found.kind, found.effects[0].significant, found.effects[0].lift) == ("rate", True, pytest.approx(0.2))


def test_a_plain_file_will_do(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text("arm,bought\n" + "treated,1\n" * 56 + "treated,0\n" * 14 + "plain,1\n" * 48 + "plain,0\n" * 32)
    with opened_table(path, {"group": "arm", "outcome": "bought"}, roles=MODEL.card.roles) as (rows, counts):
        result = MODEL.run(rows, as_of=AS_OF, parameters=ExperimentParameters(control="plain"))
    assert counts.used == 150
    assert result.table["lift"].to_pylist() == [pytest.approx(0.2)]
