"""The gift catalogue, its shelves, the gift desk and orders, in the browser."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from patron.business.gifts.models import Gift, GiftOrder, GiftStock
from patron.business.gifts.operations import order_gift, withdraw_gift
from patron.business.gifts.testing import make_gift, put_on_shelf
from patron.business.loyalty.models import Account, Card, Membership
from patron.business.loyalty.operations import adjust_points
from patron.business.loyalty.testing import make_member
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.touchpoints.workspace.tests.customer_pages import signed_in

pytestmark = pytest.mark.django_db


def _member(points: int = 250) -> Membership:
    branch = make_branch()
    member = make_member(customer=make_customer(WANG, branch=branch))
    if points:
        adjust_points(member, points=Decimal(points), reason="Welcome", request_key="w", actor=SYSTEM, now=NOW)
    refresh_search_terms([member.customer_id])
    return member


def _points(member: Membership) -> Any:
    return Account.objects.get(membership=member, unit="points", bucket="available").balance


def _picture() -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(buffer, "PNG")
    return SimpleUploadedFile("umbrella.png", buffer.getvalue())


def _html(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


FORM = {"code": "umb-1", "name": "Umbrella", "name_zh_hant": "雨傘", "points_price": "100", "collect_days": "14",
        "low_stock": "3", "tiers": "gold, silver"}  # fmt: skip


def test_a_marketer_puts_a_gift_with_its_picture_into_the_catalogue(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    client = signed_in(Role.MARKETER)

    answer = client.post(reverse("gift-new"), {**FORM, "picture": _picture()})

    assert (answer.status_code, answer["Location"]) == (302, reverse("gift-stock"))
    gift = Gift.objects.get()
    assert (gift.code, gift.names, gift.tiers) == ("UMB-1", {"zh-hant": "雨傘"}, ["gold", "silver"])
    page = _html(client.get(reverse("gifts")))
    assert "<strong>1</strong> gift is offered." in page
    assert "Umbrella" in page
    client.cookies["patron_language"] = "zh-hant"
    assert "雨傘" in _html(client.get(reverse("gifts")))
    picture = client.get(reverse("gift-picture", args=["UMB-1"]))
    assert (picture.status_code, picture["Content-Type"], picture["X-Content-Type-Options"]) == (
        200, "image/jpeg", "nosniff"
    )  # fmt: skip
    assert picture["Cache-Control"].startswith("private")
    with Image.open(io.BytesIO(b"".join(picture))) as served:
        assert served.format == "JPEG"
    picture.close()


def test_pictures_are_for_staff_only_and_only_what_is_there() -> None:
    make_gift("A")
    client = signed_in(Role.CASHIER)
    assert client.get(reverse("gift-picture", args=["A"])).status_code == 404
    client.logout()
    assert client.get(reverse("gift-picture", args=["A"])).status_code == 302


@pytest.mark.parametrize(
    ("change", "words", "status"),
    [
        ({"points_price": "0"}, "A gift costs points, money, or both.", 422),
        ({"name": ""}, "This field is required.", 422),
        ({"starts_on": "2026-03-02", "ends_on": "2026-03-01"}, "The last day comes before the first.", 422),
        ({"code": "TAKEN"}, "Another gift has this code.", 409),
    ],
)
def test_a_refused_form_says_why_beside_the_field(change: dict[str, str], words: str, status: int) -> None:
    make_gift("TAKEN")

    answer = signed_in(Role.MARKETER).post(reverse("gift-new"), {**FORM, **change})

    assert (answer.status_code, words in _html(answer)) == (status, True)
    assert Gift.objects.count() == 1


def test_a_gift_is_changed_withdrawn_and_offered_again() -> None:
    make_gift("A", name="Cup", names={"zh-hant": "杯"}, tiers=("gold",))
    client = signed_in(Role.MARKETER)
    form = _html(client.get(reverse("gift-edit", args=["A"])))
    assert 'value="Cup"' in form
    assert 'value="杯"' in form
    assert 'value="gold"' in form

    client.post(reverse("gift-edit", args=["A"]), {**FORM, "name": "Big cup", "tiers": ""})
    client.post(reverse("gift-offer", args=["A"]))

    gift = Gift.objects.get()
    assert (gift.code, gift.name, gift.tiers, gift.is_active) == ("A", "Big cup", [], False)
    assert "Big cup" not in _html(client.get(reverse("gifts")))
    assert "Big cup" in _html(client.get(reverse("gifts"), {"show": "withdrawn"}))
    client.post(reverse("gift-offer", args=["A"]))
    assert "Big cup" in _html(client.get(reverse("gifts"), {"q": "cup"}))
    cashier = signed_in(Role.CASHIER, branches=[make_branch()])
    assert cashier.post(reverse("gift-offer", args=["A"])).status_code == 403
    assert cashier.get(reverse("gift-edit", args=["A"])).status_code == 403


def test_a_manager_receives_and_counts_the_shelf_of_the_own_branch() -> None:
    make_gift("A", stock=0)
    central = make_branch("CTL", "Central")
    client = signed_in(Role.BRANCH_MANAGER, branches=[make_branch()])
    address = reverse("gift-shelf", args=["KLN", "A"])

    for _ in range(2):  # the button pressed twice
        assert client.post(address, {"quantity": "12", "note": "DN 7", "request_key": "k"}).status_code == 302
    assert "<strong>12</strong> pieces lie in" in _html(client.get(reverse("gift-stock")))
    client.post(address, {"counted": "11", "reason": "one is broken", "request_key": "c"})
    assert GiftStock.objects.get().on_hand == 11
    assert "one is broken" in _html(client.get(address))
    refused = client.post(address, {"counted": "9", "reason": "", "request_key": "d"})
    assert refused.status_code == 422
    assert GiftStock.objects.get().on_hand == 11
    assert client.get(reverse("gift-shelf", args=[central.code, "A"])).status_code == 404
    assert client.get(reverse("gift-stock"), {"branch": central.code}).status_code == 404


def _redeem(client: Any, member: Membership, gift: Gift, way: str, **more: str) -> Any:
    card = Card.objects.get(membership=member)
    return client.post(
        reverse("gift-redeem"),
        {"q": card.number, "gift": gift.code, "branch": "KLN", "request_key": "r1", "way": way, **more},
    )


def test_find_by_card_and_redeem_is_two_clicks() -> None:
    member, gift = _member(), make_gift("A", stock=1, name="Cup")
    make_gift("DEAR", points=1000, name="Piano")
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    card = Card.objects.get(membership=member)

    found = _html(client.get(reverse("gift-desk"), {"q": card.number}))
    assert "王美玲" in found
    assert "<strong>250</strong> points" in found
    assert "They can have 1 gift here" in found
    assert "750 more points are needed." in found
    for _ in range(2):
        assert _redeem(client, member, gift, "now").status_code == 302

    order = GiftOrder.objects.get()
    assert (order.state, _points(member)) == ("handed_over", 150)
    after = _html(client.get(reverse("gift-desk"), {"q": card.number}))
    assert "Handed over" in after
    assert "None" not in after


@pytest.mark.parametrize("typed", ["王美玲", "98765432", "wangmeiling"])
def test_the_member_is_found_by_phone_and_name(typed: str) -> None:
    member = _member()
    page = _html(signed_in(Role.CASHIER, branches=[make_branch()]).get(reverse("gift-desk"), {"q": typed}))
    assert member.customer.number in page


def test_nobody_and_non_members_are_said_to_be_so() -> None:
    stranger = make_customer(WANG)
    client = signed_in(Role.SERVICE_AGENT)
    assert "Nobody on file has this card" in _html(client.get(reverse("gift-desk"), {"q": "88001111"}))
    assert "not a member" in _html(client.get(reverse("gift-desk"), {"q": stranger.number}))


def test_a_gift_is_kept_made_ready_and_handed_over_for_the_code() -> None:
    member, gift = _member(), make_gift("A", name="Cup")
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    make_gift("B", points=1, money=20)
    priced = client.post(
        reverse("gift-redeem"),
        {"q": member.customer.number, "gift": "B", "branch": "KLN", "request_key": "r0", "way": "now"},
        follow=True,
    )
    assert "HK$20.00 is to be paid beside the points." in _html(priced)
    kept = client.post(
        reverse("gift-redeem"),
        {"q": member.customer.number, "gift": "A", "branch": "KLN", "request_key": "r1", "way": "reserve"},
        follow=True,
    )
    order = GiftOrder.objects.get(gift=gift)
    assert f"Pick-up code: {order.shown_code}" in _html(kept)
    client.post(reverse("gift-order-move", args=[order.pk]), {"to": "ready"})
    page = _html(client.get(reverse("gift-desk"), {"state": "ready"}))
    assert "<strong>1</strong> ready to be picked up" in page
    assert order.shown_code not in page  # the member brings it

    wrong = client.post(reverse("gift-pick-up"), {"code": "AAA-AAAA"})
    assert (wrong.status_code, "Nothing waits under this code" in _html(wrong)) == (422, True)
    assert client.post(reverse("gift-pick-up"), {"code": order.shown_code.lower()}).status_code == 302

    order.refresh_from_db()
    assert order.state == "handed_over"
    assert gift.stocks.get().on_hand == 4


def test_an_order_page_tells_its_history_and_takes_the_next_step() -> None:
    member, gift = _member(), make_gift("A", name="Cup", money=20, can_be_delivered=True)
    client = signed_in(Role.BRANCH_MANAGER, branches=[make_branch()])
    sent = _redeem(client, member, gift, "send", address="1 Nathan Road")
    assert sent.status_code == 302
    order = GiftOrder.objects.get()
    address = reverse("gift-order", args=[order.pk])
    assert "1 Nathan Road" in _html(client.get(address))

    client.post(reverse("gift-order-move", args=[order.pk]), {"to": "shipped", "tracking": "SF1"})
    client.post(reverse("gift-order-move", args=[order.pk]), {"to": "delivered"})
    assert client.post(reverse("gift-order-move", args=[order.pk]), {"to": "ready"}).status_code == 409
    refused = client.post(reverse("gift-order-cancel", args=[order.pk]), {"reason": "x", "money_refunded": "30"})
    assert refused.status_code == 422
    done = client.post(
        reverse("gift-order-cancel", args=[order.pk]),
        {"reason": "arrived broken", "money_refunded": "20"},  # and not back on the shelf
    )

    order.refresh_from_db()
    assert (done.status_code, order.state, order.money_refunded) == (302, "cancelled", Decimal(20))
    assert _points(member) == 250
    assert gift.stocks.get().on_hand == 4
    page = _html(client.get(address))
    for words in ("Reserved", "Shipped", "Delivered", "arrived broken", "SF1", "Nothing more to do."):
        assert words in page


def test_without_the_code_the_member_is_identified_and_a_cashier_takes_nothing_back() -> None:
    member, gift = _member(), make_gift("A")
    order = order_gift(member, gift, branch=make_branch(), request_key="o", actor=SYSTEM, now=NOW)
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    wrong = client.post(reverse("gift-order-move", args=[order.pk]), {"to": "handed_over", "code": "AAAAAAA"})
    assert (wrong.status_code, "not the pick-up code" in _html(wrong)) == (409, True)

    client.post(reverse("gift-order-move", args=[order.pk]), {"to": "handed_over", "identified_by": "card"})

    order.refresh_from_db()
    assert order.state == "handed_over"
    assert "Take back" not in _html(client.get(reverse("gift-order", args=[order.pk])))
    assert client.post(reverse("gift-order-cancel", args=[order.pk]), {"reason": "x"}).status_code == 403


def test_who_shows_the_card_gets_what_waits_in_one_click() -> None:
    member, gift = _member(), make_gift("A")
    order = order_gift(member, gift, branch=make_branch(), request_key="o", actor=SYSTEM, now=NOW)
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    card = Card.objects.get(membership=member).number

    shown = _html(client.get(reverse("gift-desk"), {"q": f"{card[:4]} {card[4:]}"}))
    by_name = _html(client.get(reverse("gift-desk"), {"q": member.customer.number}))

    hand_over = f'action="{reverse("gift-order-move", args=[order.pk])}"'
    assert 'name="identified_by" value="card"' in shown
    assert hand_over in shown
    assert 'name="identified_by"' not in by_name


def test_what_a_rule_refuses_is_said_at_the_desk_and_changes_nothing() -> None:
    member, gift = _member(10), make_gift("A")
    client = signed_in(Role.CASHIER, branches=[make_branch()])

    poor = _redeem(client, member, gift, "now")
    withdraw_gift(gift, actor=SYSTEM, now=NOW)
    gone = _redeem(client, member, gift, "reserve")

    assert (poor.status_code, "There are not enough points" in _html(poor)) == (409, True)
    assert (gone.status_code, "no longer offered" in _html(gone)) == (409, True)
    assert not GiftOrder.objects.exists()


def test_other_branches_orders_are_not_shown_and_theirs_not_redeemed() -> None:
    member, gift = _member(), make_gift("A")
    order = order_gift(member, gift, branch=make_branch(), request_key="o", actor=SYSTEM, now=NOW)
    central = make_branch("CTL", "Central")
    put_on_shelf(gift, 1, branch=central)
    client = signed_in(Role.CASHIER, branches=[central])

    assert client.get(reverse("gift-order", args=[order.pk])).status_code == 404
    assert "Nothing waits" in _html(client.get(reverse("gift-desk")))
    assert _redeem(client, member, gift, "now").status_code == 404  # in Kowloon
    assert client.post(reverse("gift-pick-up"), {"code": order.pickup_code}).status_code == 422
    served = _redeem(client, member, gift, "now", branch="CTL", request_key="r2")
    assert (served.status_code, _points(member)) == (302, 50)


def test_with_several_branches_the_desk_asks_where_one_stands() -> None:
    member = _member()
    make_gift("A")
    make_branch("CTL", "Central")
    client = signed_in(Role.SERVICE_AGENT)

    asked = _html(client.get(reverse("gift-desk"), {"q": member.customer.number}))
    chosen = _html(client.get(reverse("gift-desk"), {"q": member.customer.number, "branch": "KLN"}))

    assert "Choose the branch in which you stand" in asked
    assert "Redeem now" in chosen


def test_pages_cost_the_same_for_one_and_for_twenty(django_assert_max_num_queries: Any) -> None:
    member = _member(0)
    adjust_points(member, Decimal(99_999), reason="x", request_key="many", actor=SYSTEM, now=NOW)
    client = signed_in(Role.CASHIER, branches=[make_branch()])
    for n in (1, 19):
        for _ in range(n):
            gift = make_gift()
            order_gift(member, gift, branch=make_branch(), request_key=gift.code, actor=SYSTEM, now=NOW)
        with django_assert_max_num_queries(24):
            client.get(reverse("gift-desk"), {"q": member.customer.number})
        with django_assert_max_num_queries(10):
            client.get(reverse("gifts"))
        with django_assert_max_num_queries(12):
            client.get(reverse("gift-stock"))
