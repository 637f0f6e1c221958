"""Expiring points, redemptions, what is worth a look, and the statement's parts: exact on small histories."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from patron.business.loyalty.models import LedgerTransaction, Membership, Unit
from patron.business.loyalty.operations import (
    adjust_points,
    commit_reserved_points,
    give_back_points,
    reserve_points,
    spend_points,
)
from patron.business.loyalty.queries import (
    ExpiringMonth,
    Purpose,
    RedeemingGroup,
    Thresholds,
    Wait,
    Wanted,
    Working,
    all_expiring_members,
    expiring,
    expiring_members,
    explain,
    findings,
    holdings,
    redeeming,
    statement,
    whole_statement,
    working_of,
)
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import DAY, follow, give_back, last, sell, write_purchase
from patron.core.accounts.models import Branch
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_actor, make_branch, make_staff
from patron.core.customers.testing import LI, WANG, make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import PermissionRefused

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
END = DAY + timedelta(days=1)


def _all(*values: object) -> tuple[object, ...]:
    return values


def _earn(member: Membership, net: str, *, minutes: int = 0, branch: Branch | None = None, cashier: str = "") -> None:
    purchase = write_purchase(member.customer, net, at=DAY + timedelta(minutes=minutes))
    purchase.branch, purchase.cashier = branch, cashier
    purchase.save(update_fields=["branch", "cashier"])
    follow(purchase)


# --- the statement -----------------------------------------------------------------------------------------------


def test_what_is_set_aside_leaves_what_can_be_spent_once() -> None:
    member = make_member()
    sell(member.customer, "100")
    reserved = reserve_points(member, Decimal(30), request_key="r", until=END, actor=SYSTEM, now=DAY + HOUR)
    commit_reserved_points(reserved, actor=SYSTEM, now=DAY + 2 * HOUR, reason="Umbrella")

    lines = [_all(line.amount, line.reserved, line.balance, line.words) for line in statement(member).lines]

    assert lines == [
        (0, -30, 70, "30 points that were set aside are redeemed. Umbrella"),
        (-30, 30, 70, "30 points are set aside until 11 Jan 2026 12:00."),
        (100, 0, 100, "100.00 paid holds 100 whole × 1.00; × 1 = 100 points."),
    ]
    held = holdings(member)[Unit.POINTS]
    assert _all(held.available, held.pending, held.reserved) == (70, 0, 0)


def test_what_is_pending_counts_when_it_becomes_available() -> None:
    member = make_member(make_programme(terms={"pending_days": 3}))
    sell(member.customer, "100")
    (line,) = statement(member).lines
    assert _all(line.amount, line.pending, line.balance) == (0, 100, 0)
    assert line.words.endswith("They can be used from 13 Jan 2026.")
    spend_points(member, Decimal(40), request_key="s", actor=SYSTEM, now=DAY + timedelta(days=4))
    spent, matured, _earned = statement(member).lines
    assert _all(matured.amount, matured.pending, matured.balance) == (100, -100, 100)
    assert _all(spent.amount, spent.balance) == (-40, 60)


def test_a_filtered_statement_keeps_the_balance_of_the_account(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    member = make_member()
    for n in range(4):
        sell(member.customer, "100", at=DAY + n * HOUR)
        spend_points(member, Decimal(10), request_key=f"s{n}", actor=SYSTEM, now=DAY + n * HOUR + HOUR / 2)
    wanted = Wanted(kinds=("spend",), since=DAY + HOUR, until=DAY + 3 * HOUR)
    with django_assert_num_queries(2):
        found = statement(member, wanted=wanted)
    assert [_all(line.amount, line.balance) for line in found.lines] == [(-10, 270), (-10, 180)]
    assert [line.balance for line in whole_statement(member)] == [360, 370, 270, 280, 180, 190, 90, 100]


def test_bonuses_are_explained_step_by_step_by_the_names_they_had() -> None:
    terms = {
        "bonuses": [
            {"code": "double", "name": "Double day", "effect": "multiply", "factor": "2"},
            {"code": "hello", "name": "Welcome", "effect": "fixed", "points": "50"},
        ]
    }
    member = make_member(make_programme(terms=terms))
    sell(member.customer, "128.90")
    movement = last(member)
    assert explain(movement) == (
        "128.90 paid holds 128 whole × 1.00; × 1 = 128 points. Double day: 2 × on 128.90 adds 128 points. "
        "Welcome adds 50 points. Together 306 points."
    )
    assert list(working_of(movement)) == [
        Working("Paid", "128.90", ""),
        Working("Base", "128.90 ÷ 1.00 → 128 × 1", "+128"),
        Working("Double day", "2 × on 128.90", "+128"),
        Working("Welcome", "", "+50"),
        Working("Points given", "", "+306"),
    ]


def test_limits_and_what_earns_nothing_are_explained() -> None:
    movement = LedgerTransaction(
        kind="earn", unit="points", amount=Decimal(100),
        explanation={"net": "150.00", "eligible": "130.50", "unit": "1.00", "rate": "1.0000", "units": 130,
                     "base": "130", "exact": "195", "rounding": "down", "capped_to": "100",
                     "steps": [{"code": "x", "name": "Extra", "effect": "per_item", "amount": "65.00", "units": "13",
                                "rate": "5", "points": "65", "uncapped": "80"}]},
    )  # fmt: skip
    assert explain(movement) == (
        "Of the 150.00 paid, 130.50 earns points. 130.50 paid holds 130 whole × 1.00; × 1 = 130 points. "
        "Extra: 13 items × 5 adds 65 points. (80 without its limit.) 195 without the limit of 100."
    )
    event = LedgerTransaction(
        kind="earn", unit="points", amount=Decimal(20), explanation={"event": "survey", "name": "Survey answered"}
    )
    assert explain(event) == "20 points given for: Survey answered."
    stamps = LedgerTransaction(kind="earn", unit="stamps", amount=Decimal(2), origin_id=1, explanation={})
    assert explain(stamps) == "Counted by the same purchase."


# --- expiring ----------------------------------------------------------------------------------------------------


def test_what_expires_is_told_by_month_and_by_member() -> None:
    programme = make_programme()
    many, few = make_member(programme), make_member(programme, character=WANG)
    sell(many.customer, "300", at=DAY)
    sell(many.customer, "50", at=DAY + timedelta(days=31))
    sell(few.customer, "70", at=DAY)
    sell(few.customer, "999", at=DAY + timedelta(days=300))
    day, until = date(2026, 12, 1), date(2027, 2, 28)

    told = expiring(programme, SYSTEM, day=day, until=until)

    assert _all(told.points, told.members, told.money) == (420, 2, Decimal("4.20"))
    assert list(told.months) == [
        ExpiringMonth(date(2027, 1, 1), Decimal(370), 2),
        ExpiringMonth(date(2027, 2, 1), Decimal(50), 1),
    ]
    first = expiring_members(programme, SYSTEM, day=day, until=until, limit=1)
    second = expiring_members(programme, SYSTEM, day=day, until=until, limit=1, after=first.following)
    assert [_all(m.customer_id, m.points) for page in (first, second) for m in page.members] == [
        (many.customer_id, 350),
        (few.customer_id, 70),
    ]
    assert first.members[0].first_on == date(2027, 1, 31)
    assert second.following is None
    assert [len(page) for page in all_expiring_members(programme, SYSTEM, day=day, until=until)] == [2]


def test_a_manager_sees_what_expires_in_her_own_branch() -> None:
    branch, other = make_branch(), make_branch("CEN", "Central")
    programme = make_programme()
    sell(make_member(programme, customer=make_customer(WANG, branch=branch)).customer, "30")
    sell(make_member(programme, customer=make_customer(LI, branch=other)).customer, "70")
    manager = make_actor(Role.BRANCH_MANAGER, branches=[branch])
    day, until = DAY.date(), date(2027, 1, 31)
    assert expiring(programme, manager, day=day, until=until).points == 30
    assert expiring(programme, manager, day=day, until=until, branch_ids=[other.pk]).points == 0
    assert expiring(programme, SYSTEM, day=day, until=until, branch_ids=[other.pk]).points == 70
    with pytest.raises(PermissionRefused):
        expiring(programme, make_actor(Role.CASHIER), day=day, until=until)


# --- redeeming ---------------------------------------------------------------------------------------------------


def test_what_points_are_redeemed_for() -> None:
    programme = make_programme()
    member, idle = make_member(programme), make_member(programme, character=WANG)
    sell(member.customer, "1000")
    sell(idle.customer, "500")
    at = DAY + timedelta(days=40)
    spend_points(member, Decimal(100), request_key="gift:1", actor=SYSTEM, now=at)
    voucher = spend_points(member, Decimal(200), request_key="voucher:1", actor=SYSTEM, now=at)
    give_back_points(voucher, Decimal(50), request_key="back", reason="x", actor=SYSTEM, now=at)
    reserved = reserve_points(member, Decimal(60), request_key="r", until=at, actor=SYSTEM, now=at)
    commit_reserved_points(reserved, actor=SYSTEM, now=at)
    spend_points(member, Decimal(5), request_key="x", actor=SYSTEM, now=DAY)

    told = redeeming(programme, SYSTEM, since=DAY, until=at + HOUR)

    assert list(told.purposes) == [
        Purpose("voucher", Decimal(150), 1, 1),
        Purpose("gift", Decimal(100), 1, 1),
        Purpose("till", Decimal(60), 1, 1),
        Purpose("other", Decimal(5), 1, 1),
    ]
    assert list(told.by_tier) == [RedeemingGroup("", Decimal(1500), Decimal(315), 2, 1)]
    assert told.rate == Decimal("0.21")
    assert list(told.waits) == [Wait(0, 30, Decimal(5)), Wait(30, 90, Decimal(360))]
    assert told.mean_days == Decimal("39.5")


# --- worth a look ------------------------------------------------------------------------------------------------


def _rules(**thresholds: int) -> list[tuple[str, int | None, str, Decimal, int]]:
    found = findings(SYSTEM, since=DAY - HOUR, until=END, thresholds=Thresholds(**thresholds))
    return [(each.rule, each.customer_id, each.who, each.points, each.times) for each in found]


def test_an_ordinary_day_is_not_worth_a_look() -> None:
    member = make_member()
    _earn(member, "100", cashier="amy")
    _earn(member, "50", minutes=240, cashier="amy")
    spend_points(member, Decimal(20), request_key="s", actor=SYSTEM, now=DAY + 5 * HOUR)
    assert _rules() == []


def test_many_purchases_in_a_day_and_in_a_row() -> None:
    member = make_member()
    for n in range(5):
        _earn(member, "10", minutes=n * 12)
    who = member.customer_id
    assert _rules(purchases_in_a_row=3) == [
        ("in_a_row", who, "", Decimal(90), 3),
        ("many_a_day", who, "", Decimal(50), 5),
    ]
    assert _rules(purchases_a_day=6) == []


def test_one_card_in_two_branches_within_minutes() -> None:
    member = make_member()
    _earn(member, "10", branch=make_branch())
    _earn(member, "20", minutes=9, branch=make_branch("CEN", "Central"))
    (found,) = findings(SYSTEM, since=DAY - HOUR, until=END)
    assert _all(found.rule, found.points, found.facts["minutes"]) == ("two_branches", 20, 9)
    assert _rules(branches_minutes=8) == []


def test_one_cashier_and_one_member() -> None:
    member, other = make_member(), make_member(make_programme(), character=WANG)
    for n in range(8):
        _earn(member, "10", minutes=n * 60, cashier="amy")
        _earn(other, "10", minutes=n * 60, cashier=f"cashier {n}")
    found = [each for each in _rules(purchases_a_day=99) if each[0] == "same_cashier"]
    assert found == [("same_cashier", member.customer_id, "amy", Decimal(80), 8)]


def test_a_member_of_staff_serving_the_own_card() -> None:
    staff = make_staff(Role.CASHIER, username="wang")
    staff.name = WANG.name
    staff.save(update_fields=["name"])
    member = make_member(customer=make_customer(WANG))
    _earn(member, "75", cashier="WANG")
    _earn(member, "75", minutes=300, cashier="amy")
    assert _rules() == [("own_card", member.customer_id, WANG.name, Decimal(75), 1)]


def test_returns_after_the_points_were_spent() -> None:
    member = make_member()
    first, second = sell(member.customer, "100"), sell(member.customer, "60")
    spend_points(member, Decimal(160), request_key="s", actor=SYSTEM, now=DAY + HOUR)
    give_back(first, "100", at=DAY + 2 * HOUR)
    give_back(second, "60", at=DAY + 3 * HOUR)
    assert _rules() == [("returns", member.customer_id, "", Decimal(160), 2)]


def test_adjustments_by_one_person_and_redeemed_at_once() -> None:
    member = make_member()
    manager = make_actor(Role.SERVICE_AGENT)
    for n in range(3):
        adjust_points(
            member, Decimal(10), reason="x", request_key=f"a{n}", actor=manager, now=DAY + timedelta(days=-n, hours=3)
        )
    spend_points(member, Decimal(25), request_key="s", actor=SYSTEM, now=DAY + 4 * HOUR)
    found = findings(SYSTEM, since=DAY - timedelta(days=9), until=END, thresholds=Thresholds(adjustments=3))
    assert [(each.rule, each.customer_id, each.who, each.points, each.times) for each in found] == [
        ("adjustments", None, manager.reference, Decimal(30), 3),
        ("after_adjustment", member.customer_id, manager.reference, Decimal(10), 1),
    ]
    assert found[1].facts == {"given": 10, "minutes": 60, "by_same": False}
    with pytest.raises(PermissionRefused):
        findings(make_actor(Role.CASHIER), since=DAY, until=END)
