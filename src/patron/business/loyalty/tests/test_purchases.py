"""Points of purchases: earned, taken back, given back, explained."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from patron.business.loyalty.models import LedgerTransaction, Membership
from patron.business.loyalty.operations import (
    post_earning,
    set_membership_status,
    spend_points,
    take_back_points,
)
from patron.business.loyalty.testing import make_member, make_programme, set_rate
from patron.business.loyalty.tests.support import (
    DAY,
    available,
    counts,
    follow_in_bulk,
    give_back,
    last,
    open_lots,
    sell,
    void,
    write_purchase,
)
from patron.core.activities.models import Activity
from patron.core.customers.testing import make_customer
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    return make_member()


def _spend(member: Membership, points: int, key: str = "spend") -> LedgerTransaction:
    return spend_points(member, Decimal(points), request_key=key, actor=SYSTEM, now=DAY + timedelta(hours=1))


def test_a_sale_earns_a_point_for_each_whole_dollar(member: Membership) -> None:
    purchase = sell(member.customer, "128.90")
    award = last(member)
    assert (award.kind, award.amount, award.basis_amount) == ("earn", Decimal(128), Decimal("128.90"))
    assert award.purchase == purchase
    assert award.request_key == f"earn:{member.programme_id}:{purchase.pk}"
    assert award.explanation == {
        "rule": award.rule_id,
        "net": "128.90",
        "unit": "1.00",
        "rate": "1.0000",
        "units": 128,
    }
    assert available(member) == 128
    assert open_lots(member) == [("2027-01-31", Decimal(128))]
    told = Activity.objects.get(kind="points.earned")
    assert (told.customer, told.occurred_at) == (member.customer, DAY)
    assert told.facts == {"points": 128, "purchase": purchase.pk}


@pytest.mark.parametrize("net", ["0.99", "0", "-5"])
def test_a_sale_worth_no_point_leaves_no_trace(member: Membership, net: str) -> None:
    before = counts()
    sell(member.customer, net)
    assert counts() == before


def test_nothing_is_earned_by_strangers_others_money_or_before_joining() -> None:
    member = make_member(joined_on=date(2026, 1, 11))
    before = counts()
    sell(None, "50")
    sell(make_customer(), "50")
    sell(member.customer, "50", at=DAY)  # the day before joining
    follow_in_bulk([write_purchase(member.customer, "50", currency="USD"), write_purchase(member.customer, "50")])
    assert counts() == before
    sell(member.customer, "50", at=datetime(2026, 1, 10, 16, 0, tzinfo=UTC))  # midnight in Hong Kong
    assert available(member) == 50


def test_a_suspended_member_earns_nothing(member: Membership) -> None:
    set_membership_status(member, "suspended", actor=SYSTEM, now=DAY)
    sell(member.customer, "50")
    assert available(member) == 0


def test_a_return_leaves_what_the_rest_would_have_earned(member: Membership) -> None:
    purchase = sell(member.customer, "100.50")
    returned = give_back(purchase, "30.60")
    movement = last(member)
    assert (movement.kind, movement.amount, movement.purchase) == ("return", Decimal(-31), returned)
    assert movement.origin == LedgerTransaction.objects.get(purchase=purchase)
    assert movement.explanation == {
        "rule": movement.rule_id,
        "unit": "1.00",
        "rate": "1.0000",
        "net_before": "100.50",
        "net": "69.90",
        "points_before": "100.00",
        "returned": "-30.60",
    }
    assert available(member) == 69
    give_back(purchase, "69.90")
    assert available(member) == 0
    assert open_lots(member) == []


def test_a_return_that_changes_nothing_is_still_counted(member: Membership) -> None:
    purchase = sell(member.customer, "100.50")
    give_back(purchase, "0.40")
    assert (last(member).kind, last(member).amount) == ("return", Decimal(0))
    give_back(purchase, "0.40")
    assert (last(member).kind, last(member).amount) == ("return", Decimal(-1))


def test_never_more_is_taken_back_than_was_given(member: Membership) -> None:
    sell(member.customer, "40")
    purchase = sell(member.customer, "100")
    give_back(purchase, "100")
    give_back(purchase, "100")
    assert available(member) == 40


def test_points_spent_before_the_return_become_a_debt_that_the_next_purchase_repays(member: Membership) -> None:
    purchase = sell(member.customer, "100")
    _spend(member, 70)
    give_back(purchase, "100")
    assert available(member) == -70
    assert last(member).explanation["owed"] == "70.00"
    sell(member.customer, "50", at=DAY + timedelta(days=2))
    assert (available(member), open_lots(member)) == (Decimal(-20), [])
    assert last(member).explanation["repaid"] == "50.00"
    sell(member.customer, "25", at=DAY + timedelta(days=3))
    assert (available(member), open_lots(member)) == (Decimal(5), [("2027-01-31", Decimal(5))])
    assert last(member).explanation["repaid"] == "20.00"


def test_points_spent_before_the_return_are_let_go_where_debts_are_not_allowed() -> None:
    member = make_member(make_programme(allow_debt=False))
    purchase = sell(member.customer, "100")
    _spend(member, 70)
    returned = give_back(purchase, "60")
    assert available(member) == 0
    assert last(member).explanation["forgiven"] == "30.00"
    sell(member.customer, "100", at=DAY + timedelta(days=2))
    give_back(purchase, "40", at=DAY + timedelta(days=3))
    assert available(member) == 60  # 40 more of the original are taken, not the 30 let go
    void(returned, at=DAY + timedelta(days=4))
    assert available(member) == 90  # only what the return had taken comes back


def test_the_originals_own_lot_is_taken_back_first(member: Membership) -> None:
    sell(member.customer, "40", at=DAY - timedelta(days=60))
    purchase = sell(member.customer, "100")
    give_back(purchase, "100")
    assert open_lots(member) == [("2026-11-30", Decimal(40))]


def test_points_that_expired_are_not_taken_back_again(member: Membership) -> None:
    purchase = sell(member.customer, "100", at=DAY)
    spend_points(member, Decimal(60), request_key="s", actor=SYSTEM, now=DAY)
    later = DAY + timedelta(days=400)
    sell(member.customer, "500", at=later)
    give_back(purchase, "100", at=later)
    assert last(member).amount == Decimal(-60)
    assert last(member).explanation["expired"] == "40.00"
    assert available(member) == 440


def test_voiding_a_sale_takes_back_what_stands_of_it(member: Membership) -> None:
    purchase = sell(member.customer, "100")
    give_back(purchase, "30")
    void(purchase)
    assert available(member) == 0
    assert last(member).amount == Decimal(-70)
    give_back(purchase, "10")
    assert available(member) == 0


def test_voiding_a_return_gives_back_into_the_old_lots(member: Membership) -> None:
    sell(member.customer, "40", at=DAY - timedelta(days=60))
    purchase = sell(member.customer, "100")
    _spend(member, 60)
    returned = give_back(purchase, "100")
    assert (available(member), open_lots(member)) == (Decimal(-20), [])
    void(returned)
    assert last(member).kind == "refund"
    assert (available(member), open_lots(member)) == (Decimal(80), [("2027-01-31", Decimal(80))])
    void(returned)
    assert available(member) == 80


def test_a_purchase_earns_once_and_a_return_counts_once(member: Membership) -> None:
    purchase = sell(member.customer, "100")
    returned = give_back(purchase, "10")
    before = counts()
    first = post_earning(purchase, actor=SYSTEM, now=DAY)
    again = take_back_points(returned, actor=SYSTEM, now=DAY)
    assert [t.amount for t in first] == [Decimal(100)]
    assert [t.amount for t in again] == [Decimal(-10)]
    assert counts() == before


def test_a_sale_posted_late_also_settles_its_returns() -> None:
    customer = make_customer()
    purchase = sell(customer, "100")
    give_back(purchase, "30")
    member = make_member(customer=customer)
    post_earning(purchase, actor=SYSTEM, now=DAY)
    assert available(member) == 70


def test_a_new_rule_counts_from_its_moment_and_returns_go_by_the_old_one(member: Membership) -> None:
    purchase = sell(member.customer, "100")
    set_rate(
        member.programme,
        points_per_unit=Decimal("1.5"),
        unit_amount=Decimal(10),
        expiry_months=None,
        valid_from=DAY + timedelta(days=1),
        actor=SYSTEM,
        now=DAY,
    )
    sell(member.customer, "35", at=DAY + timedelta(days=2))
    assert last(member).amount == Decimal(4)  # ⌊3 × 1.5⌋
    give_back(purchase, "50", at=DAY + timedelta(days=3))
    assert last(member).amount == Decimal(-50)
    assert open_lots(member) == [("2027-01-31", Decimal(50)), ("None", Decimal(4))]
