"""Gifts over the API."""

from decimal import Decimal
from typing import Any

import pytest

from patron.business.gifts.models import GiftOrder
from patron.business.gifts.operations import hand_over
from patron.business.gifts.queries import get_order
from patron.business.gifts.testing import make_gift
from patron.business.loyalty.models import Account, Card, Membership
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member
from patron.core.accounts.testing import NOW, make_branch
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def _member(points: int = 250) -> Membership:
    member = make_member()
    adjust_points(member, Decimal(points), reason="Welcome", request_key="w", actor=SYSTEM, now=NOW)
    return member


def _points(member: Membership) -> int:
    return int(Account.objects.get(membership=member, unit="points", bucket="available").balance)


def _wish(who: Membership, /, **more: object) -> dict[str, Any]:
    card = Card.objects.get(membership=who)
    return {"member": card.number, "gift": "CUP", "branch": "KLN", "request_key": "web 1", **more}


def test_the_catalogue_says_what_a_member_can_have(caller: Caller) -> None:
    member = _member()
    make_gift("CUP", name="Cup", names={"zh-hant": "杯"}, points=100)
    make_gift("PIANO", points=1000, stock=0)

    plain = caller.get("/gifts", {"limit": 1}, Accept_Language="zh-hant").json()
    second = caller.get("/gifts", {"limit": 1, "cursor": plain["next"]}).json()
    theirs = caller.get("/gifts", {"branch": "KLN", "member": member.customer.number}).json()["items"]

    assert [(g["code"], g["name"], g["free"], g["member"]) for g in plain["items"]] == [("CUP", "杯", 5, None)]
    assert ([g["code"] for g in second["items"]], second["next"]) == (["PIANO"], None)
    assert [g["member"] for g in theirs] == [
        {"can_have": True, "reasons": [], "points_missing": "0"},
        {"can_have": False, "reasons": ["no_stock", "points"], "points_missing": "750.00"},
    ]
    assert caller.get("/gifts", {"member": member.customer.number}).status_code == 422


def test_an_order_is_made_once_and_cancelled(caller: Caller) -> None:
    member, gift = _member(), make_gift("CUP", points=100, money=5)

    answer = caller.post("/gift-orders", _wish(member, quantity=2))
    again = caller.post("/gift-orders", _wish(member, quantity=2))
    other = caller.post("/gift-orders", _wish(member))

    order = GiftOrder.objects.get()
    body = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"/api/v1/gift-orders/{order.pk}")
    assert body == again.json() == caller.get(f"/gift-orders/{order.pk}").json()
    assert {k: body[k] for k in ("customer", "gift", "branch", "state", "points", "money", "pickup_code")} == {
        "customer": member.customer.number, "gift": "CUP", "branch": "KLN", "state": "reserved", "points": "200.00",
        "money": "10.00", "pickup_code": order.shown_code,
    }  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (409, "request_key_reused")
    assert (_points(member), gift.stocks.get().reserved) == (50, 2)

    done = caller.post(f"/gift-orders/{order.pk}/cancel", {"reason": "changed her mind", "money_refunded": "4.00"})
    assert (done.status_code, done.json()["state"], done.json()["money_refunded"]) == (200, "cancelled", "4.00")
    assert done.json()["pickup_code"] is None
    assert (_points(member), gift.stocks.get().reserved) == (250, 0)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"gift": "NONE"}, 422, "invalid_input"),
        ({"member": "88001111"}, 422, "invalid_input"),
        ({"branch": "NONE"}, 422, "invalid_input"),
        ({"branch": None}, 422, "invalid_input"),
        ({"quantity": 3}, 409, "insufficient_points"),
        ({"quantity": 6}, 409, "gift_refused"),
        ({"delivery_address": "1 Nathan Road"}, 409, "gift_refused"),
        ({"quantity": 0}, 422, "invalid_input"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    caller: Caller, change: dict[str, object], status: int, code: str
) -> None:
    member = _member()
    make_gift("CUP", points=100)

    answer = caller.post("/gift-orders", _wish(member, **change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (_points(member), GiftOrder.objects.count()) == (250, 0)


def test_a_key_of_another_branch_and_one_without_the_scope_are_refused(make_caller: CallerMaker) -> None:
    member = _member()
    make_gift("CUP", points=100)
    make_branch("CTL", "Central")
    kowloon = make_caller(branch=make_branch())
    made = kowloon.post("/gift-orders", _wish(member, branch=None)).json()  # the key's own branch

    bound = make_caller(branch=make_branch("CTL"))
    assert bound.get(f"/gift-orders/{made['id']}").status_code == 404
    assert bound.post(f"/gift-orders/{made['id']}/cancel", {"reason": "x"}).status_code == 404
    assert bound.post("/gift-orders", _wish(member, request_key="2")).status_code == 422
    poor = make_caller("gifts.view", "customers.view")
    assert poor.post("/gift-orders", _wish(member, request_key="3")).status_code == 403
    assert GiftOrder.objects.count() == 1


def test_what_has_been_handed_over_is_not_cancelled_by_a_machine(caller: Caller) -> None:
    member = _member()
    make_gift("CUP", points=100)
    made = caller.post("/gift-orders", _wish(member)).json()
    hand_over(get_order(made["id"], SYSTEM), code=made["pickup_code"], actor=SYSTEM, now=NOW)

    answer = caller.post(f"/gift-orders/{made['id']}/cancel", {"reason": "x"})

    assert (answer.status_code, _points(member)) == (403, 150)
