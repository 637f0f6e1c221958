"""The worked numbers of the pages on lifetime value and survival are what the code gives."""

import datetime as dt

import numpy as np
import pytest

from patron.intelligence.mining.clv.forecasting import prospects
from patron.intelligence.mining.clv.gammagamma import expected_spend
from patron.intelligence.mining.clv.summaries import Cells, purchase_days, summarise
from patron.intelligence.mining.clv.valuing import COUNT_MODELS
from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier
from patron.intelligence.mining.survival.retention import remaining, retention, survival
from patron.intelligence.mining.testing import purchases, row
from patron.intelligence.mining.tests.test_documented_numbers import assert_as_documented, table

ESTIMATES = {
    "bgnbd": [0.243, 4.414, 0.793, 2.426],
    "mbgnbd": [0.243, 4.414, 0.793, 2.426],
    "paretonbd": [0.553, 10.578, 0.606, 11.669],
}


def test_summaries_of_lifetime_value():
    days = [row(each["customer"], each["day"], each["amount"]) for each in table("clv.md", "clv days")]
    found = summarise(purchase_days(purchases(days).days), dt.date(2025, 3, 31))
    computed = [
        {"customer": customer, "frequency": int(x), "recency": tx / 7, "T": age / 7, "monetary": money}
        for customer, x, tx, age, money in zip(
            found.customers.to_pylist(),
            found.frequency,
            found.recency.tolist(),
            found.age.tolist(),
            found.monetary.tolist(),
            strict=True,
        )
    ]
    assert_as_documented(computed, table("clv.md", "clv summaries"))


def test_forecasts_of_lifetime_value():
    documented = table("clv.md", "clv forecast")
    computed = []
    for each in documented:
        x, tx, age = (np.array([float(each[name])]) for name in ("x", "t_x", "T"))
        cells = Cells(x, tx, age, np.ones(1), np.zeros(1, dtype=np.int64))
        found = prospects(
            COUNT_MODELS[each["model"]], np.array(ESTIMATES[each["model"]]), cells, horizon=39, discount=0
        )
        computed.append({**each, "p_alive": float(found.p_alive[0]), "expected": float(found.expected[0])})
    assert_as_documented(computed, documented)


def test_expected_spend_of_lifetime_value():
    documented = table("clv.md", "clv spend")
    x = np.array([int(each["x"]) for each in documented])
    mean = np.array([float(each["m"]) for each in documented])
    spend = expected_spend(np.array([6.25, 3.74, 15.44]), x, mean, otherwise=0.0)
    assert_as_documented(
        [{**each, "expected": float(value)} for each, value in zip(documented, spend, strict=True)], documented
    )


def test_curve_of_survival():
    weeks = table("survival.md", "survival weeks")
    duration = np.array([int(each["weeks"].rstrip("+")) for each in weeks])
    ended = np.array([not each["weeks"].endswith("+") for each in weeks])
    curve = kaplan_meier(duration, ended)
    computed = [
        {"week": int(time), "at_risk": int(risk), "left": int(left), "survival": share, "error": error}
        for time, risk, left, share, error in zip(
            curve.time, curve.at_risk, curve.left, curve.survival.tolist(), curve.error.tolist(), strict=True
        )
    ]
    assert_as_documented(computed, table("survival.md", "survival curve"))


@pytest.mark.parametrize(("alpha", "beta"), [(0.668, 3.806)])
def test_retention_of_survival(alpha, beta):
    documented = table("survival.md", "survival retention")
    age = np.array([int(each["age"]) for each in documented])
    computed = [
        {"age": int(years), "survival": share, "retention": rate, "of_the_next_5": left}
        for years, share, rate, left in zip(
            age,
            survival(alpha, beta, age).tolist(),
            retention(alpha, beta, age).tolist(),
            remaining(alpha, beta, age, horizon=5).tolist(),
            strict=True,
        )
    ]
    assert_as_documented(computed, documented)
