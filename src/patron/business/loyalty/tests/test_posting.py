"""Redemptions and adjustments: exact, once, never below zero."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from patron.business.loyalty.errors import InsufficientPoints, InvalidPoints, KeyReused, ReasonRequired
from patron.business.loyalty.models import Account, LedgerTransaction, Membership
from patron.business.loyalty.operations import adjust_points, expire_lots, spend_points
from patron.business.loyalty.testing import make_member
from patron.business.loyalty.tests.support import DAY, available, counts, give_back, open_lots, sell
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import actor_in
from patron.core.activities.models import Activity
from patron.core.customers.testing import WANG
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import InvalidInput, PermissionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    """40 points until November 2026 and 100 until January 2027."""
    member = make_member()
    sell(member.customer, "40", at=DAY - timedelta(days=60))
    sell(member.customer, "100")
    return member


def _spend(member: Membership, points: str, key: str = "k") -> LedgerTransaction:
    return spend_points(member, Decimal(points), request_key=key, actor=SYSTEM, now=DAY)


def _adjust(member: Membership, points: str, *, key: str = "k", until: date | None = None) -> LedgerTransaction:
    return adjust_points(
        member, Decimal(points), reason="Goodwill", request_key=key, actor=SYSTEM, now=DAY, expires_on=until
    )


def test_spending_draws_on_the_lot_that_expires_first(member: Membership) -> None:
    spent = _spend(member, "50")
    assert (spent.kind, spent.amount) == ("spend", Decimal(-50))
    assert open_lots(member) == [("2027-01-31", Decimal(90))]
    assert Account.objects.get(membership=member, bucket="redeemed").balance == 50
    assert sorted(spent.postings.values_list("account__bucket", "amount")) == [
        ("available", Decimal(-40)),
        ("available", Decimal(-10)),
        ("redeemed", Decimal(50)),
    ]
    assert Activity.objects.get(kind="points.spent").facts == {"points": -50}


def test_more_than_there_is_cannot_be_spent(member: Membership) -> None:
    before = counts()
    with pytest.raises(InsufficientPoints) as refusal:
        _spend(member, "140.01")
    assert refusal.value.details == {"asked": Decimal("140.01"), "available": Decimal("140.00")}
    assert counts() == before


def test_expired_points_cannot_be_spent_before_the_job_has_come(member: Membership) -> None:
    with pytest.raises(InsufficientPoints) as refusal:
        spend_points(member, Decimal(101), request_key="k", actor=SYSTEM, now=DAY + timedelta(days=330))
    assert refusal.value.details["available"] == Decimal(100)
    assert available(member) == 140  # the refusal left everything as it was
    spend_points(member, Decimal(100), request_key="k", actor=SYSTEM, now=DAY + timedelta(days=330))
    assert available(member) == 0
    assert LedgerTransaction.objects.get(kind="expire").amount == Decimal(-40)


def test_the_same_request_again_gives_the_first_answer(member: Membership) -> None:
    first = _spend(member, "50")
    before = counts()
    assert _spend(member, "50.00") == first
    assert counts() == before


def test_a_key_is_not_used_for_two_things(member: Membership) -> None:
    _spend(member, "50")
    other = make_member(member.programme, character=WANG)
    sell(other.customer, "100")
    before = counts()
    for attempt in (
        lambda: _spend(member, "51"),
        lambda: _spend(other, "50"),
        lambda: _adjust(member, "-50"),
        lambda: spend_points(member, Decimal(50), request_key="k", reason="x", actor=SYSTEM, now=DAY),
    ):
        with pytest.raises(KeyReused):
            attempt()
    assert counts() == before


@pytest.mark.parametrize("points", ["0", "-1", "0.001", "NaN", "Infinity", "1e15"])
def test_points_that_make_no_sense_are_refused(member: Membership, points: str) -> None:
    before = counts()
    with pytest.raises(InvalidPoints):
        _spend(member, points)
    assert counts() == before


@pytest.mark.parametrize("key", ["", "k" * 121])
def test_a_request_needs_a_key_of_sensible_length(member: Membership, key: str) -> None:
    with pytest.raises(InvalidInput):
        _spend(member, "1", key)


def test_points_given_by_hand_open_a_lot_and_say_why(member: Membership) -> None:
    given = _adjust(member, "25.50", until=date(2026, 6, 30))
    assert (given.kind, given.amount, given.explanation) == ("adjust", Decimal("25.50"), {"reason": "Goodwill"})
    assert open_lots(member)[0] == ("2026-06-30", Decimal("25.50"))
    assert Account.objects.get(membership=member, bucket="adjusted").balance == Decimal("-25.50")


def test_points_given_by_hand_repay_a_debt_first() -> None:
    member = make_member()
    purchase = sell(member.customer, "100")
    _spend(member, "100", "s")
    give_back(purchase, "100")
    given = _adjust(member, "130")
    assert given.explanation == {"reason": "Goodwill", "repaid": "100.00"}
    assert open_lots(member) == [("None", Decimal(30))]


def test_points_taken_by_hand_never_put_the_balance_below_zero(member: Membership) -> None:
    _adjust(member, "-140")
    with pytest.raises(InsufficientPoints):
        _adjust(member, "-0.01", key="other")
    assert available(member) == 0


def test_an_adjustment_needs_a_reason_a_future_and_the_right(member: Membership) -> None:
    before = counts()
    with pytest.raises(ReasonRequired):
        adjust_points(member, Decimal(1), reason=" ", request_key="k", actor=SYSTEM, now=DAY)
    with pytest.raises(InvalidInput):
        _adjust(member, "1", until=date(2026, 1, 9))
    with pytest.raises(PermissionRefused):
        adjust_points(member, Decimal(1), reason="x", request_key="k", actor=actor_in(Role.CASHIER), now=DAY)
    assert counts() == before


def test_expiry_takes_each_lot_once_and_only_after_its_last_day(member: Membership) -> None:
    assert expire_lots(as_of=date(2026, 11, 30), actor=SYSTEM, now=DAY).lots == 0
    done = expire_lots(as_of=date(2026, 12, 1), actor=SYSTEM, now=DAY)
    assert (done.lots, done.points) == (1, Decimal(40))
    movement = LedgerTransaction.objects.get(kind="expire")
    assert (movement.amount, movement.explanation) == (Decimal(-40), {"expires_on": "2026-11-30"})
    assert movement.occurred_at.isoformat() == "2026-11-30T16:00:00+00:00"  # midnight in Hong Kong
    assert expire_lots(as_of=date(2026, 12, 1), actor=SYSTEM, now=DAY).due == 0
    assert available(member) == 100
    assert Account.objects.get(membership=member, bucket="expired").balance == 40
    told = Activity.objects.get(kind="points.expired")
    assert (told.customer, told.facts) == (member.customer, {"points": -40})


def test_expiry_goes_slice_by_slice(member: Membership) -> None:
    for day in range(5):
        sell(member.customer, "10", at=DAY - timedelta(days=400 + day))
    slices = [expire_lots(as_of=date(2026, 1, 10), batch=2, actor=SYSTEM, now=DAY).lots for _ in range(4)]
    assert slices == [2, 2, 1, 0]
    assert available(member) == 140
