"""The simulator: current terms give exactly what was posted, and drafts what they say; nothing stays behind."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.business.loyalty.models import LedgerTransaction, Membership, Programme, TierChange
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.simulating import Simulation, last_month, simulate
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import DAY, counts, follow_in_bulk, give_back, sell, void, write_purchase
from patron.core.customers.testing import CHAN, LI, WANG

pytestmark = pytest.mark.django_db

NOW = DAY + timedelta(days=90)
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
IN_FEBRUARY = DAY + timedelta(days=25)
LADDER = {
    "measure": "qualifying",
    "ladder": [
        {"code": "silver", "name": "Silver", "threshold": "100", "multiplier": "1.5"},
        {"code": "gold", "name": "Gold", "threshold": "300", "multiplier": "2"},
    ],
}
RICH: dict[str, Any] = {
    "tiers": LADDER,
    "cap": {"purchase": "400", "period": "900", "period_days": 20},
    "bonuses": [
        {"code": "weekend", "name": "Weekend", "effect": "multiply", "factor": "2", "weekdays": [6, 7]},
        {"code": "first", "name": "First", "effect": "fixed", "points": "50", "first_purchase": True},
        {"code": "third", "name": "Third visit", "effect": "per_amount", "points": "3", "amount": "10",
         "every_nth_visit": 3, "cap": {"day": "30"}},
    ],
}  # fmt: skip


class Undo(Exception):
    """Leaves no trace of an example."""


def _terms(**more: Any) -> Terms:
    return Terms.read({"base": {"points": "1", "per_amount": "1"}, **more})


def _simulate(programme: Programme, terms: Terms) -> Simulation:
    return simulate(programme, terms, from_on=FEBRUARY[0], until_on=FEBRUARY[1], now=NOW)


sales = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 40_000), st.integers(0, 89 * 24)), max_size=25
)  # who, cents, hours after the first day


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sold=sales, measure=st.sampled_from(["qualifying", "spend", "visits"]), bulk=st.booleans())
def test_the_terms_in_force_give_what_was_posted(sold: list[tuple[int, int, int]], measure: str, bulk: bool) -> None:
    given_terms = RICH | {"tiers": LADDER | {"measure": measure}}
    try:
        with transaction.atomic():
            programme = make_programme(terms=given_terms)
            members = [make_member(programme, character=one) for one in (CHAN, WANG, LI)]
            # Bulk is first posted, as a file of history would be; what comes later goes over the till.
            ordered = sorted(sold, key=lambda one: one[2])
            half = len(ordered) // 2 if bulk else 0
            follow_in_bulk([_write(members, one) for one in ordered[:half]])
            for one in ordered[half:]:
                who, cents, hours = one
                sell(members[who].customer, Decimal(cents) / 100, at=DAY - timedelta(days=20) + timedelta(hours=hours))
            found = _simulate(programme, Terms.read(_read_back(programme)))
            raised = (
                TierChange.objects.filter(reason="upgrade", effective_at__gte="2026-02-01T00:00+08:00")
                .filter(effective_at__lt="2026-03-01T00:00+08:00")
                .count()
            )
            assert (found.points, found.stamps, found.gain, found.lose) == (found.points_then, Decimal(0), 0, 0)
            assert all(rule.points == rule.points_then for rule in found.rules), found.rules
            assert all(tier.rises == tier.rises_then for tier in found.tiers), found.tiers
            assert bool(raised) == any(tier.rises for tier in found.tiers)
            raise Undo
    except Undo:
        pass


def _write(members: list[Membership], one: tuple[int, int, int]) -> Any:
    who, cents, hours = one
    at = DAY - timedelta(days=20) + timedelta(hours=hours)
    return write_purchase(members[who].customer, Decimal(cents) / 100, at=at)


def _read_back(programme: Programme) -> Any:
    return programme.versions.get().terms


def test_a_draft_is_compared_with_what_was_posted() -> None:
    programme = make_programme()
    chan, wang = make_member(programme), make_member(programme, character=WANG)
    sell(chan.customer, "100", at=IN_FEBRUARY)
    sell(wang.customer, "50.50", at=IN_FEBRUARY)
    sell(wang.customer, "500", at=DAY)  # in January
    double = {"code": "big", "name": "Big baskets", "effect": "multiply", "factor": "2", "minimum": "60"}

    found = _simulate(programme, Terms.read({"base": {"points": "1", "per_amount": "2"}, "bonuses": [double]}))

    assert (found.sales, found.members, found.net_amount) == (2, 2, Decimal("150.50"))
    assert (found.points, found.points_then, found.difference) == (Decimal(125), Decimal(150), Decimal(-25))
    assert (found.cost, found.cost_then, found.cost_difference) == (Decimal("1.25"), Decimal("1.50"), Decimal("-0.25"))
    assert found.share == Decimal("1.25") / Decimal("150.50")
    assert [(rule.code, rule.points, rule.sales, rule.points_then) for rule in found.rules] == [
        ("", Decimal(75), 2, Decimal(150)),
        ("big", Decimal(50), 1, Decimal(0)),
    ]
    assert (found.gain, found.lose, found.winners) == (0, 1, [])
    assert [(one.membership_id, one.points, one.points_then) for one in found.losers] == [
        (wang.pk, Decimal(25), Decimal(50))
    ]


def test_only_what_came_before_the_period_counts_towards_tiers_and_caps() -> None:
    programme = make_programme(terms={"tiers": LADDER})
    chan = make_member(programme)
    sell(chan.customer, "90", at=DAY)
    sell(chan.customer, "20", at=IN_FEBRUARY)  # silver
    sell(chan.customer, "1000", at=IN_FEBRUARY + timedelta(days=28))  # gold, in March
    assert Membership.objects.get(pk=chan.pk).tier == "gold"

    found = _simulate(programme, _terms(tiers=LADDER))
    assert (found.points, found.points_then) == (Decimal(20), Decimal(20))
    assert [(tier.code, tier.rises, tier.rises_then) for tier in found.tiers] == [("silver", 1, 1), ("gold", 0, 0)]

    capped = _simulate(programme, _terms(tiers=LADDER, cap={"period": "100", "period_days": 60}))
    assert (capped.points, capped.capped, capped.cut) == (Decimal(10), 1, Decimal(10))


def test_a_tier_given_by_hand_in_the_period_is_given_again() -> None:
    programme = make_programme(terms={"tiers": LADDER})
    chan = make_member(programme)
    TierChange.objects.create(
        membership=chan, before="", after="gold", reason="invited", effective_at=IN_FEBRUARY - timedelta(hours=1)
    )
    sell(chan.customer, "10", at=IN_FEBRUARY)

    found = _simulate(programme, _terms(tiers=LADDER))

    assert (found.points, found.points_then) == (Decimal(20), Decimal(20))


def test_awards_worth_more_than_the_basket_are_found() -> None:
    programme = make_programme()
    chan = make_member(programme)
    small = sell(chan.customer, "3", at=IN_FEBRUARY)
    sell(chan.customer, "900", at=IN_FEBRUARY)
    gift = {"code": "gift", "name": "Gift", "effect": "fixed", "points": "500"}

    found = _simulate(programme, _terms(bonuses=[gift]))

    assert found.above_basket == 1
    assert found.worst is not None
    assert (found.worst.purchase_id, found.worst.net_amount, found.worst.points) == (small.pk, Decimal(3), Decimal(503))


def test_returns_are_left_out_on_both_sides_and_voided_sales_altogether() -> None:
    programme = make_programme()
    chan = make_member(programme)
    give_back(sell(chan.customer, "100", at=IN_FEBRUARY), "40", at=IN_FEBRUARY + timedelta(days=1))
    void(sell(chan.customer, "70", at=IN_FEBRUARY), at=IN_FEBRUARY + timedelta(days=1))

    found = _simulate(programme, _terms())

    assert (found.sales, found.points, found.points_then) == (1, Decimal(100), Decimal(100))


def test_nothing_stays_behind() -> None:
    programme = make_programme(terms={"tiers": LADDER})
    chan = make_member(programme)
    sell(chan.customer, "100", at=IN_FEBRUARY)
    before = (counts(), TierChange.objects.count(), Membership.objects.get(pk=chan.pk).tier)

    _simulate(programme, _terms(bonuses=RICH["bonuses"]))

    assert (counts(), TierChange.objects.count(), Membership.objects.get(pk=chan.pk).tier) == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('loyalty_simulated'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == (None, "off")
    assert LedgerTransaction.objects.filter(kind="earn", unit="points").count() == 1


def test_a_period_without_sales_gives_nothing() -> None:
    found = _simulate(make_programme(), _terms(tiers=LADDER))

    assert (found.sales, found.points, found.share) == (0, Decimal(0), Decimal(0))


def test_last_month() -> None:
    assert last_month(date(2026, 3, 31)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert last_month(date(2026, 1, 1)) == (date(2025, 12, 1), date(2025, 12, 31))
