"""Liability, roll-forward, breakage and the journal: exact on a small ledger, tied on any."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from patron.business.loyalty.models import Membership, Unit
from patron.business.loyalty.operations import (
    adjust_points,
    give_back_points,
    release_points,
    reserve_points,
    spend_points,
    transfer_points,
)
from patron.business.loyalty.queries import (
    Ageing,
    Outstanding,
    cohorts,
    journal,
    journal_totals,
    outstanding,
    roll_forward,
    whole_journal,
)
from patron.business.loyalty.rules.breakage import Cohort, expected_breakage
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import DAY, expire, give_back, sell
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_actor
from patron.core.customers.testing import WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import PermissionRefused

EVER = datetime(2000, 1, 1, tzinfo=UTC)


def _all(*values: object) -> tuple[object, ...]:
    return values


def _told(member: Membership, at: datetime) -> Outstanding:
    return outstanding(member.programme, SYSTEM, as_of=at, day=at.date())


@pytest.mark.django_db
def test_what_is_outstanding_is_told_for_any_moment() -> None:
    member = make_member(make_programme(terms={"pending_days": 3}))
    sell(member.customer, "100")
    expire(DAY + timedelta(days=5))
    reserve_points(
        member, Decimal(30), request_key="r", until=DAY + timedelta(days=9), actor=SYSTEM, now=DAY + timedelta(days=6)
    )
    other = make_member(member.programme, character=WANG)
    adjust_points(other, Decimal(20), reason="x", request_key="a", actor=SYSTEM, now=DAY, expires_on=date(2026, 2, 28))
    at_first = _told(member, DAY)
    later = _told(member, DAY + timedelta(days=7))

    assert _all(at_first.available, at_first.pending, at_first.reserved, at_first.owed) == (20, 100, 0, 0)
    assert _all(later.available, later.pending, later.reserved, later.members) == (90, 0, 30, 2)
    assert _all(at_first.total, later.total, later.money) == (120, 120, Decimal("1.20"))
    assert list(later.ageing) == [Ageing(date(2026, 2, 1), Decimal(20)), Ageing(date(2027, 1, 1), Decimal(70))]
    past = _told(member, DAY + timedelta(days=60))
    assert past.ageing[0] == Ageing(date(2026, 2, 1), Decimal(20), overdue=True)


@pytest.mark.django_db
def test_debts_do_not_lessen_what_others_may_redeem() -> None:
    member = make_member()
    purchase = sell(member.customer, "100")
    spend_points(member, Decimal(100), request_key="s", actor=SYSTEM, now=DAY)
    give_back(purchase, "100")
    other = make_member(member.programme, character=WANG)
    sell(other.customer, "40")
    told = _told(member, DAY + timedelta(days=2))
    assert _all(told.available, told.owed, told.debtors, told.total, told.gross) == (40, 100, 1, -60, 40)


@pytest.mark.django_db
def test_months_roll_forward_to_what_the_accounts_hold() -> None:
    member = make_member()
    purchase = sell(member.customer, "500")
    later = DAY + timedelta(days=31)
    give_back(purchase, "120.00", at=later)
    spent = spend_points(member, Decimal(200), request_key="s", actor=SYSTEM, now=later)
    give_back_points(spent, Decimal(50), request_key="g", reason="x", actor=SYSTEM, now=later)
    adjust_points(member, Decimal(-30), reason="x", request_key="a", actor=SYSTEM, now=later)
    end = DAY + timedelta(days=400)
    expire(end)

    rolled = roll_forward(member.programme, SYSTEM, as_of=end)

    first, second, *_between, last = rolled.months
    assert _all(first.opening, first.issued, first.closing) == (0, 500, 500)
    assert _all(second.taken_back, second.redeemed, second.adjusted, second.closing) == (120, 150, -30, 200)
    assert _all(last.month, last.expired, last.closing) == (date(2027, 2, 1), 200, 0)
    assert len(rolled.months) == 14
    assert rolled.ties
    past = roll_forward(member.programme, SYSTEM, as_of=DAY + timedelta(days=1))
    assert _all(past.closing, past.ledger, past.ties) == (500, 500, True)


@pytest.mark.django_db
def test_points_of_a_month_are_followed_to_where_they_went() -> None:
    member = make_member(make_programme(expiry_months=2))
    purchase = sell(member.customer, "100")
    give_back(purchase, "10", at=DAY + timedelta(days=1))
    spend_points(member, Decimal(30), request_key="s", actor=SYSTEM, now=DAY + timedelta(days=31))
    end = DAY + timedelta(days=120)
    expire(end)
    sell(member.customer, "70", at=end)

    told = cohorts(member.programme, SYSTEM, as_of=end, day=end.date())

    assert told == [
        Cohort(date(2026, 1, 1), Decimal(90), 4, used={1: Decimal(30)}, expired={3: Decimal(60)}),
        Cohort(date(2026, 5, 1), Decimal(70), 0),
    ]
    assert [round(each.rate or 0, 4) for each in expected_breakage(told)] == [
        Decimal("0.6667"),
        Decimal("0.6667"),
    ]


def test_older_cohorts_say_what_becomes_of_younger_ones() -> None:
    old = Cohort(date(2026, 1, 1), Decimal(1000), 3, used={0: Decimal(200), 1: Decimal(400)}, expired={2: Decimal(300)})
    young = Cohort(date(2026, 3, 1), Decimal(500), 1, used={0: Decimal(100)})
    first, second = expected_breakage([old, young])

    assert _all(first.expire, first.use, first.unknown, first.rate) == (0, 0, 100, Decimal("0.3"))
    # of 400 open at age 1: half is used; of the 200 left at age 2, 300 of 400 expire
    assert _all(second.expire, second.use, second.unknown) == (150, 200, 50)
    assert second.rate == Decimal("0.3")
    assert expected_breakage([]) == []
    assert expected_breakage([Cohort(date(2026, 1, 1), Decimal(0), 2)])[0].rate is None


@pytest.mark.django_db
def test_the_journal_has_every_side_and_balances() -> None:
    member = make_member()
    sell(member.customer, "128.90")
    spend_points(member, Decimal(28), request_key="s", actor=SYSTEM, now=DAY + timedelta(hours=1))

    lines = list(whole_journal(SYSTEM, since=EVER, until=DAY + timedelta(days=1)))

    assert [(line.kind, line.bucket, line.debit, line.credit) for line in lines] == [
        ("earn", "issued", Decimal(128), None),
        ("earn", "available", None, Decimal(128)),
        ("spend", "redeemed", None, Decimal(28)),
        ("spend", "available", Decimal(28), None),
    ]
    assert lines[0].customer == member.customer.number
    assert (lines[0].purchase or "").startswith("test ")
    totals = journal_totals(SYSTEM, since=EVER, until=DAY + timedelta(days=1))
    assert _all(totals.transactions, totals.debit, totals.credit, totals.balances) == (2, 156, 156, True)
    assert journal_totals(SYSTEM, since=EVER, until=DAY).transactions == 0
    assert journal_totals(SYSTEM, since=EVER, until=DAY + timedelta(days=1), unit=Unit.STAMPS).accounts == []


@pytest.mark.django_db
def test_the_journal_goes_on_after_whole_movements() -> None:
    member = make_member()
    for _ in range(5):
        sell(member.customer, "10")
    first = journal(SYSTEM, since=EVER, until=DAY + timedelta(days=1), limit=2)
    second = journal(SYSTEM, since=EVER, until=DAY + timedelta(days=1), limit=3, after=first.following or 0)
    third = journal(SYSTEM, since=EVER, until=DAY + timedelta(days=1), limit=3, after=second.following or 0)
    assert [len(page.lines) for page in (first, second, third)] == [4, 6, 0]
    assert third.following is None
    found = Counter(line.transaction_id for page in (first, second) for line in page.lines)
    assert set(found.values()) == {2}
    assert len(found) == 5


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.CASHIER, Role.MARKETER, Role.BRANCH_MANAGER])
def test_only_who_keeps_the_books_reads_them(role: Role) -> None:
    actor = make_actor(role)
    programme = make_programme()
    with pytest.raises(PermissionRefused):
        outstanding(programme, actor, as_of=DAY, day=DAY.date())
    with pytest.raises(PermissionRefused):
        roll_forward(programme, actor, as_of=DAY)
    with pytest.raises(PermissionRefused):
        cohorts(programme, actor, as_of=DAY, day=DAY.date())
    with pytest.raises(PermissionRefused):
        journal(actor, since=EVER, until=DAY)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "return", "spend", "cancel", "reserve", "release", "adjust", "transfer", "expire"]),
        st.integers(1, 300),
        st.integers(0, 70),
    ),
    max_size=12,
)


class TestAnyHistory(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=_STEPS)
    def test_ties(self, steps: list[tuple[str, int, int]]) -> None:
        programme = make_programme(expiry_months=1)
        members = [make_member(programme), make_member(programme, character=WANG)]
        now, bought, spends, reserved = DAY, [], [], []
        for number, (what, amount, days) in enumerate(steps):
            now += timedelta(days=days)
            member, points = members[number % 2], Decimal(amount)
            told = {"request_key": f"{programme.pk}-{number}", "actor": SYSTEM, "now": now}
            try:
                match what:
                    case "buy":
                        bought.append(sell(member.customer, points, at=now))
                    case "return" if bought:
                        give_back(bought.pop(), "1.00" if amount % 2 else "0.50", at=now)
                    case "spend":
                        spends.append(spend_points(member, points, **told))  # type: ignore[arg-type]
                    case "cancel" if spends:
                        give_back_points(spends.pop(), None, reason="x", **told)  # type: ignore[arg-type]
                    case "reserve":
                        reserved.append(reserve_points(member, points, until=now, **told))  # type: ignore[arg-type]
                    case "release" if reserved:
                        release_points(reserved.pop(), actor=SYSTEM, now=now)
                    case "adjust":
                        adjust_points(member, points - 150, reason="x", **told)  # type: ignore[arg-type]
                    case "transfer":
                        transfer_points(member, members[(number + 1) % 2], points, reason="x", **told)  # type: ignore[arg-type]
                    case "expire":
                        expire(now)
            except Exception as error:
                if not hasattr(error, "code"):
                    raise
        for moment in (DAY, DAY + (now - DAY) / 2, now):
            rolled = roll_forward(programme, SYSTEM, as_of=moment)
            told_then = outstanding(programme, SYSTEM, as_of=moment, day=moment.date())
            assert rolled.ties
            assert rolled.closing == told_then.total
            assert sum(month.transferred for month in rolled.months) == 0
            assert sum(age.points for age in told_then.ageing) == told_then.available + told_then.pending
        totals = journal_totals(SYSTEM, since=EVER, until=now + timedelta(days=1))
        assert totals.balances
