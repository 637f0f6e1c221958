from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.utils import translation

from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, actor_in, make_branch, make_staff
from patron.core.customers import operations
from patron.core.customers.filters import SORTS, CustomerFilter
from patron.core.customers.models import Customer, Insight, InsightRun
from patron.core.customers.queries import count_customers, list_customers, listing, walk_customers
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import WANG, make_customer
from patron.kernel.errors import PermissionRefused

AGENT = actor_in(Role.SERVICE_AGENT)
TODAY = date(2026, 3, 2)


@pytest.fixture
def shop(db) -> dict[str, Customer]:
    """Twelve customers: ranks 1 to 8 by value, the last four without any insight."""
    kowloon, island = make_branch("KLN", "九龍店"), make_branch("ISL", "港島店")
    people = {}
    for number in range(1, 13):
        people[f"n{number:02}"] = make_customer(
            WANG, name=f"客{number:02}", branch=kowloon if number % 2 else island, number=f"L{number:02}",
            registered_on=date(2020, 1, number),
        )  # fmt: skip
    value = InsightRun.objects.create(model="value", as_of=TODAY, computed_at=NOW)
    cycle = InsightRun.objects.create(model="lifecycle", as_of=TODAY, computed_at=NOW)
    for rank in range(1, 9):
        customer = people[f"n{rank:02}"]
        Insight.objects.create(
            customer=customer, model="value", run=value, label="ABC"[(rank - 1) // 3], score=Decimal(1000 - rank),
            rank=rank, facts={"vip": rank <= 2},
        )  # fmt: skip
        Insight.objects.create(
            customer=customer, model="lifecycle", run=cycle, label="mature" if rank < 6 else "declining",
            facts={"at_risk": rank in (2, 7), "last_on": str(TODAY - timedelta(days=rank * 5))},
        )  # fmt: skip
    return people


def listed(wanted: CustomerFilter, actor=AGENT, **options) -> list[str]:
    return [row.number for row in walk_customers(wanted, actor, today=TODAY, **options)]


def numbers(*wanted: int) -> list[str]:
    return [f"L{number:02}" for number in wanted]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-value", range(1, 13)),
        ("value", [*range(8, 0, -1), 9, 10, 11, 12]),
        ("-last_visit", range(1, 13)),
        ("last_visit", [*range(8, 0, -1), 9, 10, 11, 12]),
        ("name", range(1, 13)),
        ("-number", range(12, 0, -1)),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 5, 8, 50])
def test_pages_join_up_in_both_directions(shop, monkeypatch, sort: str, expected, size: int) -> None:
    wanted = CustomerFilter(sort=sort)
    forward, after, positions = [], "", []
    while True:
        page = list_customers(wanted, AGENT, today=TODAY, after=after, limit=size)
        forward.append([row.number for row in page.rows])
        positions.append(page)
        after = page.after
        if not after:
            break
    assert [number for page in forward for number in page] == numbers(*expected)
    assert positions[0].before == ""
    backward, before = [forward[-1]], positions[-1].before
    while before:
        page = list_customers(wanted, AGENT, today=TODAY, before=before, limit=size)
        backward.insert(0, [row.number for row in page.rows])
        assert page.after
        before = page.before
    assert backward == forward


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (CustomerFilter(vip=True), [1, 2]),
        (CustomerFilter(value="B"), [4, 5, 6]),
        (CustomerFilter(stage="declining"), [6, 7, 8]),
        (CustomerFilter(at_risk=True), [2, 7]),
        (CustomerFilter(branch="ISL"), [2, 4, 6, 8, 10, 12]),
        (CustomerFilter(branch="nowhere"), []),
        (CustomerFilter(unseen_days=30), [6, 7, 8]),
        (CustomerFilter(unseen_days=31), [7, 8]),
        (CustomerFilter(seen_since=TODAY - timedelta(days=10)), [1, 2]),
        (CustomerFilter(seen_since=TODAY - timedelta(days=20), seen_until=TODAY - timedelta(days=15)), [3, 4]),
        (CustomerFilter(registered_since=date(2020, 1, 11)), [11, 12]),
        (CustomerFilter(registered_until=date(2020, 1, 1)), [1]),
        (CustomerFilter(kind="organisation"), []),
        (CustomerFilter(vip=True, branch="ISL", stage="mature"), [2]),
    ],
)
def test_filters_list_and_count_the_same(shop, wanted: CustomerFilter, expected: list[int]) -> None:
    assert listed(wanted) == numbers(*expected)
    count = count_customers(wanted, AGENT, today=TODAY)
    assert (count.number, count.exact) == (len(expected), True)


def test_only_narrows_to_given_ids(shop) -> None:
    only = [shop["n03"].pk, shop["n10"].pk]
    assert listed(CustomerFilter(), only=only) == numbers(3, 10)
    assert count_customers(CustomerFilter(), AGENT, today=TODAY, only=only).number == 2


def test_status_and_owner(shop) -> None:
    manager, rep = actor_in(Role.BRANCH_MANAGER), make_staff(Role.SALES_REP)
    operations.archive_customer(shop["n01"], actor=manager, now=NOW)
    operations.block_customer(shop["n02"], reason="x", actor=manager, now=NOW)
    operations.update_customer(shop["n03"], {"owner": rep}, actor=AGENT, now=NOW)
    assert listed(CustomerFilter())[:2] == numbers(2, 3)
    assert listed(CustomerFilter(status="archived")) == numbers(1)
    assert listed(CustomerFilter(status="blocked")) == numbers(2)
    assert len(listed(CustomerFilter(status="all"))) == 12
    assert listed(CustomerFilter(owner=rep.pk)) == numbers(3)


def test_consent_is_what_was_said_last(shop) -> None:
    def say(key: str, channel: str, granted: bool, days_ago: int) -> None:
        operations.record_consent(
            shop[key], purpose="marketing", channel=channel, granted=granted, source="form",
            given_at=NOW - timedelta(days=days_ago), actor=AGENT, now=NOW,
        )  # fmt: skip

    say("n01", "sms", True, 3)
    say("n02", "sms", True, 3)
    say("n02", "any", False, 1)
    say("n03", "any", True, 2)
    say("n04", "email", True, 2)
    assert listed(CustomerFilter(consent="sms")) == numbers(1, 3)
    assert listed(CustomerFilter(consent="email")) == numbers(3, 4)


def test_text_searches_within_the_list(shop) -> None:
    refresh_search_terms(customer.pk for customer in shop.values())
    assert listed(CustomerFilter(q="客")) == numbers(*range(1, 13))
    assert listed(CustomerFilter(q="客", vip=True)) == numbers(1, 2)
    assert listed(CustomerFilter(q="L07")) == numbers(7)
    assert listed(CustomerFilter(q="nobody")) == []
    assert count_customers(CustomerFilter(q="nobody"), AGENT, today=TODAY).number == 0


def test_a_crowd_of_one_name_keeps_the_order_of_the_list(shop, monkeypatch) -> None:
    refresh_search_terms(customer.pk for customer in shop.values())
    monkeypatch.setattr("patron.core.customers.search.find.LISTED", 3)
    assert listed(CustomerFilter(q="客")) == numbers(*range(1, 13))
    assert listed(CustomerFilter(q="ke", sort="-number", vip=True)) == numbers(2, 1)
    assert listed(CustomerFilter(q="客", sort="name")) == numbers(*range(1, 13))
    assert count_customers(CustomerFilter(q="客"), AGENT, today=TODAY).number == 12


def test_bound_staff_see_their_branch(shop) -> None:
    island = shop["n02"].home_branch
    bound = actor_in(Role.CASHIER, branches=[island])
    assert listed(CustomerFilter(), bound) == numbers(2, 4, 6, 8, 10, 12)
    assert count_customers(CustomerFilter(), bound, today=TODAY).number == 6
    assert listed(CustomerFilter(), actor_in(Role.CASHIER, branches=[])) == []
    with pytest.raises(PermissionRefused):
        list_customers(CustomerFilter(), replace(AGENT, permissions=frozenset()), today=TODAY)


def test_rows_show_what_the_role_may_see(shop) -> None:
    row = list_customers(CustomerFilter(), AGENT, today=TODAY, limit=1).rows[0]
    assert (row.name, row.branch, row.value_class, row.score, row.vip) == ("客01", "九龍店", "A", Decimal(999), True)
    assert (row.stage, row.at_risk, row.last_visit_on) == ("mature", False, date(2026, 2, 25))
    assert row.phone == "9876 5432"
    assert list_customers(CustomerFilter(), actor_in(Role.CASHIER), today=TODAY).rows[0].phone == "9876 ••••"


@pytest.mark.parametrize("size", [1, 8])
def test_list_asks_the_same_number_of_queries(shop, django_assert_num_queries, size: int) -> None:
    with django_assert_num_queries(2):
        assert len(list_customers(CustomerFilter(), AGENT, today=TODAY, limit=size - 1 or 1).rows)
    with django_assert_num_queries(1):
        count_customers(CustomerFilter(), AGENT, today=TODAY)


@pytest.mark.parametrize("position", ["x", "W10", "WzAsIngiLDFd", "WzAsMSwiMiJd", "WzksMSwyXQ", "é"])
def test_a_position_that_is_none_starts_over(shop, position: str) -> None:
    assert list_customers(CustomerFilter(), AGENT, today=TODAY, after=position, limit=1).rows[0].number == "L01"


def test_count_says_about_beyond_what_it_counts(shop, monkeypatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 5)
    count = count_customers(CustomerFilter(), AGENT, today=TODAY)
    assert count.exact is False
    assert count.number >= 5


WHOLE = CustomerFilter(
    q="王", kind="individual", status="active", branch="KLN", owner=7, value="A", stage="mature", vip=True,
    at_risk=True, unseen_days=30, seen_since=date(2026, 1, 1), seen_until=date(2026, 2, 1), consent="sms", sort="name",
    registered_since=date(2020, 1, 1), registered_until=date(2021, 1, 1),
)  # fmt: skip


def test_filter_is_read_back_from_its_address() -> None:
    assert CustomerFilter.from_query(QueryDict(WHOLE.to_query()).dict()) == WHOLE
    assert CustomerFilter().to_query() == ""
    assert CustomerFilter().is_empty
    assert not WHOLE.is_empty
    assert CustomerFilter.from_query({
        "stage": "gone", "value": "Z", "owner": "-1", "unseen_days": "9" * 30, "sort": "evil", "seen_since": "soon",
        "kind": "x", "status": "x", "consent": "x", "vip": "no",
    }) == CustomerFilter()  # fmt: skip


def test_filter_reads_as_a_sentence() -> None:
    with translation.override("en"):
        assert CustomerFilter().sentence() == "All customers"
        assert CustomerFilter(vip=True).sentence() == "Customers who are VIPs"
        assert CustomerFilter(vip=True, unseen_days=30, branch="KLN").sentence(branch_name="Kowloon") == (
            "Customers who are VIPs, belong to Kowloon and have not come for 30 days"
        )
        chips = CustomerFilter(vip=True, unseen_days=1).chips()
        assert [chip.label for chip in chips] == ["are VIPs", "have not come for 1 day"]
        assert [chip.without for chip in chips] == ["unseen_days=1", "vip=1"]
        assert len(WHOLE.chips()) == 15


def test_every_order_has_a_sort() -> None:
    assert set(listing._ORDERS) == set(SORTS)
