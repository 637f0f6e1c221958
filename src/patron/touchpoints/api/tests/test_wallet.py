"""Stored value over the API."""

from decimal import Decimal

import pytest

from patron.business.loyalty.testing import make_member
from patron.business.storedvalue.testing import make_policy
from patron.core.accounts.testing import make_branch
from patron.touchpoints.api.tests.conftest import Caller, CallerMaker

pytestmark = pytest.mark.django_db


def test_money_comes_in_and_goes_out(caller: Caller) -> None:
    member = make_member()
    make_policy(member.programme)
    address = f"/customers/{member.customer.number}/wallet"

    body = {"request_key": "k1", "amount": "1000.00", "tender": "card"}
    first, again = caller.post(f"{address}/deposits", body), caller.post(f"{address}/deposits", body)
    assert (first.status_code, first.json()["amount"], first.json()["bonus"]) == (201, "1000.00", "80.00")
    assert again.json() == first.json()
    refused = caller.post(f"{address}/deposits", body | {"amount": "1.00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "request_key_reused")

    out = caller.post(f"{address}/withdrawals", {"request_key": "k2", "amount": "250"})
    assert (out.status_code, out.json()["amount"], out.json()["paid_out"]) == (201, "-250.00", "250.00")

    told = caller.get(address).json()
    assert (told["own"], told["bonus"], told["expiring"]) == ("750.00", "60.00", "60.00")
    assert [(m["what"], m["balance"]) for m in told["movements"]] == [
        ("bonus_back", "810.00"),
        ("withdrawal", "830.00"),
        ("bonus", "1080.00"),
        ("deposit", "1000.00"),
    ]


def test_the_key_s_branch_is_the_branch_of_the_deposit(make_caller: CallerMaker) -> None:
    member, branch = make_member(), make_branch()
    make_policy(member.programme)
    member.customer.home_branch = branch
    member.customer.save()
    caller = make_caller(branch=branch)
    body = {"request_key": "k1", "amount": "10", "tender": "cash"}
    assert caller.post(f"/customers/{member.customer.number}/wallet/deposits", body).status_code == 201
    (moved,) = member.transactions.filter(unit="stored_value")
    assert moved.explanation["branch"] == branch.pk


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": "0"}, 422, "invalid_amount"),
        ({"amount": "0.001"}, 422, None),
        ({"tender": "cowries"}, 422, None),
        ({"request_key": ""}, 422, None),
        ({"amount": "99"}, 409, "stored_value_limit"),
    ],
)
def test_what_cannot_be_deposited(caller: Caller, change: dict[str, str], status: int, code: str | None) -> None:
    member = make_member()
    make_policy(member.programme, min_deposit=Decimal(100))
    body = {"request_key": "k1", "amount": "100", "tender": "cash"} | change
    refused = caller.post(f"/customers/{member.customer.number}/wallet/deposits", body)
    assert refused.status_code == status
    if code:
        assert refused.json()["code"] == code
    assert not member.transactions.exists()


def test_a_key_without_the_scope_moves_no_money(make_caller: CallerMaker) -> None:
    member = make_member()
    make_policy(member.programme)
    caller = make_caller("customers.view", "loyalty.view", "storedvalue.view")
    body = {"request_key": "k1", "amount": "100", "tender": "cash"}
    assert caller.post(f"/customers/{member.customer.number}/wallet/deposits", body).status_code == 403
    assert caller.get(f"/customers/{member.customer.number}/wallet").status_code == 200
