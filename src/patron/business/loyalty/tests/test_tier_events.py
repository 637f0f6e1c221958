"""Events that earn: how often each counts, when its points can be used, and referrals."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from patron.business.loyalty.errors import MembershipNotActive, NoSuchEvent
from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import award_event, pay_referrals, set_membership_status
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import available, open_lots, write_purchase
from patron.business.loyalty.tests.tiers import member_with, noon
from patron.core.activities.models import Activity
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput

pytestmark = pytest.mark.django_db

EVENTS = [
    {"code": "profile", "name": "Profile completed", "points": "50"},
    {"code": "survey", "name": "Survey", "points": "20", "once": "year"},
    {"code": "checkin", "name": "Check-in", "points": "5", "once": "day"},
    {"code": "review", "name": "Review", "points": "2.5", "once": "always"},
]


def award(member: Membership, code: str, day: str, reference: str = "") -> LedgerTransaction:
    return award_event(member, code, reference=reference, actor=SYSTEM, now=noon(day))


@pytest.mark.parametrize(
    ("code", "occasions", "points"),
    [
        ("profile", [("2026-01-01", ""), ("2027-01-01", "b")], "50"),
        ("survey", [("2026-01-01", "a"), ("2026-12-31", "b"), ("2027-01-01", "a")], "40"),
        ("checkin", [("2026-01-01", "a"), ("2026-01-01", "b"), ("2026-01-02", "a")], "10"),
        ("review", [("2026-01-01", "a"), ("2026-05-01", "a"), ("2026-01-01", "b")], "5"),
    ],
)
def test_an_event_counts_as_often_as_it_says(code: str, occasions: list[tuple[str, str]], points: str) -> None:
    member = member_with({"events": EVENTS})
    first = [award(member, code, *occasion) for occasion in occasions]
    assert available(member) == Decimal(points)
    assert [award(member, code, *occasion) for occasion in occasions] == first
    assert available(member) == Decimal(points)


def test_a_day_is_that_of_the_house() -> None:
    member = member_with({"events": EVENTS})
    for at in (noon("2026-01-01") + timedelta(hours=11, minutes=59), noon("2026-01-01") + timedelta(hours=12)):
        award_event(member, "checkin", reference="", actor=SYSTEM, now=at)
    assert available(member) == 10


def test_points_expire_and_are_explained_as_those_of_a_purchase() -> None:
    member = member_with({"events": EVENTS})
    movement = award(member, "profile", "2026-01-10", "form 7")
    assert open_lots(member) == [("2027-01-31", Decimal(50))]
    version = member.programme.versions.get()
    assert movement.explanation == {
        "event": "profile", "name": "Profile completed", "rule": version.pk, "reference": "form 7",
    }  # fmt: skip
    assert (movement.rule, movement.kind, movement.purchase) == (version, "earn", None)
    assert Activity.objects.filter(kind="points.earned", customer=member.customer).count() == 1
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_points_pend_where_those_of_purchases_do() -> None:
    member = member_with({"events": EVENTS, "pending_days": 14})
    movement = award(member, "profile", "2026-01-10")
    assert available(member) == 0
    assert movement.explanation["available_on"] == "2026-01-24"


def test_what_makes_no_sense_is_refused() -> None:
    member = member_with({"events": EVENTS})
    for code, reference, refusal in (
        ("birthday", "", NoSuchEvent),
        ("review", "", InvalidInput),
        ("review", "x" * 61, InvalidInput),
    ):
        with pytest.raises(refusal):
            award(member, code, "2026-01-01", reference)
    set_membership_status(member, "suspended", actor=SYSTEM, now=noon("2026-01-01"))
    with pytest.raises(MembershipNotActive):
        award(member, "profile", "2026-01-02")
    assert LedgerTransaction.objects.count() == 0


# --- referrals ---------------------------------------------------------------------------------------------------


def brought(once: str) -> tuple[Membership, list[Membership]]:
    """A member, and three whom they brought on 1 January 2026."""
    events = [{"code": "referral", "name": "Brought a friend", "points": "100", "once": once}]
    programme = make_programme(terms={"events": events})
    referrer, *friends = [
        make_member(programme, character=character, joined_on=date(2026, 1, 1)) for character in CAST[:4]
    ]
    Membership.objects.filter(pk__in=[friend.pk for friend in friends]).update(referred_by=referrer)
    return referrer, friends


def pay(day: str) -> Decimal:
    pay_referrals(actor=SYSTEM, now=noon(day))
    pay_referrals(actor=SYSTEM, now=noon(day))
    return available(Membership.objects.order_by("pk")[0])


@pytest.mark.parametrize(("once", "points"), [("always", 300), ("ever", 100), ("year", 200), ("day", 200)])
def test_a_referral_is_paid_with_the_first_purchase(once: str, points: int) -> None:
    _, friends = brought(once)
    assert pay("2026-01-02") == 0
    for friend, day in zip(friends, ("2026-02-01", "2026-02-01", "2027-01-01"), strict=True):
        write_purchase(friend.customer, "10", at=noon(day))
        write_purchase(friend.customer, "10", at=noon("2027-01-01"))
    assert pay("2027-01-01") == points
    assert pay("2027-01-02") == points


def test_what_is_no_first_purchase_pays_nothing() -> None:
    referrer, friends = brought("always")
    write_purchase(friends[0].customer, "10", at=noon("2025-12-31"))  # before joining
    write_purchase(friends[1].customer, "10", at=noon("2026-02-01"), currency="CNY")
    write_purchase(friends[2].customer, "0", at=noon("2026-02-01"))
    assert pay("2026-03-01") == 0
    write_purchase(friends[0].customer, "10", at=noon("2027-02-01"))
    assert pay("2027-02-02") == 0  # more than a year after joining
    write_purchase(friends[1].customer, "10", at=noon("2026-02-02"))
    set_membership_status(referrer, "closed", actor=SYSTEM, now=noon("2026-03-01"))
    assert pay("2026-03-02") == 0
