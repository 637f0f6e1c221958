"""Programmes, memberships and cards."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from patron.business.loyalty.errors import CardTaken, InvalidCard, MembershipNotActive, RuleInThePast
from patron.business.loyalty.models import Account, Card, Membership, Programme, ProgrammeVersion
from patron.business.loyalty.operations import (
    create_programme,
    enrol,
    issue_card,
    publish_version,
    replace_card,
    set_membership_status,
    spend_points,
)
from patron.business.loyalty.queries import find_by_card, get_membership
from patron.business.loyalty.rules import card_number, is_valid_card
from patron.business.loyalty.testing import make_member, make_programme, set_rate
from patron.business.loyalty.tests.support import DAY, sell
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch
from patron.core.activities.models import Activity
from patron.core.customers.models import Customer
from patron.core.customers.testing import LI, WANG, make_customer
from patron.kernel.actor import ANONYMOUS, SYSTEM
from patron.kernel.errors import Conflict, InvalidInput, NotFound, PermissionRefused

pytestmark = pytest.mark.django_db
GOOD = "8812345678901232"


def test_a_member_gets_a_card_with_a_check_digit_and_accounts() -> None:
    member = make_member()
    card = Card.objects.get(membership=member)
    assert is_valid_card(card.number)
    assert (card.number[:4], len(card.number), card.status) == ("8800", 16, "active")
    assert sorted(Account.objects.filter(membership=member).values_list("bucket", "overdraft_allowed")) == [
        ("available", True),
        ("issued", False),
    ]
    assert list(Activity.objects.order_by("pk").values_list("kind", flat=True)) == [
        "loyalty.enrolled",
        "loyalty.card_issued",
    ]


def test_enrolling_again_changes_nothing() -> None:
    member = make_member()
    again = enrol(member.customer, programme=member.programme, actor=SYSTEM, now=NOW)
    assert again == member
    assert (Card.objects.count(), Account.objects.count(), Activity.objects.count()) == (1, 2, 2)


def test_a_card_already_in_the_hand_is_taken_as_it_is() -> None:
    member = make_member(number=GOOD)
    assert find_by_card("8812 3456-7890 1232", SYSTEM) == member


def test_a_wrong_check_digit_is_refused_and_nothing_is_written() -> None:
    programme = make_programme()
    with pytest.raises(InvalidCard):
        make_member(programme, number=GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10))
    assert not Membership.objects.exists()


def test_a_card_belongs_to_one_member() -> None:
    first = make_member(number=GOOD)
    with pytest.raises(CardTaken):
        make_member(first.programme, character=WANG, number=GOOD)
    assert Membership.objects.get() == first


def test_numbers_of_the_series_in_use_are_passed_over() -> None:
    programme = make_programme()
    serial = int(make_member(programme).cards.get().number[4:-1])
    taken = card_number("8800", serial + 1)
    make_member(programme, character=WANG, number=taken)
    third = make_member(programme, character=LI)
    assert third.cards.get().number == card_number("8800", serial + 2)


def test_a_lost_card_is_blocked_and_the_points_stay() -> None:
    member = make_member()
    old = member.cards.get()
    sell(member.customer, "50")
    new = replace_card(member, lost=True, actor=SYSTEM, now=NOW)
    old.refresh_from_db()
    assert (old.status, old.blocked_at, new.status) == ("lost", NOW, "active")
    assert find_by_card(new.number, SYSTEM) == find_by_card(old.number, SYSTEM) == member
    with pytest.raises(CardTaken):
        replace_card(member, lost=False, number=old.number, actor=SYSTEM, now=NOW)
    assert member.cards.get(status="active") == new
    assert issue_card(member, actor=SYSTEM, now=NOW) == new


def test_issuing_another_number_needs_a_replacement() -> None:
    member = make_member()
    with pytest.raises(CardTaken):
        issue_card(member, number=GOOD, actor=SYSTEM, now=NOW)


def test_a_closed_membership_gets_no_card_and_spends_nothing() -> None:
    member = make_member()
    sell(member.customer, "50")
    set_membership_status(member, "closed", actor=SYSTEM, now=NOW)
    with pytest.raises(MembershipNotActive):
        replace_card(member, lost=True, actor=SYSTEM, now=NOW)
    with pytest.raises(MembershipNotActive):
        spend_points(member, Decimal(1), request_key="k", actor=SYSTEM, now=DAY)
    with pytest.raises(InvalidInput):
        set_membership_status(member, "gone", actor=SYSTEM, now=NOW)


def test_nobody_joins_in_the_future() -> None:
    with pytest.raises(InvalidInput):
        make_member(joined_on=date(2026, 3, 3))
    assert not Membership.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "hkd"}, "currency"),
        ({"card_prefix": "12a"}, "card_prefix"),
        ({"card_prefix": "123456789"}, "card_prefix"),
        ({"name": " "}, "name"),
        ({"debt": "gift"}, "debt"),
    ],
)
def test_a_programme_that_makes_no_sense_is_refused(change: dict[str, object], field: str) -> None:
    terms: dict[str, object] = {"code": "club", "name": "Club", "currency": "HKD", "rules_from": NOW} | change
    with pytest.raises(InvalidInput) as refusal:
        create_programme(**terms, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    assert refusal.value.details["field"] == field
    assert not ProgrammeVersion.objects.exists()


@pytest.mark.parametrize(
    ("terms", "place"),
    [
        ({"base": {"per_amount": "0"}}, "base.per_amount"),
        ({"base": {"points": "-1"}}, "base.points"),
        ({"base": {"points": "0.00001"}}, "base.points"),
        ({"base": {"points": "NaN"}}, "base.points"),
        ({"base": {"pionts": "1"}}, "base.pionts"),
        ({"expiry": {"kind": "month_end", "n": 1201}}, "expiry.n"),
        ({"bonuses": [{"code": "milk", "effect": "multiply", "factor": "1"}]}, "bonuses[0].factor"),
        ({"bonuses": [{"code": "a", "factor": "2"}, {"code": "a", "factor": "3"}]}, "bonuses[1].code"),
        ({"bonuses": [{"code": "a", "factor": "2", "tiers": ["gold"]}]}, "bonuses[0].tiers"),
        ({"tiers": {"ladder": [{"code": "a", "name": "A", "threshold": 5}, {"code": "b", "name": "B", "threshold": 5}]}},  # noqa: E501
         "tiers.ladder[1].threshold"),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused_by_place(terms: dict[str, object], place: str) -> None:
    programme = make_programme()
    with pytest.raises(InvalidInput) as refusal:
        publish_version(programme, terms, valid_from=NOW, actor=SYSTEM, now=NOW)
    assert refusal.value.details["field"] == place
    assert programme.versions.count() == 1


def test_a_programme_code_is_taken_once() -> None:
    make_programme("club")
    with pytest.raises(Conflict):
        make_programme("club")
    assert Programme.objects.count() == 1


def test_a_rule_cannot_change_what_was_earned() -> None:
    member = make_member()
    sell(member.customer, "50", at=DAY)

    def doubled(valid_from: datetime) -> ProgrammeVersion:
        return set_rate(
            member.programme, points_per_unit=Decimal(2), unit_amount=Decimal(1), expiry_months=12,
            valid_from=valid_from, actor=SYSTEM, now=NOW,
        )  # fmt: skip

    with pytest.raises(RuleInThePast):
        doubled(DAY)
    rule = doubled(DAY + timedelta(seconds=1))
    assert (rule.version, ProgrammeVersion.objects.count()) == (2, 2)


def test_strangers_may_do_nothing() -> None:
    member = make_member()
    customer = Customer.objects.get()
    with pytest.raises(PermissionRefused):
        enrol(customer, programme=member.programme, actor=ANONYMOUS, now=NOW)
    with pytest.raises(PermissionRefused):
        spend_points(member, Decimal(1), request_key="k", actor=actor_in(Role.ANALYST), now=NOW)
    with pytest.raises(PermissionRefused):
        find_by_card(GOOD, ANONYMOUS)


def test_a_branch_sees_its_own_members_but_serves_every_card() -> None:
    here, there = make_branch("KLN"), make_branch("CWB")
    member = make_member(customer=make_customer(branch=there), number=GOOD)
    cashier = actor_in(Role.CASHIER, branches=[here])
    with pytest.raises(NotFound):
        get_membership(member.customer, cashier)
    assert find_by_card(GOOD, cashier) == member
    assert get_membership(member.customer, actor_in(Role.CASHIER, branches=[there])) == member
