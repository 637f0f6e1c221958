"""Random days at the gift desk against a naive model: pieces and points are conserved at every step."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from patron.business.gifts.errors import GiftRefused, StockTooLow, WrongState
from patron.business.gifts.models import Gift, GiftOrder, GiftStock
from patron.business.gifts.operations import (
    cancel_order,
    correct_stock,
    deliver,
    hand_over,
    mark_ready,
    order_gift,
    receive_stock,
    release_uncollected,
    ship,
)
from patron.business.gifts.queries import check_stock
from patron.business.gifts.testing import make_gift
from patron.business.gifts.tests.support import member_with, points_of
from patron.business.loyalty.errors import InsufficientPoints
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_programme
from patron.core.accounts.testing import NOW, make_branch
from patron.core.customers.testing import CHAN, WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

POINTS, PRICES, LIMIT = 400, (70, 120), 3
_keys = count(1)

places = st.integers(0, 1)
pieces = st.integers(1, 3)
orders = st.integers(0, 30)


class Desk(RuleBasedStateMachine):
    """Two members, two gifts (of the first at most three each), one branch."""

    @initialize(stock=st.integers(0, 6))
    def open(self, stock: int) -> None:
        self._savepoint = transaction.atomic()
        self._savepoint.__enter__()
        programme, self.branch = make_programme(), make_branch()
        self.members = [member_with(POINTS, programme=programme, character=who) for who in (CHAN, WANG)]
        self.gifts = [
            make_gift(points=PRICES[0], stock=stock, member_limit=LIMIT, can_be_delivered=True, collect_days=1),
            make_gift(points=PRICES[1], stock=stock, can_be_delivered=True, collect_days=1),
        ]
        self.on_hand, self.points = [stock, stock], [POINTS, POINTS]
        self.orders: list[dict[str, object]] = []

    def teardown(self) -> None:
        if hasattr(self, "_savepoint"):
            transaction.set_rollback(True)
            self._savepoint.__exit__(None, None, None)

    def _sum(self, gift: int, *states: str, member: int | None = None) -> int:
        return sum(
            int(str(o["quantity"]))
            for o in self.orders
            if o["gift"] == gift and o["state"] in states and (member is None or o["member"] == member)
        )

    @rule(member=places, gift=places, quantity=pieces, posted=st.booleans(), twice=st.booleans())
    def order(self, member: int, gift: int, quantity: int, posted: bool, twice: bool) -> None:
        key, cost = f"s{next(_keys)}", PRICES[gift] * quantity
        kept = self._sum(gift, "reserved", "ready", "handed_over", "shipped", "delivered", member=member)
        free = self.on_hand[gift] - self._sum(gift, "reserved", "ready")
        expected: type[Exception] | None = None
        if (gift == 0 and kept + quantity > LIMIT) or free < quantity:
            expected = GiftRefused
        elif cost > self.points[member]:
            expected = InsufficientPoints

        def ask() -> GiftOrder:
            return order_gift(
                self.members[member], self.gifts[gift], branch=self.branch, quantity=quantity, request_key=key,
                delivery_address="1 Nathan Road" if posted else "", actor=SYSTEM, now=NOW,
            )  # fmt: skip

        if expected is not None:
            with pytest.raises(expected):
                ask()
            return
        made = ask()
        if twice:
            assert ask().pk == made.pk
        self.points[member] -= cost
        self.orders.append(
            {"row": made, "member": member, "gift": gift, "quantity": quantity, "posted": posted, "state": "reserved"}
        )

    @precondition(lambda self: self.orders)
    @rule(place=orders, act=st.sampled_from(["ready", "hand_over", "ship", "deliver", "cancel", "lose", "release"]))
    def move(self, place: int, act: str) -> None:
        mine = self.orders[place % len(self.orders)]
        row, state, posted = mine["row"], str(mine["state"]), mine["posted"]
        assert isinstance(row, GiftOrder)
        gift, member, quantity = int(str(mine["gift"])), int(str(mine["member"])), int(str(mine["quantity"]))
        try:
            if act == "ready":
                mark_ready(row, actor=SYSTEM, now=NOW)
            elif act == "hand_over":
                hand_over(row, code=row.pickup_code, actor=SYSTEM, now=NOW)
            elif act == "ship":
                ship(row, actor=SYSTEM, now=NOW)
            elif act == "deliver":
                deliver(row, actor=SYSTEM, now=NOW)
            elif act == "release":
                later = NOW + timedelta(days=2)
                released = release_uncollected(row, as_of=today(later), actor=SYSTEM, now=later)
                assert released == (not posted and state in ("reserved", "ready"))
                if not released:
                    return
            else:
                cancel_order(row, reason="x", goods_back=act == "cancel", actor=SYSTEM, now=NOW)
        except WrongState:
            assert not self._allowed(act, state, posted=bool(posted))
            return
        assert self._allowed(act, state, posted=bool(posted))
        to = {"ready": "ready", "hand_over": "handed_over", "ship": "shipped", "deliver": "delivered"}.get(
            act, "cancelled"
        )
        if to == state:
            return
        if state in ("reserved", "ready") and to in ("handed_over", "shipped"):
            self.on_hand[gift] -= quantity
        if to == "cancelled":
            self.points[member] += PRICES[gift] * quantity
            if state not in ("reserved", "ready") and act == "cancel":
                self.on_hand[gift] += quantity
        mine["state"] = to

    @staticmethod
    def _allowed(act: str, state: str, *, posted: bool) -> bool:
        match act:
            case "ready":
                return state in ("reserved", "ready")
            case "hand_over":
                return not posted and state in ("reserved", "ready", "handed_over")
            case "ship":
                return posted and state in ("reserved", "ready", "shipped")
            case "deliver":
                return posted and state in ("shipped", "delivered")
        return True

    @rule(gift=places, quantity=pieces)
    def receive(self, gift: int, quantity: int) -> None:
        receive_stock(
            self.gifts[gift], self.branch, quantity, request_key=f"s{next(_keys)}", actor=SYSTEM, now=NOW
        )  # fmt: skip
        self.on_hand[gift] += quantity

    @rule(gift=places, counted=st.integers(0, 8))
    def count_again(self, gift: int, counted: int) -> None:
        try:
            correct_stock(
                self.gifts[gift], self.branch, counted=counted, reason="count", request_key=f"s{next(_keys)}",
                actor=SYSTEM, now=NOW,
            )  # fmt: skip
        except StockTooLow:
            assert counted < self._sum(gift, "reserved", "ready")
            return
        assert counted >= self._sum(gift, "reserved", "ready")
        self.on_hand[gift] = counted

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "orders"):
            return
        for place, gift in enumerate(self.gifts):
            assert self._shelf(gift) == (self.on_hand[place], self._sum(place, "reserved", "ready"))
        assert [points_of(member) for member in self.members] == self.points
        with connection.cursor() as cursor:  # what the database looks at when a transaction ends
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert check_stock() == []
        assert [check.code for check in check_ledger() if not check.holds] == []

    @staticmethod
    def _shelf(gift: Gift) -> tuple[int, int]:
        stock = GiftStock.objects.filter(gift=gift).first()
        return (stock.on_hand, stock.reserved) if stock else (0, 0)


@pytest.mark.django_db
def test_the_desk_and_the_naive_model_say_the_same() -> None:
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
