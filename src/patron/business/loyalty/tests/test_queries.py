"""What members have and why, told exactly."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import adjust_points, spend_points
from patron.business.loyalty.queries import (
    Liability,
    PointsBalance,
    explain,
    get_visible_memberships,
    has_programme,
    liability,
    open_lots,
    points_balance,
    points_balance_at,
    points_balances,
    points_of_purchases,
    statement,
)
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import DAY, available, expire, give_back, last, sell, void
from patron.core.customers.testing import LI, WANG
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    """40 points until 30 November 2026 and 100 until 31 January 2027."""
    member = make_member()
    sell(member.customer, "40", at=DAY - timedelta(days=60))
    sell(member.customer, "100")
    return member


def test_the_balance_says_what_expires_next(member: Membership) -> None:
    assert points_balance(member, now=DAY) == PointsBalance(
        membership_id=member.pk,
        available=Decimal(140),
        expiring=Decimal(40),
        expires_on=date(2026, 11, 30),
        earned=Decimal(140),
    )


def test_points_past_their_date_do_not_count_before_the_job_has_come(member: Membership) -> None:
    late = DAY + timedelta(days=330)
    told = points_balance(member, now=late)
    assert (told.available, told.expired, told.expiring) == (Decimal(100), Decimal(40), Decimal(100))
    assert [lot.remaining for lot in open_lots(member, now=late)] == [Decimal(100)]
    assert available(member) == 140
    expire(late)
    assert points_balance(member, now=late) == told
    assert available(member) == 100


def test_the_balance_of_a_member_in_debt(member: Membership) -> None:
    purchase = sell(member.customer, "60")
    spend_points(member, Decimal(200), request_key="k", actor=SYSTEM, now=DAY)
    give_back(purchase, "60")
    told = points_balance(member, now=DAY)
    assert (told.available, told.owed, told.balance) == (Decimal(0), Decimal(60), Decimal(-60))
    assert (told.earned, told.redeemed) == (Decimal(140), Decimal(200))


def test_balances_of_many_members_are_one_query(
    member: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    others = [make_member(member.programme, character=character) for character in (WANG, LI)]
    with django_assert_num_queries(1):
        told = points_balances([m.pk for m in (member, *others)], now=DAY)
    assert [told[m.pk].available for m in (member, *others)] == [Decimal(140), 0, 0]


def test_a_past_day_is_told_as_it_was(member: Membership) -> None:
    spend_points(member, Decimal(50), request_key="k", actor=SYSTEM, now=DAY + timedelta(days=1))
    assert [points_balance_at(member, DAY + timedelta(days=n)) for n in (-90, -60, -1, 0, 1)] == [0, 40, 40, 140, 90]
    assert liability(as_of=DAY) == Liability(Decimal(140), 1, Decimal(0), 0)
    assert liability() == Liability(Decimal(90), 1, Decimal(0), 0)


def test_liability_keeps_debts_apart(member: Membership) -> None:
    other = make_member(member.programme, character=WANG)
    purchase = sell(other.customer, "30")
    spend_points(other, Decimal(30), request_key="k", actor=SYSTEM, now=DAY)
    give_back(purchase, "30")
    assert liability() == Liability(Decimal(140), 1, Decimal(30), 1)
    assert liability(programmes=[make_programme()]) == Liability(Decimal(0), 0, Decimal(0), 0)


def test_the_statement_runs_backwards_page_by_page_with_balances(
    member: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(5):
        spend_points(member, Decimal(10 + n), request_key=f"k{n}", actor=SYSTEM, now=DAY + timedelta(hours=n + 1))
    with django_assert_num_queries(2):
        first = statement(member, limit=3)
    rest = statement(member, before=first.following, limit=50)
    assert [(line.amount, line.balance) for line in (*first.lines, *rest.lines)] == [
        (Decimal(-14), Decimal(80)),
        (Decimal(-13), Decimal(94)),
        (Decimal(-12), Decimal(107)),
        (Decimal(-11), Decimal(119)),
        (Decimal(-10), Decimal(130)),
        (Decimal(100), Decimal(140)),
        (Decimal(40), Decimal(40)),
    ]
    assert rest.following is None
    with django_assert_num_queries(2):
        statement(member, limit=50)


def test_points_of_purchases_say_why(member: Membership, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    purchase = sell(member.customer, "128.90")
    returned = give_back(purchase, "28.40")
    nothing = sell(member.customer, "0.50")
    with django_assert_num_queries(1):
        told = points_of_purchases([purchase.pk, returned.pk, nothing.pk])
    assert sorted(told) == [purchase.pk, returned.pk]
    assert (told[purchase.pk].points, told[returned.pk].points) == (Decimal(128), Decimal(-28))
    assert told[purchase.pk].why == ["128.90 paid holds 128 whole × 1.00; × 1 = 128 points."]
    assert told[returned.pk].why == ["100.50 of 128.90 stands after the return: of the 128 points, 28 are taken back."]


def test_every_kind_of_movement_is_explained(member: Membership) -> None:
    purchase = sell(member.customer, "1000")
    spend_points(member, Decimal(1140), request_key="s", reason="Umbrella", actor=SYSTEM, now=DAY)
    said = [explain(last(member))]
    returned = give_back(purchase, "1000")
    said.append(explain(last(member)))
    sell(member.customer, "300", at=DAY + timedelta(days=2))
    said.append(explain(last(member)))
    void(returned, at=DAY + timedelta(days=3))
    said.append(explain(last(member)))
    adjust_points(member, Decimal("2.5"), reason="Late delivery.", request_key="a", actor=SYSTEM, now=DAY)
    said.append(explain(last(member)))
    expire(DAY + timedelta(days=500))
    said.append(explain(LedgerTransaction.objects.filter(kind="expire").earliest("pk")))
    void(purchase, at=DAY + timedelta(days=501))
    said.append(explain(last(member)))
    assert said == [
        "1,140 points redeemed. Umbrella",
        (
            "0.00 of 1,000.00 stands after the return: of the 1,000 points, 1,000 are taken back. "
            "1,000 of them had been spent: the next points earned repay them."
        ),
        "300.00 paid holds 300 whole × 1.00; × 1 = 300 points. 300 of them repay points owed.",
        (
            "The return was voided: 1,000.00 of the purchase stands again, so 1,000 points are given back. "
            "700 of them repay points owed."
        ),
        "Adjusted by hand: Late delivery.",
        "300 points could be used until the end of 31 Jan 2027.",
        (
            "The purchase was voided: of the 1,000 points it gave, 700 are taken back. "
            "300 of them had expired already. 697.5 of them had been spent: the next points earned repay them."
        ),
    ]
    with translation.override("zh-hant"):
        assert "1,140" in explain(LedgerTransaction.objects.get(kind="spend"))


def test_memberships_come_with_programme_and_card_in_two_queries(
    member: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        (told,) = get_visible_memberships(member.customer, SYSTEM)
        assert told.programme.name.startswith("Club")
        assert len(told.active_cards) == 1  # type: ignore[attr-defined]


def test_whether_there_is_a_programme_to_join() -> None:
    assert not has_programme()
    make_programme()
    assert has_programme()
