"""Eight connections on few members, every request sent twice: each counts once, and nothing is overdrawn."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from patron.business.loyalty.errors import InsufficientPoints, KeyReused
from patron.business.loyalty.jobs import expire_points
from patron.business.loyalty.models import Account, Card, LedgerTransaction, Membership, ProgrammeVersion
from patron.business.loyalty.operations import (
    adjust_points,
    enrol,
    expire_lots,
    replace_card,
    spend_points,
)
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme, set_rate
from patron.business.loyalty.tests.support import DAY, available, follow, sell, write_purchase
from patron.core.accounts.testing import NOW
from patron.core.customers.testing import CAST, make_customer
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS = 8


def _at_once(work: list[Callable[[], object]]) -> list[object]:
    """Run the work on eight threads that start together, and give every outcome: the result or the refusal."""
    barrier = Barrier(CONNECTIONS)

    def run(mine: list[tuple[int, Callable[[], object]]]) -> list[tuple[int, object]]:
        barrier.wait()
        outcomes: list[tuple[int, object]] = []
        try:
            for place, do in mine:
                try:
                    outcomes.append((place, do()))
                except (InsufficientPoints, KeyReused) as refusal:
                    outcomes.append((place, refusal))
        finally:
            connection.close()
        return outcomes

    numbered = list(enumerate(work))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = pool.map(run, [numbered[start::CONNECTIONS] for start in range(CONNECTIONS)])
        return [outcome for _, outcome in sorted((pair for part in parts for pair in part), key=lambda pair: pair[0])]


def _spending(member: Membership, points: int, key: str) -> tuple[str, Callable[[], object]]:
    return key, lambda: spend_points(member, Decimal(points), request_key=key, actor=SYSTEM, now=NOW)


def _adjusting(member: Membership, points: int, key: str) -> tuple[str, Callable[[], object]]:
    return key, lambda: adjust_points(member, Decimal(points), reason="Test", request_key=key, actor=SYSTEM, now=NOW)


def _ledger_holds() -> None:
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_the_nightly_job_expires_over_connections_of_its_own() -> None:
    programme = make_programme("club")
    members = [make_member(programme, character=character) for character in CAST[:3]]
    for member in members:
        for months in range(5):
            sell(member.customer, "10", at=DAY - timedelta(days=500 + 31 * months))
        sell(member.customer, "7")

    expire_points(timestamp=int(DAY.timestamp()))

    assert [available(member) for member in members] == [Decimal(7)] * 3
    _ledger_holds()


def test_eight_connections_on_few_members_with_retries() -> None:
    chance = random.Random(8)
    programme = make_programme("club")
    members = [make_member(programme, character=character) for character in CAST[:3]]
    before = [sell(member.customer, "200", at=DAY - timedelta(days=500)) for member in members]
    purchases = [
        write_purchase(members[n % 3].customer, Decimal(chance.randrange(100, 9999)) / 100, at=DAY) for n in range(60)
    ]
    returns = [
        write_purchase(original.customer, "-50", original=original, at=DAY + timedelta(days=1)) for original in before
    ]
    requests = [
        *[("", lambda p=purchase: follow(p)) for purchase in (*purchases, *returns)],
        *[_spending(members[n % 3], chance.randrange(1, 60), f"spend {n}") for n in range(60)],
        *[_adjusting(members[n % 3], chance.choice([-7, 9]), f"adjust {n}") for n in range(20)],
        *[("", lambda: expire_lots(as_of=date(2026, 3, 2), batch=2, actor=SYSTEM, now=NOW)) for _ in range(10)],
    ]
    twice = requests * 2
    chance.shuffle(twice)

    outcomes = _at_once([do for _, do in twice])

    _ledger_holds()
    acknowledged: dict[str, set[int]] = {}
    for (key, _), outcome in zip(twice, outcomes, strict=True):
        if isinstance(outcome, LedgerTransaction):
            acknowledged.setdefault(key, set()).add(outcome.pk)
    assert len(acknowledged) > 30
    stored = {
        t.request_key.removeprefix("request:"): {t.pk}
        for t in LedgerTransaction.objects.filter(request_key__startswith="request:")
    }
    assert stored == acknowledged  # every request that was answered is there once, and none that was refused
    earned = LedgerTransaction.objects.filter(kind="earn", purchase__in=purchases)
    assert sorted(earned.values_list("purchase_id", "amount")) == [
        (p.pk, Decimal(int(p.net_amount))) for p in purchases
    ]
    assert LedgerTransaction.objects.filter(kind="return").count() == 3
    for member in members:
        movements = LedgerTransaction.objects.filter(membership=member)
        assert available(member) == sum(movements.values_list("amount", flat=True))


def test_one_balance_is_never_spent_twice() -> None:
    member = make_member()
    sell(member.customer, "100")
    outcomes = _at_once([_spending(member, 100, f"till {n}")[1] for n in range(CONNECTIONS)])
    assert sum(isinstance(outcome, LedgerTransaction) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InsufficientPoints) for outcome in outcomes) == 7
    assert available(member) == 0
    _ledger_holds()


def test_one_key_for_two_members_counts_for_one() -> None:
    programme = make_programme("club")
    members = [make_member(programme, character=character) for character in CAST[:4]]
    outcomes = _at_once([_adjusting(member, 5, "k")[1] for member in members * 2])
    winners = {o.membership_id for o in outcomes if isinstance(o, LedgerTransaction)}
    assert len(winners) == 1
    assert sum(available(member) for member in members) == 5
    assert all(isinstance(o, LedgerTransaction | KeyReused) for o in outcomes)


def test_eight_enrolments_at_once_give_one_member_with_one_card() -> None:
    programme, customer = make_programme("club"), make_customer()
    outcomes = _at_once([lambda: enrol(customer, programme=programme, actor=SYSTEM, now=NOW)] * CONNECTIONS)
    member = Membership.objects.get()
    assert outcomes == [member] * CONNECTIONS
    assert Card.objects.filter(membership=member).count() == 1
    assert Account.objects.filter(membership=member).count() == 2


def test_cards_replaced_at_once_leave_one_that_works() -> None:
    member = make_member()
    _at_once([lambda: replace_card(member, lost=True, actor=SYSTEM, now=NOW)] * CONNECTIONS)
    assert Card.objects.filter(membership=member, status="active").count() == 1
    assert Card.objects.filter(membership=member, status="lost").count() == CONNECTIONS


def test_rules_set_at_once_are_versions_one_after_another() -> None:
    programme = make_programme("club")
    _at_once(
        [
            lambda: set_rate(
                programme, points_per_unit=Decimal(2), unit_amount=Decimal(1), expiry_months=None,
                valid_from=NOW, actor=SYSTEM, now=NOW,
            )
        ] * CONNECTIONS
    )  # fmt: skip
    assert list(ProgrammeVersion.objects.order_by("version").values_list("version", flat=True)) == list(range(1, 10))


def test_a_first_redemption_at_eight_tills_opens_one_account() -> None:
    member = make_member()
    sell(member.customer, "100")
    _at_once([_spending(member, 10, f"till {n}")[1] for n in range(CONNECTIONS)])
    assert available(member) == 20
    assert Account.objects.get(membership=member, bucket="redeemed").balance == 80
