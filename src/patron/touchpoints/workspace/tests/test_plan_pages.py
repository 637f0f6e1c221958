"""The contact plan and the budget as pages: the answer on top follows what the reader chooses."""

from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from patron.intelligence.warehouse.reader import Warehouse
from patron.touchpoints.workspace.analyses import budget, contact_plan
from patron.touchpoints.workspace.analyses.contract import ChartPart, Who
from patron.touchpoints.workspace.analyses.desk import Desk, Run
from patron.touchpoints.workspace.tests.desks import desk_in, house, table_of

AS_OF = date(2026, 3, 1)


def cents(*values: float) -> pa.Array:
    return pa.array([Decimal(f"{value:.2f}") for value in values], pa.decimal128(18, 2))


@pytest.fixture(name="warehouse", scope="module")
def _warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = house(tmp_path_factory, {}).warehouse
    who = range(1, 61)
    candidates = pa.table(
        {
            "customer_id": pa.array(who, pa.int64()),
            "branch_id": pa.array([1 + each % 2 for each in who], pa.int64()),
            "stage": ["declining" if each % 3 else "mature" for each in who],
            "p_leave": [each / 100 for each in who],
            "gone": [False for _ in who],
            "fallen": cents(*(each * 5 for each in who)),
            "stake": cents(*(each * 20 for each in who)),
            "days_silent": pa.array(who, pa.int32()),
            "recent": pa.array([2 if each == 60 else 0 for each in who], pa.int32()),
        }
    )
    segments = pa.table(
        {
            "branch_id": pa.array([1, 1, 2], pa.int64()),
            "segment": ["declining", "mature", "declining"],
            "customers": pa.array([400, 1500, 90], pa.int64()),
            "money_per_year": cents(600_000, 3_500_000, 40_000),
            "margin": [0.25, 0.25, 0.25],
        }
    )
    warehouse.connection.register("contact_candidates", candidates)
    warehouse.connection.register("budget_segments", segments)
    return warehouse


def desk(warehouse: Warehouse, query: str = "", branch: int | None = None) -> Desk:
    return desk_in(warehouse, Run(as_of=AS_OF), query, branch)


def test_the_plan_calls_those_with_most_at_stake_within_what_people_can_do(warehouse: Warehouse) -> None:
    answer = contact_plan.PAGE.build(desk(warehouse, "people=1&calls=4&days=2"))
    assert str(answer.sentence).startswith("Call 8 customers within 2 days and send 51 messages: ")
    rows = table_of(answer, "plan").rows
    called = [row[1].customer_id for row in rows if isinstance(row[1], Who) and row[2] == "Call"]
    assert called == [59, 58, 57, 56, 55, 54, 53, 52]  # the sixtieth was contacted twice
    assert [row[0] for row in rows[:8]] == [AS_OF + timedelta(days=1)] * 4 + [AS_OF + timedelta(days=2)] * 4
    assert {row[3] for row in rows[:8]} == {1}


def test_nobody_is_planned_for_a_way_that_is_closed(warehouse: Warehouse) -> None:
    before = warehouse.connection.sql("SELECT * FROM contact_candidates").fetch_arrow_table()
    number = before.column("customer_id").to_pylist()
    ways = {"by_call": [each < 59 for each in number], "by_sms": [each % 2 > 0 for each in number]}
    for name, flags in (*ways.items(), ("by_email", [False for _ in number])):
        before = before.append_column(name, pa.array(flags))
    warehouse.connection.register("contact_candidates", before)

    answer = contact_plan.PAGE.build(desk(warehouse, "people=1&calls=4&days=2"))

    planned = {row[1].customer_id: row[2] for row in table_of(answer, "plan").rows if isinstance(row[1], Who)}
    assert [who for who, channel in planned.items() if channel == "Call"] == list(
        range(58, 42, -2)
    )  # others get an SMS
    assert planned[59] == "SMS"
    assert not [who for who, channel in planned.items() if channel == "SMS" and who % 2 == 0]
    assert "E-mail" not in planned.values()
    closed = next(tile for tile in answer.tiles if tile.label == "Cannot be contacted")
    assert closed.value == "1"  # the sixtieth: no calls, even number


def test_more_people_never_bring_less(warehouse: Warehouse) -> None:
    answer = contact_plan.PAGE.build(desk(warehouse, "people=1&calls=4&days=2"))
    chart = next(part.chart for part in answer.parts if isinstance(part, ChartPart))
    saved = [float(str(row[1])) for row in chart.table.rows]
    assert saved == sorted(saved)
    assert saved[0] < saved[-1]


def test_when_nothing_pays_everybody_is_left_in_peace(warehouse: Warehouse) -> None:
    answer = contact_plan.PAGE.build(desk(warehouse, "saves_call=0&saves_sms=0&saves_email=0"))
    assert "leave everybody in peace" in str(answer.sentence)
    only_messages = contact_plan.PAGE.build(desk(warehouse, "people=0"))
    assert str(only_messages.sentence).startswith("No call would pay")


def test_a_branch_plans_for_its_own(warehouse: Warehouse) -> None:
    answer = contact_plan.PAGE.build(desk(warehouse, branch=2))
    planned = [row[1].customer_id for row in table_of(answer, "plan").rows if isinstance(row[1], Who)]
    assert planned
    assert all(each % 2 for each in planned)
    nobody = contact_plan.PAGE.build(desk(warehouse, branch=-1))
    assert "nobody to contact" in str(nobody.sentence)


def test_the_budget_is_divided_to_the_last_unit_when_asked(warehouse: Warehouse) -> None:
    answer = budget.PAGE.build(desk(warehouse, "budget=5000&all=yes"))
    assert str(answer.sentence).startswith("Spend HK$5,000, the largest part (HK$")
    spent = [float(str(row[2])) for row in table_of(answer, "division").rows]
    assert sum(spent) == pytest.approx(5000, abs=0.05)
    assert spent == sorted(spent, reverse=True)


def test_money_that_nothing_brings_back_is_kept(warehouse: Warehouse) -> None:
    answer = budget.PAGE.build(desk(warehouse, "budget=1000000"))
    assert "nothing would bring it back" in str(answer.sentence)
    next_unit = [float(str(row[4])) for row in table_of(answer, "division").rows]
    assert max(next_unit) <= 1.01
    poor = budget.PAGE.build(desk(warehouse, "works=1"))
    assert "keep the money" in str(poor.sentence)


def test_limits_and_curves_change_the_division(warehouse: Warehouse) -> None:
    limited = budget.PAGE.build(desk(warehouse, "budget=1000&most=20&all=yes"))
    assert max(float(str(row[2])) for row in table_of(limited, "division").rows) <= 200.01
    slow = budget.PAGE.build(desk(warehouse, "curve=logarithmic"))
    assert str(slow.sentence) != str(budget.PAGE.build(desk(warehouse)).sentence)
    empty = budget.PAGE.build(desk(warehouse, branch=-1))
    assert "nothing to spend" in str(empty.sentence)
