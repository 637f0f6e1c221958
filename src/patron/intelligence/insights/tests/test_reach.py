"""Whom marketing may speak to: the answer that counts, the contact on file, and what it is worth; on both engines."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from patron.core.customers.rules import ConsentGiven, is_allowed
from patron.intelligence.insights.marts.reach import CHANNELS, CUSTOMER_REACH_SQL, REACH_SQL, reach_sql
from patron.intelligence.insights.tests.engines import MARKS, SPARK, needs_spark
from patron.intelligence.warehouse.engines.contract import Engine, open_engine

CHAN, WANG, LI, APPLEBY = 1, 2, 3, 4
TODAY = date(2026, 3, 2)

pytestmark = MARKS


@pytest.fixture(params=["duckdb", pytest.param(SPARK, marks=needs_spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(memory_mb=700, overflow=tmp_path, chosen=request.param)
    yield opened
    opened.close()


#: Chan has everything; Wang no e-mail; Li nothing; Appleby, of no branch, is blocked.
CUSTOMERS = {
    "customer_id": [CHAN, WANG, LI, APPLEBY],
    "home_branch_id": pa.array([100, 100, 200, None], pa.int64()),
    "status": ["active", "active", "active", "blocked"],
    "has_phone": [True, True, False, True],
    "has_email": [True, False, False, True],
    "has_post": [True, False, False, False],
    "has_chat": [True, False, False, False],
}
SAID = [
    (1, CHAN, "marketing", "any", True, "2026-01-05T09:00"),
    (2, CHAN, "marketing", "sms", False, "2026-01-06T09:00"),
    (3, CHAN, "marketing", "email", False, "2026-01-01T09:00"),
    (4, CHAN, "service", "phone", False, "2026-02-01T09:00"),
    (5, WANG, "marketing", "sms", False, "2026-02-01T09:00"),
    (6, WANG, "marketing", "sms", True, "2026-02-01T09:00"),
    (7, WANG, "marketing", "any", False, "2026-03-03T09:00"),
    (8, LI, "marketing", "any", True, "2026-02-01T09:00"),
    (9, APPLEBY, "marketing", "sms", True, "2026-02-01T09:00"),
]
WORTH = {
    "customer_id": [CHAN, WANG, APPLEBY, LI],
    "rank": pa.array([1, 2, 3, None], pa.int32()),
    "vip": pa.array([True, False, False, None]),
    "monetary": pa.array([Decimal("90.00"), Decimal("10.00"), Decimal("5.00"), None], pa.decimal128(18, 2)),
}


def fill(engine: Engine) -> None:
    numbers, who, purposes, channels, granted, at = zip(*SAID, strict=True)
    when = [datetime.fromisoformat(each) for each in at]
    consents = {
        "consent_id": numbers, "customer_id": who, "purpose": purposes, "channel": channels, "granted": granted,
        "given_at": pa.array(when, pa.timestamp("us")), "given_on": pa.array([each.date() for each in when]),
    }  # fmt: skip
    for name, columns in {"customers": CUSTOMERS, "consents": consents, "customer_value": WORTH}.items():
        engine.register(name, pa.table(columns))
    engine.keep("reach_now", reach_sql(TODAY))


def asked(engine: Engine, query: str, names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in engine.rows(f"SELECT {names} FROM ({query}) found"))


def test_the_answer_that_counts_and_the_contact_on_file(engine: Engine) -> None:
    fill(engine)
    names = "customer_id, channel, has_contact, permission, since, reachable"
    found = {row[:2]: row[2:] for row in asked(engine, CUSTOMER_REACH_SQL, names)}

    assert found[CHAN, "sms"] == (True, "refused", date(2026, 1, 6), False)
    assert found[CHAN, "email"] == (True, "granted", date(2026, 1, 5), True)
    assert found[CHAN, "phone"] == (True, "granted", date(2026, 1, 5), True)
    assert found[WANG, "sms"] == (True, "granted", date(2026, 2, 1), True)
    assert found[WANG, "phone"] == (True, "not_asked", None, False)
    assert (WANG, "email") not in found
    assert found[LI, "app"] == (False, "granted", date(2026, 2, 1), False)
    assert found[APPLEBY, "sms"] == (True, "granted", date(2026, 2, 1), False)
    assert len(found) == 15

    said = {
        who: [
            ConsentGiven(purpose, channel, granted, datetime.fromisoformat(at), sequence=number)
            for number, whose, purpose, channel, granted, at in SAID
            if whose == who and at < "2026-03-03"
        ]
        for who in (CHAN, WANG, LI, APPLEBY)
    }
    assert {key: row[1] == "granted" for key, row in found.items()} == {
        (who, channel): is_allowed(said[who], purpose="marketing", channel=channel) for who, channel in found
    }


def test_what_marketing_reaches_by_branch_and_channel(engine: Engine) -> None:
    fill(engine)
    names = (
        "branch_id, channel, customers, with_contact, granted, refused, not_asked, reachable, vips, vips_reachable, "
        "money, money_reachable"
    )
    found = {row[:2]: row[2:] for row in asked(engine, REACH_SQL, names)}

    assert found[0, "sms"] == (3, 2, 2, 1, 0, 1, 1, 0, Decimal("100.00"), Decimal("10.00"))
    assert found[0, "email"] == (3, 1, 2, 0, 1, 1, 1, 1, Decimal("100.00"), Decimal("90.00"))
    assert found[0, "any"] == (3, 2, 3, 0, 0, 2, 1, 1, Decimal("100.00"), Decimal("100.00"))
    assert found[100, "post"] == (2, 1, 1, 0, 1, 1, 1, 1, Decimal("100.00"), Decimal("90.00"))
    assert found[200, "any"] == (1, 0, 1, 0, 0, 0, 0, 0, Decimal("0.00"), Decimal("0.00"))
    assert set(found) == {(branch, channel) for branch in (0, 100, 200) for channel in (*CHANNELS, "any")}
