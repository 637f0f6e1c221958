"""Stored value against a naive model: whatever happens in whatever order, both say the same."""

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

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import expire_lots
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.storedvalue.errors import InsufficientFunds, NothingPaidOut, RefundTooLarge, WalletFrozen
from patron.business.storedvalue.operations import freeze, pay, refund, unfreeze, withdraw
from patron.business.storedvalue.queries import (
    check_stored_value,
    daily_statement,
    money_statement,
    stored_value_liability,
    wallet_balance,
)
from patron.business.storedvalue.testing import make_deposit, make_policy
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import CHAN, WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

ZERO = Decimal(0)
CENT = Decimal("0.01")
FEE = Decimal("1.50")


@dataclass(eq=False)
class Pot:
    """One deposit with its bonus."""

    amount: Decimal
    own: Decimal
    bonus: Decimal
    granted: Decimal
    until: date
    settled: Decimal = ZERO
    expired: Decimal = ZERO


@dataclass
class Paid:
    who: int
    row: LedgerTransaction
    draws: list[tuple[Pot, str, Decimal]]
    refunded: Decimal = ZERO


@dataclass
class Paper:
    pots: list[Pot] = field(default_factory=list)
    frozen: bool = False

    @property
    def own(self) -> Decimal:
        return sum((pot.own for pot in self.pots), ZERO)

    @property
    def bonus(self) -> Decimal:
        return sum((pot.bonus for pot in self.pots), ZERO)

    def expire(self, day: date) -> None:
        for pot in self.pots:
            if pot.until < day:
                pot.expired += pot.bonus
                pot.bonus = ZERO


who = st.integers(0, 1)
cents = st.integers(20_000, 150_000).map(lambda n: Decimal(n) / 100)
share = st.sampled_from([Decimal("0.1"), Decimal("0.37"), Decimal(1)])
pick = st.integers(0, 1_000_000)
rarely = st.integers(0, 5).map(lambda n: n == 0)


class WalletMachine(RuleBasedStateMachine):
    @initialize(first=st.booleans())
    def open(self, first: bool) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        programme = make_programme(expiry_months=1)
        make_policy(programme, bonus_months=2, bonus_first=first, withdrawal_fee=FEE)
        self.bonus_first = first
        self.members: list[Membership] = [make_member(programme, character=c) for c in (CHAN, WANG)]
        self.papers = [Paper(), Paper()]
        self.at: datetime = NOW
        self.keys = 0
        self.paid: list[Paid] = []

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            self._look_back()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _look_back(self) -> None:
        """The ledger adds up, statements end in the balance, and every day ties and follows the one before."""
        assert [c.code for c in (*check_ledger(), *check_stored_value()) if not c.holds] == []
        while expire_lots(as_of=today(self.at), actor=SYSTEM, now=self.at).due:
            pass
        for member in self.members:
            lines = money_statement(member, limit=1000).lines
            for newer, older in pairwise(lines):
                assert newer.balance == older.balance + newer.amount
            assert (lines[0].balance if lines else 0) == wallet_balance(member, now=self.at).balance
        days = sorted({today(t.occurred_at) for t in LedgerTransaction.objects.filter(unit="stored_value")})
        before = ZERO
        for day in days:
            told = daily_statement(SYSTEM, day=day)
            assert told.ties
            assert (told.total.opening, told.total.closing) == (before, told.ledger)
            before = told.total.closing
        assert stored_value_liability(now=self.at, as_of=self.at).total == before
        assert stored_value_liability(now=self.at).total == before

    def _next(self) -> tuple[datetime, str]:
        self.at += timedelta(seconds=1)
        self.keys += 1
        return self.at, f"key {self.keys}"

    @rule(days=st.sampled_from([1, 20, 45]))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)

    @rule(who=who, amount=cents)
    def deposits(self, who: int, amount: Decimal) -> None:
        at, key = self._next()
        if self.papers[who].frozen:
            with pytest.raises(WalletFrozen):
                make_deposit(self.members[who], amount, now=at, request_key=key)
            return
        for _ in range(2):  # the till asks twice
            make_deposit(self.members[who], amount, now=at, request_key=key)
        percent = 8 if amount >= 1000 else 5 if amount >= 500 else 0
        bonus = (amount * percent / 100).quantize(CENT, rounding=ROUND_DOWN)
        month = today(at).replace(day=28)
        for _ in range(3):
            month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        self.papers[who].expire(today(at))
        self.papers[who].pots.append(Pot(amount, amount, bonus, bonus, month - timedelta(days=1)))

    @rule(who=who, share=share, more=rarely)
    def pays(self, who: int, share: Decimal, more: bool) -> None:
        (at, key), paper, member = self._next(), self.papers[who], self.members[who]
        usable = paper.own + sum((p.bonus for p in paper.pots if p.until >= today(at)), ZERO)
        amount = usable + CENT if more else (usable * share).quantize(CENT, rounding=ROUND_DOWN)
        if not amount:
            return
        refusal = WalletFrozen if paper.frozen else InsufficientFunds if more else None
        if refusal:
            with pytest.raises(refusal):
                pay(member, amount, request_key=key, actor=SYSTEM, now=at)
            return
        row = pay(member, amount, request_key=key, actor=SYSTEM, now=at)
        assert pay(member, amount, request_key=key, actor=SYSTEM, now=at) == row
        paper.expire(today(at))
        granted = [(p, "bonus") for p in sorted(paper.pots, key=lambda p: (p.until, paper.pots.index(p)))]
        own = [(p, "own") for p in paper.pots]
        draws = []
        for pot, kind in granted + own if self.bonus_first else own + granted:
            part = min(getattr(pot, kind), amount)
            if part:
                setattr(pot, kind, getattr(pot, kind) - part)
                amount -= part
                draws.append((pot, kind, part))
        self.paid.append(Paid(who, row, draws))

    @precondition(lambda self: self.paid)
    @rule(pick=pick, share=share, more=rarely)
    def is_refunded(self, pick: int, share: Decimal, more: bool) -> None:
        (at, key), paid = self._next(), self.paid[pick % len(self.paid)]
        left = -paid.row.amount - paid.refunded
        amount = left + CENT if more else (left * share).quantize(CENT, rounding=ROUND_DOWN)
        if more:
            with pytest.raises(RefundTooLarge):
                refund(paid.row, amount, request_key=key, actor=SYSTEM, now=at)
            return
        if not amount:
            return
        for _ in range(2):
            refund(paid.row, amount, request_key=key, actor=SYSTEM, now=at)
        self.papers[paid.who].expire(today(at))
        skip, paid.refunded = paid.refunded, paid.refunded + amount
        for pot, kind, drawn in reversed(paid.draws):
            done = min(skip, drawn)
            skip -= done
            part = min(amount, drawn - done)
            amount -= part
            setattr(pot, kind, getattr(pot, kind) + part)
        self.papers[paid.who].expire(today(at))

    @rule(who=who, share=share, more=rarely)
    def withdraws(self, who: int, share: Decimal, more: bool) -> None:
        (at, key), paper, member = self._next(), self.papers[who], self.members[who]
        amount = paper.own + CENT if more else (paper.own * share).quantize(CENT, rounding=ROUND_DOWN)
        if not amount:
            return
        if paper.frozen or more:
            with pytest.raises(WalletFrozen if paper.frozen else InsufficientFunds):
                withdraw(member, amount, request_key=key, actor=SYSTEM, now=at)
            return
        plan, left, charged = [], amount, ZERO
        expired_now = {id(p): p.bonus for p in paper.pots if p.until < today(at)}
        for pot in reversed(paper.pots):
            part = min(pot.own, left)
            if not part:
                continue
            left -= part
            # money of this deposit that was withdrawn before, now and in all
            gone = self._withdrawn(pot) + part
            deserved = (pot.granted * (pot.amount - gone) / pot.amount).quantize(CENT, rounding=ROUND_DOWN)
            expired = pot.expired + expired_now.get(id(pot), ZERO)
            due = max(ZERO, min(pot.granted - pot.settled - deserved, pot.granted - pot.settled - expired))
            taken = min(due, ZERO if id(pot) in expired_now else pot.bonus)
            charged += due - taken
            plan.append((pot, part, due, taken))
        if amount <= FEE + charged:
            with pytest.raises(NothingPaidOut):
                withdraw(member, amount, request_key=key, actor=SYSTEM, now=at)
            return
        for _ in range(2):
            row = withdraw(member, amount, request_key=key, actor=SYSTEM, now=at)
        assert Decimal(row.explanation["paid_out"]) == amount - FEE - charged
        paper.expire(today(at))
        for pot, part, due, taken in plan:
            self.gone[id(pot)] = self._withdrawn(pot) + part
            pot.own -= part
            pot.settled += due
            pot.bonus -= taken

    def _withdrawn(self, pot: Pot) -> Decimal:
        if not hasattr(self, "gone"):
            self.gone: dict[int, Decimal] = {}
        return self.gone.get(id(pot), ZERO)

    @rule(who=who, now_and_then=rarely)
    def is_frozen_or_thawed(self, who: int, now_and_then: bool) -> None:
        if not (now_and_then or self.papers[who].frozen):
            return
        (at, _), paper, member = self._next(), self.papers[who], self.members[who]
        if paper.frozen:
            unfreeze(member, actor=SYSTEM, now=at)
        else:
            freeze(member, reason="Test", actor=SYSTEM, now=at)
        paper.frozen = not paper.frozen

    @rule()
    def expiry_runs(self) -> None:
        while expire_lots(as_of=today(self.at), batch=2, actor=SYSTEM, now=self.at).due:
            pass
        for paper in self.papers:
            paper.expire(today(self.at))

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "papers"):
            return
        for member, paper in zip(self.members, self.papers, strict=True):
            told = wallet_balance(member, now=self.at)
            usable = sum((p.bonus for p in paper.pots if p.until >= today(self.at)), ZERO)
            assert (told.own, told.bonus, told.is_frozen) == (paper.own, usable, paper.frozen)


@pytest.mark.django_db
def test_stored_value_and_the_naive_model_say_the_same() -> None:
    run_state_machine_as_test(
        WalletMachine,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
