"""What the database refuses whoever writes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from patron.business.gifts.models import Gift, GiftOrder, GiftOrderEvent, GiftStock, GiftTaken, StockMovement
from patron.business.gifts.operations import order_gift
from patron.business.gifts.rules import TRANSITIONS, State
from patron.business.gifts.testing import make_gift
from patron.business.gifts.tests.support import member_with
from patron.core.accounts.testing import NOW, make_branch
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


def _order() -> GiftOrder:
    return order_gift(
        member_with(100), make_gift(member_limit=1), branch=make_branch(), request_key="x", actor=SYSTEM, now=NOW
    )


def _refused(write: Callable[[], object]) -> str:
    def write_and_look() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            write()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError) as refused:
        write_and_look()
    return str(refused.value)


def _deleted(table: str) -> Callable[[], object]:
    def delete() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")

    return delete


def _moved(order: GiftOrder | None, kind: str, quantity: int, **more: object) -> Callable[[], object]:
    stock = GiftStock.objects.get()
    given = {"order": order, "reason": "", "occurred_at": NOW, "actor": "system", **more}
    return lambda: StockMovement.objects.create(stock=stock, kind=kind, quantity=quantity, **given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points_price": 0}, "gift_costs_something"),
        ({"points_price": -1, "money_price": 5}, "gift_costs_something"),
        ({"member_limit": 0}, "gift_limit_sane"),
        ({"starts_on": "2026-03-02", "ends_on": "2026-03-01"}, "gift_dates_in_order"),
        ({"collect_days": 0}, "gift_collect_days"),
        ({"code": "a b"}, "gift_code_plain"),
        ({"name": ""}, "gift_has_name"),
    ],
)
def test_a_gift_makes_sense(change: dict[str, object], words: str) -> None:
    make_gift()
    assert words in _refused(lambda: Gift.objects.update(**change))


def test_a_shelf_is_moved_by_movements_alone() -> None:
    make_gift()
    assert "by hand" in _refused(lambda: GiftStock.objects.update(on_hand=99))
    assert "by hand" in _refused(_deleted("gifts_giftstock"))
    gift, branch = make_gift(stock=0), make_branch()
    assert "by hand" in _refused(lambda: GiftStock.objects.create(gift=gift, branch=branch, on_hand=1))


def test_movements_are_sound_and_stay() -> None:
    order = _order()
    for write, words in (
        (_moved(None, "corrected", -5, reason="count"), "gift_stock_covers"),  # fewer than are reserved
        (_moved(None, "corrected", -9, reason="count"), "gift_stock_covers"),
        (_moved(None, "corrected", 1), "gift_correction_says_why"),
        (_moved(None, "received", -1), "gift_movement_sign"),
        (_moved(order, "received", 1), "gift_movement_of_order"),
        (_moved(None, "handed_out", 1), "gift_movement_of_order"),
        (_moved(order, "reserved", 1), "gift_movement_once_of_order"),
        (_moved(order, "handed_out", 2), "its quantity"),
        (lambda: StockMovement.objects.update(quantity=7), "append-only"),
        (_deleted("gifts_stockmovement"), "append-only"),
    ):
        assert words in _refused(write), words


def test_an_order_moves_by_the_table_of_the_rules() -> None:
    order = _order()
    allowed = {(str(a), str(b)) for a, targets in TRANSITIONS.items() for b in targets}
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'patron_gift_order_moves'")
        source = cursor.fetchall()[0][0]
    for state in State:
        for to in State:
            assert (f"('{state}', '{to}')" in source) == ((str(state), str(to)) in allowed)
    assert "cannot become" in _refused(
        lambda: GiftOrder.objects.filter(pk=order.pk).update(state="delivered", closed_at=NOW)
    )


def test_an_order_is_what_it_was() -> None:
    order = _order()
    mine = GiftOrder.objects.filter(pk=order.pk)
    fixed: list[dict[str, Any]] = [{"points": 1}, {"quantity": 2}, {"spend": None}, {"request_key": "y"}]
    for change in fixed:
        assert "never changes" in _refused(partial(mine.update, **change))
    moves: list[tuple[dict[str, Any], str]] = [
        ({"state": "ready"}, "without an event"),
        ({"state": "handed_over"}, "gift_order_closed_when_over"),
        ({"state": "cancelled", "closed_at": NOW}, "gift_order_refund_when_cancelled"),
        ({"state": "shipped"}, "gift_order_shipped_there"),
        ({"delivery_address": "x"}, "gift_order_goes_somewhere"),
        ({"refund": order.spend}, "gift_order_refund_when_cancelled"),
    ]
    for change, words in moves:
        assert words in _refused(partial(mine.update, **change)), words
    assert "append-only" in _refused(_deleted("gifts_giftorder"))


def test_a_move_without_its_shelf_is_refused() -> None:
    order = _order()

    def hand_over_by_hand() -> None:
        GiftOrder.objects.filter(pk=order.pk).update(state="handed_over", closed_at=NOW)
        GiftOrderEvent.objects.create(
            order=order, from_state="reserved", to_state="handed_over", occurred_at=NOW, actor="x"
        )

    assert "without moving the shelf" in _refused(hand_over_by_hand)


def test_history_stays_and_the_limit_holds() -> None:
    _order()
    assert "append-only" in _refused(lambda: GiftOrderEvent.objects.update(note="x"))
    assert "gift_taken_within_limit" in _refused(lambda: GiftTaken.objects.update(taken=2))
    assert "gift_taken_within_limit" in _refused(lambda: GiftTaken.objects.update(taken=-1))
