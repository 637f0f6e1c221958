"""Next purchase date: exact chances, recovery on simulated rhythms, measured coverage, bad input."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from patron.intelligence.mining.arrays import day_number
from patron.intelligence.mining.models.next_date import MODEL, NextDateParameters, predict
from patron.intelligence.mining.returning.backtest import expected_visits, learn_chances, next_visits
from patron.intelligence.mining.returning.gaps import days_ahead, paces_at, quantile_days
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.testing import purchases, row

AS_OF = dt.date(2025, 12, 31)
TODAY = day_number(AS_OF)


def every(customer, days, times, last=AS_OF):
    return [row(customer, last - dt.timedelta(days * place)) for place in range(times)]


def paces(rows, origin=TODAY, prior=2.0):
    return paces_at(visits_of(purchases(rows).days), origin, gaps=12, prior=prior, fallback_days=30)


@pytest.fixture(scope="module")
def crowd():
    """1,500 customers with log-normal gaps of their own, one year."""
    random = np.random.default_rng(11)
    rows = []
    for who in range(1500):
        middle, spread = random.normal(math.log(12), 0.6), 0.5
        day = -int(random.integers(0, 20)) - 364
        while day <= 0:
            rows.append(row(who, AS_OF + dt.timedelta(day)))
            day += max(1, round(math.exp(random.normal(middle, spread))))
    import pyarrow as pa

    return purchases(rows, customer_type=pa.int64())


def test_posterior_of_the_gaps_by_hand():
    # Gaps of 10 days (three) and of 40 (three): logarithms 2.3026 and 3.6889, population 2.9957 (20 days).
    found = paces(every("a", 10, 4) + every("b", 40, 4))
    assert found.population_gap == pytest.approx(20.0)
    assert found.mean.tolist() == pytest.approx([(3 * math.log(10) + 2 * math.log(20)) / 5,
                                                 (3 * math.log(40) + 2 * math.log(20)) / 5])  # fmt: skip
    drift = 3 * 2 / 5 * math.log(2) ** 2
    assert found.spread[0] == pytest.approx(math.sqrt((drift + 2 * 0.05) / 5 * 1.2))


def test_chance_of_a_day_is_that_of_the_gap_given_the_silence():
    found = paces(every("a", 10, 8, last=AS_OF - dt.timedelta(4)))
    chances = days_ahead(found, slice(0, 1), days=20)[0]
    law = norm(found.mean[0], found.spread[0])
    still = law.sf(math.log(4.5))
    assert chances.sum() == pytest.approx(law.cdf(math.log(24.5)) / still - law.cdf(math.log(4.5)) / still, rel=1e-9)
    plain = np.array([(law.cdf(math.log(4.5 + day)) - law.cdf(math.log(3.5 + day))) / still for day in range(1, 21)])
    told = plain * found.weekday[0][(TODAY + 1 + np.arange(20) + 3) % 7]
    assert chances == pytest.approx(told * plain.sum() / told.sum())


def test_who_may_have_left_is_there_with_the_chance_of_bayes():
    found = paces(every("a", 10, 8, last=AS_OF - dt.timedelta(40)))
    staying = days_ahead(found, slice(0, 1), days=50)[0]
    leaving = days_ahead(replace(found, leaving=0.02), slice(0, 1), days=50)[0]
    silent = norm(found.mean[0], found.spread[0]).sf(math.log(40.5))
    assert leaving == pytest.approx(staying * 0.98 * silent / (0.98 * silent + 0.02))


def test_weekly_customer_is_expected_on_the_weekday_they_always_come():
    (found,) = MODEL.run(purchases(every("a", 7, 30, AS_OF - dt.timedelta(3))), as_of=AS_OF).table.to_pylist()
    assert found["expected_on"] == AS_OF + dt.timedelta(4)
    assert found["favourite_weekday"] == (AS_OF + dt.timedelta(4)).isoweekday()
    assert found["reason"] == "Usually comes every 7 days, most often on Sundays; last came 3 days ago."


def test_long_silence_is_overdue():
    rows = every("late", 7, 20, AS_OF - dt.timedelta(16)) + every("on time", 7, 20, AS_OF - dt.timedelta(2))
    late, on_time = MODEL.run(purchases(rows), as_of=AS_OF).table.to_pylist()
    assert (late["overdue"], late["reason_code"]) == (True, "overdue")
    assert (on_time["overdue"], on_time["reason_code"]) == (False, "on_pace")


def test_interval_covers_what_it_promises_and_error_beats_every_rule(crowd):
    score = predict(crowd, AS_OF, NextDateParameters()).score
    assert 0.78 <= score.coverage <= 0.86
    assert score.errors["model"] < min(error for name, error in score.errors.items() if name != "model")
    assert score.kept == pytest.approx(score.promised, abs=0.03)


def test_dates_are_in_order(crowd):
    for found in MODEL.run(crowd, as_of=AS_OF).table.to_pylist():
        known = [found[name] for name in ("earliest_on", "expected_on", "latest_on") if found[name]]
        assert known == sorted(known)
        assert all(day > AS_OF for day in known)
        assert 0 <= found["confidence"] <= 1


def test_expected_visits_add_up_to_those_that_came(crowd):
    visits = visits_of(crowd.days)
    then = paces_at(visits, TODAY - 28, gaps=12, prior=0.0, fallback_days=30)
    expected = expected_visits(then, days=28).sum()
    came = int(((visits.day > TODAY - 28) & (visits.day <= TODAY)).sum())
    assert expected == pytest.approx(came, rel=0.06)


def test_next_visit_is_looked_up_by_day():
    data = visits_of(purchases([row("a", AS_OF), row("a", AS_OF + dt.timedelta(9)), row("b", AS_OF)]).days)
    then = paces_at(data, TODAY, gaps=12, prior=2.0, fallback_days=30)
    assert next_visits(data, then, window=56).tolist() == [9, 57]
    assert next_visits(data, then, window=5).tolist() == [6, 6]
    assert learn_chances(data, then, window=56, within=28).shape == (20,)


def test_quantile_is_the_first_day_that_reaches_the_level():
    chances = np.array([[0.25, 0.25, 0.25], [0.0, 0.1, 0.0]])
    assert quantile_days(chances, 0.5).tolist() == [2, 4]
    assert quantile_days(chances, 0.1).tolist() == [1, 2]


def test_one_visit_has_everybodys_rhythm():
    rows = [row("once", AS_OF - dt.timedelta(2)), *every("often", 10, 12)]
    often, once = MODEL.run(purchases(rows), as_of=AS_OF).table.to_pylist()
    assert (often["customer"], once["customer"]) == ("often", "once")
    assert once["typical_gap_days"] == 10.0
    assert once["reason_code"] == "first"


def test_nobody_came_twice():
    (found,) = MODEL.run(purchases([row("a", AS_OF)]), as_of=AS_OF).table.to_pylist()
    assert found["typical_gap_days"] == 30.0


def test_years_of_silence_have_no_date():
    rows = every("gone", 7, 30, AS_OF - dt.timedelta(900)) + every("here", 7, 30)
    gone = MODEL.run(purchases(rows), as_of=AS_OF).table.to_pylist()[0]
    assert (gone["expected_on"], gone["reason_code"]) == (None, "quiet")
    assert gone["confidence"] < 0.2


def test_an_even_sample_keeps_every_customers_own_figures():
    found = paces([each for who in range(9) for each in every(f"k{who}", 5 + who, 6)])
    some = found.spread_over(3)
    assert some.who.tolist() == [0, 4, 8]
    assert some.typical().tolist() == found.typical()[[0, 4, 8]].tolist()
    assert found.spread_over(9) is found
