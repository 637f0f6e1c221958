"""The till over the API: quote, commit, void, return, balance, batch."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from patron.business.loyalty.models import Membership, Programme
from patron.business.loyalty.operations import spend_points
from patron.business.loyalty.queries import check_ledger, points_balance
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.purchases.models import Purchase
from patron.business.storedvalue.operations.depositing import deposit
from patron.business.storedvalue.testing import make_policy
from patron.business.tills.models import TillEntry
from patron.business.tills.testing import make_terminal
from patron.core.accounts.testing import make_branch
from patron.core.catalog.models import Product
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db

CARD = "8800000000000013"
NOW = clock.now().replace(microsecond=0)
TERMS = {
    "paying": {"points": "100", "amount": "1.00"},
    "bonuses": [{"code": "milk", "name": "Double milk", "effect": "multiply", "factor": "2", "products": ["MILK"]}],
    "tiers": {"measure": "spend", "ladder": [{"code": "gold", "name": "Gold", "threshold": "500"}]},
}


@pytest.fixture
def member(db: None) -> Membership:
    Product.objects.create(code="MILK", name="Milk", list_price=Decimal("10.00"))
    Product.objects.create(code="BREAD", name="Bread", list_price=Decimal("5.50"))
    return make_member(make_programme(terms=TERMS), number=CARD)


@pytest.fixture
def till(make_caller: CallerMaker, member: Membership) -> Caller:
    branch = make_branch("KLN")
    caller = make_caller(branch=branch)
    make_terminal(branch, key=caller.key)
    return caller


def sale(client_id: str = "s1", **changes: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "member": CARD,
        "occurred_at": NOW.isoformat(),
        "lines": [{"product": "MILK", "quantity": 3}, {"product": "BREAD", "unit_price": "5.50"}],
    } | changes


def points(member: Membership) -> Decimal:
    return points_balance(member, now=clock.now()).available


def holds() -> bool:
    return all(check.holds for check in check_ledger())


def test_a_quote_promises_what_the_commit_keeps(till: Caller, member: Membership) -> None:
    asked = {name: value for name, value in sale().items() if name in ("member", "lines")}
    quoted = till.post("/pos/quote", asked).json()
    assert (quoted["net_amount"], quoted["points"]["earned"]) == ("35.50", "65")
    assert not Purchase.objects.exists()
    sold = till.post("/pos/commit", sale()).json()
    assert (sold["net_amount"], sold["points"]["earned"]) == ("35.50", "65")
    assert sold["points"]["why"] == quoted["points"]["why"]
    assert sold["member"]["balances"]["points"] == "65" == f"{points(member):.0f}"
    assert quoted["say"] == ["464.50 more to spend to Gold."]
    assert holds()


def test_the_same_sale_again_gets_the_same_answer(till: Caller, member: Membership) -> None:
    first = till.post("/pos/commit", sale())
    again = till.post("/pos/commit", sale())
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = till.post("/pos/commit", sale(lines=[{"product": "MILK"}]))
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")
    assert Purchase.objects.count() == TillEntry.objects.count() == 1
    assert points(member) == 65


def test_points_and_stored_value_pay_and_come_back(till: Caller, member: Membership) -> None:
    till.post("/pos/commit", sale(lines=[{"product": "BREAD", "quantity": 100}]))
    make_policy(member.programme)
    deposit(member, Decimal(20), tender="cash", request_key="d", actor=SYSTEM, now=clock.now())
    paid = [
        {"kind": "points", "amount": "5.50"},
        {"kind": "stored_value", "amount": "20.00"},
        {"kind": "cash", "amount": "10.00"},
    ]
    sold = till.post("/pos/commit", sale("s2", payments=paid)).json()
    assert (sold["points"]["spent"], sold["points"]["earned"]) == ("550", "55")
    assert sold["member"]["balances"] == {"points": "55", "pending": "0", "stored_value": "0", "stamps": "0"}
    back = till.post(
        "/pos/return",
        {"client_id": "r1", "sale": "s2", "lines": [{"line_no": 1, "quantity": 3}], "occurred_at": NOW.isoformat()},
    ).json()
    assert (back["points_back"], back["stored_value_back"], back["money_back"]) == ("465", "16.90", "8.45")
    assert back["points"]["taken_back"] == "51"
    rest = {"client_id": "r2", "sale": "s2", "lines": [{"line_no": 2, "quantity": 1}], "occurred_at": NOW.isoformat()}
    last = till.post("/pos/return", rest).json()
    assert last["member"]["balances"] == {"points": "550", "pending": "0", "stored_value": "20", "stamps": "0"}
    assert Decimal(last["money_back"]) + Decimal(back["money_back"]) == 10
    assert till.post("/pos/return", rest).json() == last
    assert holds()


def test_voiding_undoes_everything(till: Caller, member: Membership) -> None:
    till.post("/pos/commit", sale(lines=[{"product": "BREAD", "quantity": 100}]))
    paid = [{"kind": "points", "amount": "5.50"}, {"kind": "cash", "amount": "30.00"}]
    till.post("/pos/commit", sale("s2", payments=paid))
    voided = till.post("/pos/void", {"client_id": "v1", "sale": "s2"}).json()
    assert (voided["money_back"], voided["member"]["balances"]["points"]) == ("30.00", "550")
    assert till.post("/pos/void", {"client_id": "v1", "sale": "s2"}).json() == voided
    assert till.post("/pos/void", {"client_id": "v2", "sale": "s2"}).status_code == 409
    assert holds()


def test_a_purchase_cannot_be_paid_by_the_points_that_it_earns(till: Caller, member: Membership) -> None:
    refused = till.post(
        "/pos/commit", sale(payments=[{"kind": "points", "amount": "0.50"}, {"kind": "cash", "amount": "35.00"}])
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_points")
    assert not Purchase.objects.exists()


def test_more_than_was_bought_does_not_come_back(till: Caller) -> None:
    till.post("/pos/commit", sale())
    asked = {"client_id": "r", "sale": "s1", "lines": [{"line_no": 1, "quantity": 4}], "occurred_at": NOW.isoformat()}
    refused = till.post("/pos/return", asked)
    assert (refused.status_code, "lines[0].quantity" in refused.content.decode()) == (422, True)
    assert till.post("/pos/return", asked | {"sale": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": []}, 422, None),
        ({"lines": [{"product": "MILK", "quantity": 0}]}, 422, None),
        ({"lines": [{"product": "MILK", "quantity": -1}]}, 422, None),
        ({"lines": [{"product": "MILK", "unit_price": "10", "discount_amount": "11"}]}, 422, "invalid_input"),
        ({"lines": [{"product": "UNKNOWN"}]}, 422, "no_price"),
        ({"lines": [{"product": "MILK", "quantity": "99999999999.999", "unit_price": "999999999999"}]}, 422, None),
        ({"member": "8800000000000021"}, 422, "invalid_input"),
        ({"currency": "USD"}, 422, "invalid_input"),
        ({"vouchers": ["NOPE-NOPE"]}, 422, "invalid_input"),
        ({"payments": [{"kind": "cash", "amount": "1.00"}]}, 422, "invalid_input"),
        ({"member": "", "payments": [{"kind": "points", "amount": "35.50"}]}, 422, "member_needed"),
        ({"occurred_at": (NOW + timedelta(days=3)).isoformat()}, 422, "clock_ahead"),
        ({"occurred_at": (NOW - timedelta(days=30)).isoformat()}, 422, "too_old"),
    ],
)
def test_a_sale_that_makes_no_sense_is_refused_whole(
    till: Caller, changes: dict[str, Any], status: int, code: str | None
) -> None:
    refused = till.post("/pos/commit", sale(**changes))
    assert refused.status_code == status, refused.content
    if code is not None:
        assert refused.json()["code"] == code
    assert not Purchase.objects.exists()
    assert not TillEntry.objects.exists()


def test_a_basket_worth_nothing_is_sold_and_earns_nothing(till: Caller, member: Membership) -> None:
    free = till.post("/pos/commit", sale(lines=[{"product": "MILK", "unit_price": "0"}])).json()
    assert (free["net_amount"], free["points"]["earned"]) == ("0.00", "0")
    assert points(member) == 0


def test_an_offline_till_may_tell_in_any_order_and_again(till: Caller, member: Membership) -> None:
    first, second = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    back = {"client_id": "r", "sale": "a", "lines": [{"line_no": 1, "quantity": 1}], "occurred_at": second.isoformat()}
    items = [
        {"void": {"client_id": "v", "sale": "b", "occurred_at": NOW.isoformat()}},
        {"returned": back},
        {"sale": sale("b", occurred_at=second.isoformat())},
        {"sale": sale("a", occurred_at=first.isoformat())},
        {"sale": sale("c", lines=[{"product": "UNKNOWN"}])},
    ]
    told = till.post("/pos/batch", {"items": items, "sent_at": clock.now().isoformat()}).json()
    assert [item["status"] for item in told["items"]] == ["done", "done", "done", "done", "refused"]
    assert (told["done"], told["items"][4]["problem"]["code"]) == (4, "no_price")
    assert points(member) == 45
    again = till.post("/pos/batch", {"items": list(reversed(items)), "sent_at": clock.now().isoformat()}).json()
    assert [item["answer"] for item in reversed(again["items"])] == [item["answer"] for item in told["items"]]
    assert points(member) == 45
    assert holds()


def test_a_wrong_clock_is_set_right(till: Caller) -> None:
    wrong = timedelta(days=-3)
    item = {"sale": sale(occurred_at=(NOW - timedelta(minutes=10) + wrong).isoformat())}
    told = till.post("/pos/batch", {"items": [item], "sent_at": (clock.now() + wrong).isoformat()}).json()
    assert told["done"] == 1
    assert abs(Purchase.objects.get().occurred_at - (NOW - timedelta(minutes=10))) < timedelta(minutes=1)
    assert told["items"][0]["answer"]["notes"]


def test_a_terminal_does_no_more_than_it_may(make_caller: CallerMaker, member: Membership) -> None:
    branch = make_branch("CWB")
    caller = make_caller(branch=branch)
    assert till_refuses(caller, sale(), "no_terminal")
    make_terminal(branch, key=caller.key, most_amount=Decimal(30))
    assert till_refuses(caller, sale(), "terminal_limit")
    assert caller.post("/pos/commit", sale(lines=[{"product": "MILK"}])).status_code == 200


def till_refuses(caller: Caller, body: dict[str, Any], code: str) -> bool:
    return bool(caller.post("/pos/commit", body).json()["code"] == code)


def test_a_quote_leaves_out_what_points_pay_and_a_sale_tells_the_tier_reached(till: Caller, member: Membership) -> None:
    raised = till.post("/pos/commit", sale(lines=[{"product": "BREAD", "quantity": 100}])).json()
    assert (raised["member"]["tier"]["name"], raised["member"]["tier"]["risen"]) == ("Gold", True)
    asked = {name: value for name, value in sale().items() if name in ("member", "lines")}
    payments = [{"kind": "points", "amount": "5.50"}]
    assert till.post("/pos/quote", asked | {"payments": payments}).json()["points"]["earned"] == "55"
    sold = till.post("/pos/commit", sale("s2", payments=[*payments, {"kind": "cash", "amount": "30.00"}])).json()
    assert (sold["points"]["earned"], sold["member"]["tier"]["risen"]) == ("55", False)


def test_who_owes_points_redeems_nothing_where_the_programme_says_so(till: Caller, member: Membership) -> None:
    Programme.objects.update(debt="block")
    till.post("/pos/commit", sale())
    spend_points(member, Decimal(65), request_key="all", actor=SYSTEM, now=clock.now())
    back = {"client_id": "r", "sale": "s1", "lines": [{"line_no": 1, "quantity": 1}], "occurred_at": NOW.isoformat()}
    assert till.post("/pos/return", back).json()["member"]["balances"]["points"] == "-20"
    payments = [{"kind": "points", "amount": "0.10"}, {"kind": "cash", "amount": "35.40"}]
    assert till_refuses(till, sale("s2", payments=payments), "points_owed")
    assert till.post("/pos/commit", sale("s3")).json()["member"]["balances"]["points"] == "45"


def test_a_terminal_that_guesses_codes_has_to_wait(till: Caller) -> None:
    for guess in range(10):
        assert till.post("/pos/commit", sale(vouchers=[f"AAAA-{guess:04}"])).status_code == 422
    assert till_refuses(till, sale(vouchers=["BBBB-0000"]), "too_many_wrong_codes")
    assert till.post("/pos/commit", sale()).status_code == 200


def test_a_balance_tells_who_stands_there(till: Caller, member: Membership) -> None:
    till.post("/pos/commit", sale())
    told = till.post("/pos/balance", {"member": CARD}).json()
    assert told["member"]["balances"]["points"] == "65"
    assert told["points_can_pay"] == "0.00"
    assert till.post("/pos/balance", {"member": "nobody"}).status_code == 422
