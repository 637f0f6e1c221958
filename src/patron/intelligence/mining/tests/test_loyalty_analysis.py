"""Loyalty analysis: decomposition of known series, cycles, retention, prices, choices, forecast, bad input."""

import datetime as dt
from decimal import Decimal

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patron.intelligence.mining.models.loyalty import MODEL
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.transactions import prepare
from patron.intelligence.mining.trends.choices import branch_loyalty, brand_loyalty, breadth, wallet_share
from patron.intelligence.mining.trends.cycles import evenness_of, significant
from patron.intelligence.mining.trends.decomposition import decompose, explained_share, light_decomposition
from patron.intelligence.mining.trends.expected import back_test, expected, rate_prior
from patron.intelligence.mining.trends.prices import group_response, price_sensitivity, shrunk_response
from patron.intelligence.mining.trends.settings import LoyaltyParameters

AS_OF = dt.date(2025, 12, 28)


def every(customer, first, gaps, amount=100):
    """Visits of a customer: the first day, then after each gap."""
    day = dt.date.fromisoformat(first)
    rows = [row(customer, day, amount)]
    for gap in gaps:
        day += dt.timedelta(gap)
        rows.append(row(customer, day, amount))
    return rows


def run(rows, **parameters):
    return MODEL.run(purchases(rows), as_of=AS_OF, parameters=LoyaltyParameters(**parameters))


def by_customer(result):
    return {each["customer"]: each for each in result.table.to_pylist()}


def lines(rows, *columns):
    """An Ibis table of lines: money as decimals, the rest as it is."""
    arrays = {
        name: pa.array([each[place] for each in rows], pa.decimal128(12, 2) if name in ("amount", "discount") else None)
        for place, name in enumerate(columns)
    }
    connection = duckdb.connect()
    connection.register("rows", pa.table(arrays))
    return ibis.duckdb.from_connection(connection).table("rows")


# --- decomposition ---


def test_stl_recovers_a_known_trend_and_season_of_the_year():
    week = np.arange(3 * 52)
    trend, season = 1000 + 2 * week, 200 * np.sin(2 * np.pi * week / 52)
    noise = 15 * np.random.default_rng(3).standard_normal(len(week))
    found = decompose(np.repeat((trend + season + noise) / 7, 7))
    assert found.season_of == "year"
    inside = slice(13, -13)
    assert found.trend[inside] == pytest.approx(trend[inside], abs=25)
    assert found.season[inside] == pytest.approx(season[inside], abs=45)
    assert found.trend + found.season + found.irregular == pytest.approx(found.actual)
    assert min(found.strength()) > 0.9


def test_one_year_gives_the_days_of_the_week_and_says_why():
    weekdays = np.array([0.8, 0.8, 0.9, 1.0, 1.2, 1.4, 0.9])
    found = decompose(np.tile(weekdays, 40) * (100 + 0.1 * np.arange(280)))
    assert found.season_of == "week"
    assert found.note == "The season of the year needs two years of data; there are 40 weeks."
    assert found.weekdays == pytest.approx(weekdays / weekdays.mean() - 1, abs=0.01)
    assert found.trend == pytest.approx(found.actual, rel=0.02)


def test_a_few_odd_days_do_not_bend_the_trend():
    values = np.full(200, 100.0) + np.random.default_rng(1).standard_normal(200)
    values[[50, 120]] = 5000, 0
    assert decompose(values).trend == pytest.approx(700, rel=0.01)


@pytest.mark.parametrize("days", [0, 3, 10, 20])
def test_short_series_fall_back_to_a_flat_line(days):
    found = decompose(np.full(days, 10.0))
    assert found.season_of == "none"
    assert found.trend.tolist() == found.actual.tolist() == [70.0] * (days // 7)


def test_all_equal_has_no_season():
    found = decompose(np.full(140, 10.0))
    assert found.irregular.tolist() == [0] * 20
    assert found.strength() == (0, 0)


def test_light_decomposition_tells_a_falling_customer_from_an_even_one():
    falling, even = np.linspace(200, 20, 13), np.full(13, 100.0)
    late = np.concatenate([np.zeros(10), np.full(3, 50.0)])
    found = light_decomposition(np.stack([falling, even, late] + [even] * 97), np.array([13, 13, 3] + [13] * 97))
    # The first third of the trend is about 170, the last about 50.
    assert found.change[0] == pytest.approx(-0.7, abs=0.03)
    assert found.change[1] == pytest.approx(0, abs=0.02)
    assert np.isnan(found.change[2])
    assert found.trend_share[0] > 0.9
    assert found.trend_share[0] + found.season_share[0] + found.irregular_share[0] == pytest.approx(1)


def test_explained_share_is_that_of_a_regression_since_the_first_week():
    random = np.random.default_rng(5)
    factors = random.standard_normal((52, 2))
    weekly = np.stack([3 + factors @ [2, -1] + random.standard_normal(52), random.standard_normal(52) + 5])
    weekly[1, :20] = 0
    found = explained_share(weekly, np.array([52, 32]), factors)
    for place, weeks in ((0, 52), (1, 32)):
        design = np.column_stack([np.ones(weeks), factors[-weeks:]])
        y = weekly[place, -weeks:]
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        r2 = 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()
        assert found[place] == pytest.approx(max(0, 1 - (1 - r2) * (weeks - 1) / (weeks - 3)), abs=1e-8)
    assert np.isnan(explained_share(weekly[:1], np.array([12]), factors)[0])
    assert np.isnan(explained_share(np.full((1, 52), 7.0), np.array([52]), factors)[0])


# --- cycles ---


def test_evenness_of_visits():
    table = np.array([[2, 2, 2, 2], [8, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]])
    found = evenness_of(table, np.array([4, 4, 4, 4]))
    assert found[:2].tolist() == [1, 0]
    assert np.isnan(found[2])
    assert found[3] == 1


def test_a_cycle_that_lengthens_is_found_and_one_that_does_not_is_left():
    rows = every("longer", "2025-01-05", [7] * 37 + [20, 22, 21, 19]) + every("steady", "2025-01-05", [7] * 51)
    rows += every("varied", "2025-01-03", [3, 12, 5, 9, 2, 14, 7] * 7)
    found = by_customer(run(rows))
    longer = found["longer"]
    assert (longer["cycle"], longer["reason_code"]) == ("longer", "drifting")
    assert longer["earlier_gap_days"] == pytest.approx(7)
    assert longer["gap_ratio_low"] > 1.5
    assert longer["reason"].startswith("Used to come every 7 days, lately every ")
    assert found["steady"]["cycle"] == found["varied"]["cycle"] == "steady"
    assert found["steady"]["stability"] == 100
    assert found["varied"]["gap_variation"] > 0.5
    assert found["varied"]["stability"] < 90


def test_silence_counts_as_a_gap_once_it_is_longer_than_usual():
    rows = every("silent", "2025-03-02", [7] * 36) + every("coming", "2025-03-02", [7] * 43)
    rows += every("other", "2025-03-01", [5, 9] * 21)
    found = by_customer(run(rows))
    assert (found["silent"]["last_on"], found["coming"]["last_on"]) == (dt.date(2025, 11, 9), AS_OF)
    assert found["silent"]["gap_ratio"] > found["coming"]["gap_ratio"] == 1


def test_benjamini_hochberg_on_the_example_of_the_paper():
    # Table 1 of the 1995 paper: at q = 0.05 the four smallest of fifteen stand.
    p = np.array([
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
        0.7590, 1.0000,
    ])  # fmt: skip
    assert significant(p, 0.05).sum() == 4
    assert not significant(np.array([np.nan, 0.9]), 0.05).any()
    assert not significant(np.array([]), 0.05).any()


# --- retention ---


def test_those_who_left_lately_do_not_count_as_having_stayed():
    """Customers who come every five days until they leave, at an even pace: half are gone after 150 days."""
    random = np.random.default_rng(3)
    opened = AS_OF - dt.timedelta(350)
    rows = []
    for customer, start in enumerate(random.integers(0, 340, 1500).tolist()):
        last = min(start + int(random.exponential(150 / np.log(2))), 350)
        rows += [row(str(customer), opened + dt.timedelta(day)) for day in range(start, last + 1, 5)]
    metrics = run(rows).report.metrics
    # Seen on the first fifth day after 13 and 26 weeks; three standard errors are 0.05 and 0.06.
    assert metrics["retained_13_weeks"] == pytest.approx(0.5 ** (95 / 150), abs=0.05)
    assert metrics["retained_26_weeks"] == pytest.approx(0.5 ** (185 / 150), abs=0.06)
    assert metrics["retained_52_weeks"] is None  # nobody could be followed for that long


# --- prices and choices ---


def test_response_to_price_cuts_is_recovered():
    random = np.random.default_rng(7)
    rows = []
    for customer in range(60):
        for line in range(40):
            cut = random.choice([0.0, 0.1, 0.3])
            base = 20.0 * (1 + line % 4)
            quantity = float(np.exp(0.4 * (line % 4) - 1.5 * np.log(1 - cut) + 0.1 * random.standard_normal()))
            gross = base * quantity
            rows.append((customer, f"p{line % 4}", quantity, Decimal(f"{gross * (1 - cut):.2f}"),
                         Decimal(f"{gross * cut:.2f}")))  # fmt: skip
    found = price_sensitivity(lines(rows, "customer", "product", "quantity", "amount", "discount"), pa.array(range(60)))
    group = group_response(found.squares, found.products, np.ones(60, dtype=bool))
    assert group.low < 1.5 < group.high
    assert group.high - group.low < 0.1
    assert found.response == pytest.approx(1.5, abs=0.2)
    assert found.cut_share.mean() == pytest.approx(0.66, abs=0.08)


def test_response_without_two_prices_is_not_known():
    rows = [(0, "p", 1.0, Decimal(10), Decimal(0)), (0, "p", 3.0, Decimal(30), Decimal(0))]
    found = price_sensitivity(lines(rows, "customer", "product", "quantity", "amount", "discount"), pa.array([0]))
    assert (found.cut_share[0], found.discount_share[0]) == (0, 0)
    assert np.isnan(found.response[0])
    assert group_response(found.squares, found.products, np.array([True])) is None


def test_little_evidence_is_drawn_towards_everybody():
    response = shrunk_response(np.array([1.0, 1.0, 0.0]), np.array([-3.0, -1.0, 0.0]))
    assert response[:2].tolist() == [2.5, 1.5]
    assert np.isnan(response[2])


def test_branch_loyalty_by_hand():
    day = dt.date(2025, 5, 1)
    rows = [
        ("王美玲", day + dt.timedelta(place), branch, Decimal(money))
        for place, (branch, money) in enumerate([("A", 60), ("A", 60), ("B", 30), ("A", 30), ("C", 20)])
    ]
    rows += [("王美玲", day, "B", Decimal(10)), ("陳大文", day, None, Decimal(50)), ("王美玲", day, "C", Decimal(-10))]
    found = branch_loyalty(lines(rows, "customer", "date", "branch", "amount"), pa.array(["王美玲", "陳大文"]))
    assert found.main_share[0] == pytest.approx(150 / 210)
    assert found.concentration[0] == pytest.approx((150**2 + 40**2 + 20**2) / 210**2)
    # A A B A C: three of four moves are switches.
    assert found.switching[0] == 0.75
    assert np.isnan(found.main_share[1])


def test_brand_loyalty_by_hand():
    rows = [("w", "milk", "Meadow", Decimal(10))] * 3 + [("w", "milk", "Valley", Decimal(10))]
    rows += [("w", "bread", "Old Mill", Decimal(5))] * 2 + [("v", "milk", "", Decimal(9))] * 5
    found = brand_loyalty(lines(rows, "customer", "category", "brand", "amount"), pa.array(["v", "w"]))
    # Two lines of bread say nothing: 30 of 40 for milk.
    assert found[1] == 0.75
    assert np.isnan(found[0])


def test_breadth_counts_everyday_categories_and_compares_with_peers():
    rows = [(place, kind, Decimal(1)) for place in range(20) for kind in ("a", "b", "c", "d")[: 1 + place // 5]]
    kinds, everyday = breadth(lines(rows, "customer", "category", "amount"), pa.array(range(20)))
    # d is bought by five of twenty, 25 %: no everyday category.
    assert everyday == 3
    assert kinds.tolist() == [1] * 5 + [2] * 5 + [3] * 10
    share = wallet_share(kinds, np.zeros(20, dtype=int), 1)
    assert share[[0, 5, 10]] == pytest.approx([1 / 3, 2 / 3, 1])
    assert np.isnan(wallet_share(kinds, np.arange(20), 20)).all()


# --- the next four weeks ---


def poisson_visits(rates, days, seed):
    random = np.random.default_rng(seed)
    came = random.random((len(rates), days)) < rates[:, None]
    owner, day = np.nonzero(came)
    return owner.astype(np.int32), day.astype(np.int32)


def test_expected_visits_are_right_on_average_and_inside_the_interval():
    rates = np.random.default_rng(4).gamma(2, 0.05, 2000).clip(0, 0.9)
    owner, day = poisson_visits(rates, 392, 9)
    first = np.zeros(2000, dtype=np.int64)
    test = back_test(owner, day, first, 2000, as_of=391)
    assert 0.80 <= test.inside <= 0.86
    assert test.error < 0.85 * test.naive_error
    told = expected(owner, day, np.full(len(day), 10.0), first, 2000, as_of=363)
    came = np.bincount(owner[day > 363], minlength=2000)
    assert told.visits.sum() == pytest.approx(came.sum(), rel=0.03)
    assert told.spend.sum() == pytest.approx(10 * came.sum(), rel=0.03)
    assert (told.visits_low <= told.visits).all()
    assert (told.spend_low <= told.spend_high).all()


def test_rates_that_do_not_differ_have_a_plain_prior():
    shape, rate = rate_prior(np.array([2.0, 2.0]), np.array([10.0, 10.0]))
    assert shape / rate == pytest.approx(0.2)
    assert rate_prior(np.array([]), np.array([])) == (1.0, 56.0)


# --- the model ---


def test_the_lost_the_new_and_the_firm():
    rows = every("firm", "2024-12-29", [7] * 52) + every("gone", "2025-01-04", [7] * 10)
    rows += [*every("new", "2025-12-01", [9]), row("brought back", "2025-12-01", -40)]
    found = by_customer(run(rows))
    assert {name: each["reason_code"] for name, each in found.items()} == {
        "firm": "firm", "gone": "gone", "new": "unproven", "brought back": "unproven",
    }  # fmt: skip
    assert found["gone"]["reason"] == "Silent for 288 days; used to come every 7 days."
    assert found["new"]["reason"] == "Visits in the window: 2; four are needed to tell a rhythm."
    assert found["firm"]["persistence"] > 97
    assert found["brought back"]["last_on"] is None
    assert found["brought back"]["persistence"] is None
    assert found["new"]["loyalty"] is None


def test_indices_stay_between_0_and_100():
    random = np.random.default_rng(11)
    rows = []
    for customer in range(40):
        rows += every(
            f"c{customer:02}", "2025-01-01", random.integers(1, 60, 12).tolist(), int(random.integers(1, 900))
        )
    table = run([each for each in rows if each[1] <= AS_OF]).table
    for name in ("loyalty", "persistence", "firmness", "stability"):
        known = [each for each in table[name].to_pylist() if each is not None]
        assert all(0 <= each <= 100 for each in known)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 500), st.integers(-50, 200)), max_size=30))
def test_whatever_the_rows_the_result_is_whole(raw):
    rows = [row(who, AS_OF - dt.timedelta(back), amount) for who, back, amount in raw]
    result = run(rows)
    assert result.table.num_rows == len({who for who, *_ in raw})
    assert all(result.table["reason"].to_pylist())


def test_report_has_the_parts_of_the_series_and_the_notes():
    rows = every("a", "2025-01-01", [7] * 50) + every("b", "2025-01-02", [7] * 50)
    report = run(rows).report
    assert len(report.series["trend"]) == len(report.series["irregular"]) == 51
    assert report.series["retention_by_week"][0] == (0.0, 1.0)
    assert report.notes[0] == "The season of the year needs two years of data; there are 51 weeks."
    assert report.notes[1].startswith("What moves everybody cannot be told from fewer than 30 customers")
    assert report.notes[2].startswith("Firmness is measured without discount, branch, brand, category")
    assert report.metrics["retained_26_weeks"] == 1


def test_every_column_may_be_there():
    day = dt.date(2025, 12, 1)
    table = pa.table({
        "customer": ["a", "a", "b"], "date": pa.array([day, day + dt.timedelta(3), day]),
        "amount": pa.array([Decimal(10), Decimal(20), Decimal(5)], pa.decimal128(9, 2)), "branch": ["x", "y", None],
        "product": ["p", "p", None], "quantity": [1.0, 2.0, None], "discount": [0.0, 4.0, None],
        "category": ["k", "k", None], "brand": ["m", "n", None],
    })  # fmt: skip
    connection = duckdb.connect()
    connection.register("rows", table)
    found = MODEL.run(prepare(ibis.duckdb.from_connection(connection).table("rows")), as_of=AS_OF)
    first, second = found.table.to_pylist()
    assert first["main_branch_share"] == pytest.approx(0.667)
    assert first["cut_price_share"] == pytest.approx(24 / 34, abs=0.001)
    assert second["main_branch_share"] is second["main_brand_share"] is None
