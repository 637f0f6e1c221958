"""The whole ledger against a naive model: whatever happens in whatever order, both say the same."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise

import pytest
from django.db import transaction
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

from patron.business.loyalty.errors import InsufficientPoints
from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import adjust_points, expire_lots, spend_points
from patron.business.loyalty.queries import check_ledger, points_balance, points_balance_at, statement
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import available, follow, give_back, open_lots, sell, void
from patron.business.purchases.models import Purchase
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import CHAN, WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

ZERO = Decimal(0)


@dataclass(eq=False)
class Heap:
    """Points of one origin."""

    number: int
    expires_on: date | None
    amount: Decimal
    left: Decimal
    expired: Decimal = ZERO


@dataclass
class Receipt:
    net: Decimal
    points: Decimal
    expires_on: date
    heaps: list[Heap] = field(default_factory=list)
    returns: "list[Comeback]" = field(default_factory=list)
    voided: bool = False


@dataclass(eq=False)
class Comeback:
    receipt: Receipt
    net: Decimal
    taken: list[tuple[Heap, Decimal]] = field(default_factory=list)
    voided: bool = False


class NaiveMember:
    """What a member has, kept as simply as one could on paper."""

    def __init__(self) -> None:
        self.heaps: list[Heap] = []
        self.debt = ZERO
        self.made = 0

    @property
    def balance(self) -> Decimal:
        return sum((heap.left for heap in self.heaps), ZERO) - self.debt

    def usable(self, day: date) -> Decimal:
        gone = sum((h.left for h in self.heaps if h.expires_on is not None and h.expires_on < day), ZERO)
        return self.balance - gone

    def expire(self, day: date) -> None:
        for heap in self.heaps:
            if heap.expires_on is not None and heap.expires_on < day:
                heap.expired += heap.left
                heap.left = ZERO

    def come_in(
        self, points: Decimal, expires_on: date | None, *, refill: list[tuple[Heap, Decimal]] | None = None
    ) -> Heap | None:
        repaid = min(points, self.debt)
        self.debt -= repaid
        points -= repaid
        for heap, most in refill or []:
            back = min(points, most, heap.amount - heap.left)
            heap.left += back
            points -= back
        if not points:
            return None
        self.made += 1
        self.heaps.append(Heap(self.made, expires_on, points, points))
        return self.heaps[-1]

    def go_out(self, points: Decimal, *, first: list[Heap]) -> list[tuple[Heap, Decimal]]:
        def use(heap: Heap) -> tuple[bool, date, int]:
            return heap not in first, heap.expires_on or date.max, heap.number

        taken = []
        for heap in sorted(self.heaps, key=use):
            part = min(heap.left, points)
            if part:
                heap.left -= part
                points -= part
                taken.append((heap, part))
        self.debt += points
        return taken


def _worth(net: Decimal) -> Decimal:
    """One point for each whole 1.00."""
    return max(net, ZERO).quantize(Decimal(1), rounding=ROUND_DOWN)


def _month_end_after(day: date, months: int) -> date:
    for _ in range(months):
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


who = st.integers(0, 1)
cents = st.integers(1, 30_000).map(lambda n: Decimal(n) / 100)
share = st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(1)])
pick = st.integers(0, 50)


class LedgerMachine(RuleBasedStateMachine):
    """Two members at a till, day after day; every movement also on paper."""

    MONTHS = 2

    @initialize()
    def open_shop(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        programme = make_programme("club", expiry_months=self.MONTHS)
        self.members: list[Membership] = [make_member(programme, character=c) for c in (CHAN, WANG)]
        self.papers = [NaiveMember(), NaiveMember()]
        self.at = NOW
        self.keys = 0
        self.sold: list[tuple[int, Purchase, Receipt]] = []
        self.returned: list[tuple[int, Purchase, Comeback]] = []
        self.seen: list[tuple[datetime, list[Decimal]]] = []

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            self._look_back()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _look_back(self) -> None:
        """What was so at a past moment is still told of it; statements end in the balance."""
        assert [check.code for check in check_ledger() if not check.holds] == []
        while expire_lots(as_of=today(self.at), actor=SYSTEM, now=self.at).due:
            pass
        for at, balances in self.seen:
            assert [points_balance_at(member, at) for member in self.members] == balances
        for member in self.members:
            lines = statement(member, limit=1000).lines
            for newer, older in pairwise(lines):
                assert newer.balance == older.balance + newer.amount
            assert (lines[0].balance if lines else 0) == available(member)

    def _now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def _key(self) -> str:
        self.keys += 1
        return f"key {self.keys}"

    @rule(days=st.sampled_from([1, 10, 40, 100]))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)

    @rule(who=who, net=cents)
    def buys(self, who: int, net: Decimal) -> None:
        at = self._now()
        purchase = sell(self.members[who].customer, net, at=at)
        receipt = Receipt(net, _worth(net), _month_end_after(today(at), self.MONTHS))
        heap = self.papers[who].come_in(receipt.points, receipt.expires_on)
        receipt.heaps.extend([heap] if heap else [])
        self.sold.append((who, purchase, receipt))

    @precondition(lambda self: self.sold)
    @rule(pick=pick, share=share)
    def brings_back(self, pick: int, share: Decimal) -> None:
        who, purchase, receipt = self.sold[pick % len(self.sold)]
        left = receipt.net - sum((c.net for c in receipt.returns if not c.voided), ZERO)
        net = (left * share).quantize(Decimal("0.01"))
        if receipt.voided or net <= 0:
            return
        at = self._now()
        comeback = Comeback(receipt, net)
        self.returned.append((who, give_back(purchase, net, at=at), comeback))
        receipt.returns.append(comeback)
        if _worth(receipt.net) == 0:
            return  # it earned nothing: no movement, and what is due to expire waits for the next one
        paper = self.papers[who]
        paper.expire(today(at))
        expired = sum((heap.expired for heap in receipt.heaps), ZERO)
        points = max(ZERO, min(receipt.points - _worth(left - net), receipt.points - expired))
        comeback.taken = paper.go_out(points, first=receipt.heaps)
        receipt.points -= points

    @precondition(lambda self: self.returned)
    @rule(pick=pick)
    def return_is_voided(self, pick: int) -> None:
        who, purchase, comeback = self.returned[pick % len(self.returned)]
        receipt, paper = comeback.receipt, self.papers[who]
        if comeback.voided:
            return
        at = self._now()
        void(purchase, at=at)
        comeback.voided = True
        if _worth(receipt.net) == 0:
            return
        paper.expire(today(at))
        standing = receipt.net - sum((c.net for c in receipt.returns if not c.voided), ZERO)
        points = max(ZERO, _worth(standing) - receipt.points)
        heap = paper.come_in(points, receipt.expires_on, refill=comeback.taken)
        receipt.heaps.extend([heap] if heap else [])
        receipt.points += points
        paper.expire(today(at))

    @precondition(lambda self: self.sold)
    @rule(pick=pick)
    def sale_is_voided(self, pick: int) -> None:
        who, purchase, receipt = self.sold[pick % len(self.sold)]
        if receipt.voided or any(not comeback.voided for comeback in receipt.returns):
            return
        at = self._now()
        void(purchase, at=at)
        receipt.voided = True
        if _worth(receipt.net) == 0:
            return
        paper = self.papers[who]
        paper.expire(today(at))
        expired = sum((heap.expired for heap in receipt.heaps), ZERO)
        points = max(ZERO, receipt.points - expired)
        paper.go_out(points, first=receipt.heaps)
        receipt.points -= points

    @rule(who=who, share=share, more=st.booleans())
    def redeems(self, who: int, share: Decimal, more: bool) -> None:
        at, paper, key = self._now(), self.papers[who], self._key()
        usable = max(paper.usable(today(at)), ZERO)
        points = usable + 1 if more else (usable * share).quantize(Decimal(1), rounding=ROUND_DOWN)
        if more:
            with pytest.raises(InsufficientPoints):
                spend_points(self.members[who], points, request_key=key, actor=SYSTEM, now=at)
        elif points:
            for _ in range(2):  # the till asks twice
                spend_points(self.members[who], points, request_key=key, actor=SYSTEM, now=at)
            paper.expire(today(at))
            paper.go_out(points, first=[])

    @rule(who=who, points=st.integers(-50, 50).filter(bool), months=st.none() | st.integers(0, 3))
    def is_adjusted(self, who: int, points: int, months: int | None) -> None:
        at, paper = self._now(), self.papers[who]
        until = None if months is None else _month_end_after(today(at), months)
        if points < 0 and -points > paper.usable(today(at)):
            return
        adjust_points(
            self.members[who], Decimal(points), reason="Test", request_key=self._key(), actor=SYSTEM, now=at,
            expires_on=until,
        )  # fmt: skip
        if points > 0:
            paper.come_in(Decimal(points), until)
        else:
            paper.expire(today(at))
            paper.go_out(Decimal(-points), first=[])

    @rule(batch=st.sampled_from([1, 3, 500]))
    def expiry_runs(self, batch: int) -> None:
        while expire_lots(as_of=today(self.at), batch=batch, actor=SYSTEM, now=self.at).due:
            pass
        for paper in self.papers:
            paper.expire(today(self.at))

    @precondition(lambda self: self.sold)
    @rule(pick=pick)
    def till_sends_a_sale_again(self, pick: int) -> None:
        _, purchase, receipt = self.sold[pick % len(self.sold)]
        if not receipt.voided:
            follow(purchase)

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "papers"):
            return
        for member, paper in zip(self.members, self.papers, strict=True):
            told = points_balance(member, now=self.at)
            assert available(member) == paper.balance
            assert told.balance == paper.usable(today(self.at))
            in_order = sorted(
                (heap for heap in paper.heaps if heap.left), key=lambda h: (h.expires_on or date.max, h.number)
            )
            assert open_lots(member) == [(str(heap.expires_on), heap.left) for heap in in_order]
        self.seen.append((self.at, [paper.usable(today(self.at)) for paper in self.papers]))


@pytest.mark.django_db
def test_the_ledger_and_the_naive_model_say_the_same() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
