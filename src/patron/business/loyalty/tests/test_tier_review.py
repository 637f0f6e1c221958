"""The review of tiers: what is decided, when it counts, who is skipped, and that it is the naive model's decision."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patron.business.loyalty import tier_jobs
from patron.business.loyalty.models import Membership, TierChange
from patron.business.loyalty.operations import grant_tier, publish_version, review_tiers
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.testing import make_member, make_programme, make_terms
from patron.business.loyalty.tests.support import follow_in_bulk, sell, void, write_purchase
from patron.business.loyalty.tests.tiers import hold, member_with, noon, review, standing, tiers
from patron.core.activities.models import Activity
from patron.core.customers.testing import CAST, CHAN
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


def last(member: Membership) -> TierChange:
    return TierChange.objects.filter(membership=member).latest("pk")


# --- the windows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "joined_on", "reached_on", "until", "counts", "too_early", "next_until"),
    [
        # A calendar year: reached in 2026, kept to the end of 2027; what is bought in 2027 counts.
        ("calendar_year", "2020-01-01", "2026-03-01", "2027-12-31", "2027-01-01", "2026-12-31", "2028-12-31"),
        # The year since joining on 15 May: reached in the year from May 2025, kept to the end of the next one.
        ("membership_year", "2020-05-15", "2026-03-01", "2027-05-14", "2026-05-15", "2026-05-14", "2028-05-14"),
        # The last twelve months, moving with every day.
        ("rolling", "2020-01-01", "2026-03-01", "2027-03-01", "2026-03-02", "2026-03-01", "2028-03-01"),
    ],
)
@pytest.mark.parametrize("in_window", [True, False])
def test_what_counts_is_what_fell_into_the_window(
    window: str, joined_on: str, reached_on: str, until: str, counts: str, too_early: str, next_until: str,
    in_window: bool,
) -> None:  # fmt: skip
    member = member_with(tiers(window=window), joined_on=date.fromisoformat(joined_on))
    sell(member.customer, "1000", at=noon(reached_on))
    assert standing(member) == ("silver", until)
    write_purchase(member.customer, "1000", at=noon(counts if in_window else too_early))
    day_after = date.fromisoformat(until) + timedelta(days=1)

    assert review(until) == (0, 0, 0)
    assert review(day_after) == (1, 1, 0 if in_window else 1)
    assert standing(member) == (("silver", next_until) if in_window else ("", "None"))
    assert review(day_after) == (0, 0, 0)


def test_the_last_moment_of_the_window_is_that_of_the_house() -> None:
    member = member_with(tiers())
    hold(member, "silver", date(2026, 12, 31))
    write_purchase(member.customer, "999", at=noon("2026-06-01"))
    late = noon("2026-12-31") + timedelta(hours=11, minutes=59)  # 23:59 in Hong Kong
    write_purchase(member.customer, "0.99", at=late)
    write_purchase(member.customer, "500", at=late + timedelta(minutes=1))
    review("2027-01-01")
    assert (standing(member)[0], last(member).value) == ("", Decimal("999.99"))


@pytest.mark.parametrize(("measure", "value"), [("spend", "2000.00"), ("visits", "2.00"), ("qualifying", "1500.00")])
def test_each_measure_counts_its_own(measure: str, value: str) -> None:
    """Three sales and a return: money net of the return, visits, and qualifying points of what was earned then."""
    member = member_with(tiers(measure=measure))
    for day, amount in (("2026-02-01", "1500"), ("2026-03-01", "1000"), ("2025-12-31", "400")):
        sell(member.customer, amount, at=noon(day))
    original = write_purchase(member.customer, "0", at=noon("2025-11-01"))
    write_purchase(member.customer, "-500", at=noon("2026-04-01"), original=original)
    if measure == "qualifying":
        purchase = member.transactions.filter(unit="qualifying", amount=1000).get().purchase
        assert purchase is not None
        void(purchase, at=noon("2026-04-02"))
    hold(member, "silver", date(2026, 12, 31))
    review("2027-01-01")
    assert str(last(member).value) == value


# --- what a review decides ---------------------------------------------------------------------------------------


def test_grace_waits_and_counts() -> None:
    member = member_with(tiers(grace_days=30))
    hold(member, "gold", date(2026, 12, 31))
    write_purchase(member.customer, "2000", at=noon("2026-06-01"))
    write_purchase(member.customer, "1000", at=noon("2027-01-30"))
    assert review("2027-01-30") == (0, 0, 0)
    assert review("2027-01-31") == (1, 1, 0)
    kept = last(member)
    assert (kept.reason, kept.value, str(kept.window_until)) == ("kept", Decimal(3000), "2027-01-30")
    assert standing(member) == ("gold", "2027-12-31")


def test_without_soft_landing_a_member_falls_to_what_the_measure_reaches() -> None:
    member = member_with(tiers())
    hold(member, "black", date(2026, 12, 31))
    write_purchase(member.customer, "1200", at=noon("2026-06-01"))
    review("2027-01-01")
    assert standing(member) == ("silver", "2027-12-31")
    change = last(member)
    assert (change.before, change.after, change.reason) == ("black", "silver", "down")
    assert (change.measure, change.value, change.threshold) == ("spend", Decimal(1200), Decimal(1000))
    assert (str(change.window_from), str(change.window_until)) == ("2026-01-01", "2026-12-31")
    assert change.effective_at.isoformat() == "2026-12-31T16:00:00+00:00"  # midnight in Hong Kong


def test_soft_landing_goes_down_one_tier_a_year() -> None:
    member = member_with(tiers(soft_landing=True))
    hold(member, "black", date(2026, 12, 31))
    told = []
    for year in (2027, 2028, 2029):
        review(f"{year}-01-01")
        told.append((standing(member), last(member).reason))
    assert told == [
        (("gold", "2027-12-31"), "soft_landing"),
        (("silver", "2028-12-31"), "soft_landing"),
        (("", "None"), "down"),
    ]
    assert Membership.objects.get().tier_since is None


def test_a_review_years_late_decides_as_each_in_time() -> None:
    member = member_with(tiers(soft_landing=True))
    hold(member, "black", date(2026, 12, 31))
    tier_jobs.review(timestamp=int(noon("2029-06-01").timestamp()))
    assert standing(member) == ("", "None")
    days = [change.effective_at.isoformat() for change in TierChange.objects.order_by("pk")]
    assert days == [f"{year}-12-31T16:00:00+00:00" for year in (2026, 2027, 2028)]


def test_an_invitation_leaves_what_was_earned_meanwhile() -> None:
    member = member_with(tiers())
    hold(member, "black", date(2026, 12, 31), invited=True)
    write_purchase(member.customer, "3500", at=noon("2026-06-01"))
    review("2027-01-01")
    assert (*standing(member), member.tier_invited) == ("gold", "2027-12-31", False)
    assert last(member).reason == "invitation_over"


def test_an_invitation_leaves_the_tier_held_before_while_that_runs() -> None:
    member = member_with(tiers())
    sell(member.customer, "3500", at=noon("2026-03-01"))
    grant_tier(member, "black", until=date(2027, 3, 31), note="Opening night", actor=SYSTEM, now=noon("2027-01-10"))
    review("2027-04-01")
    assert standing(member) == ("gold", "2027-12-31")
    review("2028-01-01")
    assert standing(member) == ("", "None")


def test_a_tier_without_an_end_is_not_reviewed() -> None:
    member = member_with(tiers())
    hold(member, "black", None, invited=True)
    assert review("2099-01-01") == (0, 0, 0)


def test_the_version_in_force_on_the_day_of_the_review_decides_however_late() -> None:
    programme = make_programme(terms=tiers())
    member = make_member(programme)
    hold(member, "gold", date(2026, 12, 31))
    write_purchase(member.customer, "2500", at=noon("2026-06-01"))
    for threshold, since in (("2000", "2026-12-20"), ("9999", "2027-01-02")):
        ladder = [{"code": "gold", "name": "Gold", "threshold": threshold}]
        version = publish_version(
            programme, make_terms(1, 1, 12, tiers(ladder=ladder)), valid_from=noon(since), actor=SYSTEM,
            now=noon("2026-12-15"),
        )  # fmt: skip
        if threshold == "2000":
            wanted = version
    review("2027-02-01")
    assert standing(member)[0] == "gold"
    assert (last(member).version, last(member).threshold) == (wanted, Decimal(2000))


def test_a_ladder_that_is_gone_leaves_nobody_a_tier() -> None:
    programme = make_programme(terms=tiers())
    member = make_member(programme)
    hold(member, "gold", date(2026, 12, 31))
    publish_version(programme, Terms(), valid_from=noon("2026-12-20"), actor=SYSTEM, now=noon("2026-12-15"))
    review("2027-01-01")
    assert standing(member) == ("", "None")


def test_members_who_wait_in_grace_do_not_hold_up_others() -> None:
    slow, quick = make_programme(terms=tiers(grace_days=90)), make_programme(terms=tiers())
    waiting, due = make_member(slow), make_member(quick, character=CAST[1])
    hold(waiting, "gold", date(2026, 11, 30))
    hold(due, "gold", date(2026, 12, 31))
    assert review("2027-01-01", batch=1) == (1, 1, 1)
    assert (standing(waiting)[0], standing(due)[0]) == ("gold", "")


# --- what is told, and what it costs -----------------------------------------------------------------------------


def test_only_a_change_is_news() -> None:
    programme = make_programme(terms=tiers())
    keeps, falls = make_member(programme), make_member(programme, character=CAST[1])
    for member in (keeps, falls):
        hold(member, "silver", date(2026, 12, 31))
    write_purchase(keeps.customer, "1000", at=noon("2026-06-01"))
    assert review("2027-01-01") == (2, 2, 1)
    news = Activity.objects.filter(kind="loyalty.tier_changed")
    assert [(one.customer_id, one.facts) for one in news] == [
        (falls.customer_id, {"before": "silver", "after": "", "reason": "down"})
    ]
    assert (str(keeps.tier_changes.get().reason), keeps.tier_changes.get().actor) == ("kept", "system")
    keeps.refresh_from_db()
    assert str(keeps.tier_since) == "2025-01-01"


def test_nothing_due_costs_one_probe() -> None:
    member = member_with(tiers())
    hold(member, "gold", date(2026, 12, 31))
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert review("2026-12-31") == (0, 0, 0)
    assert [q["sql"] for q in seen.captured_queries if "loyalty_" in q["sql"] and "kernel_audit" not in q["sql"]] == [
        "SELECT FROM loyalty_membership WHERE tier_until < '2026-12-31'::date LIMIT 1"
    ]


def test_a_slice_costs_as_many_statements_for_one_as_for_four() -> None:
    programme = make_programme(terms=tiers())
    members = [make_member(programme, character=character) for character in CAST[:4]]
    hold(members[0], "gold", date(2025, 12, 31))
    review("2026-01-01")  # reads the terms of the version, once in a process
    counts = []
    for held in (members[:1], members):
        for member in held:
            hold(member, "gold", date(2026, 12, 31))
        with CaptureQueriesContext(connection) as seen:
            review("2027-01-01")
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 13


# --- the naive model ---------------------------------------------------------------------------------------------

DAYS = st.integers(0, 1200).map(lambda n: date(2024, 6, 1) + timedelta(days=n))


def _year_later(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def _naive(
    window: str, joined: date, until: date, grace: int, soft: bool, held: int, bought: list[tuple[date, int]]
) -> tuple[int, date | None, int]:
    """The tier after the review as a place on the ladder, its end, and what counted: day by day."""
    if window == "calendar_year":
        first, next_until = date(until.year, 1, 1), date(until.year + 1, 12, 31)
    elif window == "membership_year":
        first = joined
        while _year_later(first) <= until:
            first = _year_later(first)
        next_until = _year_later(until)
    else:
        first = until.replace(year=until.year - 1) + timedelta(days=1)
        next_until = _year_later(until)
    last_day = until + timedelta(days=grace)
    counted, day = 0, max(first, joined)
    while day <= last_day:
        counted += sum(amount for on, amount in bought if on == day)
        day += timedelta(days=1)
    after = sum(counted >= threshold for threshold in (1000, 3000, 9000))
    if soft:
        after = max(after, held - 1)
    return after, next_until if after else None, counted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=st.sampled_from(["calendar_year", "membership_year", "rolling"]),
    measure=st.sampled_from(["spend", "qualifying"]),
    grace=st.sampled_from([0, 1, 45]),
    soft=st.booleans(),
    joined=st.sampled_from([date(2024, 6, 1), date(2025, 3, 31), date(2026, 1, 1)]),
    until=st.sampled_from([date(2026, 3, 31), date(2026, 12, 31), date(2027, 5, 31)]),
    held=st.integers(1, 3),
    bought=st.lists(st.tuples(DAYS, st.sampled_from([1, 499, 500, 999, 1000, 2000, 9000])), max_size=8),
)
def test_reviews_decide_as_the_naive_model(
    window: str, measure: str, grace: int, soft: bool, joined: date, until: date, held: int,
    bought: list[tuple[date, int]],
) -> None:  # fmt: skip
    if window == "membership_year":  # its tiers end on the eve of the day of joining
        until = date(2027, joined.month, joined.day) - timedelta(days=1)
    with transaction.atomic():
        terms = tiers(window=window, measure=measure, grace_days=grace, soft_landing=soft)
        member = member_with(terms, joined_on=joined)
        for on, amount in sorted(bought):
            sell(member.customer, str(amount), at=noon(on))
        hold(member, ("silver", "gold", "black")[held - 1], until)
        due = until + timedelta(days=grace + 1)
        before = review_tiers(as_of=due - timedelta(days=1), actor=SYSTEM, now=noon(due), batch=1)
        assert before.due == 0
        assert review(due)[:2] == (1, 1)
        after, next_until, counted = _naive(window, joined, until, grace, soft, held, bought)
        assert standing(member) == (("", "silver", "gold", "black")[after], str(next_until))
        assert last(member).value == counted
        transaction.set_rollback(True)


# --- online and in bulk ------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    measure=st.sampled_from(["spend", "qualifying", "visits"]),
    window=st.sampled_from(["calendar_year", "rolling"]),
    bought=st.lists(
        st.tuples(DAYS, st.integers(0, 1), st.sampled_from([10, 700, 1000, 2500, 8000])), min_size=2, max_size=10
    ),
    cut=st.integers(1, 9),
)
def test_immediate_upgrades_are_the_same_one_by_one_and_in_two_files(
    measure: str, window: str, bought: list[tuple[date, int, int]], cut: int
) -> None:
    ladder: list[dict[str, Any]] = [
        {"code": "silver", "name": "Silver", "threshold": "2" if measure == "visits" else "1000", "multiplier": "1.5"},
        {"code": "gold", "name": "Gold", "threshold": "4" if measure == "visits" else "3000", "multiplier": "2"},
    ]
    outcomes = []
    for in_bulk in (False, True):
        with transaction.atomic():
            programme = make_programme("club", terms=tiers(measure=measure, window=window, ladder=ladder))
            members = [make_member(programme, character=one, joined_on=date(2024, 6, 1)) for one in (CHAN, CAST[1])]
            sales = [(noon(on) + timedelta(minutes=n), who, net) for n, (on, who, net) in enumerate(sorted(bought))]
            if in_bulk:
                for part in (sales[:cut], sales[cut:]):
                    if part:
                        follow_in_bulk(
                            [write_purchase(members[who].customer, str(net), at=at) for at, who, net in part]
                        )
            else:
                for at, who, net in sales:
                    sell(members[who].customer, str(net), at=at)
            outcomes.append(
                [
                    [
                        standing(member),
                        list(
                            member.tier_changes.order_by("pk").values_list(
                                "before", "after", "reason", "effective_at", "until", "value", "window_from"
                            )
                        ),
                        list(member.transactions.order_by("occurred_at", "unit").values_list("unit", "amount")),
                    ]
                    for member in members
                ]
            )
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]
