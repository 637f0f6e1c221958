"""What a purchase earns: by property, and by formulas written another way than the code's."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.loyalty.baskets import GIFT_CARD, MemberFacts, ProductFacts
from patron.business.loyalty.rules.earning import (
    Conditions,
    Happening,
    Part,
    Room,
    Rulebook,
    conditions_standing,
    decide_earning,
    is_birthday,
    open_bonuses,
    points_to_take_back,
    scaled,
    unpaid_part,
)
from patron.business.loyalty.rules.sales import MemberState, Sale, advance, decide_sale
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.tests.explaining import points_explained

GOODS = ("MILK", "BREAD", "SOAP")
MULTIPLIERS: list[dict[str, Any]] = [
    {"code": "milk", "name": "M", "effect": "multiply", "factor": "2", "products": ["MILK"]},
    {"code": "food", "name": "F", "effect": "multiply", "factor": "1.5", "products": ["MILK", "BREAD"]},
    {"code": "all", "name": "A", "effect": "multiply", "factor": "3"},
]
NINE = {"purchase": "9"}
OTHERS: list[dict[str, Any]] = [
    {"code": "item", "name": "I", "effect": "per_item", "points": "2.5", "products": ["SOAP"], "cap": NINE},
    {"code": "ten", "name": "T", "effect": "per_amount", "points": "3", "amount": "10", "minimum": "40"},
    {"code": "gift", "name": "G", "effect": "fixed", "points": "7", "products": ["BREAD"]},
    {"code": "stamp", "name": "S", "effect": "per_item", "points": "1", "unit": "stamps", "products": ["MILK"]},
]  # fmt: skip
CODES = tuple(str(bonus["code"]) for bonus in (*MULTIPLIERS, *OTHERS))

cents = st.integers(0, 20_000).map(lambda n: Decimal(n) / 100)
baskets = st.dictionaries(st.sampled_from(GOODS), st.tuples(cents, st.integers(1, 5)), min_size=1)
opened = st.sets(st.sampled_from(CODES)).map(lambda codes: tuple(code for code in CODES if code in codes))
bases = st.sampled_from([
    {"points": "1", "per_amount": "1"}, {"points": "1.5", "per_amount": "2"}, {"points": "2", "per_item": True},
    {"points": "0.3333", "per_amount": "0.5", "whole_units": False},
])  # fmt: skip


def rulebook(**terms: Any) -> Rulebook:
    return Rulebook(Terms.read({"bonuses": [*MULTIPLIERS, *OTHERS], **terms}), 1)


def parts_of(rules: Rulebook, basket: dict[str, tuple[Decimal, int]]) -> list[Part]:
    return rules.parts((ProductFacts(code), net, Decimal(n)) for code, (net, n) in sorted(basket.items()))


@given(
    basket=baskets,
    codes=opened,
    unpaid=cents,
    room=st.none() | st.integers(0, 300),
    base=bases,
    combine=st.sampled_from(["multiply", "add"]),
    rounding=st.sampled_from(["down", "half_up", "up"]),
    cap=st.none() | st.integers(0, 200),
)
def test_every_award_explains_itself(
    basket: dict[str, tuple[Decimal, int]],
    codes: tuple[str, ...],
    unpaid: Decimal,
    room: int | None,
    base: dict[str, Any],
    combine: str,
    rounding: str,
    cap: int | None,
) -> None:
    rules = rulebook(base=base, combine=combine, rounding=rounding, cap={} if cap is None else {"purchase": str(cap)})
    limit = Room(total=None if room is None else Decimal(room))
    award = decide_earning(rules, parts_of(rules, basket), Conditions(open=codes, unpaid=unpaid, room=limit))
    assert points_explained(award.explanation) == award.points
    assert award.points >= 0
    assert award.points <= min(cap if cap is not None else 10**9, room if room is not None else 10**9)
    assert award.eligible == max(sum(net for net, _ in basket.values()) - unpaid, Decimal(0))
    assert Conditions.read(award.explanation.get("conditions", {})) == award.conditions
    assert {step.code for step in award.steps} <= set(codes)


@given(basket=baskets, codes=opened, combine=st.sampled_from(["multiply", "add"]))
def test_multipliers_together_give_what_their_product_or_sum_gives(
    basket: dict[str, tuple[Decimal, int]], codes: tuple[str, ...], combine: str
) -> None:
    """Lines under the same multipliers make whole units together: units × (the factor of them all − 1)."""
    rules = rulebook(combine=combine)
    award = decide_earning(rules, parts_of(rules, basket), Conditions(open=codes))
    together: dict[tuple[str, ...], Decimal] = {}
    for code, (net, _) in basket.items():
        on_it = tuple(m["code"] for m in MULTIPLIERS if m["code"] in codes and code in m.get("products", GOODS))
        together[on_it] = together.get(on_it, Decimal(0)) + net
    factors = {str(m["code"]): Decimal(str(m["factor"])) for m in MULTIPLIERS}
    expected = Decimal(0)
    if award.eligible > 0:
        for on_it, net in together.items():
            whole = Decimal(1)
            for code in on_it:
                whole = whole * factors[code] if combine == "multiply" else whole + factors[code] - 1
            expected += net.to_integral_value(rounding=ROUND_DOWN) * (whole - 1)
    assert sum((step.points for step in award.steps if step.effect == "multiply"), Decimal(0)) == expected


@given(basket=baskets, group=st.sets(st.sampled_from(CODES), min_size=2))
def test_of_a_group_only_the_best_counts(basket: dict[str, tuple[Decimal, int]], group: set[str]) -> None:
    grouped = [{**bonus, "group": "g"} for bonus in (*MULTIPLIERS, *OTHERS) if bonus["code"] in group - {"stamp"}]
    rules = Rulebook(Terms.read({"bonuses": [{k: v for k, v in b.items() if k != "cap"} for b in grouped]}), 1)
    parts = parts_of(rules, basket)
    whole = decide_earning(rules, parts, Conditions(open=CODES))
    alone = [decide_earning(rules, parts, Conditions(open=(str(bonus["code"]),))).exact for bonus in grouped]
    assert len(whole.steps) <= 1
    assert whole.exact == max(alone, default=whole.base_points)


def test_steps_stand_in_the_order_of_the_terms_multipliers_first() -> None:
    rules = rulebook()
    basket = {code: (Decimal(50), 2) for code in GOODS}
    award = decide_earning(rules, parts_of(rules, basket), Conditions(open=tuple(reversed(CODES))))
    assert [step.code for step in award.steps] == list(CODES)


@pytest.mark.parametrize(("rounding", "points"), [("down", 2), ("half_up", 3), ("up", 3)])
def test_only_the_sum_is_rounded(rounding: str, points: int) -> None:
    halves = [{"code": f"b{n}", "name": "B", "effect": "fixed", "points": "0.5"} for n in range(3)]
    rules = Rulebook(Terms.read({"bonuses": halves, "rounding": rounding}), 1)
    award = decide_earning(rules, [Part(0, Decimal("1.99"))], Conditions(open=("b0", "b1", "b2")))
    assert (award.exact, int(award.points)) == (Decimal("2.5"), points)


def test_caps_come_before_rounding() -> None:
    rules = Rulebook(Terms.read({"cap": {"purchase": "10.4"}, "rounding": "down"}), 1)
    assert decide_earning(rules, [Part(0, Decimal(50))]).points == 10


def test_gift_cards_excluded_goods_and_vouchers_earn_nothing() -> None:
    rules = Rulebook(Terms.read({"excluded": {"brands": ["Plain"]}}), 1)
    lines = [
        (ProductFacts("a"), Decimal(30), Decimal(1)),
        (ProductFacts("b", brand="Plain"), Decimal(40), Decimal(1)),
        (ProductFacts("c", kind=GIFT_CARD), Decimal(50), Decimal(1)),
    ]
    tenders = [("voucher", Decimal(5)), ("points", Decimal(4)), ("cash", Decimal(111))]
    unpaid = unpaid_part(rules, tenders)
    award = decide_earning(rules, rules.parts(lines), Conditions(unpaid=unpaid))
    assert [int(n) for n in (unpaid, award.net_amount, award.eligible, award.points)] == [9, 120, 21, 21]


@given(basket=baskets, share=st.integers(1, 100))
def test_a_return_that_names_no_lines_shrinks_them_alike(basket: dict[str, tuple[Decimal, int]], share: int) -> None:
    rules = rulebook()
    parts = parts_of(rules, basket)
    total = sum((part.net_amount for part in parts), Decimal(0))
    to = (total * share / 100).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    small = scaled(parts, to=to)
    assert sum((part.net_amount for part in small), Decimal(0)) == to
    assert all(0 <= new.net_amount <= old.net_amount + 1 for new, old in zip(small, parts, strict=False))


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_never_more_is_taken_than_is_there_and_due(target: int, kept: int, expired: int) -> None:
    taken = points_to_take_back(target=Decimal(target), kept_points=Decimal(kept), expired_points=Decimal(expired))
    if target < kept:
        assert 0 <= taken <= min(kept - target, max(kept - expired, 0))
    else:
        assert taken == kept - target


def test_what_a_voucher_paid_shrinks_with_what_stands() -> None:
    conditions = Conditions(unpaid=Decimal(20))
    assert conditions_standing(conditions, net_amount=Decimal(80), kept_net=Decimal(20)).unpaid == 5
    assert conditions_standing(conditions, net_amount=Decimal(80), kept_net=Decimal(0)).unpaid == 0


@pytest.mark.parametrize(
    ("born", "day", "spans"),
    [
        ("1980-05-10", "2026-05-10", "day week month"),
        ("1980-05-10", "2026-05-13", "week month"),
        ("1980-05-10", "2026-05-14", "month"),
        ("1980-05-01", "2026-04-28", "week"),
        ("1980-01-01", "2026-12-29", "week"),
        ("1980-12-31", "2026-01-03", "week"),
        ("1980-02-29", "2026-02-28", "day week month"),
        ("1980-02-29", "2028-02-28", "week month"),
        ("1980-02-29", "2028-02-29", "day week month"),
        ("1980-02-29", "2026-03-03", "week"),
        ("1980-02-29", "2026-03-04", ""),
    ],
)  # fmt: skip
def test_birthdays(born: str, day: str, spans: str) -> None:
    found = [s for s in ("day", "week", "month") if is_birthday(date.fromisoformat(born), date.fromisoformat(day), s)]
    assert found == spans.split()


def test_who_when_and_where() -> None:
    wants: dict[str, dict[str, Any]] = {
        "branch": {"branches": ["KLN"]}, "channel": {"channels": ["online"]}, "tender": {"tenders": ["card", "cash"]},
        "first": {"first_purchase": True}, "third": {"every_nth_visit": 3}, "gold": {"segments": ["value:A"]},
        "saturday": {"weekdays": [6]}, "birthday": {"birthday": "day"},
    }  # fmt: skip
    rules = Rulebook(
        Terms.read({"bonuses": [
            {"code": code, "name": code, "effect": "fixed", "points": "1", **want} for code, want in wants.items()
        ]}), 1,
    )  # fmt: skip
    saturday = datetime(2026, 1, 10, 12, tzinfo=UTC)
    here = Happening(saturday, "KLN", "online", [("cash", Decimal(1))])
    member = MemberFacts(segments=frozenset({"value:A"}), birth_on=date(1990, 1, 10), visits=0)
    assert open_bonuses(rules, here, member) == (
        "branch", "channel", "tender", "first", "gold", "saturday", "birthday",
    )  # fmt: skip
    there = Happening(saturday + timedelta(days=1), "NT", "store", [("voucher", Decimal(1))])
    assert open_bonuses(rules, there, MemberFacts(visits=2)) == ("third",)


@given(st.lists(st.tuples(st.integers(0, 25), cents), max_size=20))
def test_no_day_and_no_span_of_days_gives_more_than_its_cap(history: list[tuple[int, Decimal]]) -> None:
    rules = Rulebook(Terms.read({"cap": {"day": "100", "period": "250", "period_days": 5}}), 1)
    state = MemberState(1, 1, date(2020, 1, 1))
    start = datetime(2026, 1, 1, 4, tzinfo=UTC)
    given_on: dict[date, Decimal] = {}
    for number, (days, paid) in enumerate(sorted(history, key=lambda one: one[0])):
        at = start + timedelta(days=days)
        sale = Sale(number, at, at.date(), at, [Part(0, paid)], paid)
        award = decide_sale(rules, state, sale)
        advance(rules, state, sale, award)
        given_on[at.date()] = given_on.get(at.date(), Decimal(0)) + award.points
    assert all(points <= 100 for points in given_on.values())
    for first in given_on:
        span = [points for day, points in given_on.items() if first <= day < first + timedelta(days=5)]
        assert sum(span) <= 250


def test_a_sale_reaches_a_tier_and_the_next_one_earns_by_it() -> None:
    ladder = [{"code": "gold", "name": "Gold", "threshold": "100", "multiplier": "2"}]
    rules = Rulebook(Terms.read({"tiers": {"measure": "spend", "ladder": ladder}}), 1)
    state = MemberState(1, 1, date(2020, 1, 1))
    at = datetime(2026, 1, 10, 4, tzinfo=UTC)
    told = []
    for number, (hours, paid) in enumerate(((0, 60), (1, 40), (2, 10), (-5, 10))):
        when = at + timedelta(hours=hours)
        sale = Sale(number, when, when.date(), when, [Part(0, Decimal(paid))], Decimal(paid))
        award = decide_sale(rules, state, sale)
        rise = advance(rules, state, sale, award)
        told.append((int(award.points), rise.verdict.after if rise else ""))
    assert told == [(60, ""), (40, "gold"), (20, ""), (10, "")]
