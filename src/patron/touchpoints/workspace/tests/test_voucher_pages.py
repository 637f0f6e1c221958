"""Vouchers in the browser's hands: set up, given out, taken away, cancelled; each page for those who may."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patron.business.loyalty.models import Card
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.vouchers.models import Voucher, VoucherDefinition
from patron.business.vouchers.operations import Issue, Limits, use_vouchers
from patron.business.vouchers.testing import (
    CASH,
    PLAIN_MEMBER,
    make_basket,
    make_code,
    make_definition,
    make_voucher,
)
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, make_branch, make_staff
from patron.core.customers.testing import CHAN, WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import now as present

pytestmark = pytest.mark.django_db

PROMISE = {
    "name": "Birthday treat", "code": "birthday-2026", "kind": "percent", "value": "15", "most": "80",
    "minimum_spend": "200", "categories": "Food > Dairy", "uses": "1", "issue_on": "birthday", "days_before": "7",
    "valid_days": "14",
}  # fmt: skip


def signed_in(role: Role = Role.MARKETER) -> Client:
    client = Client()
    client.force_login(make_staff(role, branches=[make_branch()]))
    return client


def text_of(answer: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))  # type: ignore[attr-defined]


def address(definition: VoucherDefinition, name: str = "voucher-definition") -> str:
    return reverse(name, args=[definition.code])


def test_a_voucher_is_set_up_and_reads_as_a_sentence() -> None:
    client = signed_in()
    answer = client.post(reverse("voucher-new"), PROMISE)
    definition = VoucherDefinition.objects.get()
    assert answer["Location"] == address(definition)
    assert definition.terms == {
        "kind": "percent", "value": "15", "most": "80", "currency": "HKD", "minimum_spend": "200",
        "products": {"categories": ["Food > Dairy"]},
    }  # fmt: skip
    assert (definition.issue_on, definition.issue_terms, definition.valid_days) == ("birthday", {"days_before": 7}, 14)
    page = text_of(client.get(address(definition)))
    assert "15 % off, at most HK$80: on Food &gt; Dairy; from HK$200." in page


def test_the_form_shows_what_is_refused_beside_its_field() -> None:
    client = signed_in()
    for given, words in (
        ({"value": "150"}, "no more than 100 per cent"),
        ({"kind": "product", "categories": ""}, "say which products"),
        ({"from_on": "2026-02-02", "until_on": "2026-02-01"}, "the last day comes before the first"),
        ({"issue_on": "points"}, "has a price in points"),
        ({"value": ""}, "required"),
    ):
        answer = client.post(reverse("voucher-new"), {**PROMISE, **given})
        assert answer.status_code == 422
        assert words in text_of(answer)
    make_definition(code="birthday-2026")
    assert "Another kind of voucher has this code" in text_of(client.post(reverse("voucher-new"), PROMISE))


def test_the_preview_says_the_sentence_and_keeps_nothing() -> None:
    client = signed_in()
    answer = client.post(reverse("voucher-preview"), {"kind": "amount", "value": "50", "uses": "1"})
    assert "HK$50 off." in text_of(answer)
    assert "stands here as a sentence" in text_of(client.post(reverse("voucher-preview"), {"kind": "amount"}))
    assert VoucherDefinition.objects.count() == 0


def test_what_is_given_out_keeps_its_promise_when_the_rest_changes() -> None:
    client = signed_in()
    client.post(reverse("voucher-new"), {**PROMISE, "issue_on": "manual"})
    definition = VoucherDefinition.objects.get()
    shown = client.get(address(definition, "voucher-edit"))
    assert 'value="15' in shown.content.decode()
    make_code(definition)
    changed = {**PROMISE, "issue_on": "manual", "name": "New name", "stock": "5"}
    assert client.post(address(definition, "voucher-edit"), changed).status_code == 302
    definition.refresh_from_db()
    assert (definition.name, definition.stock) == ("New name", 5)
    refused = client.post(address(definition, "voucher-edit"), {**changed, "value": "20"})
    assert (refused.status_code, "issued under these terms" in text_of(refused)) == (422, True)


def test_the_list_tells_what_vouchers_did() -> None:
    member = make_member()
    definition = make_definition(code="ten", limits=Limits(stock=10, budget=Decimal(100)))
    voucher = make_voucher(member, definition)
    use_vouchers(
        [voucher.code], request_key="k", basket=make_basket(), membership=member, member=PLAIN_MEMBER, actor=SYSTEM,
        now=NOW,
    )  # fmt: skip
    client = signed_in(Role.CASHIER)
    page = text_of(client.get(reverse("vouchers")))
    assert "1 use gave HK$10.00 , on purchases of HK$100.00." in page
    assert "New voucher" not in page
    assert "There is no such voucher just now." in text_of(client.get(reverse("vouchers"), {"show": "off"}))
    assert "0 uses gave" in text_of(client.get(reverse("vouchers"), {"period": "30"}))
    assert client.get(reverse("vouchers")).status_code == 200


def test_the_list_costs_the_same_for_one_and_for_twenty() -> None:
    client = signed_in()
    make_definition()
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("vouchers"))
    for _ in range(19):
        make_definition()
    with CaptureQueriesContext(connection) as twenty:
        client.get(reverse("vouchers"))
    assert len(one) == len(twenty)


def test_the_vouchers_of_a_kind_cost_the_same_for_one_and_for_twenty() -> None:
    client = signed_in()
    member, definition = make_member(), make_definition()
    make_voucher(member, definition)
    with CaptureQueriesContext(connection) as one:
        client.get(address(definition))
    for _ in range(60):
        make_voucher(member, definition)
    with CaptureQueriesContext(connection) as many:
        page = client.get(address(definition))
    assert len(one) == len(many)
    following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    assert following is not None
    assert client.get(address(definition) + following[1].replace("&amp;", "&")).status_code == 200


def test_a_member_is_given_one_by_card_or_number() -> None:
    customer = make_customer(CHAN, branch=make_branch())
    member = make_member(make_programme(), customer=customer)
    definition = make_definition()
    client = signed_in(Role.BRANCH_MANAGER)
    for who in (Card.objects.get().number, customer.number, customer.number):  # the last one sent twice
        given = {"member": who, "request_key": f"k{len(who)}"}
        assert client.post(address(definition, "voucher-give"), given).status_code == 302
    refused = client.post(address(definition, "voucher-give"), {"member": "C1", "request_key": "k"})
    assert refused.status_code == 422
    assert Voucher.objects.filter(membership=member).count() == 2
    assert signed_in(Role.CASHIER).post(address(definition, "voucher-give"), {"member": "1"}).status_code == 403


def test_a_voucher_is_sold_for_points_once() -> None:
    member = make_member(make_programme(), customer=make_customer(CHAN, branch=make_branch()))
    adjust_points(member, Decimal(100), reason="Test", request_key="a", actor=SYSTEM, now=NOW)
    definition = make_definition(issue=Issue(on="points", points_price=Decimal(80)))
    client = signed_in(Role.CASHIER)
    assert "Sell for 80 points" in text_of(client.get(address(definition)))
    for _ in range(2):
        given = {"member": member.customer.number, "request_key": "k"}
        assert client.post(address(definition, "voucher-sell"), given).status_code == 302
    assert Voucher.objects.filter(membership=member).count() == 1
    refused = client.post(address(definition, "voucher-sell"), {**given, "request_key": "l"})
    assert (refused.status_code, "not enough points" in text_of(refused)) == (422, True)


def test_codes_are_made_and_taken_away() -> None:
    client, definition = signed_in(), make_definition({"kind": "amount", "value": "10", "uses": 5})
    make = address(definition, "voucher-make-codes")
    assert client.post(make, {"count": "3", "request_key": "a"}).status_code == 302
    assert client.post(make, {"count": "3", "request_key": "a"}).status_code == 302
    assert client.post(make, {"word": "SUMMER26", "request_key": "b"}).status_code == 302
    assert client.post(make, {"request_key": "c"}).status_code == 422
    assert client.post(make, {"word": "a b!", "request_key": "d"}).status_code == 422
    answer = client.get(reverse("voucher-codes", args=[definition.code, "csv"]))
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 5
    assert lines[1].startswith("SUMMER26,5,")
    assert client.get(reverse("voucher-codes", args=[definition.code, "pdf"])).status_code == 422
    page = signed_in(Role.CASHIER).get(address(definition)).content.decode()
    assert "SUMMER26" not in page


def test_a_kind_is_stopped_and_taken_back() -> None:
    client, definition = signed_in(), make_definition()
    voucher = make_code(definition)
    client.post(address(definition, "voucher-issuing"), {"active": "no"})
    definition.refresh_from_db()
    assert not definition.is_active
    assert client.post(address(definition, "voucher-cancel-all"), {}).status_code == 422
    assert client.post(address(definition, "voucher-cancel-all"), {"reason": "Leaked"}).status_code == 302
    voucher.refresh_from_db()
    assert voucher.status == "cancelled"


def test_one_voucher_is_handed_over_or_taken_back() -> None:
    programme = make_programme()
    chan = make_member(programme)
    wang = make_member(programme, customer=make_customer(WANG, branch=make_branch()))
    voucher = make_voucher(chan, make_definition(CASH), now=present())
    client, shown = signed_in(), reverse("voucher", args=[voucher.pk])
    assert "HK$100.00" in text_of(client.get(shown))
    refused = client.post(reverse("voucher-transfer", args=[voucher.pk]), {"member": "nobody"})
    assert refused.status_code == 422
    client.post(reverse("voucher-transfer", args=[voucher.pk]), {"member": wang.customer.number})
    voucher.refresh_from_db()
    assert voucher.membership == wang
    client.post(reverse("voucher-cancel", args=[voucher.pk]), {"reason": "By mistake"})
    assert "By mistake" in text_of(client.get(shown))


def test_addresses_that_nobody_made_are_refused_kindly() -> None:
    client, definition = signed_in(), make_definition()
    assert client.get(reverse("voucher-definition", args=["none"])).status_code == 404
    assert client.get(reverse("voucher", args=[999])).status_code == 404
    for query in ({"state": "x"}, {"before": "x"}, {"before": "9" * 30}):
        assert client.get(address(definition), query).status_code == 422
