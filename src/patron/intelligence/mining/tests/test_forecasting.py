"""The forecast: methods against known answers and statsmodels, back-test, intervals, hierarchy, holidays, bad input."""

import datetime as dt
import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.arrays import EPOCH, day_number
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.forecasting.backtest import CLOSED, EMPTY, NEW, REGULAR, SPARSE, choose, prove
from patron.intelligence.mining.forecasting.calendar import event_effects, holiday_events, holidays_of, no_events
from patron.intelligence.mining.forecasting.engine import forecast, kinds
from patron.intelligence.mining.forecasting.hierarchy import agree
from patron.intelligence.mining.forecasting.methods import AVERAGE, NAIVE, YEARLY
from patron.intelligence.mining.forecasting.panel import (
    Panel,
    begun_at,
    by_step,
    complete_days,
    panel_of,
    weekday_index,
    without_closed_days,
)
from patron.intelligence.mining.forecasting.smoothing import seasonal_naive, smooth, straight_slope, theta_forecast
from patron.intelligence.mining.models.forecast import MODEL, ForecastParameters
from patron.intelligence.mining.rows import Rows

MONDAY = day_number(dt.date(2025, 1, 6))
WEEKDAYS = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.4, 0.9])


def panel(*rows, first=MONDAY):
    values = np.array(rows, dtype=float)
    return Panel(tuple(f"s{place}" for place in range(len(values))), first, values, begun_at(values))


def seasonal(days, level=100.0, noise=0.0, seed=1):
    random = np.random.default_rng(seed)
    return level * WEEKDAYS[np.arange(days) % 7] * (1 + noise * random.standard_normal(days))


def foretell(data, weeks=4, step=7, events=None):
    horizon = weeks * 7
    return forecast(data, events or no_events(data.first, data.days + horizon), horizon=horizon, step=step)


def rows(values, first="2025-01-06", series=None, **events):
    start = dt.date.fromisoformat(first)
    columns = {
        "date": pa.array([start + dt.timedelta(place) for place in range(len(values))], pa.date32()),
        "value": pa.array(values, pa.float64()),
    }
    if series is not None:
        columns["series"] = pa.array(series, pa.string())
    columns |= {name: pa.array(flags, pa.float64()) for name, flags in events.items()}
    return Rows.of(pa.table(columns), events=tuple(events))


def test_panel_adds_up_rows_and_leaves_later_ones_out():
    found = panel_of(np.array([0, 0, 1, 1]), np.array([10, 10, 12, 15]), np.array([1.0, 2, 5, 9]), ("a", "b"), end=12)
    assert found.values.tolist() == [[3, 0, 0], [0, 0, 5]]
    assert (found.first, found.end, found.begun.tolist()) == (10, 13, [0, 2])


def test_smoothing_is_that_of_statsmodels():
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    values = seasonal(60, noise=0.3)
    ours = smooth(values[None, :], np.array([0]), (0.2,))
    start = values[:28].mean()
    theirs = SimpleExpSmoothing(values, initialization_method="known", initial_level=start).fit(
        smoothing_level=0.2, optimized=False
    )
    assert ours.level[0, 0] == pytest.approx(theirs.forecast(1)[0], rel=1e-12)
    assert ours.errors[0, 0] == pytest.approx(theirs.sse, rel=1e-12)


def test_damped_trend_is_that_of_statsmodels():
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    values = seasonal(80, noise=0.2) + np.arange(80)
    ours = smooth(values[None, :], np.array([0]), (0.4,), slope_share=0.1)
    theirs = ExponentialSmoothing(
        values, trend="add", damped_trend=True, initialization_method="known", initial_level=values[:28].mean(),
        initial_trend=0.0,
    ).fit(smoothing_level=0.4, smoothing_trend=0.1, damping_trend=0.98, optimized=False)  # fmt: skip
    assert ours.level[0, 0] + 0.98 * ours.slope[0, 0] == pytest.approx(theirs.forecast(1)[0], rel=1e-9)
    assert ours.errors[0, 0] == pytest.approx(theirs.sse, rel=1e-9)


def test_theta_is_that_of_statsmodels():
    from statsmodels.tsa.forecasting.theta import ThetaModel

    values = seasonal(90, noise=0.2) + 0.5 * np.arange(90)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ThetaModel(values, deseasonalize=False, period=7).fit()
    alpha = float(fit.params["alpha"])
    ours = theta_forecast(
        np.array([float(fit.forecast_components(1)["ses"].iloc[0])]),
        straight_slope(values[None, :], np.array([0])),
        np.array([alpha]),
        np.array([90]),
        5,
    )
    assert ours[0] == pytest.approx(fit.forecast(5, theta=2).to_numpy(), rel=1e-6)


def test_baseline_repeats_the_last_week():
    assert seasonal_naive(np.arange(10.0)[None, :], 9)[0].tolist() == [3, 4, 5, 6, 7, 8, 9, 3, 4]
    assert seasonal_naive(np.array([[1.0, 3.0]]), 2)[0].tolist() == [2, 2]


def test_weekday_index_finds_the_week():
    index = weekday_index(seasonal(182)[None, :], np.array([0]))
    assert index[0] == pytest.approx(WEEKDAYS / WEEKDAYS.mean(), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60), st.integers(0, 70))
def test_weekday_index_has_mean_one_whatever_the_series(values, begun):
    index = weekday_index(np.array([values]), np.array([min(begun, len(values))]))
    assert index.mean() == pytest.approx(1)
    assert (index >= 0).all()


def test_a_week_that_repeats_is_forecast_exactly():
    found = foretell(panel(seasonal(210)), step=1)
    assert found.mean[0] == pytest.approx(seasonal(28), rel=1e-6)
    low, high = found.interval(0.95)
    assert (high - low).max() < 1e-3


def test_every_method_scales_with_the_currency():
    once, tenfold = panel(seasonal(250, noise=0.1)), panel(10 * seasonal(250, noise=0.1))
    assert foretell(tenfold).mean == pytest.approx(10 * foretell(once).mean, rel=1e-6)


def test_noise_is_smoothed_and_the_baseline_is_beaten():
    many = panel(*[seasonal(371, level=50 + 10 * place, noise=0.3, seed=place) for place in range(20)])
    found = foretell(many, weeks=8)
    proof = prove(found.panel, found.backtest, found.kind, found.spread.wider)
    assert proof.wape < 0.8 * proof.naive_wape
    assert found.mean == pytest.approx((50 + 10 * np.arange(20))[:, None] * 7 * np.ones((20, 8)), rel=0.12)


def test_intervals_hold_what_they_say_on_new_data():
    days, ahead = 371, 56
    whole = [seasonal(days + ahead, level=100 + place, noise=0.25, seed=100 + place) for place in range(40)]
    found = foretell(panel(*[each[:days] for each in whole]), weeks=8)
    came = by_step(np.array([each[days:] for each in whole]), 7)
    for share in (0.80, 0.95):
        low, high = found.interval(share)
        assert share - 0.06 <= ((came >= low) & (came <= high)).mean() <= share + 0.06


def test_a_back_test_knows_nothing_of_later_days():
    values = seasonal(300, noise=0.2)
    changed = values.copy()
    changed[-28:] *= 5
    before, after = foretell(panel(values)).backtest, foretell(panel(changed)).backtest
    assert before.origins[-1] == 300 - 28
    np.testing.assert_allclose(before.predicted, after.predicted)


def test_a_known_event_lifts_its_days():
    values = seasonal(300)
    flags = np.zeros((1, 328))
    flags[0, [50, 90, 140, 200, 250, 310]] = 1
    values = values * (1 + flags[0, :300])
    events = no_events(MONDAY, 328)
    events = type(events)(("promotion",), MONDAY, flags)
    found = foretell(panel(values), step=1, events=events)
    usual = seasonal(328)[310]
    assert found.mean[0, 10] > 1.4 * usual
    assert found.mean[0, 11] == pytest.approx(seasonal(328)[311], rel=0.1)


def test_event_effect_is_drawn_towards_nothing():
    flags = np.zeros((2, 100))
    flags[0, :10] = 1
    values, usual = np.full((1, 100), 10.0), np.full((1, 100), 10.0)
    values[0, :10] = 20
    # (10 · 10) ÷ (10 · 10 + 3 · 10); the second event never happened.
    assert event_effects(flags, values, usual).tolist() == [pytest.approx(100 / 130), 0]


def test_last_years_shape_serves_after_a_year_and_a_half():
    day = np.arange(3 * 364)
    found = foretell(panel(seasonal(len(day)) * (1 + 0.5 * np.sin(2 * np.pi * day / 364))), weeks=8)
    assert found.backtest.methods[found.chosen[0]] == YEARLY
    expected = by_step(seasonal(56) * (1 + 0.5 * np.sin(2 * np.pi * np.arange(56) / 364)), 7)
    assert found.mean[0] == pytest.approx(expected, rel=0.1)


def test_kinds_of_series():
    usual = seasonal(280)
    closed, new, sparse = usual.copy(), usual.copy(), np.zeros(280)
    closed[-60:] = 0
    new[:-30] = 0
    sparse[::35] = 50
    data = panel(usual, closed, new, sparse, np.zeros(280))
    assert kinds(data).tolist() == [REGULAR, CLOSED, NEW, SPARSE, EMPTY]
    found = foretell(data)
    assert found.mean[1].tolist() == found.mean[4].tolist() == [0, 0, 0, 0]
    assert found.mean[2] == pytest.approx(700, rel=0.03)
    # Five sales of 50 in the last 182 days.
    assert found.mean[3].sum() == pytest.approx(28 * 250 / 182, rel=0.15)


def test_a_closed_day_does_not_pull_the_level_down():
    values = np.array([seasonal(210), seasonal(210, level=30)])
    values[:, 200] = 0
    filled, closed = without_closed_days(panel(*values))
    assert np.flatnonzero(closed).tolist() == [200]
    assert filled.values[:, 200] == pytest.approx([seasonal(210)[200], seasonal(210, level=30)[200]])
    never_on_sundays = seasonal(210) * (np.arange(210) % 7 != 6)
    same, closed = without_closed_days(panel(never_on_sundays))
    assert not closed.any()
    assert same.values[0].tolist() == never_on_sundays.tolist()


def test_an_incomplete_tail_is_noticed_and_nothing_else():
    whole = seasonal(140, noise=0.1)
    assert complete_days(whole) == 140
    tail = whole.copy()
    tail[-6:] *= 0.05
    assert complete_days(tail) == 134
    hole = whole.copy()
    hole[-10:-5] = 0
    assert complete_days(hole) == 140
    assert complete_days(tail[-50:]) == 50


def test_parts_add_up_to_the_total():
    parts = np.array([seasonal(300, level=80, noise=0.2, seed=1), seasonal(300, level=20, noise=0.4, seed=2)])
    data = panel(parts.sum(axis=0), *parts)
    found, agreement = agree(foretell(data), total=0, parts=(np.array([1, 2]),))
    assert found.mean[1:].sum(axis=0) == pytest.approx(found.mean[0])
    assert agreement.way == ("parts" if agreement.parts_wape < agreement.own_wape else "own")


def test_choice_prefers_the_simple_where_equal_and_the_average_where_untested():
    mae = np.array([[2.0, np.nan, 1.0], [2.0, np.nan, 0.5]])
    assert choose(mae, (AVERAGE, NAIVE), np.array([REGULAR, REGULAR, REGULAR])).tolist() == [0, 0, 1]
    assert choose(mae, (AVERAGE, NAIVE), np.array([REGULAR, REGULAR, SPARSE])).tolist() == [0, 0, 0]


def test_holidays_of_hong_kong():
    first, length = day_number(dt.date(2026, 1, 1)), 365
    feasts = {each.day: each.feast for each in holidays_of("HK", first, length)}
    assert feasts[dt.date(2026, 2, 17)] == "Lunar New Year"
    assert feasts[dt.date(2026, 9, 26)] == "Mid-Autumn"
    assert feasts[dt.date(2026, 12, 25)] == "Christmas"
    assert feasts[dt.date(2026, 7, 1)] == ""
    events = holiday_events("HK", first, length)
    before = events.flags[events.names.index("days before Lunar New Year")]
    assert before[(dt.date(2026, 2, 16) - EPOCH).days - first] == 1
    assert before[(dt.date(2026, 2, 7) - EPOCH).days - first] == pytest.approx(0.1)
    assert before.sum() == pytest.approx(5.5)


def test_unknown_country_is_refused():
    with pytest.raises(ParameterError, match="country is 'ZZ'; give an ISO 3166 code"):
        holidays_of("ZZ", MONDAY, 10)


class TestModel:
    as_of = dt.date(2025, 1, 6) + dt.timedelta(299)

    def run(self, data, **parameters):
        return MODEL.run(data, as_of=self.as_of, parameters=ForecastParameters(**parameters))

    def test_total_and_series_add_up_and_are_explained(self):
        values = np.concatenate([seasonal(300, 70, 0.2, 3), seasonal(300, 30, 0.2, 4)])
        days = pa.array([dt.date(2025, 1, 6) + dt.timedelta(place) for place in range(300)] * 2, pa.date32())
        names = pa.array(["East"] * 300 + ["West"] * 300)
        result = self.run(Rows.of(pa.table({"date": days, "value": values, "series": names})), weeks=2)
        table = result.table.to_pylist()
        assert [(each["series"], each["date"].isoformat()) for each in table[:2]] == [
            ("", "2025-11-02"), ("", "2025-11-09"),
        ]  # fmt: skip
        assert table[2]["forecast"] + table[4]["forecast"] == pytest.approx(table[0]["forecast"])
        assert all(
            each["low_95"] <= each["low"] <= each["forecast"] <= each["high"] <= each["high_95"] for each in table
        )
        assert " of sales in 13 tests in the past; repeating the last week by " in table[0]["reason"]
        assert result.report.metrics["tests"] >= 9
        assert "scaled to add up" in result.report.notes[-1]

    def test_order_of_rows_does_not_matter(self):
        data = rows(seasonal(300, noise=0.3))
        shuffled = data.table.to_pyarrow().take(pa.array(np.random.default_rng(1).permutation(300)))
        once, again = self.run(data), self.run(Rows.of(shuffled))
        assert once.table.equals(again.table)

    def test_later_rows_bring_events_and_no_sales(self):
        flags = np.zeros(330)
        flags[[30, 55, 80, 111, 140, 165, 190, 220, 246, 280, 305]] = 1
        values = seasonal(330, noise=0.05) * (1 + flags)
        later = values.copy()
        later[300:] = 9e9
        once = self.run(rows(values, promotion=flags), step="day", weeks=4).table
        assert once.equals(self.run(rows(later, promotion=flags), step="day", weeks=4).table)
        assert once["forecast"][5].as_py() > 1.2 * seasonal(330)[305]

    def test_nothing_gives_an_empty_table_of_the_same_shape(self):
        full = self.run(rows(seasonal(300)))
        empty = self.run(rows([]))
        assert empty.table.num_rows == 0
        assert empty.table.schema.equals(full.table.schema)
        assert empty.report.metrics.keys() == full.report.metrics.keys()

    def test_less_than_two_weeks_is_refused(self):
        with pytest.raises(
            InputError, match="There are 5 days of sales up to 2025-11-01; a forecast needs at least 14"
        ):
            self.run(rows(seasonal(5), first="2025-10-28"))

    def test_three_weeks_are_forecast_without_a_test_and_say_so(self):
        result = self.run(rows(seasonal(21), first="2025-10-12"), weeks=1)
        (row,) = result.table.to_pylist()
        assert row["forecast"] == pytest.approx(700, rel=0.01)
        assert (row["reason_code"], row["error_share"]) == ("new", None)
        assert result.report.metrics["wape"] is None
        assert "too few for an honest back-test" in result.report.notes[-1]

    @pytest.mark.parametrize("level", [0.0, 5.0])
    def test_all_equal_values(self, level):
        result = self.run(rows(np.full(300, level)), weeks=2)
        assert result.table["forecast"].to_pylist() == pytest.approx([7 * level, 7 * level])

    def test_more_returns_than_sales(self):
        values = seasonal(300)
        values[100:107] *= -3
        table = self.run(rows(values), weeks=2).table
        assert np.isfinite(table["forecast"].to_numpy()).all()
        assert table["forecast"].to_numpy() == pytest.approx(700, rel=0.25)

    def test_empty_months_between(self):
        values = seasonal(300)
        values[90:150] = 0
        table = self.run(rows(values), weeks=2).table
        assert table["forecast"].to_numpy() == pytest.approx(700, rel=0.1)

    def test_infinite_value_is_refused(self):
        with pytest.raises(InputError, match="infinite"):
            self.run(rows([1.0, float("inf"), 2.0]))
