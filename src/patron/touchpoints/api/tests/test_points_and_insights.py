"""Points and insights over the API."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.models import Customer
from patron.core.customers.operations.insights import publish_insights
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.kernel.models import IdempotentAnswer, RateWindow
from patron.touchpoints.api.jobs import forget
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db


def _publish(model: str, rows: list[tuple[Customer, str, str, int | None, dict[str, object]]]) -> None:
    table = pa.table(
        {
            "customer_id": [customer.pk for customer, *_ in rows],
            "label": [label for _, label, *_ in rows],
            "score": [score for _, _, score, *_ in rows],
            "rank": pa.array([rank for *_, rank, _ in rows], pa.int64()),
            "reason_code": ["test" for _ in rows],
            "reason": ["Because." for _ in rows],
            "facts": [json.dumps(facts) for *_, facts in rows],
        }
    )
    publish_insights(
        actor=SYSTEM, now=NOW, model=model, as_of=date(2026, 3, 1), table=table, parameters={"window": 365},
        metrics={}, data_version="1",
    )  # fmt: skip


def test_points_are_those_of_the_ledger(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    member = make_member()
    make_purchase(member.customer, occurred_at=NOW)

    body = caller.get(f"/customers/{member.customer.number}/points").json()

    assert Decimal(body["available"]) == Decimal(63)
    assert {name: body[name] for name in ("status", "joined_on", "owed", "programme")} == {
        "status": "active",
        "joined_on": "2020-01-01",
        "owed": "0.00",
        "programme": member.programme.code,
    }
    assert body["balance"] == body["available"] == body["earned"]


def test_the_statement_gives_every_movement_once_with_running_balance(caller: Caller) -> None:
    member = make_member()
    for hour in range(5):
        make_purchase(member.customer, occurred_at=NOW + timedelta(hours=hour))
    address = f"/customers/{member.customer.number}/points/statement"
    lines: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = caller.get(address, {"limit": 2, "cursor": cursor}).json()
        lines += page["items"]
        cursor = page["next"]

    assert [Decimal(line["balance"]) for line in lines] == [315, 252, 189, 126, 63]
    assert {Decimal(line["amount"]) for line in lines} == {Decimal(63)}
    assert {line["kind"] for line in lines} == {"earn"}
    assert all("63" in line["words"] for line in lines)


def test_who_is_no_member_has_no_points(caller: Caller) -> None:
    customer = make_customer(CHAN)

    answer = caller.get(f"/customers/{customer.number}/points")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_member")
    assert caller.get(f"/customers/{customer.number}/points/statement").status_code == 404


def test_the_best_customers_come_by_rank(caller: Caller) -> None:
    customers = [make_customer(CHAN) for _ in range(5)]
    ranks = [3, 1, 5, 2, 4]
    _publish(
        "value",
        [
            (customer, "A" if rank < 3 else "B", f"{1000 - rank}.5000", rank, {"vip": rank < 4})
            for customer, rank in zip(customers, ranks, strict=True)
        ],
    )
    by_rank = {rank: customer.number for customer, rank in zip(customers, ranks, strict=True)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = caller.get("/insights/value", {"vip": "true", "order": "rank", "limit": 2, "cursor": cursor}).json()
        seen += [item["customer"] for item in page["items"]]
        cursor = page["next"]

    assert seen == [by_rank[1], by_rank[2], by_rank[3]]
    others = caller.get("/insights/value", {"vip": "false", "order": "rank"}).json()["items"]
    assert [item["customer"] for item in others] == [by_rank[4], by_rank[5]]
    assert [item["rank"] for item in caller.get("/insights/value", {"label": "A"}).json()["items"]] == [1, 2]


def test_a_customer_shows_what_every_model_says(caller: Caller) -> None:
    customer = make_customer(CHAN)
    _publish("value", [(customer, "A", "12430.0000", 1, {"vip": True})])
    _publish("lifecycle", [(customer, "mature", "12430.0000", None, {"at_risk": False})])

    lifecycle, value = caller.get(f"/customers/{customer.number}/insights").json()

    assert value == {
        "customer": customer.number,
        "model": "value",
        "label": "A",
        "score": "12430.0000",
        "rank": 1,
        "reason_code": "test",
        "reason": "Because.",
        "facts": {"vip": True},
        "as_of": "2026-03-01",
        "computed_at": "2026-03-02T01:00:00Z",
    }
    assert (lifecycle["model"], lifecycle["label"], lifecycle["rank"]) == ("lifecycle", "mature", None)
    assert [(model["model"], model["customers"]) for model in caller.get("/insights").json()] == [
        ("lifecycle", 1),
        ("value", 1),
    ]


def test_a_key_bound_to_a_branch_sees_points_and_insights_of_its_own_customers(make_caller: CallerMaker) -> None:
    kowloon, central = make_branch("KLN"), make_branch("CTL", "Central")
    ours, theirs = make_customer(CHAN, branch=kowloon), make_customer(WANG, branch=central)
    member = make_member(customer=theirs)
    _publish("value", [(ours, "A", "2.0000", 1, {"vip": True}), (theirs, "A", "1.0000", 2, {"vip": True})])
    bound = make_caller(branch=kowloon)

    assert [item["customer"] for item in bound.get("/insights/value").json()["items"]] == [ours.number]
    assert bound.get(f"/customers/{theirs.number}/insights").status_code == 404
    assert bound.get(f"/customers/{member.customer.number}/points").status_code == 404


def test_lists_cost_the_same_for_one_and_for_twenty(caller: Caller, django_assert_num_queries: Any) -> None:
    first = make_customer(CHAN)
    _publish("value", [(first, "A", "1.0000", 1, {})])
    caller.get("/insights/value")
    with django_assert_num_queries(3):  # key, rate, results with customers and runs
        caller.get("/insights/value")
    many = [first, *(make_customer(WANG) for _ in range(19))]
    _publish("value", [(customer, "A", "1.0000", rank, {}) for rank, customer in enumerate(many, start=1)])
    with django_assert_num_queries(3):
        assert len(caller.get("/insights/value").json()["items"]) == 20


def test_housekeeping_forgets_what_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 20, tzinfo=UTC))
    for day in (1, 19):
        at = datetime(2026, 3, day, tzinfo=UTC)
        IdempotentAnswer.objects.create(owner="key:1", key=str(day), request_digest="", created_at=at)
        RateWindow.objects.create(owner="key:1", window_start=at, count=1)

    forget()

    assert [answer.key for answer in IdempotentAnswer.objects.all()] == ["19"]
    assert not RateWindow.objects.exists()
