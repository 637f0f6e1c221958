"""Ordering, fulfilling and cancelling: pieces, points and history agree at every step."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from patron.business.gifts.errors import GiftRefused, NoSuchOrder, WrongPickupCode, WrongState
from patron.business.gifts.jobs import release_gifts
from patron.business.gifts.models import Gift, GiftOrder, GiftTaken, StockMovement
from patron.business.gifts.operations import (
    cancel_order,
    change_gift,
    deliver,
    hand_over,
    mark_ready,
    order_gift,
    redeem_at_counter,
    release_uncollected,
    ship,
)
from patron.business.gifts.operations.defining import GiftDetails
from patron.business.gifts.queries import check_stock, events_of
from patron.business.gifts.testing import make_gift, put_on_shelf
from patron.business.gifts.tests.support import key, member_with, points_of, shelf
from patron.business.loyalty.errors import InsufficientPoints, KeyReused, ReasonRequired
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import adjust_points, set_membership_status
from patron.business.loyalty.queries import check_ledger, open_lots
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.activities.models import Activity
from patron.core.customers.testing import WANG
from patron.kernel import clock
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput, NotFound, PermissionRefused

pytestmark = pytest.mark.django_db


def _order(member: Membership, gift: Gift, **more: Any) -> GiftOrder:
    given: dict[str, Any] = {"branch": make_branch(), "request_key": key(), "actor": SYSTEM, "now": NOW, **more}
    return order_gift(member, gift, **given)


def _kinds() -> list[str]:
    return list(Activity.objects.filter(kind__startswith="gift.").order_by("pk").values_list("kind", flat=True))


def _all_is_well() -> None:
    assert check_stock() == []
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_an_order_reserves_the_piece_and_spends_the_points() -> None:
    member, gift = member_with(250), make_gift(points=100, money=Decimal("9.90"))

    order = _order(member, gift, quantity=2)

    assert (order.state, order.currency) == ("reserved", "HKD")
    assert (order.points, order.money) == (Decimal(200), Decimal("19.80"))
    assert order.collect_by == date(2026, 3, 16)
    assert order.spend is not None
    assert order.spend.amount == -200
    assert points_of(member) == 50
    assert shelf(gift) == (5, 2)
    assert [(e.from_state, e.to_state) for e in events_of(order)] == [("", "reserved")]
    assert _kinds() == ["gift.ordered"]
    _all_is_well()


def test_the_same_request_again_gives_the_first_order() -> None:
    member, gift = member_with(500), make_gift(points=100)
    first = _order(member, gift, request_key="web 1")

    again = _order(member, gift, request_key="web 1", now=NOW + timedelta(hours=1))

    assert again.pk == first.pk
    assert (points_of(member), shelf(gift)) == (400, (5, 1))
    for other in ({"quantity": 2}, {"branch": make_branch("CTL", "Central")}):
        with pytest.raises(KeyReused):
            _order(member, gift, request_key="web 1", **other)
    assert GiftOrder.objects.count() == 1


def test_ready_then_handed_over_for_the_code() -> None:
    member, gift = member_with(100), make_gift(points=100)
    order = _order(member, gift)
    mark_ready(order, actor=SYSTEM, now=NOW)
    mark_ready(order, actor=SYSTEM, now=NOW)

    with pytest.raises(WrongPickupCode):
        hand_over(order, code="AAAAAAA", actor=SYSTEM, now=NOW)
    with pytest.raises(InvalidInput):
        hand_over(order, actor=SYSTEM, now=NOW)
    done = hand_over(order, code=order.shown_code.lower(), actor=SYSTEM, now=NOW)
    again = hand_over(order, code=order.pickup_code, actor=SYSTEM, now=NOW)

    assert (done.state, done.closed_at, again.state) == ("handed_over", NOW, "handed_over")
    assert shelf(gift) == (4, 0)
    assert _kinds() == ["gift.ordered", "gift.ready", "gift.handed_over"]
    _all_is_well()


def test_a_member_without_the_code_is_identified() -> None:
    order = _order(member_with(100), make_gift())

    done = hand_over(order, identified_by="card", actor=SYSTEM, now=NOW)

    assert (done.state, events_of(done)[-1].note) == ("handed_over", "card")


def test_at_the_counter_order_and_handing_over_are_one() -> None:
    member, gift = member_with(100), make_gift(stock=1)

    order = redeem_at_counter(member, gift, branch=make_branch(), request_key="d1", actor=SYSTEM, now=NOW)
    again = redeem_at_counter(member, gift, branch=make_branch(), request_key="d1", actor=SYSTEM, now=NOW)

    assert (order.state, again.pk) == ("handed_over", order.pk)
    assert (points_of(member), shelf(gift)) == (0, (0, 0))
    _all_is_well()


def test_sent_and_delivered() -> None:
    member, gift = member_with(100), make_gift(can_be_delivered=True)
    order = _order(member, gift, delivery_address="1 Nathan Road, Kowloon")
    assert (order.way, order.collect_by) == ("delivery", None)
    with pytest.raises(WrongState):
        hand_over(order, code=order.pickup_code, actor=SYSTEM, now=NOW)
    with pytest.raises(WrongState):
        deliver(order, actor=SYSTEM, now=NOW)

    sent = ship(order, tracking="SF123", actor=SYSTEM, now=NOW)
    assert (sent.tracking, sent.closed_at, shelf(gift)) == ("SF123", None, (4, 0))
    done = deliver(ship(order, actor=SYSTEM, now=NOW), actor=SYSTEM, now=NOW)

    assert (done.state, done.closed_at) == ("delivered", NOW)
    _all_is_well()


def test_cancelling_gives_back_points_and_piece() -> None:
    member, gift = member_with(250), make_gift(points=100, money=20, member_limit=2)
    order = _order(member, gift, quantity=2)

    done = cancel_order(order, reason="Changed her mind", money_refunded=Decimal(15), actor=SYSTEM, now=NOW)
    again = cancel_order(order, reason="Once more", actor=SYSTEM, now=NOW)

    assert (done.state, done.money_refunded, again.money_refunded) == ("cancelled", Decimal(15), Decimal(15))
    assert done.refund is not None
    assert (int(done.refund.amount), points_of(member), shelf(gift)) == (200, 250, (5, 0))
    assert GiftTaken.objects.get().taken == 0
    assert events_of(done)[-1].note == "Changed her mind"
    _order(member, gift, quantity=2)  # the limit counts what was kept
    _all_is_well()


def _lots(member: Membership, now: datetime) -> list[tuple[date | None, Decimal]]:
    return [(lot.expires_on, lot.remaining) for lot in open_lots(member, now=now)]


def test_points_return_to_the_lots_they_came_from() -> None:
    member, gift = member_with(0), make_gift(points=100)
    for day, points in ((date(2026, 3, 31), 60), (date(2026, 12, 31), 90)):
        adjust_points(member, Decimal(points), reason="x", expires_on=day, request_key=key(), actor=SYSTEM, now=NOW)
    before = _lots(member, NOW)
    order = _order(member, gift)
    assert _lots(member, NOW) == [(date(2026, 12, 31), Decimal(50))]

    cancel_order(order, reason="x", actor=SYSTEM, now=NOW)

    assert _lots(member, NOW) == before == [(date(2026, 3, 31), Decimal(60)), (date(2026, 12, 31), Decimal(90))]
    _all_is_well()


def test_points_that_would_have_expired_meanwhile_do_not_come_back_to_life() -> None:
    member, gift, later = member_with(0), make_gift(points=100), NOW + timedelta(days=60)
    for day, points in ((date(2026, 3, 31), 60), (date(2026, 12, 31), 90)):
        adjust_points(member, Decimal(points), reason="x", expires_on=day, request_key=key(), actor=SYSTEM, now=NOW)
    order = _order(member, gift)

    done = cancel_order(order, reason="x", actor=SYSTEM, now=later)

    assert done.refund is not None
    assert (int(done.refund.amount), points_of(member)) == (100, 90)
    assert _lots(member, later) == [(date(2026, 12, 31), Decimal(90))]
    _all_is_well()


def test_cancelling_needs_a_reason_and_no_more_money_than_was_paid() -> None:
    order = _order(member_with(100), make_gift(money=5))
    with pytest.raises(ReasonRequired):
        cancel_order(order, reason=" ", actor=SYSTEM, now=NOW)
    for money in (Decimal("5.01"), Decimal(-1)):
        with pytest.raises(InvalidInput):
            cancel_order(order, reason="x", money_refunded=money, actor=SYSTEM, now=NOW)
    assert GiftOrder.objects.get().state == "reserved"


@pytest.mark.parametrize(("goods_back", "left"), [(True, 5), (False, 4)])
def test_what_has_left_is_taken_back_by_those_who_may(goods_back: bool, left: int) -> None:
    member, gift = member_with(100), make_gift()
    order = redeem_at_counter(member, gift, branch=make_branch(), request_key=key(), actor=SYSTEM, now=NOW)

    with pytest.raises(PermissionRefused):
        cancel_order(order, reason="broken", actor=actor_in(Role.CASHIER), now=NOW)
    manager = actor_in(Role.BRANCH_MANAGER)
    cancel_order(order, reason="broken", goods_back=goods_back, actor=manager, now=NOW)

    assert (points_of(member), shelf(gift)) == (100, (left, 0))
    _all_is_well()


def test_too_few_points_leave_everything_as_it_was() -> None:
    member, gift = member_with(99), make_gift(points=100, member_limit=1)

    with pytest.raises(InsufficientPoints):
        _order(member, gift)

    assert (points_of(member), shelf(gift), GiftOrder.objects.count(), GiftTaken.objects.count()) == (99, (5, 0), 0, 0)


@pytest.mark.parametrize(
    ("details", "more", "reason"),
    [
        ({"tiers": ("gold",)}, {}, "tier"),
        ({"member_limit": 1}, {"quantity": 2}, "limit"),
        ({"starts_on": date(2026, 3, 3)}, {}, "not_yet"),
        ({"ends_on": date(2026, 3, 1)}, {}, "ended"),
        ({"stock": 1}, {"quantity": 2}, "no_stock"),
        ({"stock": 0}, {}, "no_stock"),
        ({}, {"delivery_address": "1 Nathan Road"}, "no_delivery"),
    ],
)
def test_refused_with_its_reason(details: dict[str, object], more: dict[str, object], reason: str) -> None:
    member, gift = member_with(900), make_gift(**details)  # type: ignore[arg-type]

    with pytest.raises(GiftRefused) as refused:
        _order(member, gift, **more)

    assert refused.value.details["reasons"] == [reason]
    assert (points_of(member), GiftOrder.objects.count()) == (900, 0)


def test_a_suspended_member_orders_nothing_but_a_cancelled_order_still_gives_back() -> None:
    member, gift = member_with(200), make_gift()
    order = _order(member, gift)
    set_membership_status(member, "suspended", actor=SYSTEM, now=NOW)

    with pytest.raises(GiftRefused):
        _order(member, gift)
    cancel_order(order, reason="suspended", actor=SYSTEM, now=NOW)

    assert points_of(member) == 200


def test_an_order_keeps_what_it_cost() -> None:
    member, gift = member_with(300), make_gift(points=100)
    order = _order(member, gift)
    change_gift(gift, GiftDetails(name="Umbrella", points_price=Decimal(150)), actor=SYSTEM, now=NOW)

    assert _order(member, gift).points == 150
    cancel_order(order, reason="x", actor=SYSTEM, now=NOW)

    assert points_of(member) == 150


def test_a_gift_for_money_alone_touches_no_points() -> None:
    order = _order(member_with(0), make_gift(points=0, money=Decimal("38.00")))

    assert (order.spend, order.money, LedgerTransaction.objects.count()) == (None, Decimal(38), 0)
    assert cancel_order(order, reason="x", actor=SYSTEM, now=NOW).money_refunded == 38


def test_a_branch_serves_its_own_orders_only() -> None:
    kowloon, central = make_branch(), make_branch("CTL", "Central")
    gift, member = make_gift(), member_with(300)
    order = _order(member, gift)
    stranger = actor_in(Role.CASHIER, branches=[central])

    for act in (
        lambda: mark_ready(order, actor=stranger, now=NOW),
        lambda: hand_over(order, code=order.pickup_code, actor=stranger, now=NOW),
        lambda: cancel_order(order, reason="x", actor=stranger, now=NOW),
    ):
        with pytest.raises(NoSuchOrder):
            act()
    with pytest.raises(NotFound):
        _order(member, gift, branch=kowloon, actor=stranger)
    put_on_shelf(gift, 1, branch=central)
    assert _order(member, gift, branch=central, actor=stranger).state == "reserved"


def test_what_nobody_collects_is_released_the_day_after(monkeypatch: pytest.MonkeyPatch) -> None:
    member, gift = member_with(300), make_gift(collect_days=7, can_be_delivered=True, stock=9)
    late, fetched = _order(member, gift), _order(member, gift)
    hand_over(fetched, code=fetched.pickup_code, actor=SYSTEM, now=NOW)
    posted = _order(member, gift, delivery_address="1 Nathan Road")
    assert late.collect_by == date(2026, 3, 9)
    other = _order(member_with(100, character=WANG), gift, now=NOW + timedelta(days=1))

    assert not release_uncollected(late, as_of=date(2026, 3, 9), actor=SYSTEM, now=NOW)
    then = NOW + timedelta(days=8)
    monkeypatch.setattr("patron.business.gifts.jobs.present", lambda: then)
    assert clock.today(then) == date(2026, 3, 10)
    for gone in (fetched, posted):
        assert not release_uncollected(gone, as_of=date(2026, 3, 10), actor=SYSTEM, now=then)
    release_gifts(0)
    release_gifts(0)

    states = dict(GiftOrder.objects.values_list("pk", "state"))
    assert states == {
        late.pk: "cancelled", fetched.pk: "handed_over", posted.pk: "reserved", other.pk: "reserved"
    }  # fmt: skip
    assert (points_of(member), shelf(gift)) == (100, (8, 2))
    assert StockMovement.objects.filter(kind="released").count() == 1
    _all_is_well()
