"""Churn: figures known by hand, nothing from the future, what was hidden in made-up data found again, and bad input."""

import dataclasses
import datetime as dt
from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.arrays import day_number
from patron.intelligence.mining.churning.features import Behaviour
from patron.intelligence.mining.churning.fitting import leaks
from patron.intelligence.mining.churning.pattern import pattern_of
from patron.intelligence.mining.churning.schedule import ChurnParameters, schedule
from patron.intelligence.mining.churning.study import study
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.transactions import Purchases, prepare

AS_OF = dt.date(2025, 12, 31)
CHURN = model_named("churn")


def simulated(customers=700, *, seed=7, drift=True) -> Purchases:
    """A year of visits with gaps of 4 to 20 days; a third leave on a day of their own, and come less before they do."""
    draw = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        gap = draw.uniform(4, 20)
        leaves = draw.uniform(60, 365) if draw.random() < 0.4 else 10_000
        day = draw.uniform(0, 40)
        while day < min(365, leaves):
            slower = 2.0 if drift and leaves - day < 60 else 1.0
            rows.append((f"C{customer:04}", AS_OF - dt.timedelta(364 - int(day)), Decimal(int(draw.uniform(5, 60)))))
            day += draw.exponential(gap * slower) + 1
    return purchases(rows)


@pytest.fixture(scope="module")
def year():
    return simulated()


@pytest.fixture(scope="module")
def found(year):
    return study(year, AS_OF, ChurnParameters(horizon_days=45))


def at(bought, cutoff, **settings):
    """Figures of the customers at risk at a cut-off, by name of customer."""
    parameters = ChurnParameters(**settings)
    plan = schedule(visits_of(bought.days), day_number(AS_OF), parameters)
    snapshot = Behaviour(bought, plan, parameters).at(day_number(cutoff))
    names = bought.days.customers.take(pa.array(snapshot.who)).to_pylist()
    rows = (dict(zip(snapshot.names, figures, strict=True)) for figures in snapshot.matrix.tolist())
    return snapshot, dict(zip(names, rows, strict=True))


HISTORY = [row("old", "2024-06-01"), row("old", "2025-01-01")]


def test_figures_of_one_customer_by_hand():
    rows = [
        *HISTORY,
        *(row("陳大文", day, amount) for day, amount in (
            ("2025-08-15", 50), ("2025-09-04", 50), ("2025-09-14", 50),
            ("2025-10-04", 30), ("2025-10-14", 30), ("2025-10-16", -30),
        )),
        row("陳大文", "2025-11-20", 999),
    ]  # fmt: skip
    snapshot, figures = at(purchases(rows), dt.date(2025, 11, 1), horizon_days=30)
    mine = figures["陳大文"]
    # Windows: 3 to 1 November is the last horizon, 2 September to 2 October the one before.
    assert (mine["silence_days"], mine["visits"], mine["visits_recent"], mine["visits_before"]) == (18, 5, 2, 2)
    assert mine["visits_latest"] == 0
    assert (mine["spend_recent"], mine["spend_before"], mine["return_days"]) == (30, 100, 1)
    assert mine["tenure_days"] == 78
    # The longest of the gaps 20, 10, 20, 10 is 20 days.
    assert mine["silence_vs_longest"] == pytest.approx(18 / 20)
    assert mine["basket"] == 15
    # 4 October was a Saturday, 14 September a Sunday.
    assert mine["weekend_share"] == pytest.approx(2 / 5)
    assert mine["gap_spread"] == pytest.approx(np.std(np.log([20, 10, 20, 10])), abs=1e-3)
    assert snapshot.left.tolist() == [False]
    assert snapshot.money_per_year[0] == 180 * 10_000


def test_kinds_and_discounts_belong_to_the_period_before_the_cut_off():
    rows = [
        {"customer": customer, "date": dt.date.fromisoformat(day), "amount": amount, "category": kind, "discount": off}
        for customer, day, amount, kind, off in (
            ("old", "2025-01-01", 1, "x", 0),
            ("a", "2025-10-20", 9, "milk", 1),
            ("a", "2025-10-20", 9, "bread", 1),
            ("a", "2025-10-21", 20, "milk", 0),
            ("a", "2025-09-20", 20, "tea", 0),
            ("a", "2025-11-09", 20, "jam", 20),
        )
    ]
    bought = prepare(ibis.memtable(pa.Table.from_pylist(rows)))
    _, figures = at(bought, dt.date(2025, 11, 1), horizon_days=30)
    assert (figures["a"]["kinds_recent"], figures["a"]["kinds_before"]) == (2, 1)
    assert figures["a"]["discount_share"] == pytest.approx(2 / 40)


def test_at_risk_bought_within_the_horizon_and_left_does_not_come_in_the_next():
    rows = [
        *HISTORY,
        row("gone before", "2025-10-01"),
        row("leaves", "2025-10-20"), row("leaves", "2025-12-02"),
        row("stays", "2025-10-20"), row("stays", "2025-12-01"),
        row("returns only", "2025-10-20"), row("returns only", "2025-11-20", -5),
    ]  # fmt: skip
    snapshot, figures = at(purchases(rows), dt.date(2025, 11, 1), horizon_days=30)
    assert dict(zip(figures, snapshot.left.tolist(), strict=True)) == {
        "leaves": True,
        "stays": False,
        "returns only": True,
    }


def test_figures_do_not_change_when_the_future_does(year):
    parameters = ChurnParameters(horizon_days=45)
    plan = schedule(visits_of(year.days), day_number(AS_OF), parameters)
    cutoff = AS_OF - dt.timedelta(90)
    without = year.until(cutoff)
    # The same schedule for both: only what is dated after the cut-off differs.
    with_future = Behaviour(year, plan, parameters).at(day_number(cutoff))
    alone = Behaviour(without, plan, parameters).at(day_number(cutoff))
    assert year.days.customers.take(pa.array(with_future.who)).equals(without.days.customers.take(pa.array(alone.who)))
    assert np.array_equal(with_future.matrix, alone.matrix)
    assert np.array_equal(with_future.money_per_year, alone.money_per_year)


def test_back_test_beats_silence_and_is_calibrated(found):
    trial = found.trial
    assert found.state == "tested"
    assert trial.quality.area.value > 0.75
    assert trial.gain.low > -0.05
    assert trial.quality.calibration_error < 0.06
    assert trial.quality.brier < trial.quality.brier_of_base_rate
    assert trial.bands[0].lift > 2
    assert trial.bands[-1].gain == trial.bands[-1].baseline_gain == 1.0


def test_schedule_learns_validates_and_tests_in_this_order(found):
    plan = found.plan
    assert [each.use for each in found.known] == [*("training" for _ in plan.training), "validation", "test"]
    assert max(plan.training) + plan.horizon <= plan.validation
    assert plan.validation + plan.horizon <= plan.test
    assert plan.test + plan.horizon <= plan.as_of
    moved, calibration = plan.before(plan.as_of)
    assert calibration == plan.test
    assert max(moved) == plan.validation


def test_result_is_ordered_by_money_at_stake(found):
    table = found.table.to_pylist()
    losses = [each["expected_loss"] for each in table]
    assert losses == sorted(losses, reverse=True)
    for each in table:
        assert 0 <= each["low"] <= each["probability"] <= each["high"] <= 1
        assert float(each["expected_loss"]) == pytest.approx(
            each["probability"] * float(each["money_per_year"]), abs=0.01
        )
    assert {each["risk"] for each in table} == {"high", "medium", "low"}
    assert {each["reason_code"] for each in table if each["risk"] == "low"} == {"steady"}


def test_reasons_are_true_of_the_customer(found):
    for each in found.table.to_pylist():
        for code in (each["reason_code"], each["reason_code_2"], each["reason_code_3"]):
            if code == "silent":
                assert each["silence_ratio"] >= 1
            if code == "visits_falling":
                assert each["visits_recent"] < each["visits_before"]
            if code == "spend_falling":
                assert each["spend_recent"] < each["spend_before"]


def test_pattern_shows_that_leavers_came_less_and_less(found):
    differences = {each.name: each for each in found.pattern.differences}
    assert differences["silence_days"].standardised > 0.5
    assert differences["visits_latest"].standardised < -0.5
    last = found.pattern.course[-1]
    assert last.week == -1
    assert last.left < last.stayed


def test_figure_that_knows_the_future_is_refused_and_named():
    class Labelled:
        names = ("silence_days", "told afterwards")
        matrix = np.column_stack(([1.0, 2, 3, 4] * 25, [9.0, 9, 1, 1] * 25)).astype(np.float32)

        @staticmethod
        def labels():
            return np.array([True, True, False, False] * 25)

    assert leaks([Labelled()]) == ("silence_days", "told afterwards")
    Labelled.matrix[:5, 0] = 5
    assert leaks([Labelled()]) == ("told afterwards",)


def test_figure_that_gives_the_answer_away_is_left_out_and_said():
    """Every leaver was away for 20 days before the cut-off and nobody else for more than 6: too good to be true."""
    rows = [
        row(f"C{place:03}", AS_OF - dt.timedelta(day))
        for place in range(360)
        for day in range(0, 364, 7)
        if not 0 <= day - 28 * (place % 12) < 48
    ]
    found = study(purchases(rows), AS_OF, ChurnParameters(horizon_days=28))
    assert {"silence_days", "silence_ratio"} <= set(found.refused)
    assert found.notes[0].startswith(f"Left out as a leak: {', '.join(found.refused)}. Alone it tells leavers apart")


def test_too_little_history_gives_no_probability_and_says_what_is_needed(year):
    result = CHURN.run(year, as_of=AS_OF, parameters=ChurnParameters(horizon_days=180))
    assert result.report.metrics["state"] == "too_short"
    assert set(result.table["probability"].to_pylist()) == {None}
    assert set(result.table["reason_code"].to_pylist()) == {"no_history"}
    (note,) = result.report.notes
    assert note.startswith("Leaving within 180 days needs 720 days of history to learn and to test; there are 36")
    assert "auc" not in result.report.metrics


@pytest.mark.parametrize("everybody", ["stays", "leaves"])
def test_nobody_or_everybody_leaves(everybody):
    rows = []
    for place in range(60):
        days = range(0, 240, 6) if everybody == "stays" else (place * 4 % 240,)
        rows += [row(f"C{place}", AS_OF - dt.timedelta(day)) for day in days]
    result = CHURN.run(purchases(rows), as_of=AS_OF, parameters=ChurnParameters(horizon_days=30))
    probabilities = set(result.table["probability"].to_pylist())
    assert result.report.metrics["state"] == "too_few"
    assert len(probabilities) == 1
    (share,) = probabilities
    assert share < 0.02 if everybody == "stays" else share > 0.9
    assert "at least 20 must have left and 20 stayed in each period" in result.report.notes[-1]


def test_one_customer():
    rows = [row("陳大文", AS_OF - dt.timedelta(day)) for day in range(0, 300, 5)]
    result = CHURN.run(purchases(rows), as_of=AS_OF, parameters=ChurnParameters(horizon_days=30))
    (only,) = result.table.to_pylist()
    assert only["customer"] == "陳大文"
    assert only["reason"] == "Usually comes every 5 days; last came 0 days ago."


def test_horizon_follows_the_rhythm():
    def chosen(gap):
        rows = [row(f"C{place}", AS_OF - dt.timedelta(day)) for place in range(5) for day in range(0, 360, gap)]
        return schedule(visits_of(purchases(rows).days), day_number(AS_OF), ChurnParameters()).horizon

    assert [chosen(gap) for gap in (3, 7, 10, 20, 45)] == [30, 60, 90, 180, 365]


def test_training_sample_is_drawn_by_seed_and_said(year):
    small = ChurnParameters(horizon_days=45, max_training_rows=1000, training_cutoffs=2)
    once, again = (study(year, AS_OF, small) for _ in range(2))
    assert once.table.equals(again.table)
    other = study(year, AS_OF, dataclasses.replace(small, seed=2))
    assert not once.table.equals(other.table)
    assert once.notes[0].startswith("Learned from a random sample of 1,000 of 1,")


def test_money_brought_back_is_no_loss():
    rows = [row("C", AS_OF - dt.timedelta(day), 10) for day in range(0, 300, 5)]
    rows += [row("C", AS_OF - dt.timedelta(1), -5000)]
    result = CHURN.run(purchases(rows), as_of=AS_OF, parameters=ChurnParameters(horizon_days=30))
    (only,) = result.table.to_pylist()
    assert (only["money_per_year"], only["expected_loss"]) == (Decimal(-4400), 0)


def test_course_counts_the_visits_of_each_week_before_the_cut_off():
    rows = [
        *HISTORY,
        *(row("leaves", day) for day in ("2025-10-19", "2025-10-25", "2025-10-26")),
        *(row("stays", day) for day in ("2025-11-01", "2025-10-26", "2025-11-20")),
        row("gone before", "2025-09-01"),
    ]
    bought = purchases(rows)
    snapshot, _ = at(bought, dt.date(2025, 11, 1), horizon_days=30)
    plan = schedule(visits_of(bought.days), day_number(AS_OF), ChurnParameters(horizon_days=30))
    found = pattern_of([snapshot], visits_of(bought.days), plan)
    assert (found.left, found.stayed) == (1, 1)
    # The last week is 26 October to 1 November, the one before 19 to 25 October.
    assert [(each.week, each.left, each.stayed) for each in found.course[-3:]] == [(-3, 0, 0), (-2, 2, 0), (-1, 1, 2)]
    recent = next(each for each in found.differences if each.name == "visits_recent")
    assert (recent.left, recent.stayed) == (3, 2)
