"""The catalogue, its pictures and shelves, and what is read of them."""

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import Image

from patron.business.gifts.errors import GiftCodeTaken, NoSuchGift, NoSuchOrder, NotAPicture, StockTooLow
from patron.business.gifts.models import Gift, StockMovement
from patron.business.gifts.operations import (
    cancel_order,
    change_gift,
    correct_stock,
    define_gift,
    hand_over,
    mark_ready,
    offer_gift,
    order_gift,
    receive_stock,
    set_gift_picture,
    withdraw_gift,
)
from patron.business.gifts.operations.defining import GiftDetails
from patron.business.gifts.queries import (
    catalogue,
    find_member,
    find_open_by_code,
    get_gift,
    get_order,
    movements_of,
    offers_for,
    orders_of,
    redemption_figures,
    shelves_of_branch,
    shelves_of_gift,
    waiting,
    worklist,
)
from patron.business.gifts.rules import Refusal
from patron.business.gifts.testing import make_gift, put_on_shelf
from patron.business.gifts.tests.support import key, member_with, shelf
from patron.business.loyalty.errors import KeyReused, NoSuchMember, ReasonRequired
from patron.business.loyalty.models import Card, Membership
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused

pytestmark = pytest.mark.django_db
MARKETER = actor_in(Role.MARKETER)


def _picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    Image.new(mode, size, "red").save(buffer, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return SimpleUploadedFile(f"gift.{kind.lower()}", buffer.getvalue())


def _ordered(gift: Gift, member: Membership, **more: Any) -> Any:
    given = {"branch": make_branch(), "request_key": key(), "actor": SYSTEM, "now": NOW, **more}
    return order_gift(member, gift, **given)


def test_a_gift_is_defined_changed_withdrawn_and_offered_again() -> None:
    names = {"zh-hant": "雨傘", "zh-hans": " "}
    gift = define_gift(
        " umb-1", GiftDetails("Umbrella", points_price=Decimal(100), names=names), actor=MARKETER, now=NOW
    )
    assert (gift.code, gift.names, gift.is_active) == ("UMB-1", {"zh-hant": "雨傘"}, True)
    with translation.override("zh-hans"):
        assert gift.local_name == "雨傘"

    changed = change_gift(
        gift,
        GiftDetails("Big umbrella", money_price=Decimal("9.90"), tiers=("gold",), member_limit=2),
        actor=MARKETER,
        now=NOW,
    )
    assert (changed.code, changed.name, changed.tiers) == ("UMB-1", "Big umbrella", ["gold"])
    assert (changed.points_price, changed.money_price) == (Decimal(0), Decimal("9.90"))
    withdraw_gift(gift, actor=MARKETER, now=NOW)
    assert catalogue(MARKETER) == []
    assert [row.gift.code for row in catalogue(MARKETER, is_active=None)] == ["UMB-1"]
    offer_gift(gift, actor=MARKETER, now=NOW)
    assert [row.gift.code for row in catalogue(MARKETER, text="umbr")] == ["UMB-1"]


@pytest.mark.parametrize(
    ("code", "details", "field"),
    [
        ("A", GiftDetails("A"), "points_price"),
        ("A", GiftDetails("A", Decimal(1), starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 1)), "ends_on"),
        ("A", GiftDetails("A", points_price=Decimal(1), member_limit=0), "member_limit"),
        ("A", GiftDetails("", points_price=Decimal(1)), "name"),
        ("A", GiftDetails("A", points_price=Decimal("1.234")), "points_price"),
        ("two words", GiftDetails("A", points_price=Decimal(1)), "code"),
        ("A", GiftDetails("A", points_price=Decimal(1), collect_days=0), "collect_days"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_field(code: str, details: GiftDetails, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        define_gift(code, details, actor=SYSTEM, now=NOW)
    assert refused.value.details["field"] == field
    assert not Gift.objects.exists()


def test_a_code_is_taken_once_and_only_marketers_define() -> None:
    make_gift("A")
    with pytest.raises(GiftCodeTaken):
        make_gift("a")
    with pytest.raises(PermissionRefused):
        define_gift("B", GiftDetails("B", points_price=Decimal(1)), actor=actor_in(Role.CASHIER), now=NOW)
    with pytest.raises(NoSuchGift):
        get_gift("B", SYSTEM)


def test_a_picture_is_written_anew_and_the_old_one_goes(
    settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    gift = make_gift("A")

    first = set_gift_picture(gift, _picture("JPEG", (3000, 1500)), actor=MARKETER, now=NOW)
    with Image.open(first.picture.path) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (1200, 600), {})
    with django_capture_on_commit_callbacks(execute=True):
        second = set_gift_picture(gift, _picture("PNG", mode="RGBA"), actor=MARKETER, now=NOW)
    assert str(second.picture.name).endswith(".png")
    assert [p.name for p in (tmp_path / "gifts").iterdir()] == [Path(second.picture.path).name]
    with django_capture_on_commit_callbacks(execute=True):
        assert not set_gift_picture(gift, None, actor=MARKETER, now=NOW).picture
    assert list((tmp_path / "gifts").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"MZ no picture", b"<svg onload='x'/>", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    gift = make_gift("A")
    with pytest.raises(NotAPicture):
        set_gift_picture(gift, SimpleUploadedFile("gift.png", content), actor=SYSTEM, now=NOW)
    with pytest.raises(NotAPicture):
        set_gift_picture(gift, _picture("GIF"), actor=SYSTEM, now=NOW)
    assert not Gift.objects.get().picture


def test_stock_is_received_and_corrected_with_a_reason() -> None:
    gift, branch, manager = make_gift(stock=0), make_branch(), actor_in(Role.BRANCH_MANAGER, branches=[make_branch()])
    for _ in range(2):
        receive_stock(gift, branch, 10, request_key="in 1", actor=manager, now=NOW)
    assert shelf(gift) == (10, 0)
    _ordered(gift, member_with(200), quantity=2)

    correct_stock(gift, branch, counted=7, reason="three are broken", request_key="c1", actor=manager, now=NOW)
    correct_stock(gift, branch, counted=7, reason="three are broken", request_key="c1", actor=manager, now=NOW)
    nothing = correct_stock(gift, branch, counted=7, reason="again", request_key="c2", actor=manager, now=NOW)

    assert nothing is None
    assert shelf(gift) == (7, 2)
    assert [(m.kind, m.quantity, m.reason) for m in movements_of(branch, manager)] == [
        ("corrected", -3, "three are broken"), ("reserved", 2, ""), ("received", 10, "")
    ]  # fmt: skip
    with pytest.raises(StockTooLow):
        correct_stock(gift, branch, counted=1, reason="x", request_key="c3", actor=manager, now=NOW)
    with pytest.raises(ReasonRequired):
        correct_stock(gift, branch, counted=9, reason=" ", request_key="c3", actor=manager, now=NOW)
    with pytest.raises(KeyReused):
        receive_stock(gift, branch, 11, request_key="in 1", actor=manager, now=NOW)
    with pytest.raises(InvalidInput):
        receive_stock(gift, branch, 0, request_key="in 2", actor=manager, now=NOW)
    with pytest.raises(NotFound):
        receive_stock(gift, make_branch("CTL", "Central"), 1, request_key="in 2", actor=manager, now=NOW)
    assert StockMovement.objects.count() == 3


def test_offers_say_what_a_member_can_have_and_what_is_missing() -> None:
    member, branch = member_with(150), make_branch()
    make_gift("NEAR", points=200)
    make_gift("CAN", points=150)
    make_gift("CHEAP", points=10)
    make_gift("NONE-LEFT", points=20, stock=0)
    make_gift("GOLD", points=20, tiers=("gold",))
    make_gift("OVER", points=20, ends_on=date(2026, 3, 1))
    withdraw_gift(make_gift("GONE", points=20), actor=SYSTEM, now=NOW)

    offers = offers_for(member, branch=branch, actor=SYSTEM, now=NOW)

    assert [(o.gift.code, o.can_have, int(o.missing)) for o in offers] == [
        ("CHEAP", True, 0), ("CAN", True, 0), ("NEAR", False, 50), ("GOLD", False, 0), ("NONE-LEFT", False, 0)
    ]  # fmt: skip
    assert [o.reasons for o in offers[2:]] == [(Refusal.POINTS,), (Refusal.TIER,), (Refusal.NO_STOCK,)]
    Membership.objects.filter(pk=member.pk).update(tier="gold")
    member.refresh_from_db()
    assert {o.gift.code for o in offers_for(member, branch=branch, actor=SYSTEM, now=NOW) if o.can_have} == {
        "CHEAP", "CAN", "GOLD"
    }  # fmt: skip


def test_lists_cost_the_same_for_one_and_for_twenty(django_assert_num_queries: Any) -> None:
    member, branch = member_with(9000), make_branch()
    for n in (1, 19):
        for _ in range(n):
            _ordered(make_gift(), member)
        with django_assert_num_queries(2):
            offers_for(member, branch=branch, actor=SYSTEM, now=NOW)
        with django_assert_num_queries(1):
            assert all(o.membership.customer.name and o.gift.name for o in worklist(SYSTEM).orders)
        with django_assert_num_queries(1):
            catalogue(SYSTEM)
        with django_assert_num_queries(2):
            shelves_of_branch(branch, SYSTEM)
        with django_assert_num_queries(1):
            assert all(o.gift.name and o.branch.name for o in orders_of(member))


def test_shelves_tell_where_few_are_left() -> None:
    kowloon, central = make_branch(), make_branch("CTL", "Central")
    scarce, plenty = make_gift("B-SCARCE", stock=4), make_gift("A-PLENTY", stock=9)
    assert [row.is_low for row in shelves_of_branch(kowloon, SYSTEM)] == [False, False]
    _ordered(scarce, member_with(100))

    rows = shelves_of_branch(kowloon, SYSTEM)
    assert [(r.gift.code, r.on_hand, r.reserved, r.free, r.is_low) for r in rows] == [
        ("B-SCARCE", 4, 1, 3, True), ("A-PLENTY", 9, 0, 9, False)
    ]  # fmt: skip
    put_on_shelf(plenty, 2, branch=central)
    assert [(r.branch.code, r.on_hand) for r in shelves_of_gift(plenty, SYSTEM)] == [("CTL", 2), ("KLN", 9)]
    assert [(r.gift.code, r.free) for r in catalogue(SYSTEM)] == [("A-PLENTY", 11), ("B-SCARCE", 3)]
    assert [(r.gift.code, r.free, r.is_low) for r in catalogue(SYSTEM, branch_id=central.pk)] == [
        ("A-PLENTY", 2, True), ("B-SCARCE", 0, False)
    ]  # fmt: skip
    bound = actor_in(Role.CASHIER, branches=[central])
    assert [(r.gift.code, r.free) for r in catalogue(bound)] == [("A-PLENTY", 2), ("B-SCARCE", 0)]
    with pytest.raises(NotFound):
        shelves_of_branch(kowloon, bound)


def test_the_worklist_goes_on_page_by_page_and_ends_with_the_work() -> None:
    gift, member = make_gift(stock=9, can_be_delivered=True), member_with(900)
    orders = [_ordered(gift, member, now=NOW + timedelta(minutes=n // 2)) for n in range(5)]
    posted = _ordered(gift, member, delivery_address="1 Nathan Road", now=NOW + timedelta(hours=1))
    mark_ready(orders[1], actor=SYSTEM, now=NOW)
    hand_over(orders[2], code=orders[2].pickup_code, actor=SYSTEM, now=NOW)

    seen, after = [], None
    while True:
        page = worklist(SYSTEM, after=after, limit=2)
        seen += [order.pk for order in page.orders]
        after = page.following
        if after is None:
            break
    assert seen == [orders[0].pk, orders[1].pk, orders[3].pk, orders[4].pk, posted.pk]
    assert [o.pk for o in worklist(SYSTEM, states=["ready"]).orders] == [orders[1].pk]
    assert [o.pk for o in worklist(SYSTEM, way="delivery").orders] == [posted.pk]
    counted = waiting(SYSTEM, branch_id=make_branch().pk)
    assert (counted.to_prepare, counted.ready, counted.on_the_way) == (4, 1, 0)
    stranger = actor_in(Role.CASHIER, branches=[make_branch("CTL", "Central")])
    assert worklist(stranger).orders == []
    with pytest.raises(ValueError, match="wait"):
        worklist(SYSTEM, states=["cancelled"])

    assert find_open_by_code(orders[0].shown_code.lower(), SYSTEM).pk == orders[0].pk
    for code, actor in ((orders[2].pickup_code, SYSTEM), ("", SYSTEM), (orders[0].pickup_code, stranger)):
        with pytest.raises(NoSuchOrder):
            find_open_by_code(code, actor)
    with pytest.raises(NoSuchOrder):
        get_order(orders[0].pk, stranger)


def test_whoever_shows_a_card_is_served_in_any_branch() -> None:
    member = member_with(10)
    bound = actor_in(Role.CASHIER, branches=[make_branch("CTL", "Central")])
    card = Card.objects.get(membership=member)

    assert find_member(card.number, bound) == member
    assert find_member(member.customer.number, bound) == member
    with pytest.raises(NotFound):
        find_member("8800999999", bound)
    with pytest.raises(NoSuchMember):
        find_member(make_customer(WANG).number, bound)


def test_figures_count_what_was_kept_and_what_was_cancelled() -> None:
    gift, other, member = make_gift("A", points=100, money=20, stock=9), make_gift("B", points=50), member_with(900)
    kept = _ordered(gift, member, quantity=2)
    hand_over(kept, code=kept.pickup_code, actor=SYSTEM, now=NOW)
    cancel_order(_ordered(gift, member), reason="x", money_refunded=Decimal(15), actor=SYSTEM, now=NOW)
    _ordered(other, member)
    _ordered(other, member, now=NOW + timedelta(days=1))

    rows = redemption_figures(SYSTEM, since=NOW, until=NOW + timedelta(days=1))

    assert [(r.code, r.orders, r.pieces, r.waiting, r.fulfilled, r.cancelled) for r in rows] == [
        ("A", 1, 2, 0, 1, 1), ("B", 1, 1, 1, 0, 0)
    ]  # fmt: skip
    assert [(r.points, r.money, r.members) for r in rows] == [
        (Decimal(200), Decimal(45), 1), (Decimal(50), Decimal(0), 1)
    ]  # fmt: skip
    stranger = actor_in(Role.CASHIER, branches=[make_branch("CTL", "Central")])
    assert redemption_figures(stranger, since=NOW, until=NOW + timedelta(days=1)) == []
