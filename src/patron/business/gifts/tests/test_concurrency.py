"""Several desks at the same moment, over connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from patron.business.gifts.errors import GiftRefused, WrongState
from patron.business.gifts.models import GiftOrder, GiftOrderEvent, GiftTaken
from patron.business.gifts.operations import cancel_order, hand_over, order_gift, receive_stock, release_uncollected
from patron.business.gifts.queries import check_stock
from patron.business.gifts.testing import make_gift, put_on_shelf
from patron.business.gifts.tests.support import member_with, points_of, shelf
from patron.business.loyalty.errors import InsufficientPoints, KeyReused
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_programme
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)
DESKS = 8


def _at_once(work: list[Callable[[], object]]) -> list[object]:
    """Run each piece of work in a thread of its own, all starting together: results and refusals, in order."""
    barrier = Barrier(len(work))

    def run(do: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return do()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def _all_is_well() -> None:
    assert check_stock() == []
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_the_last_piece_at_eight_desks_goes_to_one_member() -> None:
    programme, branch = make_programme("club"), make_branch()
    members = [member_with(100, programme=programme, character=CAST[n % 5]) for n in range(DESKS)]
    gift = make_gift(stock=1)

    outcomes = _at_once(
        [
            partial(order_gift, m, gift, branch=branch, request_key=f"desk {n}", actor=SYSTEM, now=NOW)
            for n, m in enumerate(members)
        ]
    )

    winners = [o for o in outcomes if isinstance(o, GiftOrder)]
    refused = [o for o in outcomes if isinstance(o, GiftRefused)]
    assert (len(winners), len(refused)) == (1, 7)
    assert {str(r.details["reasons"]) for r in refused} == {"['no_stock']"}
    assert shelf(gift) == (1, 1)
    assert sorted(points_of(m) for m in members) == [0, *[100] * 7]
    _all_is_well()


def test_one_request_sent_eight_times_is_one_order() -> None:
    member, gift, branch = member_with(800), make_gift(stock=9), make_branch()

    outcomes = _at_once(
        [lambda: order_gift(member, gift, branch=branch, request_key="web 1", actor=SYSTEM, now=NOW)] * DESKS
    )

    assert {o.pk for o in outcomes if isinstance(o, GiftOrder)} == {GiftOrder.objects.get().pk}
    assert (points_of(member), shelf(gift)) == (700, (9, 1))
    _all_is_well()


def test_one_key_for_different_gifts_is_one_order() -> None:
    member, branch = member_with(800), make_branch()
    gifts = [make_gift(points=100) for _ in range(DESKS)]

    outcomes = _at_once(
        [
            partial(order_gift, member, g, branch=branch, request_key="web 1", actor=SYSTEM, now=NOW)
            for g in gifts
        ]
    )  # fmt: skip

    assert sum(isinstance(o, GiftOrder) for o in outcomes) == 1
    assert sum(isinstance(o, KeyReused) for o in outcomes) == 7
    assert points_of(member) == 700
    _all_is_well()


def test_a_limit_holds_in_all_branches_together() -> None:
    member, gift = member_with(800), make_gift(stock=0, member_limit=2)
    branches = [make_branch(f"B{n}", f"Branch {n}") for n in range(DESKS)]
    for branch in branches:
        put_on_shelf(gift, 1, branch=branch)

    outcomes = _at_once(
        [
            partial(order_gift, member, gift, branch=b, request_key=f"at {b.code}", actor=SYSTEM, now=NOW)
            for b in branches
        ]
    )

    assert sum(isinstance(o, GiftOrder) for o in outcomes) == 2
    assert GiftTaken.objects.get().taken == 2
    assert points_of(member) == 600
    _all_is_well()


def test_one_balance_buys_one_gift_of_two() -> None:
    member, branch = member_with(100), make_branch()
    gifts = [make_gift(points=100) for _ in range(DESKS)]

    outcomes = _at_once(
        [
            partial(order_gift, member, g, branch=branch, request_key=g.code, actor=SYSTEM, now=NOW)
            for g in gifts
        ]
    )  # fmt: skip

    assert sum(isinstance(o, GiftOrder) for o in outcomes) == 1
    assert sum(isinstance(o, InsufficientPoints) for o in outcomes) == 7
    assert points_of(member) == 0
    _all_is_well()


def test_handing_over_cancelling_and_releasing_the_same_order_end_in_one_state() -> None:
    member, gift, branch = member_with(100), make_gift(collect_days=1), make_branch()
    order = order_gift(member, gift, branch=branch, request_key="x", actor=SYSTEM, now=NOW)
    from_now = NOW.date().replace(year=2027)

    outcomes = _at_once(
        [
            lambda: hand_over(order, code=order.pickup_code, actor=SYSTEM, now=NOW),
            lambda: release_uncollected(order, as_of=from_now, actor=SYSTEM, now=NOW),
            lambda: release_uncollected(order, as_of=from_now, actor=SYSTEM, now=NOW),
            lambda: hand_over(order, code=order.pickup_code, actor=SYSTEM, now=NOW),
        ]
    )

    state = GiftOrder.objects.get().state
    if state == "handed_over":
        assert [o for o in outcomes if isinstance(o, bool)] == [False, False]
        assert (points_of(member), shelf(gift)) == (0, (4, 0))
    else:
        assert state == "cancelled"
        assert sum(isinstance(o, WrongState) for o in outcomes) == 2
        assert (points_of(member), shelf(gift)) == (100, (5, 0))
    assert GiftOrderEvent.objects.count() == 2
    _all_is_well()


def test_a_busy_counter_of_orders_cancellations_and_deliveries_never_deadlocks() -> None:
    programme, branch = make_programme("club"), make_branch()
    members = [member_with(1000, programme=programme, character=CAST[n]) for n in range(4)]
    gifts = [make_gift(stock=3, points=50) for _ in range(3)]

    def work(n: int) -> object:
        done: list[object] = []
        for turn in range(6):
            member, gift = members[(n + turn) % 4], gifts[(n * 2 + turn) % 3]
            try:
                order = order_gift(member, gift, branch=branch, request_key=f"{n}/{turn}", actor=SYSTEM, now=NOW)
                done.append(order)
                if turn % 2:
                    cancel_order(order, reason="x", actor=SYSTEM, now=NOW)
                else:
                    hand_over(order, code=order.pickup_code, actor=SYSTEM, now=NOW)
            except GiftRefused:
                receive_stock(gift, branch, 1, request_key=f"more {n}/{turn}", actor=SYSTEM, now=NOW)
        return done

    outcomes = _at_once([partial(work, n) for n in range(DESKS)])

    assert all(isinstance(o, list) for o in outcomes)
    kept = GiftOrder.objects.filter(state="handed_over").count()
    assert sum(points_of(m) for m in members) == 4000 - 50 * kept
    assert not GiftOrder.objects.filter(state__in=("reserved", "ready")).exists()
    _all_is_well()
