"""Any order of reserving, using, releasing, undoing, cancelling and waiting, beside a model as simple as on paper."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

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

from patron.business.vouchers.models import Voucher, VoucherDefinition, VoucherHold, VoucherUse
from patron.business.vouchers.operations import (
    Limits,
    cancel_voucher,
    commit_vouchers,
    drop_ended_holds,
    expire_vouchers,
    release_vouchers,
    reserve_vouchers,
    undo_vouchers,
    use_vouchers,
)
from patron.business.vouchers.queries import check_vouchers
from patron.business.vouchers.testing import CASH, TEN_OFF, make_basket, make_code, make_definition, make_line
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today
from patron.kernel.errors import DomainError

BUDGET = Decimal(150)
HOLD = timedelta(minutes=10)


@dataclass
class Paper:
    """A voucher as one would keep it on paper."""

    left: Decimal
    """Money on a cash voucher, uses of any other."""
    is_cash: bool
    last_day: int = 3
    cancelled: bool = False


@dataclass
class Kept:
    vouchers: tuple[int, ...]
    amounts: dict[int, Decimal]
    until: datetime | None = None
    undone: bool = False


@dataclass
class Book:
    vouchers: list[Paper] = field(default_factory=list)
    holds: dict[str, Kept] = field(default_factory=dict)
    uses: dict[str, Kept] = field(default_factory=dict)


class Tills(RuleBasedStateMachine):
    """Two cash vouchers with a budget together, and two codes of two uses, at tills that all want them."""

    @initialize()
    def open(self) -> None:
        self.now, self.book = NOW, Book()
        cash = make_definition(CASH, limits=Limits(budget=BUDGET, valid_days=4))
        ten = make_definition({**TEN_OFF, "uses": 2}, limits=Limits(valid_days=4))
        self.cash = cash
        self.rows = [make_code(definition) for definition in (cash, cash, ten, ten)]
        self.book.vouchers = [Paper(Decimal(n), is_cash=n == 100) for n in (100, 100, 2, 2)]

    # --- what may happen ---------------------------------------------------------------------------------------------

    @rule(key=st.sampled_from("abcde"), which=st.integers(0, 3), spent=st.integers(1, 120), held=st.booleans())
    def take(self, key: str, which: int, spent: int, held: bool) -> None:
        """Reserve or use one voucher on a basket of so much money."""
        basket = make_basket(make_line(1, net=str(spent)), at=self.now)
        given: dict[str, Any] = {
            "request_key": key, "basket": basket, "membership": None, "member": None, "actor": SYSTEM, "now": self.now,
        }  # fmt: skip
        expected = self._expected(key, which, Decimal(spent), held=held)
        try:
            with transaction.atomic():
                if held:
                    (answer,) = reserve_vouchers([self.rows[which].code], until=self.now + HOLD, **given)
                else:
                    (answer,) = use_vouchers([self.rows[which].code], **given)
        except DomainError:
            assert expected is None
            return
        assert answer.amount == expected
        kept = Kept((which,), {which: answer.amount}, self.now + HOLD if held else None)
        if key in self.book.uses or (held and self._live(key)):
            return  # the first answer again
        self._forget_ended(which)
        if held:
            self.book.holds[key] = kept
        else:
            self._spend(key, kept)

    @rule(key=st.sampled_from("abcde"))
    def commit(self, key: str) -> None:
        with suppress(DomainError), transaction.atomic():
            commit_vouchers(request_key=key, actor=SYSTEM, now=self.now)
        if key not in self.book.uses and key in self.book.holds:
            self._spend(key, self.book.holds.pop(key))

    @rule(key=st.sampled_from("abcde"))
    def release(self, key: str) -> None:
        assert release_vouchers(request_key=key, actor=SYSTEM, now=self.now) == (key in self.book.holds)
        self.book.holds.pop(key, None)

    @rule(key=st.sampled_from("abcde"))
    def undo(self, key: str) -> None:
        use = self.book.uses.get(key)
        done = undo_vouchers(request_key=key, actor=SYSTEM, now=self.now)
        assert len(done) == (1 if use is not None and not use.undone else 0)
        if use is not None and not use.undone:
            use.undone = True
            paper = self.book.vouchers[use.vouchers[0]]
            paper.left += use.amounts[use.vouchers[0]] if paper.is_cash else 1
            assert done[0].is_back == (not paper.cancelled and self._day() <= paper.last_day)

    @precondition(lambda self: self._day() < 6)
    @rule(minutes=st.sampled_from([1, 11, 60 * 24]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def tidy(self) -> None:
        drop_ended_holds(actor=SYSTEM, now=self.now)
        self.book.holds = {k: h for k, h in self.book.holds.items() if h.until is not None and h.until > self.now}
        expire_vouchers(as_of=today(self.now), actor=SYSTEM, now=self.now)

    @rule(which=st.integers(0, 3))
    def cancel(self, which: int) -> None:
        paper = self.book.vouchers[which]
        free = not any(which in h.vouchers and h.until and h.until > self.now for h in self.book.holds.values())
        try:
            with transaction.atomic():
                cancel_voucher(self.rows[which], reason="Test", actor=SYSTEM, now=self.now)
        except DomainError:
            assert not paper.cancelled
            assert not free or paper.left == 0
            return
        if not paper.cancelled:
            assert free
            self._forget_ended(which)
        paper.cancelled = True

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def agrees_with_the_paper(self) -> None:
        if not hasattr(self, "book"):
            return
        for row, paper in zip(self.rows, self.book.vouchers, strict=True):
            kept = Voucher.objects.get(pk=row.pk)
            assert (kept.remaining if paper.is_cash else kept.uses_left) == paper.left
            assert kept.held == VoucherHold.objects.filter(voucher=row).count()
            assert (kept.status == "cancelled") == paper.cancelled or paper.left == 0
        assert set(VoucherHold.objects.values_list("request_key", flat=True)) == set(self.book.holds)
        assert VoucherUse.objects.filter(state="committed").count() == len(self.book.uses)
        assert VoucherDefinition.objects.get(pk=self.cash.pk).spent == self._taken() <= BUDGET
        assert all(check.holds for check in check_vouchers())

    def _day(self) -> int:
        return (today(self.now) - today(NOW)).days

    def _live(self, key: str) -> bool:
        hold = self.book.holds.get(key)
        return hold is not None and hold.until is not None and hold.until > self.now

    def _taken(self) -> Decimal:
        """What of the budget is spent or held."""
        taken = [*self.book.holds.values(), *(use for use in self.book.uses.values() if not use.undone)]
        return sum((amount for each in taken for which, amount in each.amounts.items() if which < 2), Decimal(0))

    def _forget_ended(self, which: int) -> None:
        """Whoever takes a voucher drops holds of it that have ended."""
        for key in [k for k, h in self.book.holds.items() if which in h.vouchers and h.until and h.until <= self.now]:
            del self.book.holds[key]

    def _spend(self, key: str, kept: Kept) -> None:
        self.book.uses[key] = kept
        (which,) = kept.vouchers
        paper = self.book.vouchers[which]
        paper.left -= kept.amounts[which] if paper.is_cash else 1

    def _expected(self, key: str, which: int, spent: Decimal, *, held: bool) -> Decimal | None:
        """What the till should be told: an amount, or None for a refusal."""
        paper = self.book.vouchers[which]
        first = self.book.uses.get(key)
        if first is None and held and self._live(key):
            first = self.book.holds[key]
        if first is not None:
            return self._again(first, which, spent)
        if paper.cancelled or paper.left == 0 or self._day() > paper.last_day:
            return None
        others = [h for k, h in self.book.holds.items() if which in h.vouchers and h.until and h.until > self.now]
        if len(others) >= (1 if paper.is_cash else paper.left):
            return None
        hold = self.book.holds.get(key)
        if held and hold is not None and which not in hold.vouchers:
            return None  # the key still keeps another voucher
        ended = sum(
            (h.amounts.get(which, Decimal(0)) for h in self.book.holds.values() if h.until and h.until <= self.now),
            Decimal(0),
        )
        amount = min(spent, paper.left if paper.is_cash else Decimal(10))
        if paper.is_cash and self._taken() - ended + amount > BUDGET:
            return None
        self.spent_by_key = {**getattr(self, "spent_by_key", {}), key: spent}
        return amount

    def _again(self, first: Kept, which: int, spent: Decimal) -> Decimal | None:
        """The first answer, if the request says the same."""
        key = next(k for k, kept in (*self.book.uses.items(), *self.book.holds.items()) if kept is first)
        same = first.vouchers == (which,) and self.spent_by_key.get(key) == spent
        return first.amounts[which] if same else None


@pytest.mark.django_db
def test_tills_agree_with_the_paper() -> None:
    class Isolated(Tills):
        def __init__(self) -> None:
            super().__init__()
            self.savepoint = transaction.atomic()
            self.savepoint.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    run_state_machine_as_test(
        Isolated,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
