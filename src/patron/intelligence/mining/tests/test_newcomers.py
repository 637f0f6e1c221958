"""Newcomers: who counts, when leaving can be told, chances that fall with silence, a test by date, groups compared."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from patron.intelligence.mining.arrays import day_number
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.models.newcomers import MODEL, study
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.survival.backtest import trial
from patron.intelligence.mining.survival.chances import chances
from patron.intelligence.mining.survival.comparing import Division, compare, divided
from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier
from patron.intelligence.mining.survival.newcomers import NEVER, Newcomers, first_whole_day, newcomers_of
from patron.intelligence.mining.survival.settings import NewcomersParameters
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, assert_as_documented, table

BEGIN = dt.date(2025, 1, 1)
AS_OF = dt.date(2025, 12, 31)
SETTINGS = NewcomersParameters()


def on(*days, customer):
    """Purchases of a customer so many days after the data begin."""
    return [row(customer, BEGIN + dt.timedelta(day)) for day in days]


def cast():
    """The data begin with an old customer; the newcomers come after ninety days."""
    return [
        *on(0, 50, 100, 140, customer="何嘉欣"),
        *on(89, 95, customer="too early"),
        *on(90, 90, 100, 300, 310, customer="陳大文"),
        *on(120, customer="王美玲"),
        *on(270, 280, customer="李志強"),
        *on(364, customer="Ada Wong"),
        *on(400, customer="not yet"),
    ]


def newcomers(rows, *, lost_days=90, window_days=730):
    days = purchases(rows).days
    found = newcomers_of(visits_of(days), day_number(AS_OF), lost_days=lost_days, window_days=window_days)
    return days.customers.take(found.who).to_pylist(), found


def test_only_a_first_purchase_long_after_the_data_begin_makes_a_newcomer():
    names, found = newcomers(cast())
    assert names == ["Ada Wong", "李志強", "王美玲", "陳大文"]
    assert (found.first - found.begin).tolist() == [364, 270, 120, 90]
    duration, came = found.returns()
    assert duration.tolist() == [0, 10, 244, 10]
    assert came.tolist() == [False, True, False, True]


def test_a_window_leaves_out_newcomers_of_long_ago():
    names, _found = newcomers(cast(), window_days=100)
    assert names == ["Ada Wong", "李志強"]


def test_what_was_known_on_a_past_day_is_what_comes_out_then():
    _names, found = newcomers(cast())
    duration, came = found.select(found.first <= found.begin + 275).returns(found.begin + 275)
    assert duration.tolist() == [5, 155, 10]
    assert came.tolist() == [False, False, True]


def test_leaving_is_the_last_purchase_before_the_first_long_silence():
    names, found = newcomers(cast())
    assert dict(zip(names, np.where(found.left < NEVER, found.left - found.begin, -1).tolist(), strict=True)) == {
        "Ada Wong": -1, "李志強": -1, "王美玲": 120, "陳大文": 100
    }  # fmt: skip
    assert (found.back < NEVER).tolist() == [False, False, False, True]


def test_nobody_is_followed_into_the_days_in_which_leaving_cannot_be_told():
    _names, found = newcomers(cast())
    told, days, gone = found.stays(90)
    # 364 - 90 - 1 = 273: the last day on which a leaving could be known by now.
    assert told.tolist() == [False, True, True, True]
    assert days.tolist() == [3, 0, 10]
    assert gone.tolist() == [False, True, True]


def test_stays_have_no_immortal_time():
    """Weekly buyers who leave after each purchase with 1 in 20: the curve is true, that of the usual way is not."""
    dice = np.random.default_rng(4)
    rows = on(0, customer="before all")
    last_day = 364
    for number in range(350):
        first = int(dice.integers(90, 365))
        visits = int(dice.geometric(0.05))
        rows += on(*(day for day in range(first, first + 7 * visits, 7) if day <= last_day), customer=f"K{number}")
    _names, found = newcomers(rows)
    _told, days, gone = found.stays(90)
    curve = kaplan_meier(days, gone, confidence=0.999)
    truth = [0.95 ** (1 + week) for week in (4, 12, 20)]
    for week, expected in zip((4, 12, 20), truth, strict=True):
        place = int(np.searchsorted(curve.time, 7 * week, side="right")) - 1
        assert curve.low[place] < expected < curve.high[place]
    usual = np.where(found.left < NEVER, found.left, found.until) - found.first
    assert kaplan_meier(usual, found.left < NEVER).at(140) > truth[2] + 0.08


def test_stray_old_receipts_do_not_begin_the_data():
    days = np.repeat(np.arange(1000, 1100), 30)
    assert first_whole_day(np.concatenate(([3, 4, 500], days))) == 1000
    assert first_whole_day(np.array([7, 9, 9])) == 7
    assert first_whole_day(np.array([], dtype=np.int64)) == 0


def test_chances_are_the_curve_drawn_towards_the_smooth_one():
    duration, came = np.array([1, 1, 2, 3, 3]), np.array([True, True, True, False, False])
    # Three came in 1+1+2+3+3 = 10 days at risk: the smooth hazard is 0.3 on all days.
    found = chances(duration, came, horizon=3, soon=2, prior=5.0)
    hazard = [(5 * 0.3 + 2) / 10, (5 * 0.3 + 1) / 8, (5 * 0.3) / 7, 0.3, 0.3]
    assert found.waiting == pytest.approx(np.concatenate(([1], np.cumprod(1 - np.array(hazard)))))
    assert found.of(np.array([1]))[0] == pytest.approx(1 - (1 - hazard[1]) * (1 - hazard[2]))
    almost_the_curve = chances(duration, came, horizon=3, soon=2, prior=1e-9)
    assert almost_the_curve.waiting[:4] == pytest.approx([1, 0.6, 0.4, 0.4])


def test_a_silence_beyond_the_horizon_counts_as_the_horizon():
    found = chances(np.array([1, 2, 9]), np.array([True, True, False]), horizon=4, soon=2, prior=1.0)
    assert found.of(np.array([4])) == found.of(np.array([400]))
    assert found.expected(np.array([4, 400])).tolist() == [4, 4]


def test_expected_day_is_that_by_which_half_of_those_have_come_who_will():
    duration = np.concatenate((np.repeat(np.arange(1, 11), 10), np.full(100, 40)))
    found = chances(duration, duration < 40, horizon=30, soon=14, prior=1e-9)
    assert found.median_day == 5
    assert found.expected(np.array([0, 5, 8])).tolist() == [5, 8, 9]
    # From day 10 on nobody came any more; on day 9 ten of the hundred and ten left still did.
    assert (found.quiet_day(0.05), found.quiet_day(0.1)) == (10, 9)
    assert chances(duration, duration < 40, horizon=30, soon=14, prior=1e9).quiet_day(0.01) is None


def test_nobody_back_and_everybody_back_at_once_have_defined_chances():
    assert chances(np.array([3, 9]), np.array([False, False]), horizon=30, soon=7, prior=10.0) is None
    at_once = chances(np.ones(40, dtype=np.int64), np.ones(40, dtype=bool), horizon=30, soon=7, prior=10.0)
    assert at_once.median_day == 1
    assert at_once.of(np.array([0]))[0] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(at_once.of(np.arange(40))).all()


def simulated(number, seed, *, days=500, constant=False):
    """Newcomers over a time: seven in ten come back, each with a hazard of their own, the others never."""
    dice = np.random.default_rng(seed)
    first = np.sort(dice.integers(90, days, number))
    rate = np.full(number, 0.03) if constant else dice.gamma(0.8, 0.08, number)
    gap = 1 + dice.geometric(np.clip(rate, 1e-6, 1)) - 1
    second = np.where(constant | (dice.random(number) < 0.7), first + gap, NEVER)
    until = days
    nothing = np.full(number, NEVER)
    return Newcomers(np.arange(number), first, np.where(second <= until, second, NEVER), nothing, nothing, 0, until)


def test_chances_know_more_than_the_overall_rate_on_days_they_had_not_seen():
    found = trial(simulated(3000, 5), SETTINGS)
    assert found.windows == 6
    assert (found.last_day, found.first_day) == (500, 500 - 6 * 28 + 1)
    assert found.brier < found.baseline_brier - 0.01
    assert found.log_loss < found.baseline_log_loss
    assert abs(found.foretold - found.came / found.asked) < 0.03
    for band in found.bands:
        assert abs(band.foretold - band.came / band.asked) < 4 * np.sqrt(0.25 / band.asked)
    assert sum(band.asked for band in found.bands) == found.asked


def test_where_waiting_tells_nothing_the_chances_do_no_better():
    found = trial(simulated(3000, 6, constant=True), SETTINGS)
    assert found.brier == pytest.approx(found.baseline_brier, abs=0.003)


def test_the_test_sees_nothing_from_after_its_day():
    """What comes after the last window's day decides whether it was right, not what was foretold."""
    once = simulated(600, 7)
    day = once.until - 28
    later = Newcomers(once.who, once.first, np.where(once.second > day, NEVER, once.second), once.left, once.back,
                      once.begin, once.until)  # fmt: skip
    settings = NewcomersParameters(test_windows=1)
    known, changed = trial(once, settings), trial(later, settings)
    assert known.foretold == changed.foretold
    assert known.rate == changed.rate
    assert (changed.came, known.came > 0) == (0, True)


def test_too_little_is_not_tested():
    assert trial(simulated(12, 8), SETTINGS) is None
    _names, found = newcomers([])
    assert trial(found, SETTINGS) is None


def test_greenwood_bands_hold_the_truth_as_often_as_promised():
    dice = np.random.default_rng(9)
    held = 0
    for _ in range(400):
        gap, watched = dice.geometric(0.04, 80), dice.integers(1, 100, 80)
        curve = kaplan_meier(np.minimum(gap, watched), gap <= watched)
        _share, low, high = curve.by_day(28)
        held += low[28] <= 0.96**28 <= high[28]
    assert 0.92 <= held / 400 <= 0.98


#: The remission times of Freireich and others (1963); see test_survival.py.
TREATED = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
RELAPSED = np.array([True] * 9 + [False] * 12)
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])


def test_median_has_the_interval_of_brookmeyer_and_crowley():
    assert kaplan_meier(TREATED, RELAPSED).median_interval == (13, None)
    placebo = kaplan_meier(PLACEBO, np.ones(21, dtype=bool))
    assert placebo.median_interval == (4, 11)
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = SurvfuncRight(PLACEBO, np.ones(21)).quantile_ci(0.5, method="cloglog")
    assert placebo.median_interval == theirs


def test_curve_by_day_steps_at_its_times():
    share, low, high = kaplan_meier(TREATED, RELAPSED).by_day(7)
    assert np.round(share, 3).tolist() == [1, 1, 1, 1, 1, 1, 0.857, 0.807]
    assert (low[5], high[5]) == (1, 1)
    assert kaplan_meier(np.array([], dtype=np.int64), np.array([], dtype=bool)).by_day(2)[0].tolist() == [1, 1, 1]


def test_comparison_of_three_groups_is_that_of_statsmodels():
    dice = np.random.default_rng(10)
    group = np.repeat([0, 1, 2], [60, 40, 50])
    duration = np.ceil(dice.exponential(np.array([20, 30, 25])[group])).astype(np.int64)
    ended = dice.random(150) < 0.8
    found = compare(duration, ended, {"plan": Division(group, ("a", "b", "c"))})["plan"]
    statistic, p = survdiff(duration, ended.astype(int), group)
    assert (found.groups, found.tested.freedom) == (3, 2)
    assert (found.tested.statistic, found.tested.p_value) == pytest.approx((statistic, p))
    assert found.adjusted == found.tested.p_value


def test_many_comparisons_are_corrected_for_their_number():
    dice = np.random.default_rng(11)
    duration, ended = dice.integers(1, 60, 200), np.ones(200, dtype=bool)
    divisions = {name: Division(dice.integers(0, 2, 200), ("x", "y")) for name in "abcde"}
    found = compare(duration, ended, divisions)
    smallest = min(found.values(), key=lambda each: each.tested.p_value)
    assert smallest.adjusted == pytest.approx(min(1, 5 * smallest.tested.p_value))


def test_one_group_a_group_of_one_and_nobody_are_not_compared():
    duration, ended = np.array([3, 4, 5]), np.array([True, True, False])
    one = compare(duration, ended, {"branch": Division(np.zeros(3, dtype=np.int64), ("1",))})["branch"]
    assert (one.groups, one.tested, one.adjusted) == (1, None, None)
    single = divided(pa.array(["a", "a", "b"]), least=2, most=5, other="other")
    assert single.names == ("a", "other")
    assert single.group.tolist() == [0, 0, 1]
    nobody = compare(duration, np.zeros(3, dtype=bool), {"x": single})["x"]
    assert nobody.tested is None
    assert divided(pa.array([], pa.string()), least=2, most=5, other="other").names == ()


def test_groups_are_the_largest_and_the_unknown_joins_the_others():
    values = pa.array(["b"] * 5 + ["a"] * 5 + ["c"] * 9 + [""] * 7 + ["d"] * 4)
    found = divided(values, least=5, most=2, other="other")
    assert found.names == ("c", "a", "other")
    assert np.bincount(found.group).tolist() == [9, 5, 16]
    assert divided(values, least=5, most=3, other="other", by_name=True).names == ("a", "b", "c", "other")


def crowd(number=300, seed=12):
    dice = np.random.default_rng(seed)
    rows = on(0, customer="before all")
    for each in range(number):
        first = int(dice.integers(90, 365))
        second = first + int(dice.geometric(0.07)) if dice.random() < 0.8 else 999
        rows += on(first, *([second] if second <= 364 else []), customer=f"K{each:03}")
    return rows


def test_the_list_says_when_to_write():
    result = MODEL.run(purchases(crowd()), as_of=AS_OF)
    metrics, table = result.report.metrics, result.table.to_pylist()
    assert metrics["customers"] == 300 == sum(metrics[state] for state in ("back", "fresh", "due", "late", "untold"))
    assert 5 <= metrics["median_of_returners"] <= 14
    assert metrics["due_from"] == metrics["median_of_returners"] + 1
    due = [each for each in table if each["reason_code"] == "due"]
    assert all(metrics["due_from"] <= each["silence_days"] <= metrics["due_until"] for each in due)
    assert all(each["chance"] >= 0 and each["second_on"] is None for each in due)
    late = [each for each in table if each["reason_code"] == "late"]
    assert max(each["chance"] for each in late) < 0.1 <= max(each["chance"] for each in due)
    back = next(each for each in table if each["reason_code"] == "back")
    assert back["chance"] is None
    assert (back["second_on"] - back["first_on"]).days == back["days_to_second"]
    waiting = dict(result.report.series["waiting"])
    assert 1 - waiting[28] == pytest.approx(metrics["back_by_28"])


def test_newcomers_of_the_last_day_wait_and_are_not_due():
    rows = [*crowd(), *on(364, customer="Ada Wong")]
    found = {each["customer"]: each for each in MODEL.run(purchases(rows), as_of=AS_OF).table.to_pylist()}
    ada = found["Ada Wong"]
    assert (ada["reason_code"], ada["silence_days"]) == ("fresh", 0)
    assert 0 < ada["chance"] < 1
    assert ada["expected_on"] > AS_OF


def test_with_few_returns_no_chance_is_told():
    result = MODEL.run(purchases(cast()), as_of=AS_OF)
    assert sorted(result.table["reason_code"].to_pylist()) == ["back", "back", "untold", "untold"]
    assert result.table["chance"].null_count == 4
    assert result.table["expected_on"].null_count == 4
    assert result.report.notes == (
        "2 newcomers have come back so far; from 10 on it can be told when to write.",
        "The history is too short for a back-test of who comes back.",
    )


def test_everybody_back_and_nobody_back_are_defined():
    everybody = [*on(0, customer="x"), *(each for k in range(40) for each in on(99 + k, 104 + k, customer=f"K{k}"))]
    metrics = MODEL.run(purchases(everybody), as_of=AS_OF).report.metrics
    assert (metrics["customers"], metrics["back"], metrics["median_days"]) == (40, 40, 5)
    nobody = [*on(0, customer="x"), *(each for k in range(40) for each in on(99 + k, customer=f"K{k}"))]
    found = study(purchases(nobody).days, AS_OF, SETTINGS)
    assert (found.chances, found.due_from, found.waiting.median) == (None, None, None)
    assert (found.stayed, found.left) == (40, 40)


def test_a_chance_may_not_reach_beyond_the_horizon():
    with pytest.raises(ParameterError, match="soon_days is 60; it must be at most horizon_days"):
        NewcomersParameters(soon_days=60, horizon_days=30)


def days_of(page_rows):
    days = np.array([int(each["days"].rstrip("+")) for each in page_rows])
    return days, np.array([not each["days"].endswith("+") for each in page_rows])


def test_curve_on_the_page():
    duration, came = days_of(table("newcomers.md", "newcomers days"))
    curve = kaplan_meier(duration, came)
    columns = (curve.time.tolist(), curve.at_risk.tolist(), curve.left.tolist(), (1 - curve.survival).tolist(),
               (1 - curve.high).tolist(), (1 - curve.low).tolist())  # fmt: skip
    names = ("day", "waiting", "came", "back", "low", "high")
    computed = [dict(zip(names, each, strict=True)) for each in zip(*columns, strict=True)]
    assert_as_documented(computed, table("newcomers.md", "newcomers curve"))


def test_chances_on_the_page():
    duration, came = days_of(table("newcomers.md", "newcomers days"))
    documented = table("newcomers.md", "newcomers chances")
    found = chances(duration, came, horizon=60, soon=28, prior=10.0)
    silence = np.array([int(each["silence"]) for each in documented])
    computed = [
        {"silence": int(after), "chance": float(chance), "expected": int(day)}
        for after, chance, day in zip(silence, found.of(silence), found.expected(silence), strict=True)
    ]
    assert_as_documented(computed, documented)


def test_stays_on_the_page():
    documented = table("newcomers.md", "newcomers stays")
    rows = on(0, customer="before all")
    for each in documented:
        rows += on(*(int(day) for day in each["purchases on day"].split()), customer=each["customer"])
    names, found = newcomers(rows)
    told, days, gone = found.stays(90)
    followed = iter(zip(days.tolist(), gone.tolist(), strict=True))
    computed = []
    for each, name, known in zip(documented, names, told.tolist(), strict=True):
        stay, left = next(followed) if known else (None, None)
        computed.append({**each, "customer": name, "followed": known, "days": stay, "left": left})
    assert_as_documented(computed, documented)


def test_page_names_every_parameter():
    text = (PAGES / "newcomers.md").read_text(encoding="utf-8")
    assert not [name for name in SETTINGS.as_dict() if f"`{name}`" not in text]
