"""Reviews beside tills: members who are being served are left out, and no upgrade is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from patron.business.loyalty import tier_jobs
from patron.business.loyalty.ledger.book import Book
from patron.business.loyalty.models import TierChange
from patron.business.loyalty.operations import award_event, grant_tier
from patron.business.loyalty.queries import check_ledger
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.support import available, follow, write_purchase
from patron.business.loyalty.tests.tiers import hold, member_with, noon, review, standing, tiers
from patron.core.customers.testing import CAST
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(work: list[Callable[[], object]]) -> list[object]:
    """Run all the work at the same moment, each on a connection of its own."""
    barrier = Barrier(len(work))

    def run(do: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_a_member_at_a_till_is_left_for_the_next_pass() -> None:
    programme = make_programme(terms=tiers())
    served, other = (make_member(programme, character=character) for character in CAST[:2])
    for member in (served, other):
        hold(member, "gold", date(2026, 12, 31))
    held, done = Event(), Event()

    def serve() -> None:
        try:
            with transaction.atomic():
                Book([served.pk])
                held.set()
                done.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        till = pool.submit(serve)
        assert held.wait(20)
        try:
            assert review("2027-01-01") == (2, 1, 1)  # without waiting
        finally:
            done.set()
        till.result()
    assert (standing(served)[0], standing(other)[0]) == ("gold", "")
    assert review("2027-01-01") == (1, 1, 1)


def test_sales_during_reviews_lose_neither_an_upgrade_nor_a_review() -> None:
    """Whoever comes first: a sale of the new year that reaches gold leaves gold, reviewed before it or not at all."""
    programme = make_programme(terms=tiers())
    members = [make_member(programme, character=character) for character in CAST[:6]]
    for member in members:
        hold(member, "silver", date(2026, 12, 31))
    sales = [write_purchase(member.customer, "3000", at=noon("2027-01-02")) for member in members]
    clock = int(noon("2027-01-02").timestamp())

    _at_once(
        [
            *[lambda sale=sale: follow(sale) for sale in sales],
            *[lambda: tier_jobs.review(timestamp=clock) for _ in range(2)],
        ]
    )

    for member in members:
        assert standing(member) == ("gold", "2028-12-31")
        told = list(TierChange.objects.filter(membership=member).order_by("pk").values_list("before", "after"))
        assert told in ([("silver", "gold")], [("silver", ""), ("", "gold")])
    assert [check.code for check in check_ledger() if not check.holds] == []


def test_one_event_told_eight_times_at_once_counts_once() -> None:
    member = member_with({"events": [{"code": "profile", "name": "Profile", "points": "50"}]})
    movements = _at_once(
        [lambda: award_event(member, "profile", reference="", actor=SYSTEM, now=noon("2026-01-01"))] * 8
    )
    assert len(set(movements)) == 1
    assert available(member) == 50


def test_one_grant_made_eight_times_at_once_is_one() -> None:
    member = member_with(tiers())
    grants = _at_once(
        [lambda: grant_tier(member, "gold", until=date(2026, 12, 31), note="Why", actor=SYSTEM, now=noon("2026-01-01"))]
        * 8
    )
    assert len(set(grants)) == 1
    assert TierChange.objects.count() == 1
