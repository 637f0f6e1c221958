"""What customers were and when: built look by look, joined by the day; the same on both engines."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from patron.intelligence.insights.marts.history import CLUSTERS, CUSTOMER_HISTORY, customer_history_sql
from patron.intelligence.insights.tests.engines import MARKS, SPARK, needs_spark
from patron.intelligence.mining.fetching import fetched
from patron.intelligence.warehouse.engines.contract import Engine, open_engine
from patron.intelligence.warehouse.history import as_of, with_history
from patron.intelligence.warehouse.manifest import columns_sql

CHAN, WANG = 1, 2
TODAY, TOMORROW, LATER = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 9)

pytestmark = MARKS


@pytest.fixture(params=["duckdb", pytest.param(SPARK, marks=needs_spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(memory_mb=700, overflow=tmp_path, chosen=request.param)
    yield opened
    opened.close()


KINDS = {
    "customers": {"customer_id": pa.int64(), "home_branch_id": pa.int64()},
    "customer_value": {"customer_id": pa.int64(), "value_class": pa.string(), "previous_class": pa.string()},
    "customer_stage": {"customer_id": pa.int64(), "stage": pa.string()},
    "inventory_flows": {
        "customer_id": pa.int64(), "opened_on": pa.date32(), "closed_on": pa.date32(), "from_stage": pa.string(),
        "to_stage": pa.string(),
    },
    "memberships": {"membership_id": pa.int64(), "customer_id": pa.int64(), "programme": pa.string()},
    "tier_changes": {
        "tier_change_id": pa.int64(), "membership_id": pa.int64(), "after": pa.string(),
        "effective_at": pa.timestamp("us"), "effective_on": pa.date32(),
    },
    "consents": {
        "consent_id": pa.int64(), "customer_id": pa.int64(), "purpose": pa.string(), "channel": pa.string(),
        "granted": pa.bool_(), "given_at": pa.timestamp("us"), "given_on": pa.date32(),
    },
    "clusters_customers": {"customer_id": pa.int64(), "cluster": pa.int32()},
    "clusters_groups": {"cluster": pa.int32(), "branch_id": pa.int64(), "name": pa.string()},
}  # fmt: skip

Rows = Sequence[tuple[Any, ...]]


def look(engine: Engine, day: date, before: pa.Table, tables: Mapping[str, Rows], target: Path) -> pa.Table:
    """The history after a look on `day`; tables that are not given are empty."""
    import pyarrow.parquet as pq

    for name, kinds in KINDS.items():
        rows = tables.get(name, ())
        columns = {
            column: pa.array([row[place] for row in rows], kind) for place, (column, kind) in enumerate(kinds.items())
        }
        engine.register(name, pa.table(columns))
    engine.register("history_before", before)
    columns = columns_sql(CUSTOMER_HISTORY.columns)
    query = customer_history_sql(day, there={name for name in CLUSTERS if name in tables})
    engine.write(query, columns=columns, order=CUSTOMER_HISTORY.order, target=target)
    for name in (*KINDS, "history_before"):
        engine.unregister(name)
    return pq.ParquetFile(target).read()


def nothing() -> pa.Table:
    kinds = {"date": pa.date32(), "int64": pa.int64(), "string": pa.string()}
    return pa.table({column.name: pa.array([], kinds[column.type]) for column in CUSTOMER_HISTORY.columns})


def told(history: pa.Table, attribute: str) -> list[tuple[Any, ...]]:
    names = ("customer_id", "value", "valid_from", "valid_to", "source")
    return [tuple(row[name] for name in names) for row in history.to_pylist() if row["attribute"] == attribute]


def test_values_are_kept_from_look_to_look(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    first: dict[str, Rows] = {"customers": [(CHAN, 100), (WANG, None)], "customer_value": [(CHAN, "A", None)]}
    moved: dict[str, Rows] = {"customers": [(CHAN, 200), (WANG, 100)], "customer_value": [(CHAN, "A", None)]}
    gone: dict[str, Rows] = {"customers": [(CHAN, None), (WANG, 100)]}
    erased: dict[str, Rows] = {"customers": [(WANG, 100)], "clusters_customers": [(CHAN, 1)]}
    erased["clusters_groups"] = [(1, 0, "Weekly families")]

    one = look(engine, TODAY, nothing(), first, file)
    two = look(engine, TOMORROW, one, moved, file)
    again = look(engine, TOMORROW, two, moved, file)
    undone = look(engine, TOMORROW, again, first, file)
    last = look(engine, LATER, again, gone, file)
    left = look(engine, LATER, again, erased, file)

    assert told(one, "home_branch") == [(CHAN, "100", TODAY, None, "observed")]
    assert told(two, "home_branch") == [
        (CHAN, "100", TODAY, TOMORROW, "observed"),
        (CHAN, "200", TOMORROW, None, "observed"),
        (WANG, "100", TOMORROW, None, "observed"),
    ]
    assert told(two, "value_class") == [(CHAN, "A", TODAY, None, "observed")]
    assert again == two
    assert undone == one
    assert told(last, "home_branch")[1:] == [
        (CHAN, "200", TOMORROW, LATER, "observed"),
        (WANG, "100", TOMORROW, None, "observed"),
    ]
    assert told(last, "value_class") == [(CHAN, "A", TODAY, LATER, "observed")]
    assert {row["customer_id"] for row in left.to_pylist()} == {WANG}


def test_tiers_come_from_the_decisions_and_stages_from_past_month_ends(engine: Engine, tmp_path: Path) -> None:
    january, february = date(2026, 1, 31), date(2026, 2, 28)
    decisions = [
        (1, 7, "silver", datetime.fromisoformat("2026-01-05T09:00"), date(2026, 1, 5)),
        (2, 7, "gold", datetime.fromisoformat("2026-01-05T10:00"), date(2026, 1, 5)),
        (3, 7, "gold", datetime.fromisoformat("2026-02-01"), date(2026, 2, 1)),
        (4, 7, "", datetime.fromisoformat("2026-02-20"), date(2026, 2, 20)),
        (5, 7, "silver", datetime.fromisoformat("2026-03-01"), date(2026, 3, 1)),
        (6, 7, "gold", datetime.fromisoformat("2026-03-05"), date(2026, 3, 5)),
    ]
    found = look(
        engine,
        TODAY,
        nothing(),
        {
            "customers": [(CHAN, None), (WANG, None)],
            "memberships": [(7, CHAN, "club")],
            "tier_changes": decisions,
            "customer_stage": [(CHAN, "mature"), (WANG, "new")],
            "customer_value": [(CHAN, "B", "A")],
            "inventory_flows": [
                (CHAN, january, february, "new", "developing"),
                (CHAN, february, TODAY, "developing", "mature"),
                (WANG, february, TODAY, "none", "new"),
            ],
            "clusters_customers": [(CHAN, 1)],
            "clusters_groups": [(1, 0, "Weekly families"), (1, 100, "Weekly families")],
        },
        tmp_path / "history.parquet",
    )
    assert told(found, "tier") == [
        (CHAN, "gold", date(2026, 1, 5), date(2026, 2, 20), "recorded"),
        (CHAN, "silver", date(2026, 3, 1), None, "recorded"),
    ]
    assert told(found, "stage") == [
        (CHAN, "new", january, february, "reckoned"),
        (CHAN, "developing", february, TODAY, "reckoned"),
        (CHAN, "mature", TODAY, None, "observed"),
        (WANG, "new", TODAY, None, "observed"),
    ]
    assert told(found, "value_class") == [
        (CHAN, "A", february, TODAY, "reckoned"),
        (CHAN, "B", TODAY, None, "observed"),
    ]
    assert told(found, "cluster") == [(CHAN, "Weekly families", TODAY, None, "observed")]


def test_what_was_allowed_is_known_by_the_day(engine: Engine, tmp_path: Path) -> None:
    def said(number: int, channel: str, granted: bool, at: str, purpose: str = "marketing") -> tuple[Any, ...]:
        when = datetime.fromisoformat(at)
        return number, CHAN, purpose, channel, granted, when, when.date()

    answers = [
        said(1, "sms", True, "2026-01-05T09:00"),
        said(2, "sms", True, "2026-01-20T09:00"),
        said(3, "any", False, "2026-02-01T09:00"),
        said(4, "email", False, "2026-02-10T09:00"),
        said(5, "email", True, "2026-02-10T10:00"),
        said(6, "sms", True, "2026-03-03T09:00"),
        said(7, "post", True, "2026-01-01T09:00", "partners"),
    ]

    found = look(engine, TODAY, nothing(), {"consents": answers}, tmp_path / "history.parquet")

    february, tenth = date(2026, 2, 1), date(2026, 2, 10)
    assert told(found, "consent_marketing_sms") == [
        (CHAN, "granted", date(2026, 1, 5), february, "recorded"),
        (CHAN, "refused", february, None, "recorded"),
    ]
    assert told(found, "consent_marketing_email") == [
        (CHAN, "refused", february, tenth, "recorded"),
        (CHAN, "granted", tenth, None, "recorded"),
    ]
    assert told(found, "consent_marketing_app") == [(CHAN, "refused", february, None, "recorded")]
    assert told(found, "consent_partners_post") == [(CHAN, "granted", date(2026, 1, 1), None, "recorded")]
    assert len({row["attribute"] for row in found.to_pylist()}) == 6


def test_facts_are_joined_with_what_held_on_their_day(engine: Engine) -> None:
    def row(attribute: str, value: str, since: date, until: date | None, programme: str = "") -> dict[str, Any]:
        return {
            "customer_id": CHAN, "attribute": attribute, "programme": programme, "value": value, "valid_from": since,
            "valid_to": until, "source": "observed",
        }  # fmt: skip

    rows = [
        row("tier", "silver", date(2026, 1, 1), date(2026, 2, 1), "club"),
        row("tier", "gold", date(2026, 2, 1), None, "club"),
        row("tier", "founder", date(2020, 1, 1), None, "friends"),
        row("stage", "new", date(2026, 1, 15), None),
    ]
    engine.register("history", pa.Table.from_pylist(rows, schema=nothing().schema))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    sales = {
        "customer_id": [CHAN] * 4 + [WANG],
        "sold_on": pa.array([*days, days[3]], pa.date32()),
        "n": [0, 1, 2, 3, 4],
    }
    engine.register("sales", pa.table(sales))
    history, facts = engine.backend.table("history"), engine.backend.table("sales")

    placed = with_history(facts, history, at="sold_on", attributes=("tier", "stage"), programme="club")
    joined = fetched(placed.order_by("n")).to_pylist()
    assert [(each["tier"], each["stage"]) for each in joined] == [
        (None, None), ("silver", None), ("silver", "new"), ("gold", "new"), (None, None),
    ]  # fmt: skip
    then = as_of(history, date(2026, 1, 31), attributes=("tier", "stage"), programme="club")
    assert fetched(then).to_pylist() == [{"customer_id": CHAN, "tier": "silver", "stage": "new"}]
