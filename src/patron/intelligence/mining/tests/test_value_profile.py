"""Groups of customers compared by what they are worth: against SciPy and statsmodels, by simulation, and bad input."""

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_oneway

from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.lrfmc import MODEL as LRFMC
from patron.intelligence.mining.models.lrfmc import LrfmcParameters, fifths
from patron.intelligence.mining.models.value_profile import MODEL, ValueProfileParameters
from patron.intelligence.mining.profiles.comparison import (
    Comparing,
    compare_groups,
    fieller,
    holm,
    share_interval,
    trimmed_mean,
    welch_anova,
    yuen,
)
from patron.intelligence.mining.profiles.concentration import fewest_for, gini, lorenz, top_share, whale_curve
from patron.intelligence.mining.profiles.serving import Tariff, cost_to_serve, estimated_profit
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.testing import purchases, row, transactions
from patron.intelligence.mining.transactions import prepare

AS_OF = dt.date(2025, 12, 31)


def spending(count, factor=1.0, seed=1):
    return np.random.default_rng(seed).lognormal(5, 1.2, count) * factor


def run(table, groups=("age",), **parameters):
    return MODEL.run(Rows.of(table, groups=groups), as_of=AS_OF, parameters=ValueProfileParameters(**parameters))


# Against references


@pytest.mark.parametrize("trim", [0.0, 0.1, 0.2])
def test_two_groups_are_compared_as_scipy_does(trim):
    left, right = spending(80), spending(130, 1.4, seed=2)
    statistic, freedom = yuen(trimmed_mean(np.sort(left), trim), trimmed_mean(np.sort(right), trim))
    reference = stats.ttest_ind(left, right, equal_var=False, trim=trim)
    assert (statistic, freedom) == pytest.approx((reference.statistic, reference.df))


@pytest.mark.parametrize("trim", [0.0, 0.1])
def test_all_groups_are_compared_as_statsmodels_does(trim):
    groups = [spending(60, factor, seed) for seed, factor in enumerate((1.0, 1.2, 1.5))]
    reference = anova_oneway(groups, use_var="unequal", welch_correction=True, trim_frac=trim)
    assert welch_anova([trimmed_mean(np.sort(each), trim) for each in groups]) == pytest.approx(reference.pvalue)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_several_questions_are_corrected_as_statsmodels_does(values):
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_ratio_and_share_intervals_hold_what_they_promise():
    """600 draws of customers whose true ratio is 1.5 and whose true share is 0.6: 95 % of the intervals hold them."""
    generator, ratio_held, share_held = np.random.default_rng(11), 0, 0
    for _ in range(600):
        values = generator.lognormal(3, 0.7, 400)
        mine = generator.random(400) < 0.5
        values[mine] *= 1.5
        left, right = (trimmed_mean(np.sort(values[side]), 0.1) for side in (mine, ~mine))
        low, high = fieller(left, right, 0.95)
        ratio_held += low <= 1.5 <= high
        _, low, high = share_interval(values, mine, 0.95)
        share_held += low <= 0.6 <= high
    assert 0.93 <= ratio_held / 600 <= 0.97
    assert 0.93 <= share_held / 600 <= 0.97


def test_no_interval_where_the_rest_could_bring_nothing():
    assert fieller(trimmed_mean(np.array([1.0, 2, 3]), 0), trimmed_mean(np.array([-1.0, 0, 2]), 0), 0.95) is None


# The verdicts


def test_a_group_worth_more_is_found_and_one_like_the_rest_is_not():
    values = np.concatenate([spending(300, 2.0, 1), spending(300, 1.0, 2), spending(300, 1.0, 3)])
    found = compare_groups(values, np.repeat([0, 1, 2], 300), 3)
    assert [each.verdict for each in found.groups] == ["more", "less", "less"]
    same = compare_groups(values[300:], np.repeat([0, 1], 300), 2)
    assert [each.verdict for each in same.groups] == ["unproven", "unproven"]
    assert found.p < 1e-6 < same.p


def test_shares_and_ratios_by_hand():
    values = np.array([10.0] * 30 + [20.0, 40.0] * 15)
    found = compare_groups(values, np.repeat([0, 1], 30), 2, Comparing(trim=0))
    low, high = found.groups
    assert (low.value_share, high.value_share) == pytest.approx((0.25, 0.75))
    assert (low.leverage, high.leverage) == pytest.approx((0.5, 1.5))
    assert (high.typical, high.rest_typical, high.ratio) == pytest.approx((30, 10, 3))
    assert high.ratio_low < 3 < high.ratio_high


def test_few_customers_are_shown_and_not_judged():
    values = spending(110)
    found = compare_groups(values, np.repeat([0, 1], [100, 10]), 2, Comparing(fewest=20))
    assert [(each.customers, each.verdict, each.ratio) for each in found.groups] == [
        (100, "too_few", None), (10, "too_few", None),
    ]  # fmt: skip


def test_nobody_without_a_group_takes_part():
    values = spending(200)
    group = np.repeat([0, 1, -1], [80, 80, 40])
    assert compare_groups(values, group, 2) == compare_groups(values[:160], group[:160], 2)


def test_equal_values_differ_from_nothing():
    found = compare_groups(np.full(100, 7.0), np.repeat([0, 1], 50), 2)
    assert [(each.verdict, each.p) for each in found.groups] == [("unproven", 1.0)] * 2
    assert found.p is None


# Concentration, cost to serve


def test_concentration_by_hand():
    values = np.array([0.0, 900, 1500, 2500, 5000])
    assert gini(values) == pytest.approx(0.468687, abs=1e-6)
    assert lorenz(values)[1] == (0.2, 0.0)
    assert lorenz(values)[-2:] == ((0.8, round(4900 / 9900, 6)), (1.0, 1.0))
    assert top_share(values, 0.2) == pytest.approx(5000 / 9900)
    assert fewest_for(values, 0.8) == 3
    assert (gini(np.zeros(3)), lorenz(np.zeros(3)), fewest_for(np.zeros(3), 0.8)) == (None, (), 0)


def test_whale_curve_rises_above_all_where_some_bring_a_loss():
    assert whale_curve(np.array([60.0, -20, 80, -20])) == (
        (0.0, 0.0), (0.25, 0.8), (0.5, 1.4), (0.75, 1.2), (1.0, 1.0),
    )  # fmt: skip
    assert whale_curve(np.array([-1.0])) == ()


def test_cost_to_serve_is_what_happened_times_its_price():
    counted = {"purchases": np.array([10.0, 0]), "returns": np.array([1.0, 0]), "calls": np.array([2.0, 0])}
    assert cost_to_serve(counted, Tariff()).tolist() == [10 * 1 + 5 + 2 * 20, 0]
    profit = estimated_profit(np.array([100.0]), np.array([12.0]), np.array([40.0]), 0.25)
    assert profit.tolist() == [12 + 60 * 0.25]


# The model


def people():
    return pa.table(
        {
            "customer": [f"C{place}" for place in range(300)],
            "value": np.concatenate([spending(150, 1.0, 1), spending(150, 1.9, 2)]),
            "profit": np.concatenate([spending(150, 0.2, 3), [np.nan] * 150]),
            "calls": [0.0] * 299 + [1000.0],
            "age": ["under 35"] * 150 + ["35 and over"] * 140 + [None] * 10,
            "sex": ["female", "male"] * 150,
        }
    )


def test_answers_each_question_in_a_sentence():
    result = run(people(), ("age", "sex"))
    rows = result.table.to_pylist()
    assert [(each["question"], each["group"], each["reason_code"]) for each in rows[:2]] == [
        ("age", "35 and over", "more"), ("age", "under 35", "less"),
    ]  # fmt: skip
    assert rows[0]["reason"].startswith("age 35 and over is worth more than the rest: typically ")
    assert {each["reason_code"] for each in rows[2:]} == {"unproven"}
    assert result.report.metrics["age_known"] == 290
    assert result.report.metrics["sex_known"] == 300
    assert result.report.series["whale"][-1] == (1.0, 1.0)
    assert result.report.metrics["customers_at_a_loss"] == 1
    profit = spending(150, 0.2, 3).sum() + spending(150, 1.9, 2).sum() * 0.25 - 1000 * 20
    assert result.report.metrics["contribution"] == pytest.approx(profit, abs=0.01)
    json.dumps(result.report.as_json(), allow_nan=False)


def test_order_of_the_rows_does_not_matter():
    data = people()
    shuffled = data.take(pa.array(np.random.default_rng(3).permutation(300)))
    assert run(data, ("age", "sex")).table.equals(run(shuffled, ("age", "sex")).table)


def test_bad_input_is_refused_or_defined():
    data = people()
    with pytest.raises(InputError, match="A customer has more than one row"):
        run(pa.concat_tables([data, data.slice(0, 1)]))
    with pytest.raises(InputError, match="The column value must be numbers"):
        run(data.set_column(1, "value", pa.array(["x"] * 300)))
    nulls = data.set_column(4, "age", pa.nulls(300, pa.string()))
    assert run(nulls).table.num_rows == 0
    assert run(data.slice(0, 0)).report.metrics["customers"] == 0
    assert run(data.slice(0, 1)).table["reason_code"].to_pylist() == ["too_few"]
    gap = data.set_column(1, "value", pa.array([None, *data["value"].to_pylist()[1:]], pa.float64()))
    assert run(gap).report.notes == ("Rows left out because they have no value: 1.",)


# LRFMC


def test_the_five_figures_by_hand():
    lines = [
        ("A", dt.date(2024, 1, 1), Decimal(50), Decimal(0)),
        ("A", dt.date(2025, 6, 1), Decimal(90), Decimal(10)),
        ("A", dt.date(2025, 12, 1), Decimal(60), Decimal(40)),
        ("B", dt.date(2025, 12, 30), Decimal(30), Decimal(0)),
        ("C", dt.date(2024, 12, 31), Decimal(30), Decimal(0)),
    ]
    source = transactions(
        [(who, day, amount, str(off)) for who, day, amount, off in lines], ("customer", "date", "amount", "purchase")
    )
    source = source.mutate(discount=source.purchase.cast("decimal(12, 2)")).drop("purchase")
    table = LRFMC.run(prepare(source), as_of=AS_OF).table
    figures = table.select(["customer", "length_days", "recency_days", "frequency", "monetary", "discount_rate"])
    assert [tuple(each.values()) for each in figures.to_pylist()] == [
        ("A", 730, 30, 2, Decimal("150.0000"), 0.25),
        ("B", 1, 1, 1, Decimal("30.0000"), 0.0),
    ]
    assert table["discount_score"].to_pylist() == [1, 3]
    assert (
        table["reason"].to_pylist()[1].endswith("customer for 1 days, last came 1 days ago, purchases 1, money 30.00.")
    )


def test_without_discounts_the_fifth_figure_is_empty():
    result = LRFMC.run(purchases([row("A", "2025-12-01"), row("B", "2025-11-01")]), as_of=AS_OF)
    assert result.table["discount_rate"].null_count == 2
    assert result.report.notes == ("No discounts were given: the last of the five is empty.",)


def test_often_and_much_is_kept_or_won_back_by_how_lately():
    rows = [row(f"quiet{each}", "2025-10-01", 10) for each in range(8)]
    rows += [row("loyal", f"2025-{month:02}-15", 100) for month in range(1, 13)]
    rows += [row("gone", f"2025-01-{day:02}", 100) for day in range(1, 20)]
    rows += [row("young", "2025-12-29", 10)]
    table = LRFMC.run(purchases(rows), as_of=AS_OF, parameters=LrfmcParameters()).table
    codes = dict(zip(table["customer"].to_pylist(), table["reason_code"].to_pylist(), strict=True))
    assert (codes["loyal"], codes["gone"], codes["quiet1"]) == ("keep", "win_back", "low")


def test_fifths_give_equal_values_equal_scores():
    assert fifths(np.array([1, 1, 1, 2, 9])).tolist() == [1, 1, 1, 4, 5]
    assert fifths(np.array([])).tolist() == []
