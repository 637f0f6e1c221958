"""What vouchers are worth: worked amounts, and what holds of any basket."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.loyalty.baskets import Basket, BasketLine, MemberFacts, ProductFacts
from patron.business.vouchers.errors import RULE_WORDS
from patron.business.vouchers.rules import (
    Presented,
    Reason,
    RuleError,
    VoucherTerms,
    Worth,
    in_order,
    worth_of,
    worth_of_all,
)
from patron.business.vouchers.testing import BREAD, CASH, MILK, TEN_OFF, TENTH_OFF, make_basket, make_line
from patron.core.accounts.testing import NOW

DELIVERY = ProductFacts("DELIVERY", kind="shipping")
CARD = ProductFacts("GC100", kind="gift_card")
D = Decimal


def terms(**given: Any) -> VoucherTerms:
    return VoucherTerms.read(given)


def worth(given: VoucherTerms, *lines: BasketLine, member: MemberFacts | None = None, **more: Any) -> Worth:
    return worth_of(given, make_basket(*lines), member, **more)


@pytest.mark.parametrize(
    ("given", "amount", "by_line"),
    [
        (terms(**TEN_OFF), "10", {1: "4", 2: "6"}),
        (terms(kind="amount", value="250"), "100", {1: "40", 2: "60"}),
        (terms(kind="amount", value="10", products={"brands": ["Garden"]}), "10", {2: "10"}),
        (terms(kind="amount", value="0.01"), "0.01", {2: "0.01"}),
        (terms(**TENTH_OFF), "10", {1: "4", 2: "6"}),
        (terms(kind="percent", value="12.5", most="9.99"), "9.99", {1: "4.00", 2: "5.99"}),
        (terms(kind="percent", value="100"), "100", {1: "40", 2: "60"}),
        (terms(kind="product", value="1", products={"products": ["MILK"]}), "40", {1: "40"}),
        (terms(kind="free_item", value="1"), "40", {1: "40"}),
        (terms(kind="free_item", value="2", most="50"), "50", {1: "20", 2: "30"}),
    ],
)
def test_worked_amounts_on_milk_for_40_and_bread_for_60(
    given: VoucherTerms, amount: str, by_line: dict[int, str]
) -> None:
    found = worth(given)
    assert (found.amount, found.by_line) == (D(amount), {n: D(part) for n, part in by_line.items()})


def test_pieces_are_taken_dearest_first_for_a_product_and_cheapest_first_when_free() -> None:
    lines = make_line(1, MILK, "30", "3"), make_line(2, MILK, "12"), make_line(3, BREAD, "99")
    dairy = {"categories": ["Food > Dairy"]}
    assert worth(terms(kind="product", value="2", products=dairy), *lines).by_line == {2: D(12), 1: D(10)}
    assert worth(terms(kind="free_item", value="2", products=dairy), *lines).by_line == {1: D(20)}


def test_a_weighed_line_counts_as_one_piece() -> None:
    lines = make_line(1, MILK, "15.75", "0.750"), make_line(2, BREAD, "10", "2.5")
    assert worth(terms(kind="free_item", value="1"), *lines).by_line == {2: D("4.00")}
    assert worth(terms(kind="product", value="1", products={"products": ["MILK"]}), *lines).by_line == {1: D("15.75")}


def test_delivery_is_paid_by_a_shipping_voucher_alone() -> None:
    lines = make_line(1, MILK, "40"), make_line(2, DELIVERY, "35")
    assert worth(terms(kind="shipping", value="30"), *lines).by_line == {2: D(30)}
    assert worth(terms(kind="percent", value="50"), *lines).by_line == {1: D(20)}
    assert worth(terms(kind="shipping", value="30", minimum_spend="41"), *lines) == Worth(
        reason=Reason.MINIMUM_SPEND, missing=D(1)
    )


@pytest.mark.parametrize(
    ("given", "reason", "missing"),
    [
        (terms(**TEN_OFF, branches=["CWB"]), Reason.BRANCH, "0"),
        (terms(**TEN_OFF, when={"weekdays": [2, 3]}), Reason.WHEN, "0"),
        (terms(**TEN_OFF, who={"tiers": ["gold"]}), Reason.MEMBER_NEEDED, "0"),
        (terms(**TEN_OFF, member_limit=1), Reason.MEMBER_NEEDED, "0"),
        (terms(**TEN_OFF, products={"products": ["TEA"]}), Reason.NO_ITEMS, "0"),
        (terms(**TEN_OFF, minimum_spend="100.01"), Reason.MINIMUM_SPEND, "0.01"),
        (terms(**TEN_OFF, minimum_quantity="3"), Reason.MINIMUM_QUANTITY, "1"),
        (terms(**TEN_OFF, minimum_spend="50", products={"products": ["MILK"]}), Reason.MINIMUM_SPEND, "10"),
    ],
)
def test_why_a_voucher_gives_nothing(given: VoucherTerms, reason: Reason, missing: str) -> None:
    assert worth(given) == Worth(reason=reason, missing=D(missing))


def test_only_those_it_is_for() -> None:
    gold = terms(**TEN_OFF, who={"tiers": ["gold"]})
    assert worth(gold, member=MemberFacts(tier="silver")).reason is Reason.WHO
    assert worth(gold, member=MemberFacts(tier="gold")).amount == 10


def test_gift_cards_and_empty_baskets_are_worth_nothing() -> None:
    assert worth(terms(**TEN_OFF), make_line(1, CARD, "100")).reason is Reason.NO_ITEMS
    assert worth_of(terms(**TEN_OFF), Basket(at=NOW, local=NOW, lines=()), None).reason is Reason.NO_ITEMS
    assert worth(terms(**TEN_OFF), make_line(1, MILK, "0")).reason is Reason.NO_ITEMS
    assert worth(terms(**CASH), remaining=D(0)).reason is Reason.NOTHING_LEFT


def test_a_deposit_given_back_makes_less_to_take_off() -> None:
    lines = make_line(1, MILK, "40"), make_line(2, BREAD, "-35", "-1")
    assert worth(terms(kind="amount", value="10"), *lines).amount == 5


def test_vouchers_apply_in_the_stated_order_to_what_is_left() -> None:
    basket = make_basket()
    shown = [
        Presented("CASH", terms(**CASH), D(100)),
        Presented("TEN", terms(**TEN_OFF)),
        Presented("TENTH", terms(**TENTH_OFF)),
        Presented("FREE", terms(kind="free_item", value="1")),
    ]
    found = worth_of_all(shown, basket, None)
    assert {code: each.amount for code, each in found.items()} == {
        "FREE": D(40), "TENTH": D(6), "TEN": D(10), "CASH": D(44),
    }  # fmt: skip
    assert [each.code for each in in_order(shown)] == ["FREE", "TENTH", "TEN", "CASH"]


def test_one_that_stands_alone_does_so() -> None:
    alone, ten = Presented("ALONE", terms(**TENTH_OFF, combinable=False)), Presented("TEN", terms(**TEN_OFF))
    basket = make_basket()
    first, second = worth_of_all([ten, alone], basket, None), worth_of_all([alone, ten], basket, None)
    assert (first["TEN"].amount, first["ALONE"].reason) == (D(10), Reason.NOT_COMBINABLE)
    assert (second["ALONE"].amount, second["TEN"].reason) == (D(10), Reason.NOT_COMBINABLE)


def test_hours_are_those_of_the_branch() -> None:
    morning = terms(**TEN_OFF, when={"from_time": "08:00", "until_time": "10:00"})
    assert worth_of(morning, make_basket(at=NOW), None).is_usable  # 9 a.m. in Hong Kong
    assert worth_of(morning, make_basket(at=NOW + timedelta(hours=1)), None).reason is Reason.WHEN


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "terms.kind"),
        ({"kind": "amount"}, "terms.value"),
        ({"kind": "amount", "value": "-1"}, "terms.value"),
        ({"kind": "amount", "value": 1.5}, "terms.value"),
        ({"kind": "amount", "value": "NaN"}, "terms.value"),
        ({"kind": "amount", "value": "0.001"}, "terms.value"),
        ({"kind": "amount", "value": "1e20"}, "terms.value"),
        ({"kind": "percent", "value": "101"}, "terms.value"),
        ({"kind": "product", "value": "1"}, "terms.products"),
        ({"kind": "free_item", "value": "1.5"}, "terms.value"),
        ({"kind": "percent", "value": "10", "partial_use": True}, "terms.partial_use"),
        ({**TEN_OFF, "uses": 0}, "terms.uses"),
        ({**TEN_OFF, "uses": True}, "terms.uses"),
        ({**TEN_OFF, "colour": "red"}, "terms.colour"),
        ({**TEN_OFF, "when": {"weekdays": [8]}}, "terms.when.weekdays"),
        ({**TEN_OFF, "products": ["MILK"]}, "terms.products"),
        ({**TEN_OFF, "combinable": "no"}, "terms.combinable"),
    ],
)
def test_terms_that_contradict_themselves_name_the_place(given: dict[str, Any], place: str) -> None:
    with pytest.raises(RuleError) as refused:
        VoucherTerms.read(given)
    assert refused.value.place == place
    assert str(refused.value) in RULE_WORDS


# --- of any basket -------------------------------------------------------------------------------------------------

cents = st.integers(0, 100_000).map(lambda n: D(n) / 100)
products = st.sampled_from([MILK, BREAD, CARD, DELIVERY])
lines = st.lists(
    st.tuples(products, cents, st.sampled_from([D(1), D(2), D(3), D("0.75"), D("2.5")])), min_size=1, max_size=6
).map(lambda parts: [make_line(n, p, net, q) for n, (p, net, q) in enumerate(parts, start=1)])
some_terms = st.builds(
    lambda kind, value, most, products_, minimum: VoucherTerms.read(
        {
            "kind": kind,
            "value": str(value if kind in ("product", "free_item") else D(value) / 2),
            "most": most,
            "products": {"products": products_} if products_ or kind == "product" else {},
            "minimum_spend": minimum,
        }
    ),
    st.sampled_from(["amount", "percent", "product", "free_item", "shipping"]),
    st.integers(1, 199),
    st.sampled_from([None, "0.01", "7.77", "50"]),
    st.sampled_from([["MILK"], ["MILK", "BREAD"]]),
    st.sampled_from([None, "20", "300"]),
)


def _payable(basket: Basket) -> dict[int, Decimal]:
    return {line.line_no: line.net_amount for line in basket.lines}


def _sound(found: Worth, payable: dict[int, Decimal]) -> None:
    assert found.amount == sum(found.by_line.values(), D(0)) >= 0
    assert found.amount == found.amount.quantize(D("0.01"))
    assert all(D(0) < part <= payable[line_no] for line_no, part in found.by_line.items())
    assert (found.amount > 0) == (found.reason is Reason.NONE)


@given(some_terms, lines)
def test_a_voucher_never_gives_more_than_its_lines_cost(given_terms: VoucherTerms, bought: list[BasketLine]) -> None:
    basket = make_basket(*bought)
    found = worth_of(given_terms, basket, None)
    _sound(found, _payable(basket))
    if given_terms.most is not None:
        assert found.amount <= given_terms.most
    for line in basket.lines:
        if line.line_no in found.by_line:
            assert line.product is not CARD


@given(st.lists(some_terms, min_size=1, max_size=4), lines)
def test_vouchers_together_never_give_more_than_is_to_be_paid(
    several: list[VoucherTerms], bought: list[BasketLine]
) -> None:
    basket = make_basket(*bought)
    shown = [Presented(str(n), each) for n, each in enumerate(several)]
    left = _payable(basket)
    found = worth_of_all(shown, basket, None)
    assert set(found) == {each.code for each in shown}
    for each in in_order(shown):
        _sound(found[each.code], left)
        for line_no, part in found[each.code].by_line.items():
            left[line_no] -= part


@given(some_terms, lines, cents, cents)
def test_more_on_a_cash_voucher_never_gives_less(
    given_terms: VoucherTerms, bought: list[BasketLine], one: Decimal, other: Decimal
) -> None:
    basket = make_basket(*bought)
    less, more = sorted((one, other))
    poorer, richer = (worth_of(given_terms, basket, None, remaining=each) for each in (less, more))
    assert poorer.amount <= richer.amount
    assert poorer.amount <= less


@given(some_terms, lines, products, cents)
def test_buying_more_never_lowers_an_amount_or_a_percentage(
    given_terms: VoucherTerms, bought: list[BasketLine], product: ProductFacts, net: Decimal
) -> None:
    if given_terms.kind not in ("amount", "percent", "shipping"):
        return
    before = worth_of(given_terms, make_basket(*bought), None).amount
    after = worth_of(given_terms, make_basket(*bought, make_line(99, product, net)), None).amount
    assert before <= after


@given(some_terms)
def test_terms_survive_being_written_and_read(given_terms: VoucherTerms) -> None:
    assert VoucherTerms.read(given_terms.as_json()) == given_terms
