"""Stored value in the workspace: the day for finance, the terms, and a member's money at the counter."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.models import OneTimeCode, Wallet, WalletPolicy
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_branch
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.touchpoints.workspace.customer_picture import Picture
from patron.touchpoints.workspace.tests.customer_pages import signed_in
from patron.touchpoints.workspace.wallet_card import wallet_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    branch = make_branch()
    member = make_member(make_programme("club"))
    member.customer.home_branch = branch
    member.customer.save()
    make_deposit(member, 1000, branch_id=branch.pk, now=clock.now())
    return member


def _text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def _post(client: Client, member: Membership, what: str, **given: str) -> Any:
    return client.post(f"/customers/{member.customer.number}/wallet/{what}/", given)


def test_the_page_says_what_members_hold_and_that_it_ties(member: Membership) -> None:
    page = _text(signed_in(Role.ADMINISTRATOR).get("/loyalty/stored-value/"))
    assert "1 member holds <strong>HK$1,080.00</strong> with us; HK$80.00 of it is bonus." in page
    assert "which is what the ledger holds" in page
    assert "九龍店 Kowloon" in page


def test_the_day_is_taken_away_as_a_file(member: Membership) -> None:
    response: Any = signed_in(Role.ADMINISTRATOR).get("/loyalty/stored-value.csv")
    rows = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert rows[0].startswith("Branch,Opening,Cash,")
    assert rows[-1] == "Total,0.00,1000.00,0.00,0.00,0.00,0.00,0.00,1000.00,80.00,0.00,0.00,0.00,0.00,0.00,1080.00,0.00"
    assert len(rows) == 3


def test_a_day_to_come_is_refused(member: Membership) -> None:
    day = clock.today(clock.now()) + timedelta(days=2)
    assert signed_in(Role.ADMINISTRATOR).get(f"/loyalty/stored-value/?day={day}").status_code == 422


def test_who_may_not_see_the_day(member: Membership) -> None:
    assert signed_in(Role.CASHIER).get("/loyalty/stored-value/").status_code == 403


def test_the_terms_are_changed_and_refused() -> None:
    programme = make_programme("club")
    client = signed_in(Role.MARKETER)
    form = {
        "programme": programme.code, "is_offered": "on", "min_deposit": "100", "bonus_first": "no",
        "from_1": "500", "percent_1": "5", "secret_above": "300",
    }  # fmt: skip
    assert client.post("/loyalty/stored-value/terms/", form | {"max_deposit": "50"}).status_code == 422
    assert client.post("/loyalty/stored-value/terms/", form | {"from_2": "600"}).status_code == 422
    assert not WalletPolicy.objects.exists()
    assert client.post("/loyalty/stored-value/terms/", form).status_code == 302
    kept = WalletPolicy.objects.get()
    assert (kept.min_deposit, kept.bonus_first, kept.secret_above, kept.bonus_months) == (100, False, 300, None)
    assert [(t.from_amount, t.percent) for t in kept.tiers.all()] == [(Decimal(500), Decimal(5))]
    assert 'value="500.00"' in _text(client.get("/loyalty/stored-value/terms/"))


def test_the_wallet_shows_what_is_held_and_why(member: Membership) -> None:
    page = _text(signed_in(Role.CASHIER, branches=[make_branch()]).get(f"/customers/{member.customer.number}/wallet/"))
    assert "<strong>HK$1,080.00</strong> can be paid with: HK$1,000.00 own money and HK$80.00 bonus." in page
    assert "8 % of 1,000.00: deposits of 1,000.00 or more bring this bonus." in page
    assert "Pay out" not in page  # a cashier may not


def test_a_deposit_sent_by_a_double_click_counts_once(member: Membership) -> None:
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    for _ in range(2):
        assert _post(client, member, "deposit", request_key="k", amount="200", tender="cash").status_code == 302
    moved = LedgerTransaction.objects.filter(unit="stored_value", amount=200)
    assert [m.explanation["branch"] for m in moved] == [make_branch().pk]


def test_what_is_refused_stands_beside_the_field(member: Membership) -> None:
    make_policy(member.programme, max_deposit=Decimal(2000))
    client = signed_in(Role.ADMINISTRATOR)
    page = _post(client, member, "deposit", request_key="k", amount="2001", tender="cash")
    assert page.status_code == 422
    assert "The largest deposit is 2000.00." in _text(page)
    page = _post(client, member, "withdraw", request_key="k", amount="1001", tender="cash")
    assert (page.status_code, "There is not enough stored value" in _text(page)) == (422, True)


def test_money_is_paid_out_frozen_and_released(member: Membership) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    assert _post(client, member, "withdraw", request_key="w", amount="500", tender="cash").status_code == 302
    assert "Hand out 500.00." in _text(client.get(f"/customers/{member.customer.number}/wallet/"))
    assert _post(client, member, "freeze", reason="Card lost").status_code == 302
    assert "This money is frozen: Card lost." in _text(client.get(f"/customers/{member.customer.number}/wallet/"))
    assert _post(client, member, "unfreeze").status_code == 302
    assert not Wallet.objects.get().is_frozen


def test_a_pin_is_typed_twice(member: Membership) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    assert _post(client, member, "pin", pin="2580", again="2581").status_code == 422
    assert _post(client, member, "pin", pin="1234", again="1234").status_code == 422
    assert not Wallet.objects.filter(pin_hash__gt="").exists()
    assert _post(client, member, "pin", pin="2580", again="2580").status_code == 302
    assert Wallet.objects.get().pin_hash


def test_a_code_is_shown_only_to_who_may_read_it_out(member: Membership) -> None:
    page = _post(signed_in(Role.ADMINISTRATOR), member, "code")
    assert "Read this code out to the member" in _text(page)
    OneTimeCode.objects.all().delete()
    cashier = signed_in(Role.CASHIER, branches=[make_branch()])
    assert _post(cashier, member, "code").status_code == 302
    assert not OneTimeCode.objects.exists()


def test_the_customer_s_page_can_show_the_wallet(member: Membership) -> None:
    wallet = wallet_of(Picture(member.customer.number, SYSTEM, clock.now()))
    shown = render_to_string("workspace/partials/customer_wallet.html", {"wallet": wallet, "customer": member.customer})
    assert "HK$1,080.00" in shown
    assert f"/customers/{member.customer.number}/wallet/" in shown


def test_the_timeline_tells_of_money_and_leads_to_the_wallet(member: Membership) -> None:
    page = _text(signed_in(Role.ADMINISTRATOR).get(f"/customers/{member.customer.number}/"))
    assert "Money deposited" in page
    assert "HK$1,000.00" in page
    assert f'href="/customers/{member.customer.number}/wallet/"' in page
