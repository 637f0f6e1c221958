"""Purchases over the API."""

from datetime import timedelta
from typing import Any

import pytest

from patron.business.purchases.models import Purchase
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

SALE = {
    "source": "till",
    "source_key": "T7-000123",
    "occurred_at": "2026-03-02T09:00:00+08:00",
    "branch": "KLN",
    "terminal": "7",
    "lines": [
        {"product": "MILK-1L", "description": "Organic milk", "quantity": 2, "unit_price": "18.50"},
        {"product": "BREAD", "quantity": "1", "unit_price": 26, "discount_amount": "2.60"},
    ],
    "tenders": [{"kind": "cash", "amount": "60.40"}],
    "coupons": [{"code": "BREAD10", "amount": "2.60", "line_no": 2}],
}


def _ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [purchase["id"] for purchase in answer.json()["items"]]


def test_a_sale_is_recorded_to_the_cent(caller: Caller) -> None:
    make_branch("KLN")
    customer = make_customer(CHAN)

    answer = caller.post("/purchases", {**SALE, "customer": customer.number})

    body = answer.json()
    purchase = Purchase.objects.get()
    assert answer.status_code == 201, body
    assert answer.headers["Location"] == f"/api/v1/purchases/{purchase.pk}"
    assert body == {
        "id": purchase.pk,
        "source": "till",
        "source_key": "T7-000123",
        "kind": "sale",
        "status": "completed",
        "customer": customer.number,
        "branch": "KLN",
        "channel": "store",
        "occurred_at": "2026-03-02T01:00:00Z",
        "voided_at": None,
        "currency": "HKD",
        "gross_amount": "63.00",
        "discount_amount": "2.60",
        "net_amount": "60.40",
        "line_count": 2,
        "terminal": "7",
        "cashier": "",
        "original": None,
    }
    details = caller.get(f"/purchases/{purchase.pk}").json()
    assert [(line["product"], line["quantity"], line["net_amount"]) for line in details["lines"]] == [
        ("MILK-1L", "2.000", "37.00"),
        ("BREAD", "1.000", "23.40"),
    ]
    assert details["tenders"] == [{"kind": "cash", "amount": "60.40", "reference": ""}]
    assert details["coupons"] == [{"code": "BREAD10", "amount": "2.60", "line_no": 2}]
    assert details["returns"] == []


def test_the_same_receipt_again_adds_nothing_and_another_under_its_number_is_refused(caller: Caller) -> None:
    make_branch("KLN")
    first = caller.post("/purchases", SALE)

    again = caller.post("/purchases", SALE)
    other = caller.post("/purchases", {**SALE, "occurred_at": "2026-03-02T09:01:00+08:00"})

    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert Purchase.objects.count() == 1


def test_a_sale_under_an_idempotency_key_is_answered_from_memory(caller: Caller) -> None:
    make_branch("KLN")
    first = caller.post("/purchases", SALE, Idempotency_Key="k-1")
    again = caller.post("/purchases", SALE, Idempotency_Key="k-1")
    other = caller.post("/purchases", {**SALE, "source_key": "T7-000124"}, Idempotency_Key="k-1")

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Purchase.objects.count() == 1


def test_a_refused_sale_under_an_idempotency_key_leaves_nothing(caller: Caller) -> None:
    refused = caller.post("/purchases", {**SALE, "branch": "MOON"}, Idempotency_Key="k-1")
    make_branch("MOON", "Moon")
    accepted = caller.post("/purchases", {**SALE, "branch": "MOON"}, Idempotency_Key="k-1")

    assert (refused.status_code, accepted.status_code) == (422, 201)
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer": "C9999999"}, "customer"),
        ({"branch": "MOON"}, "branch"),
        ({"currency": "USD"}, "currency"),
        ({"lines": []}, "lines"),
        ({"lines": [{"quantity": 1, "unit_price": 1}]}, "lines[0].product_code"),
        ({"lines": [{"product": "X", "quantity": 0, "unit_price": 1}]}, "lines[0].quantity"),
        ({"lines": [{"product": "X", "quantity": "1.0001", "unit_price": 1}]}, "lines[0].quantity"),
        ({"lines": [{"product": "X", "quantity": True, "unit_price": 1}]}, "lines[0].quantity"),
        ({"tenders": [{"kind": "cash", "amount": "1.00"}]}, "tenders"),
        ({"occurred_at": "2026-03-02T09:00:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "occurred_at"),
        ({"source_key": " "}, "source_key"),
    ],
)
def test_what_is_not_valid_is_named_and_nothing_is_recorded(
    caller: Caller, changes: dict[str, object], field: str
) -> None:
    make_branch("KLN")

    answer = caller.post("/purchases", {**SALE, **changes})

    assert answer.status_code == 422, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Purchase.objects.exists()


def test_a_return_points_to_its_sale_and_no_more_comes_back_than_was_bought(caller: Caller) -> None:
    make_branch("KLN")
    sale = caller.post("/purchases", SALE).json()
    back = {
        "source": "till",
        "source_key": "T7-R1",
        "occurred_at": "2026-03-03T09:00:00+08:00",
        "branch": "KLN",
        "lines": [{"line_no": 1, "quantity": 1}],
    }

    first = caller.post(f"/purchases/{sale['id']}/returns", back)
    too_much = caller.post(
        f"/purchases/{sale['id']}/returns", {**back, "source_key": "T7-R2", "lines": [{"line_no": 1, "quantity": 2}]}
    )

    assert first.status_code == 201, first.content
    assert (first.json()["kind"], first.json()["net_amount"], first.json()["original"]) == (
        "return",
        "-18.50",
        sale["id"],
    )
    assert (too_much.status_code, too_much.json()["errors"][0]["field"]) == (422, "lines[0].quantity")
    assert caller.get(f"/purchases/{sale['id']}").json()["returns"] == [first.json()["id"]]


def test_voiding_twice_is_voiding_once(caller: Caller) -> None:
    make_branch("KLN")
    sale = caller.post("/purchases", SALE).json()

    first = caller.post(f"/purchases/{sale['id']}/void", None)
    again = caller.post(f"/purchases/{sale['id']}/void", None)

    assert (first.status_code, first.json()["status"]) == (200, "voided")
    assert first.json()["voided_at"] == again.json()["voided_at"]


def test_a_sale_with_a_return_cannot_be_voided(caller: Caller) -> None:
    make_branch("KLN")
    sale = caller.post("/purchases", SALE).json()
    back = {"source_key": "R1", "occurred_at": "2026-03-03T09:00:00Z", "lines": [{"line_no": 1, "quantity": 1}]}
    caller.post(f"/purchases/{sale['id']}/returns", back)

    answer = caller.post(f"/purchases/{sale['id']}/void", None)

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert Purchase.objects.get(pk=sale["id"]).status == "completed"


def test_purchases_are_found_by_customer_branch_time_and_receipt(caller: Caller) -> None:
    kowloon, central = make_branch("KLN"), make_branch("CTL", "Central")
    chan, wang = make_customer(CHAN), make_customer(WANG)
    first = make_purchase(chan, branch=kowloon, occurred_at=NOW, source_key="A")
    second = make_purchase(wang, branch=central, occurred_at=NOW + timedelta(hours=1), source_key="B")
    third = make_purchase(chan, branch=central, occurred_at=NOW + timedelta(hours=2), source_key="C")

    assert _ids(caller.get("/purchases")) == [third.pk, second.pk, first.pk]
    assert _ids(caller.get("/purchases", {"customer": chan.number})) == [third.pk, first.pk]
    assert _ids(caller.get("/purchases", {"branch": "CTL"})) == [third.pk, second.pk]
    since, until = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert _ids(caller.get("/purchases", {"since": since.isoformat(), "until": until.isoformat()})) == [second.pk]
    assert _ids(caller.get("/purchases", {"source": "test", "source_key": "A"})) == [first.pk]


def test_a_key_bound_to_a_branch_sells_voids_and_sees_there_alone(make_caller: CallerMaker) -> None:
    kowloon, central = make_branch("KLN"), make_branch("CTL", "Central")
    ours, theirs = make_purchase(branch=kowloon), make_purchase(branch=central)
    bound = make_caller(branch=kowloon)
    own_customer_elsewhere = make_purchase(make_customer(CHAN, branch=kowloon), branch=central)

    assert set(_ids(bound.get("/purchases"))) == {ours.pk, own_customer_elsewhere.pk}
    assert bound.get(f"/purchases/{theirs.pk}").status_code == 404
    assert bound.post(f"/purchases/{theirs.pk}/void", None).status_code == 404
    assert bound.post(f"/purchases/{own_customer_elsewhere.pk}/void", None).status_code == 404
    assert bound.post(f"/purchases/{ours.pk}/void", None).status_code == 200
    assert bound.post("/purchases", {**SALE, "branch": "CTL"}).status_code == 422
    assert bound.post("/purchases", {**SALE, "branch": None}).json()["branch"] == "KLN"
    assert {p.pk for p in Purchase.objects.filter(status="voided")} == {ours.pk}


def test_paging_gives_every_purchase_once_while_newer_ones_arrive(caller: Caller) -> None:
    there = [make_purchase(occurred_at=NOW + timedelta(minutes=minute // 2)).pk for minute in range(7)]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = caller.get("/purchases", {"limit": 3, "cursor": cursor})
        seen += _ids(answer)
        cursor = answer.json()["next"]
        make_purchase(occurred_at=NOW + timedelta(days=1))

    assert seen == list(reversed(there))


def test_a_list_costs_the_same_for_one_and_for_twenty(caller: Caller, django_assert_num_queries: Any) -> None:
    customer, branch = make_customer(CHAN), make_branch()
    make_purchase(customer, branch=branch)
    caller.get("/purchases")
    with django_assert_num_queries(3):  # key, rate, purchases
        caller.get("/purchases")
    for _ in range(19):
        make_purchase(customer, branch=branch)
    with django_assert_num_queries(3):
        assert len(_ids(caller.get("/purchases"))) == 20
