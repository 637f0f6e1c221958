"""The whole ledger against the paper: whatever happens to three members in whatever order, both say the same.

Goods with bonuses and caps, points that wait, reservations, spends given back, a household, transfers, adjustments by
one person or two, and requests sent twice.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count, pairwise
from typing import Any, ClassVar

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

from patron.business.loyalty.errors import CannotApprove, InsufficientPoints, KeyReused, NothingToGiveBack
from patron.business.loyalty.models import Approval, LedgerTransaction, Membership
from patron.business.loyalty.operations import (
    adjust_points,
    commit_reserved_points,
    decide_approval,
    expire_lots,
    give_back_points,
    join_household,
    leave_household,
    mature_lots,
    open_household,
    release_overdue,
    release_points,
    request_adjustment,
    reserve_points,
    spend_points,
    transfer_points,
)
from patron.business.loyalty.queries import check_ledger, points_balance, statement
from patron.business.loyalty.rules.spans import month_end, months_later
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.explaining import explains_itself
from patron.business.loyalty.tests.paper import ZERO, Comeback, Outlay, Paper, Receipt
from patron.business.loyalty.tests.support import follow
from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import Receipt as Slip
from patron.business.purchases.operations import record_purchase, record_return, void_purchase
from patron.business.purchases.rules import Line, ReturnedLine
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in
from patron.core.catalog.testing import make_product
from patron.core.customers.testing import CHAN, LI, WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

PRICES = {"MILK": Decimal("18.50"), "BREAD": Decimal("26.05"), "CARD": Decimal("100.00")}
TERMS: dict[str, Any] = {
    "bonuses": [
        {"code": "milk", "name": "Milk twice", "effect": "multiply", "factor": "2", "products": ["MILK"]},
        {"code": "big", "name": "From 50", "effect": "fixed", "points": "5", "minimum": "50"},
        {"code": "bread", "name": "Loaf", "effect": "per_item", "points": "1", "unit": "stamps", "products": ["BREAD"]},
    ],
    "cap": {"day": "300"},
    "tiers": {"measure": "qualifying", "ladder": [{"code": "star", "name": "Star", "threshold": "999999"}]},
}
ASKING, DECIDING = SYSTEM, actor_in(Role.ADMINISTRATOR)

_numbers = count(1)
who = st.integers(0, 2)
pick = st.integers(0, 50)
baskets = st.fixed_dictionaries(
    {"MILK": st.integers(0, 9), "BREAD": st.integers(0, 3), "CARD": st.sampled_from([0, 0, 0, 1])}
).filter(lambda basket: any(basket.values()))
shares = st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(1)])


def worth(lines: dict[str, int]) -> tuple[Decimal, int, int]:
    """Points before the cap, qualifying points and stamps of a basket."""
    milk, bread = lines["MILK"] * PRICES["MILK"], lines["BREAD"] * PRICES["BREAD"]
    base = int(milk + bread)
    return Decimal(base + int(milk) + (5 if milk + bread >= 50 else 0)), base, lines["BREAD"]


@dataclass
class Held:
    """A spend or a reservation, and what it was on paper."""

    who: int
    movement: LedgerTransaction
    outlay: Outlay
    until: datetime | None = None
    state: str = "open"


class WholeLedger(RuleBasedStateMachine):
    """Three members, two of them a household; every movement also on paper."""

    EXPIRY: ClassVar[dict[str, Any]] = {"kind": "month_end", "n": 2}
    PENDING: ClassVar[int] = 0
    DEBTS: ClassVar[bool] = True

    @initialize()
    def open_shop(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.programme = make_programme(
            "club", allow_debt=self.DEBTS, terms={**TERMS, "expiry": self.EXPIRY, "pending_days": self.PENDING}
        )
        for code in PRICES:
            product = make_product(code, code.title())
            if code == "CARD":
                product.attributes = {"kind": "gift_card"}
                product.save()
        self.members: list[Membership] = [make_member(self.programme, character=c) for c in (CHAN, WANG, LI)]
        self.papers = [Paper(debts=self.DEBTS) for _ in self.members]
        self.pool = open_household(self.members[:2], name="Home", actor=SYSTEM, now=NOW)
        for member in self.members:
            member.refresh_from_db()
        self.sharing = {0, 1}
        self.at, self.keys, self.checked = NOW, 0, 0
        self.sold: list[tuple[int, Purchase, Receipt]] = []
        self.returned: list[tuple[int, Purchase, Comeback]] = []
        self.earned: list[tuple[int, date, Decimal]] = []
        self.spends: list[Held] = []
        self.reservations: list[Held] = []

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            self._at_the_end()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def _at_the_end(self) -> None:
        assert [check.code for check in check_ledger() if not check.holds] == []
        for member, paper in zip(self.members, self.papers, strict=True):
            lines = statement(member, limit=1000).lines
            assert (lines[0].balance if lines else ZERO) == paper.balance
            for newer, older in pairwise(lines):
                assert newer.balance == older.balance + newer.amount
            assert sum((line.pending for line in lines), ZERO) == paper.pending
            assert sum((line.reserved for line in lines), ZERO) == paper.totals["reserved"]

    def _now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def _key(self) -> str:
        self.keys += 1
        return f"key {self.keys}"

    def _until(self, day: date) -> date | None:
        kind, n = self.EXPIRY["kind"], self.EXPIRY["n"]
        return month_end(day, n) if kind == "month_end" else months_later(day, n)

    @property
    def _rolls(self) -> bool:
        return bool(self.EXPIRY["kind"] == "rolling")

    def _roll(self, paper: Paper, day: date) -> None:
        until = self._until(day)
        if self._rolls and until is not None:
            paper.roll(day, until)

    def _slip(self, at: datetime) -> Slip:
        return Slip(source="test", source_key=f"whole {next(_numbers)}", occurred_at=at)

    # --- goods ---

    @rule(days=st.sampled_from([1, 10, 40, 100]))
    def time_passes(self, days: int) -> None:
        self.at += timedelta(days=days)

    @rule(who=who, basket=baskets)
    def buys(self, who: int, basket: dict[str, int]) -> None:
        at, paper = self._now(), self.papers[who]
        day = today(at)
        lines = [Line(product_code=c, quantity=Decimal(n), unit_price=PRICES[c]) for c, n in basket.items() if n]
        purchase = record_purchase(
            receipt=self._slip(at), lines=lines, customer=self.members[who].customer, actor=SYSTEM, now=at
        )
        room = max(ZERO, 300 - sum((points for w, d, points in self.earned if (w, d) == (who, day)), ZERO))
        exact, base, stamps = worth(basket)
        points = min(exact, room)
        receipt = Receipt(dict(basket), room, points, self._until(day), posted=bool(base or stamps))
        self.sold.append((who, purchase, receipt))
        self.earned.append((who, day, points))
        if receipt.posted:
            self._roll(paper, day)
            paper.totals["issued"] += points
            if self.PENDING:
                paper.wait(points, receipt.until, pending_until=day + timedelta(days=self.PENDING), award=receipt)
            elif (heap := paper.put(points, receipt.until)) is not None:
                receipt.heaps.append(heap)

    def _take_back(self, paper: Paper, receipt: Receipt, at: datetime) -> tuple[Any, Any, Decimal]:
        """Take what the receipt no longer deserves, by its lines as they stand now."""
        paper.settle(today(at))
        target = ZERO if receipt.voided else min(worth(receipt.lines)[0], receipt.room)
        expired = sum((heap.expired for heap in receipt.heaps), ZERO)
        points = max(ZERO, min(receipt.points - target, receipt.points - expired))
        receipt.points -= points
        return paper.take_back(points, receipt)

    @precondition(lambda self: self.sold)
    @rule(pick=pick, share=shares)
    def brings_back(self, pick: int, share: Decimal) -> None:
        who, purchase, receipt = self.sold[pick % len(self.sold)]
        back = {code: int((n * share).to_integral_value(rounding="ROUND_UP")) for code, n in receipt.lines.items()}
        if receipt.voided or not any(back.values()):
            return
        at = self._now()
        number = {line.product.code: line.line_no for line in purchase.lines.all() if line.product}
        returned = record_return(
            original=purchase,
            receipt=self._slip(at),
            lines=[ReturnedLine(number[code], Decimal(n)) for code, n in back.items() if n],
            actor=SYSTEM,
            now=at,
        )
        comeback = Comeback(receipt, back)
        for code, n in back.items():
            receipt.lines[code] -= n
        receipt.returns.append(comeback)
        self.returned.append((who, returned, comeback))
        if receipt.posted:
            comeback.taken, comeback.pending_taken, comeback.forgiven = self._take_back(self.papers[who], receipt, at)

    @precondition(lambda self: self.returned)
    @rule(pick=pick)
    def return_is_voided(self, pick: int) -> None:
        who, purchase, comeback = self.returned[pick % len(self.returned)]
        receipt, paper = comeback.receipt, self.papers[who]
        if comeback.voided:
            return
        at = self._now()
        day = today(at)
        void_purchase(purchase=purchase, actor=SYSTEM, now=at)
        comeback.voided = True
        for code, n in comeback.lines.items():
            receipt.lines[code] += n
        if not receipt.posted:
            return
        paper.settle(day)
        receipt.points += comeback.forgiven
        points = max(ZERO, min(worth(receipt.lines)[0], receipt.room) - receipt.points)
        receipt.points += points
        paper.totals["issued"] += points
        for heap, part in comeback.pending_taken:
            if heap.pending_until is not None and heap.pending_until > day:
                back = min(part, points)
                heap.left += back
                points -= back
        if (opened := paper.put(points, receipt.until, refill=comeback.taken)) is not None:
            receipt.heaps.append(opened)
        paper.settle(day)

    @precondition(lambda self: self.sold)
    @rule(pick=pick)
    def sale_is_voided(self, pick: int) -> None:
        who, purchase, receipt = self.sold[pick % len(self.sold)]
        if receipt.voided or any(not comeback.voided for comeback in receipt.returns):
            return
        at = self._now()
        void_purchase(purchase=purchase, actor=SYSTEM, now=at)
        receipt.voided = True
        if receipt.posted:
            self._take_back(self.papers[who], receipt, at)

    @precondition(lambda self: self.sold)
    @rule(pick=pick)
    def till_sends_a_sale_again(self, pick: int) -> None:
        _, purchase, receipt = self.sold[pick % len(self.sold)]
        if not receipt.voided:
            follow(Purchase.objects.get(pk=purchase.pk))

    # --- points spent and set aside ---

    @rule(who=who, share=shares)
    def redeems(self, who: int, share: Decimal) -> None:
        at, key = self._now(), self._key()
        day, paper = today(at), self.papers[who]
        own = max(paper.usable_on(day), ZERO)
        others = [p for p in self._household(who) if p is not paper] if paper.usable_on(day) >= 0 else []
        whole = own + sum((max(p.usable_on(day), ZERO) for p in others), ZERO)
        if self._owes(paper, day):
            whole = own
        with pytest.raises(InsufficientPoints):
            spend_points(self.members[who], whole + 1, request_key=key, actor=SYSTEM, now=at)
        points = (whole * share).quantize(Decimal(1))
        points = min(points, whole)
        if points <= 0:
            return
        first = spend_points(self.members[who], points, request_key=key, actor=SYSTEM, now=at)
        again = spend_points(self.members[who], points, request_key=key, actor=SYSTEM, now=at)
        assert first.pk == again.pk
        with pytest.raises(KeyReused):
            spend_points(self.members[who], points + 1, request_key=key, actor=SYSTEM, now=at)
        paper.settle(day)
        missing = points - paper.balance
        if missing > 0:
            for other in others:
                other.settle(day)
            for other in sorted(others, key=lambda p: (-max(p.balance, ZERO), self.papers.index(p))):
                part = min(missing, max(other.balance, ZERO))
                if part > 0:
                    self._hand_over(other, paper, part)
                    missing -= part
        outlay = Outlay(points, paper.draw(points))
        paper.totals["redeemed"] += points
        self._roll(paper, day)
        self.spends.append(Held(who, first, outlay))

    def _owes(self, paper: Paper, day: date) -> bool:
        return paper.usable_on(day) < 0

    def _household(self, who: int) -> list[Paper]:
        return [self.papers[one] for one in sorted(self.sharing)] if who in self.sharing else [self.papers[who]]

    def _hand_over(self, giver: Paper, receiver: Paper, points: Decimal) -> None:
        for heap, part in giver.draw(points):
            receiver.put(part, heap.until)
        giver.totals["transferred"] += points
        receiver.totals["transferred"] -= points

    @precondition(lambda self: self.spends)
    @rule(pick=pick, part=st.sampled_from([None, Decimal("0.3"), Decimal(1)]))
    def spend_is_given_back(self, pick: int, part: Decimal | None) -> None:
        held = self.spends[pick % len(self.spends)]
        left = held.outlay.points - held.outlay.given_back
        at, key, paper = self._now(), self._key(), self.papers[held.who]
        with pytest.raises(NothingToGiveBack):
            give_back_points(held.movement, left + 1, request_key=key, reason="Back", actor=SYSTEM, now=at)
        if not left:
            return
        points = left if part is None else max(Decimal(1), (left * part).quantize(Decimal(1)))
        points = min(points, left)
        asked = None if part is None else points
        for _ in range(2):
            give_back_points(held.movement, asked, request_key=key, reason="Back", actor=SYSTEM, now=at)
        paper.settle(today(at))
        paper.put(points, None, refill=held.outlay.refill(), of=held.outlay)
        held.outlay.given_back += points
        paper.totals["redeemed"] -= points
        paper.settle(today(at))

    @rule(who=who, share=shares, hours=st.sampled_from([1, 24 * 15]))
    def reserves(self, who: int, share: Decimal, hours: int) -> None:
        at, key, paper = self._now(), self._key(), self.papers[who]
        points = (max(paper.usable_on(today(at)), ZERO) * share).quantize(Decimal(1))
        points = min(points, paper.usable_on(today(at)))
        if points <= 0:
            return
        until = at + timedelta(hours=hours)
        for _ in range(2):
            movement = reserve_points(
                self.members[who], points, request_key=key, until=until, actor=SYSTEM, now=at
            )  # fmt: skip
        paper.settle(today(at))
        self.reservations.append(Held(who, movement, Outlay(points, paper.draw(points)), until))
        paper.totals["reserved"] += points

    @precondition(lambda self: any(held.state == "open" for held in self.reservations))
    @rule(pick=pick, use=st.booleans())
    def reservation_ends(self, pick: int, use: bool) -> None:
        open_ones = [held for held in self.reservations if held.state == "open"]
        held = open_ones[pick % len(open_ones)]
        at, paper = self._now(), self.papers[held.who]
        if use:
            for _ in range(2):
                movement = commit_reserved_points(held.movement, actor=SYSTEM, now=at)
            held.state = "used"
            paper.totals["reserved"] -= held.outlay.points
            paper.totals["redeemed"] += held.outlay.points
            self.spends.append(Held(held.who, movement, held.outlay))
        else:
            for _ in range(2):
                release_points(held.movement, actor=SYSTEM, now=at)
            self._released(held, at)

    def _released(self, held: Held, at: datetime) -> None:
        paper = self.papers[held.who]
        held.state = "released"
        paper.totals["reserved"] -= held.outlay.points
        paper.put(held.outlay.points, None, refill=held.outlay.taken)
        paper.settle(today(at))

    @rule()
    def overdue_are_released(self) -> None:
        at = self._now()
        while release_overdue(actor=SYSTEM, now=at):
            pass
        for held in sorted(self.reservations, key=lambda held: (held.who, held.until)):
            if held.state == "open" and held.until is not None and held.until <= at:
                self._released(held, at)

    # --- between members, and by hand ---

    @rule(giver=who, receiver=who, share=shares)
    def gives_points(self, giver: int, receiver: int, share: Decimal) -> None:
        at, key, paper = self._now(), self._key(), self.papers[giver]
        points = (max(paper.usable_on(today(at)), ZERO) * share).quantize(Decimal(1))
        points = min(points, paper.usable_on(today(at)))
        if points <= 0 or giver == receiver:
            return
        for _ in range(2):
            transfer_points(
                self.members[giver], self.members[receiver], points, request_key=key, actor=SYSTEM, now=at
            )  # fmt: skip
        paper.settle(today(at))
        self.papers[receiver].settle(today(at))
        self._hand_over(paper, self.papers[receiver], points)

    @rule(who=who)
    def moves_house(self, who: int) -> None:
        at = self._now()
        member = self.members[who]
        if who in self.sharing:
            leave_household(member, actor=SYSTEM, now=at)
        else:
            join_household(member, self.pool, actor=SYSTEM, now=at)
        self.sharing ^= {who}
        member.refresh_from_db()

    @rule(who=who, points=st.integers(-50, 50).filter(bool), months=st.none() | st.integers(0, 3))
    def is_adjusted(self, who: int, points: int, months: int | None) -> None:
        at, key = self._now(), self._key()
        until = None if months is None else month_end(today(at), months)
        if points < 0 and -points > self.papers[who].usable_on(today(at)):
            return
        for _ in range(2):
            adjust_points(
                self.members[who], Decimal(points), reason="Test", request_key=key, actor=SYSTEM, now=at,
                expires_on=until,
            )  # fmt: skip
        self._adjusted(who, Decimal(points), until, at)

    def _adjusted(self, who: int, points: Decimal, until: date | None, at: datetime) -> None:
        paper = self.papers[who]
        if points > 0:
            paper.put(points, until)
        else:
            paper.settle(today(at))
            paper.draw(-points)
        paper.totals["adjusted"] -= points

    @rule(who=who, approve=st.booleans())
    def two_people_adjust(self, who: int, approve: bool) -> None:
        at, points = self._now(), Decimal(6000)
        asked = request_adjustment(
            self.members[who], points, reason="Test", request_key=self._key(), actor=ASKING, now=at
        )  # fmt: skip
        assert isinstance(asked, Approval)
        with pytest.raises(CannotApprove):
            decide_approval(asked, approve=approve, actor=ASKING, now=at)
        for _ in range(2):
            decide_approval(asked, approve=approve, actor=DECIDING, now=at)
        if approve:
            self._adjusted(who, points, None, at)

    # --- the clock ---

    @rule(batch=st.sampled_from([1, 500]))
    def night_work(self, batch: int) -> None:
        day = today(self.at)
        while mature_lots(as_of=day, batch=batch, actor=SYSTEM, now=self.at):
            pass
        while expire_lots(as_of=day, batch=batch, actor=SYSTEM, now=self.at).due:
            pass
        for paper in self.papers:
            paper.settle(day)

    # --- what always holds ---

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "papers"):
            return
        told = _accounts(self.members)
        for place, (member, paper) in enumerate(zip(self.members, self.papers, strict=True)):
            accounts = told[member.pk]
            assert sum(accounts["points"].values()) == 0  # issued = available + pending + reserved + redeemed + …
            said = {bucket: amount for bucket, amount in accounts["points"].items() if amount}
            issued, rest = paper.totals["issued"], {k: v for k, v in paper.totals.items() if k != "issued"}
            paper_says = {"available": paper.balance, "pending": paper.pending, "issued": -issued, **rest}
            assert said == {bucket: amount for bucket, amount in paper_says.items() if amount}
            in_order = [(str(heap.until), heap.left) for heap in paper.open_heaps()]
            waiting = sorted((str(heap.until), heap.left) for heap in paper.waiting if heap.left)
            assert open_lots_of(member) == (in_order, waiting)
            stands = [r.lines for w, _, r in self.sold if w == place and r.posted and not r.voided]
            for unit, at in (("qualifying", 1), ("stamps", 2)):
                assert accounts.get(unit, {}).get("available", ZERO) == sum(worth(lines)[at] for lines in stands)
        self._explained()

    def _explained(self) -> None:
        new = LedgerTransaction.objects.filter(kind="earn", unit="points", pk__gt=self.checked)
        for award in new.filter(purchase__isnull=False):
            assert explains_itself(award), award.explanation
            self.checked = max(self.checked, award.pk)

    @rule(who=who)
    def asks_for_the_balance(self, who: int) -> None:
        member, paper = self.members[who], self.papers[who]
        gone = sum((h.left for h in paper.heaps if h.until is not None and h.until < today(self.at)), ZERO)
        assert points_balance(member, now=self.at).balance == paper.balance - gone


def open_lots_of(member: Membership) -> tuple[list[tuple[str, Decimal]], list[tuple[str, Decimal]]]:
    """Open lots in order of use, and those that are pending."""
    waiting = [(str(d), left) for d, left in _rows(
        "SELECT l.expires_on, l.remaining FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id "
        "WHERE a.membership_id = %s AND a.bucket = 'pending' AND l.remaining > 0", [member.pk])]  # fmt: skip
    available = [(str(d), left) for d, left in _rows(
        "SELECT l.expires_on, l.remaining FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id "
        "WHERE a.membership_id = %s AND a.bucket = 'available' AND l.remaining > 0 ORDER BY l.expires_on, l.id",
        [member.pk])]  # fmt: skip
    return available, sorted(waiting)


def _accounts(members: list[Membership]) -> dict[int, dict[str, dict[str, Decimal]]]:
    found: dict[int, dict[str, dict[str, Decimal]]] = {member.pk: {"points": {}} for member in members}
    for member, unit, bucket, balance in _rows(
        "SELECT membership_id, unit, bucket, balance FROM loyalty_account WHERE membership_id = ANY(%s)",
        [list(found)],
    ):
        found[member].setdefault(unit, {})[bucket] = balance
    return found


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


class PendingLedger(WholeLedger):
    """Points wait for twelve days."""

    PENDING = 12


class RollingLedger(WholeLedger):
    """Points live as long as the member does something within two months; they wait for four days."""

    EXPIRY: ClassVar[dict[str, Any]] = {"kind": "rolling", "n": 2}
    PENDING = 4


class ForgivingLedger(WholeLedger):
    """What was spent is let go when its goods come back."""

    DEBTS = False


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [WholeLedger, PendingLedger, RollingLedger, ForgivingLedger])
def test_the_whole_ledger_and_the_paper_say_the_same(machine: type[WholeLedger]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=45,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
