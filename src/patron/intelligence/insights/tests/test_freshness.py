"""The last whole day: silent tills are told from quiet days, and a small shop's chance from either."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from patron.intelligence.insights.freshness import last_whole_day
from patron.intelligence.warehouse.manifest import Manifest
from patron.intelligence.warehouse.reader import Warehouse

AS_OF = date(2026, 3, 10)


def whole_until(tmp_path: Path, customers_on: dict[date, int]) -> date:
    duck = duckdb.connect()
    duck.execute(
        "CREATE TABLE purchases (customer_id BIGINT, occurred_on DATE, is_voided BOOLEAN, currency VARCHAR)",
    )
    for day, customers in customers_on.items():
        duck.execute("INSERT INTO purchases SELECT range, ?, false, 'HKD' FROM range(?)", [day, customers])
    try:
        return last_whole_day(Warehouse(tmp_path, _NOTHING, duck), as_of=AS_OF, currency="HKD")
    finally:
        duck.close()


_NOTHING = Manifest(version=1, taken_at="2026-03-10T00:00:00+00:00", snapshot="", fingerprint="")


def days(first: int, last: int, customers: int) -> dict[date, int]:
    """So many customers on each of the days from `first` to `last` days before the as-of day."""
    return {AS_OF - timedelta(ago): customers for ago in range(first, last - 1, -1)}


@pytest.mark.parametrize(
    ("customers_on", "ago"),
    [
        pytest.param(days(80, 0, 50), 0, id="whole to the last day"),
        pytest.param(days(80, 7, 50), 7, id="a week not sent"),
        pytest.param({**days(80, 1, 50), **days(0, 0, 3)}, 1, id="today has only begun"),
        pytest.param({**days(80, 1, 50), **days(0, 0, 12)}, 0, id="a quiet day is a day"),
        pytest.param(days(80, 2, 4), 0, id="two empty days of a small shop may be chance"),
        pytest.param(days(80, 9, 4), 9, id="nine are not"),
        pytest.param(days(80, 29, 50), 0, id="shut for longer than four weeks"),
        pytest.param(days(200, 90, 50), 0, id="nothing in all of the time looked at"),
        pytest.param({}, 0, id="no purchases"),
    ],
)
def test_the_last_whole_day(tmp_path: Path, customers_on: dict[date, int], ago: int) -> None:
    assert whole_until(tmp_path, customers_on) == AS_OF - timedelta(ago)
