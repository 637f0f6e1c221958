"""The worked numbers of the pages on loyalty and on the forecast are what the code gives."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.mining.forecasting.calendar import event_effects
from patron.intelligence.mining.models.forecast import MODEL as FORECAST
from patron.intelligence.mining.models.forecast import ForecastParameters
from patron.intelligence.mining.models.loyalty import MODEL as LOYALTY
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.testing import row, transactions
from patron.intelligence.mining.tests.test_documented_numbers import PAGES, assert_as_documented, table
from patron.intelligence.mining.transactions import prepare
from patron.intelligence.mining.trends.settings import LoyaltyParameters

FIRST = dt.date(2025, 1, 6)


def visits(told: dict[str, str]) -> list[tuple[object, ...]]:
    """The visits of a row of the page: the first day, then after each gap, at the branches in turn."""
    day, branches = dt.date.fromisoformat(told["first"]), told["branches"].split(", ")
    days = [day]
    for gap in told["gaps"].split(", "):
        length, _, times = gap.partition(" × ")
        for _again in range(int(times or 1)):
            days.append(days[-1] + dt.timedelta(int(length)))
    return [(*row(told["customer"], each), branches[place % len(branches)]) for place, each in enumerate(days)]


def test_loyalty_results():
    rows = [visit for told in table("loyalty_analysis.md", "loyalty input") for visit in visits(told)]
    source = transactions(rows, ("customer", "date", "amount", "branch"))
    result = LOYALTY.run(prepare(source), as_of=dt.date(2025, 12, 28))
    documented = table("loyalty_analysis.md", "loyalty result")
    by_customer = {each["customer"]: each for each in result.table.to_pylist()}
    assert len(by_customer) == len(documented)
    assert_as_documented([by_customer[each["customer"]] for each in documented], documented)


def test_loyalty_page_names_every_parameter_with_its_default():
    text = (PAGES / "loyalty_analysis.md").read_text(encoding="utf-8")
    shown = {"window_weeks": "(52)", "long_days": "is 365", "false_share": "(10 %)"}
    for name, default in LoyaltyParameters().as_dict().items():
        assert f"`{name}` {shown.get(name, f'({default:g})')}" in text, name


@pytest.fixture(name="sales")
def _sales():
    """Forty weeks of two branches, from the factors by week and the weekdays on the page."""
    weekdays = [float(each["sales"]) for each in table("forecast.md", "forecast weekdays")]
    columns = {"date": [], "value": [], "series": []}
    for told in table("forecast.md", "forecast input"):
        factors = [float(each) for each in told["week by week"].split(", ")]
        for day in range(280):
            columns["date"].append(FIRST + dt.timedelta(day))
            columns["value"].append(float(told["share"]) * weekdays[day % 7] * factors[day // 7 % len(factors)])
            columns["series"].append(told["branch"])
    return Rows.of(pa.table({**columns, "date": pa.array(columns["date"], pa.date32())}))


def test_forecast_results(sales):
    result = FORECAST.run(sales, as_of=FIRST + dt.timedelta(279), parameters=ForecastParameters(weeks=2))
    documented = table("forecast.md", "forecast result")
    assert_as_documented(
        [{**each, "series": each["series"] or "(all)"} for each in result.table.to_pylist()], documented
    )


def test_event_effect_of_the_page():
    [told] = table("forecast.md", "forecast event")
    usual = np.full((1, 100), float(told["usual"]))
    flags = np.zeros((1, 100))
    flags[0, : int(told["days"])] = 1
    values = np.where(flags > 0, float(told["sold"]), usual)
    assert_as_documented([{**told, "effect": float(event_effects(flags, values, usual)[0])}], [told])
