"""Terms as data: what is read is written back, and what does not make sense is refused where it stands."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.loyalty.baskets import GIFT_CARD, MemberFacts, ProductFacts, categories_of
from patron.business.loyalty.filters import ProductFilter, RuleError, WhenFilter, WhoFilter
from patron.business.loyalty.rules.terms import Expiry, Paying, Terms

GIFT = {"kind": "gift", "name": "A present", "refers_to": "tea"}

points = st.decimals(min_value="0.01", max_value=9999, places=2).map(str)
money = st.decimals(min_value="0.01", max_value=99999, places=2).map(str)
names = st.lists(st.text("abc汉 é-", min_size=1, max_size=8), max_size=3)
clocks = st.none() | st.times().map(lambda clock: clock.isoformat("minutes"))
caps = st.fixed_dictionaries(
    {}, optional={"purchase": points, "day": points, "period": points, "period_days": st.integers(1, 3660)}
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "products": names, "brands": names, "categories": names, "branches": names, "channels": names,
        "tenders": names, "segments": names, "tiers": st.just(["gold"]),
        "weekdays": st.lists(st.integers(1, 7), unique=True, max_size=7),
        "from_on": st.just("2026-01-01"), "until_on": st.dates(date(2026, 1, 1)).map(str),
        "from_time": clocks, "until_time": clocks,
        "birthday": st.sampled_from(["", "day", "week", "month"]), "first_purchase": st.booleans(),
        "every_nth_visit": st.none() | st.integers(2, 1000), "minimum": money, "group": st.sampled_from(["", "g"]),
        "qualifies": st.booleans(), "cap": caps,
    },
)  # fmt: skip
effects = st.one_of(
    st.decimals(min_value="1.01", max_value=100, places=2).map(lambda f: {"effect": "multiply", "factor": str(f)}),
    st.builds(
        lambda effect, given, unit: {"effect": effect, "points": given, "unit": unit},
        st.sampled_from(["per_item", "fixed"]), points, st.sampled_from(["points", "stamps"]),
    ),
    st.builds(lambda given, amount: {"effect": "per_amount", "points": given, "amount": amount}, points, money),
)  # fmt: skip
bonuses = st.lists(st.tuples(conditions, effects), max_size=4).map(
    lambda made: [{"code": f"b{n}", "name": f"B {n}", **wants, **does} for n, (wants, does) in enumerate(made)]
)
terms = st.fixed_dictionaries(
    {
        "tiers": st.builds(
            lambda measure, window, multiplier: {
                "measure": measure, "window": window,
                "ladder": [
                    {"code": "gold", "name": "Gold", "threshold": "100", "multiplier": multiplier},
                    {"code": "black", "name": "Black", "invitation_only": True, "benefits": [GIFT]},
                ],
            },
            st.sampled_from(["qualifying", "spend", "visits"]),
            st.sampled_from(["rolling", "calendar_year", "membership_year"]),
            st.sampled_from(["1", "1.5", "100"]),
        ),
    },
    optional={
        "base": st.one_of(
            st.builds(lambda n, per: {"points": n, "per_amount": per}, points, money),
            st.builds(lambda n, per: {"points": n, "per_amount": per, "whole_units": False}, points, money),
            points.map(lambda n: {"points": n, "per_item": True}),
        ),
        "bonuses": bonuses,
        "events": st.just([{"code": "hello", "name": "Hello", "points": "5", "once": "year"}]),
        "combine": st.sampled_from(["multiply", "add"]), "rounding": st.sampled_from(["down", "half_up", "up"]),
        "cap": caps, "excluded": st.fixed_dictionaries({}, optional={"products": names, "categories": names}),
        "excluded_kinds": st.just([]) | st.just([GIFT_CARD]), "excluded_tenders": names,
        "pending_days": st.integers(0, 365),
        "expiry": st.builds(
            lambda kind, n: {"kind": kind, "n": n},
            st.sampled_from(["never", "days", "month_end", "year_end", "rolling"]), st.integers(1, 100),
        ),
        "paying": st.builds(
            lambda n, amount, least, share: {"points": n, "amount": amount, "least": least, "most_share": share},
            points, money, points, st.integers(1, 100),
        ),
    },
)  # fmt: skip


@given(terms)
def test_terms_are_read_as_they_are_written(given: dict[str, Any]) -> None:
    read = Terms.read(given)
    assert Terms.read(read.as_json()) == _without_what_says_nothing(read)
    assert Terms.read(read.as_json()).as_json() == read.as_json()


def _without_what_says_nothing(read: Terms) -> Terms:
    """A filter of exclusions that names nothing excludes nothing, and days of a cap that has no period mean nothing."""

    def plain(one: Any) -> Any:
        return one if one.cap.period is not None else replace(one, cap=replace(one.cap, period_days=30))

    changed: Terms = replace(plain(read), bonuses=tuple(plain(bonus) for bonus in read.bonuses))
    if read.excluded is not None and read.excluded.is_open:
        return replace(changed, excluded=None)
    return changed


BONUS = {"code": "a", "name": "A", "effect": "fixed", "points": "1"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"bas": {}}, "bas"),
        ({"base": []}, "base"),
        ({"base": {"points": "many"}}, "base.points"),
        ({"base": {"points": "-1"}}, "base.points"),
        ({"base": {"points": "NaN"}}, "base.points"),
        ({"base": {"per_amount": "0"}}, "base.per_amount"),
        ({"base": {"per_amount": "0.001"}}, "base.per_amount"),
        ({"bonuses": {}}, "bonuses"),
        ({"bonuses": [{**BONUS, "code": ""}]}, "bonuses[0].code"),
        ({"bonuses": [BONUS, BONUS]}, "bonuses[1].code"),
        ({"bonuses": [{**BONUS, "code": "tier:gold"}]}, "bonuses[0].code"),
        ({"bonuses": [{**BONUS, "points": "0"}]}, "bonuses[0].points"),
        ({"bonuses": [{**BONUS, "effect": "divide"}]}, "bonuses[0].effect"),
        ({"bonuses": [{**BONUS, "effect": "multiply", "factor": "1"}]}, "bonuses[0].factor"),
        ({"bonuses": [{**BONUS, "effect": "multiply", "factor": "0.5"}]}, "bonuses[0].factor"),
        ({"bonuses": [{**BONUS, "effect": "multiply", "factor": "2", "unit": "stamps"}]}, "bonuses[0].unit"),
        ({"bonuses": [{**BONUS, "weekday": [1]}]}, "bonuses[0].weekday"),
        ({"bonuses": [{**BONUS, "weekdays": [0]}]}, "bonuses[0].weekdays"),
        ({"bonuses": [{**BONUS, "weekdays": [True]}]}, "bonuses[0].weekdays"),
        ({"bonuses": [{**BONUS, "products": "MILK"}]}, "bonuses[0].products"),
        ({"bonuses": [{**BONUS, "tenders": "card"}]}, "bonuses[0].tenders"),
        ({"bonuses": [{**BONUS, "from_on": "31.1.2026"}]}, "bonuses[0].from_on"),
        ({"bonuses": [{**BONUS, "from_on": "2026-02-01", "until_on": "2026-01-31"}]}, "bonuses[0].until_on"),
        ({"bonuses": [{**BONUS, "from_time": "25:00"}]}, "bonuses[0].from_time"),
        ({"bonuses": [{**BONUS, "tiers": ["gold"]}]}, "bonuses[0].tiers"),
        ({"bonuses": [{**BONUS, "every_nth_visit": 1}]}, "bonuses[0].every_nth_visit"),
        ({"bonuses": [{**BONUS, "cap": {"week": "1"}}]}, "bonuses[0].cap.week"),
        ({"bonuses": [{**BONUS, "cap": {"day": "-1"}}]}, "bonuses[0].cap.day"),
        ({"cap": {"period": "10", "period_days": 4000}}, "cap.period_days"),
        ({"events": [{"code": "a", "name": "A"}]}, "events[0].points"),
        ({"events": [{"code": "a", "name": "A", "points": "1", "once": "week"}]}, "events[0].once"),
        ({"combine": "both"}, "combine"),
        ({"rounding": "even"}, "rounding"),
        ({"excluded": {"products": [1]}}, "excluded.products"),
        ({"excluded_tenders": "voucher"}, "excluded_tenders"),
        ({"pending_days": 366}, "pending_days"),
        ({"pending_days": "1.5"}, "pending_days"),
        ({"expiry": {"kind": "days", "n": 0}}, "expiry.n"),
        ({"expiry": {"kind": "soon"}}, "expiry.kind"),
        ({"tiers": {"ladder": [{"code": "a", "name": "A"}]}}, "tiers.ladder[0].threshold"),
        ({"paying": {"points": "100"}}, "paying.amount"),
        ({"paying": {"points": "0", "amount": "1"}}, "paying.points"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_where_it_stands(given: dict[str, Any], place: str) -> None:
    with pytest.raises(RuleError) as refused:
        Terms.read(given)
    assert refused.value.place == place


def test_points_pay_whole_cents_down_and_cost_whole_points_up() -> None:
    paying = Paying(Decimal(300), Decimal(10), least=Decimal(100), most_share=Decimal(50))
    assert paying.money_for(Decimal(100)) == Decimal("3.33")
    assert paying.points_for(Decimal("3.33")) == 100
    assert paying.points_for(Decimal("3.34")) == 101
    assert paying.most_for(Decimal("5.01"), Decimal(1000)) == Decimal("2.50")
    assert paying.most_for(Decimal(100), Decimal(99)) == 0


@given(st.decimals(min_value="0.01", max_value=99999, places=2), points, money)
def test_what_money_costs_in_points_pays_at_least_that_money(paid: Decimal, n: str, amount: str) -> None:
    paying = Paying(Decimal(n), Decimal(amount))
    assert paying.money_for(paying.points_for(paid)) >= paid


def test_days_beyond_all_calendars_are_for_ever() -> None:
    assert Expiry("year_end", 100).last_day(date(9950, 1, 1)) is None
    assert Expiry("days", 36500).last_day(date(9999, 1, 1)) is None


# --- filters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "passes"),
    [
        ("2026-01-09 21:59", False),
        ("2026-01-09 22:00", True),
        ("2026-01-09 23:59", True),
        ("2026-01-10 00:00", True),
        ("2026-01-10 01:59", True),
        ("2026-01-10 02:00", False),
        ("2026-01-10 22:30", False),
        ("2026-01-11 01:00", False),
        ("2026-01-09 01:00", False),
    ],
)
def test_hours_over_midnight_belong_to_the_evening_before(at: str, passes: bool) -> None:
    """Friday night, 22:00 to 02:00."""
    late = WhenFilter(weekdays=frozenset({5}), from_time=time(22), until_time=time(2))
    assert late.matches(datetime.fromisoformat(at)) is passes


def test_days_are_included_and_the_last_hour_is_not() -> None:
    when = WhenFilter(date(2026, 1, 9), date(2026, 1, 10), from_time=time(9), until_time=time(18))
    assert [day for day in range(8, 12) if when.matches(datetime(2026, 1, day, 12, tzinfo=UTC))] == [9, 10]
    assert [hour for hour in range(24) if when.matches(datetime(2026, 1, 9, hour, tzinfo=UTC))] == list(range(9, 18))
    assert WhenFilter(until_time=time(0)).matches(datetime(2026, 1, 9, 23, tzinfo=UTC))


@given(st.datetimes(), clocks, clocks)
def test_a_span_and_its_opposite_share_the_day(at: datetime, start: str | None, end: str | None) -> None:
    if start is None or end is None or start == end:
        return
    one = WhenFilter.read({"from_time": start, "until_time": end}, "")
    other = WhenFilter.read({"from_time": end, "until_time": start}, "")
    assert one.matches(at) != other.matches(at)


def test_a_category_holds_all_below_it_and_nothing_beside_it() -> None:
    food = ProductFilter(categories=frozenset({"Food"}))
    assert food.matches(ProductFacts("a", categories=categories_of("Food > Dairy > Milk")))
    assert not food.matches(ProductFacts("a", categories=categories_of("Foods > Dairy")))
    assert not food.matches(ProductFacts("a"))
    assert ProductFilter(frozenset({"a"}), frozenset({"Farm"})).matches(ProductFacts("b", brand="Farm"))


def test_who_needs_a_tier_and_a_segment() -> None:
    who = WhoFilter(frozenset({"gold", "black"}), frozenset({"value:A", "value:B"}))
    assert who.matches(MemberFacts(tier="gold", segments=frozenset({"value:B"})))
    assert not who.matches(MemberFacts(tier="gold"))
    assert not who.matches(MemberFacts(segments=frozenset({"value:B"})))
    assert not who.matches(None)
    assert WhoFilter().matches(None)
