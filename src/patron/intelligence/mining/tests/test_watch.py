"""The watch: no more false alarms than promised among customers who never change, and real changes found."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from scipy import integrate, stats

from patron.intelligence.mining.arrays import EPOCH, day_number
from patron.intelligence.mining.models.watch import MODEL
from patron.intelligence.mining.testing import purchases, row, transactions
from patron.intelligence.mining.trading import trading_clock, whole_until
from patron.intelligence.mining.transactions import prepare
from patron.intelligence.mining.watching import tails
from patron.intelligence.mining.watching.backtest import checks
from patron.intelligence.mining.watching.parameters import WatchParameters

AS_OF = dt.date(2025, 12, 31)
END = day_number(AS_OF)


def renewal(customers, rng, *, days=420, mean_gap=6.0, spread=0.5):
    """(customer, day number) of visits whose gaps are gamma, begun long before: customers who never change."""
    mean = rng.lognormal(np.log(mean_gap), spread, customers)
    shape = np.exp(rng.normal(np.log(1.5), 0.4, customers))
    at = np.full(customers, float(END - days - 200))
    who, when = [], []
    while (at <= END).any():
        at = at + rng.gamma(shape, mean / shape)
        seen = np.flatnonzero((at > END - days) & (at <= END))
        who.append(seen)
        when.append(np.floor(at[seen]).astype(int))
    return np.concatenate(who), np.concatenate(when)


def bought(who, when, amounts):
    rows = [
        (f"{customer:05d}", EPOCH + dt.timedelta(int(day)), Decimal(f"{amount:.2f}"))
        for customer, day, amount in zip(who, when, amounts, strict=True)
    ]
    return purchases(rows)


@pytest.fixture(scope="module", name="steady")
def _steady():
    """3,000 customers who go on as before, each with a basket of their own."""
    rng = np.random.default_rng(21)
    who, when = renewal(3000, rng)
    usual = rng.lognormal(np.log(60), 0.6, 3000)
    return bought(who, when, rng.gamma(2.0, usual[who] / 2))


def test_customers_who_never_change_raise_no_more_alarms_than_promised(steady):
    result = MODEL.run(steady, as_of=AS_OF, parameters=WatchParameters(alarms_per_1000=20.0))
    metrics = result.report.metrics
    assert metrics["judged"] > 2700
    expected = metrics["expected_false_alarms"]
    assert expected == pytest.approx(metrics["judged"] * 0.02)
    # One standard deviation of a Poisson count of 55 is 7.4; kinds overlap, so fewer than promised are usual.
    assert 0.3 * expected < metrics["unusual"] < expected * 1.3
    for kind in ("silence", "spend_low", "spend_high", "basket_low", "basket_high"):
        assert metrics[kind] <= expected / 6 * 1.3 + 3 * np.sqrt(expected / 6), kind


def test_silence_tail_is_the_integral_it_stands_for():
    shape, strength, weight, silence = 1.7, 12.3, 70.0, 25.0

    def posterior(rate):
        return stats.gamma.pdf(rate, strength, scale=1 / weight)

    def backward(rate):
        """P(silence > s) of a renewal process with gamma gaps: ∫ S(u) du ÷ mean."""
        beyond, _ = integrate.quad(lambda u: stats.gamma.sf(u, shape, scale=1 / rate), silence, np.inf)
        return beyond * rate / shape

    exact, _ = integrate.quad(lambda rate: backward(rate) * posterior(rate), 1e-4, 2.0, limit=200)
    rhythm = tails.Rhythm(np.array([shape]), np.array([strength]), np.array([weight]))
    assert float(tails.silence_tail(rhythm, np.array([silence]))[0]) == pytest.approx(exact, rel=1e-5)
    assert float(tails.silence_tail(rhythm, np.array([0.0]))[0]) == 1.0
    until = tails.silence_until(rhythm, 0.01)
    assert float(tails.silence_tail(rhythm, until)[0]) == pytest.approx(0.01)


def test_regularity_is_found_again():
    rng = np.random.default_rng(2)
    gaps = rng.gamma(3.0, 2.0, (400, 60))
    rhythm = tails.rhythms(
        np.full(400, 60), gaps.sum(axis=1), np.log(gaps).sum(axis=1), (gaps * np.log(gaps)).sum(axis=1)
    )
    assert float(np.median(rhythm.shape)) == pytest.approx(3.0, rel=0.08)
    assert float(np.median(rhythm.mean)) == pytest.approx(6.0, rel=0.05)


def test_count_tail_knows_the_poisson_where_all_are_alike():
    rng = np.random.default_rng(3)
    before = rng.poisson(0.1 * 50, 4000)
    now = rng.poisson(0.1 * 5, 4000)
    found = tails.count_tail(now, np.full(4000, 5.0), before, np.full(4000, 50.0))
    assert (found[now == 0] == 1.0).all()
    assert float((found < 0.01).mean()) == pytest.approx(0.006, abs=0.006)
    assert found[now == 3].mean() == pytest.approx(stats.poisson.sf(2, 0.5), abs=0.006)


def weekly(customer, weeks, amount=100, *, until=AS_OF, gap=7):
    return [row(customer, until - dt.timedelta(gap * place), str(amount)) for place in range(weeks)]


@pytest.fixture(name="house")
def _house():
    """Forty ordinary customers who come once a week, so that there is a usual to compare with."""
    rng = np.random.default_rng(8)
    rows = []
    for place in range(40):
        shift = place % 7
        for week in range(56):
            day = AS_OF - dt.timedelta(7 * week + shift)
            rows.append(row(f"other {place:02d}", day, f"{90 + rng.integers(0, 21)}"))
    return rows


def judged(rows, customer, **options):
    table = MODEL.run(purchases(rows), as_of=AS_OF, **options).table.to_pylist()
    return next(each for each in table if each["customer"] == customer)


def test_who_stops_coming_is_unusual_by_their_own_rhythm(house):
    stopped = weekly("陳大文", 40, until=AS_OF - dt.timedelta(30))
    found = judged(house + stopped, "陳大文")
    assert (found["state"], found["reason_code"], found["severity"]) == ("unusual", "silence", "extreme")
    assert found["reason"] == "Usually comes every 7 days; silent for 30 days, since 2025-12-01."
    assert dt.date(2025, 12, 9) < found["since"] < dt.date(2025, 12, 28)
    assert found["fresh"]
    monthly = judged(house + weekly("Ada Wong", 13, until=AS_OF - dt.timedelta(40), gap=30), "Ada Wong")
    assert monthly["state"] == "usual", "forty days are nothing to who comes once a month"


def test_who_spends_far_less_or_more_is_unusual(house):
    steady = weekly("王美玲", 56, 100)
    less = [row(name, day, "8" if (AS_OF - day).days < 28 else str(amount)) for name, day, amount in steady]
    found = judged(house + less, "王美玲")
    assert found["state"] == "unusual"
    assert {found["reason_code"], *found["also"].split(",")} == {"spend_low", "basket_low"}
    assert found["since"] == dt.date(2025, 12, 4)
    more = [row(name, day, "900" if (AS_OF - day).days < 28 else str(amount)) for name, day, amount in steady]
    assert judged(house + more, "王美玲")["reason_code"] in ("spend_high", "basket_high")
    assert judged(house + steady, "王美玲")["reason_code"] == "usual"


def test_who_brings_much_back_is_unusual(house):
    back = [row("李志強", AS_OF - dt.timedelta(3 * place), -30) for place in range(8)]
    found = judged(house + weekly("李志強", 56) + back, "李志強")
    assert found["state"] == "unusual"
    assert "returns" in (found["reason_code"], *found["also"].split(","))


def test_a_season_that_moves_everybody_alarms_nobody():
    rows = []
    rng = np.random.default_rng(4)
    for place in range(200):
        for week in range(56):
            amount = round((40 if week < 4 else 100) * rng.uniform(0.85, 1.15), 2)
            rows.append(row(f"{place:03d}", AS_OF - dt.timedelta(7 * week + place % 7), str(amount)))
    metrics = MODEL.run(purchases(rows), as_of=AS_OF).report.metrics
    assert metrics["unusual"] <= 1
    assert metrics["judged"] == 200


def test_days_without_data_count_for_nobody(steady):
    until = AS_OF - dt.timedelta(9)
    known = steady.until(until)
    whole, late = MODEL.run(known, as_of=until), MODEL.run(known, as_of=AS_OF)
    assert late.table.equals(whole.table)
    assert late.report.notes[0].startswith("The data are whole until 2025-12-2")


def test_whole_until_passes_over_a_thin_day_and_stops_at_a_usual_one():
    assert whole_until(np.array([400, 380, 410, 3, 0])) == 2
    assert whole_until(np.array([4, 3, 1])) == 2
    assert whole_until(np.array([0, 0])) == -1
    assert whole_until(np.array([], dtype=np.int64)) == -1


def test_trading_days_follow_the_visits_and_small_shops_follow_the_calendar():
    busy = trading_clock(np.repeat(np.arange(100, 110), [30, 30, 0, 60, 30, 30, 30, 30, 30, 30]), until=109)
    assert busy.at(109) == pytest.approx(10)
    assert (busy.at(102) - busy.at(101), busy.at(103) - busy.at(102)) == pytest.approx((0, 2))
    assert busy.day_of(np.array([2.0, 2.1])).tolist() == [101, 103]
    small = trading_clock(np.array([100, 104]), until=109)
    assert small.at(np.array([99, 100, 109])).tolist() == [0, 1, 10]


def test_bad_input_gives_defined_results():
    empty = MODEL.run(purchases([]), as_of=AS_OF)
    assert (empty.table.num_rows, empty.report.metrics["customers"], empty.report.notes) == (0, 0, ())
    once = judged([row("A", AS_OF, 5), row("B", "2025-01-01", -5)], "A")
    assert (once["state"], once["reason_code"], once["p_value"]) == ("unknown", "too_little_history", None)
    equal = MODEL.run(purchases(weekly("A", 60) + weekly("B", 60)), as_of=AS_OF).table
    assert equal["state"].to_pylist() == ["usual", "usual"]
    refunds = MODEL.run(purchases(weekly("A", 60) + weekly("A", 60, -500)), as_of=AS_OF).table
    assert refunds.num_rows == 1


def test_returns_need_no_purchase_column_and_purchases_of_a_day_are_told_apart():
    rows = [
        ("A", AS_OF - dt.timedelta(7 * week), Decimal(50), f"{week}-{each}") for week in range(40) for each in (1, 2)
    ]
    source = prepare(transactions(rows, ("customer", "date", "amount", "purchase")))
    found = MODEL.run(source, as_of=AS_OF).table.to_pylist()[0]
    assert found["state"] == "usual"


def test_past_alarms_are_checked_against_what_came_after(house):
    gone = weekly("陳大文", 40, until=AS_OF - dt.timedelta(52))
    found = {each.rule: each for each in checks(purchases(house + gone), AS_OF, WatchParameters(), times=1)}
    own = found["own_rhythm"]
    assert (own.as_of, own.customers, own.confirmed, own.share) == (dt.date(2025, 12, 3), 1, 1, 1.0)
    assert (found["thirty_days"].customers, found["others"].confirmed) == (0, 0)
    assert found["others"].customers == 40
    assert list(checks(purchases([]), AS_OF, WatchParameters())) == []


def test_spending_little_by_luck_is_no_alarm():
    rng = np.random.default_rng(12)
    visits, regularity, basket, variation = 4.0, 1.0, 50.0, 0.6
    drawn = rng.gamma(rng.poisson(visits, 200_000) / variation + 1e-12, basket * variation)
    asked = np.array([0.0, 20.0, 60.0, 150.0])
    found = tails.spend_low_tail(asked, np.full(4, visits), np.full(4, regularity), np.full(4, basket), variation)
    assert found == pytest.approx([(drawn <= each + 1e-6).mean() for each in asked], abs=0.004)


def test_customers_who_come_by_pure_chance_raise_no_more_alarms_than_promised():
    rng = np.random.default_rng(13)
    day = rng.integers(END - 364, END + 1, (3000, 45))
    who = np.repeat(np.arange(3000), 45)
    steady = bought(who, day.ravel(), rng.lognormal(3, 1, 3000 * 45) + 0.01)
    metrics = MODEL.run(steady, as_of=AS_OF, parameters=WatchParameters(alarms_per_1000=20.0)).report.metrics
    assert metrics["judged"] == 3000
    assert metrics["unusual"] < metrics["expected_false_alarms"] * 1.2
