"""The pure decisions, by example and by property."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.loyalty.rules import (
    MOST_POINTS,
    OpenLot,
    Short,
    Take,
    after,
    card_number,
    check_digit,
    in_order_of_use,
    is_valid_card,
    plan_credit,
    plan_expiry,
    plan_spending,
    plan_taking_back,
)
from patron.business.loyalty.rules.earning import Part, Rulebook, decide_earning, points_to_take_back
from patron.business.loyalty.rules.terms import Expiry, Terms


def rulebook(points: str = "1", per_amount: str = "1", **more: object) -> Rulebook:
    """The rules of a base rate and whatever else is told."""
    return Rulebook(Terms.read({"base": {"points": points, "per_amount": per_amount}, **more}), 7)


def last_day(earned_on: date, months: int | None) -> date | None:
    """The last day of points that are usable to the end of the month some months later (None: for ever)."""
    return Expiry("never" if months is None else "month_end", months or 0).last_day(earned_on)


def earned(rules: Rulebook, net: Decimal) -> Decimal:
    """What is earned for an amount."""
    return decide_earning(rules, [Part(0, net)]).points


TERMS = rulebook()

amounts = st.decimals(min_value="0.01", max_value="99999.99", places=2)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31))


@st.composite
def lots(draw: st.DrawFn) -> list[OpenLot]:
    made = []
    for lot_id in range(draw(st.integers(0, 6))):
        amount = draw(st.decimals(min_value=1, max_value=500, places=2))
        remaining = draw(st.decimals(min_value="0.01", max_value=amount, places=2))
        made.append(OpenLot(lot_id, draw(st.none() | days), amount, remaining))
    return draw(st.permutations(made))


def _held(of: list[OpenLot]) -> Decimal:
    return sum((lot.remaining for lot in of), Decimal(0))


@pytest.mark.parametrize(
    ("net", "per_unit", "unit", "points"),
    [
        ("128.90", "1", "1", "128"),
        ("0.99", "1", "1", "0"),
        ("0", "1", "1", "0"),
        ("-20", "1", "1", "0"),
        ("99.99", "1", "10", "9"),
        ("35", "1.5", "10", "4"),
        ("100", "0.3333", "1", "33"),
    ],
)
def test_points_are_whole_units_times_the_rate_rounded_down(net: str, per_unit: str, unit: str, points: str) -> None:
    assert earned(rulebook(per_unit, unit), Decimal(net)) == Decimal(points)


def test_the_explanation_holds_the_arithmetic() -> None:
    award = decide_earning(TERMS, [Part(0, Decimal("128.9"))])
    assert award.explanation == {"rule": 7, "net": "128.90", "unit": "1.00", "rate": "1.0000", "units": 128}


def test_a_mistyped_amount_does_not_earn_without_end() -> None:
    assert earned(rulebook("9999.9999", "0.01"), Decimal("99999999999999.99")) == MOST_POINTS


@given(amounts, amounts)
def test_more_money_never_earns_less(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert earned(TERMS, low) <= earned(TERMS, high)


@pytest.mark.parametrize(
    ("earned_on", "months", "expires_on"),
    [
        (date(2026, 1, 10), 12, date(2027, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 11, 5), 3, date(2028, 2, 29)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
        (date(2026, 1, 10), None, None),
    ],
)
def test_points_expire_at_the_end_of_a_month(earned_on: date, months: int | None, expires_on: date | None) -> None:
    assert last_day(earned_on, months) == expires_on


@given(days, st.integers(0, 60))
def test_expiry_is_the_last_day_of_its_month(earned_on: date, months: int) -> None:
    expires_on = last_day(earned_on, months)
    assert expires_on is not None
    assert expires_on >= earned_on
    assert (expires_on + timedelta(days=1)).day == 1


@given(lots(), amounts)
def test_spending_draws_exactly_the_amount_soonest_first(of: list[OpenLot], amount: Decimal) -> None:
    if _held(of) < amount:
        with pytest.raises(Short) as short:
            plan_spending(of, amount)
        assert short.value.available == _held(of)
        return
    takes = plan_spending(of, amount)
    left = after(of, takes, sign=-1)
    assert sum(take.amount for take in takes) == amount
    assert all(Decimal(0) <= lot.remaining <= lot.amount for lot in left)
    touched = [lot.remaining for lot in in_order_of_use(left)]
    first_open = next((i for i, remaining in enumerate(touched) if remaining), len(touched))
    untouched = {lot.id: lot.remaining for lot in of}
    assert all(lot.remaining == untouched[lot.id] for lot in in_order_of_use(left)[first_open + 1 :])


@given(lots(), amounts, st.sets(st.integers(0, 6)))
def test_taking_back_empties_the_originals_lots_first_and_owes_the_rest(
    of: list[OpenLot], amount: Decimal, own: set[int]
) -> None:
    takes = plan_taking_back(of, amount, own=own)
    left = after(of, takes, sign=-1)
    owed = sum((take.amount for take in takes if take.lot_id is None), Decimal(0))
    assert sum(take.amount for take in takes) == amount
    assert owed == max(Decimal(0), amount - _held(of))
    if any(take.lot_id not in own for take in takes):
        assert all(lot.remaining == 0 for lot in left if lot.id in own)


@given(lots(), amounts, amounts)
def test_a_credit_repays_then_refills_then_opens(of: list[OpenLot], amount: Decimal, debt: Decimal) -> None:
    plan = plan_credit(amount, debt=debt, refill=[(lot, Decimal(50)) for lot in of])
    refilled = sum((take.amount for take in plan.restored), Decimal(0))
    assert plan.repaid == min(amount, debt)
    assert plan.repaid + refilled + plan.opened == amount
    assert all(lot.remaining <= lot.amount for lot in after(of, plan.restored, sign=1))


@given(lots(), days)
def test_expiry_takes_all_that_is_past_and_nothing_else(of: list[OpenLot], on: date) -> None:
    plan = plan_expiry(of, on)
    taken = {take.lot_id: take.amount for _, takes in plan for take in takes}
    assert [day for day, _ in plan] == sorted({day for day, _ in plan})
    assert taken == {lot.id: lot.remaining for lot in of if lot.expires_on is not None and lot.expires_on < on}


def test_a_lot_is_usable_on_its_last_day() -> None:
    lot = OpenLot(1, date(2026, 3, 31), Decimal(10), Decimal(10))
    assert plan_expiry([lot], date(2026, 3, 31)) == []
    assert plan_expiry([lot], date(2026, 4, 1)) == [(date(2026, 3, 31), (Take(1, Decimal(10)),))]


@given(amounts, st.lists(st.decimals(min_value="0.01", max_value=5000, places=2), max_size=8))
def test_returns_in_any_pieces_leave_what_the_rest_earns(net: Decimal, pieces: list[Decimal]) -> None:
    given_points = earned(TERMS, net)
    kept, kept_net = given_points, net
    for piece in pieces:
        kept_net -= piece
        taken = max(
            Decimal(0),
            points_to_take_back(target=earned(TERMS, kept_net), kept_points=kept, expired_points=Decimal(0)),
        )
        assert 0 <= taken <= kept
        kept -= taken
    assert kept == earned(TERMS, kept_net)


@given(st.text("0123456789", min_size=7, max_size=23))
def test_a_check_digit_finds_every_single_slip(digits: str) -> None:
    number = digits + check_digit(digits)
    assert is_valid_card(number)
    for place, digit in enumerate(number):
        slipped = number[:place] + str((int(digit) + 1) % 10) + number[place + 1 :]
        assert not is_valid_card(slipped)


@pytest.mark.parametrize("number", ["", "8800", "880012345678901a", "８８００１２３４５６７８", "79927398710"])
def test_what_is_no_card_number_is_not_valid(number: str) -> None:
    assert not is_valid_card(number)


def test_known_check_digits() -> None:
    assert check_digit("7992739871") == "3"
    assert check_digit("880000000000001") == "3"


@given(st.integers(0, 10**11 - 1), st.integers(0, 10**11 - 1))
def test_card_numbers_are_valid_and_distinct(one: int, other: int) -> None:
    assert is_valid_card(card_number("8800", one))
    assert len(card_number("8800", one)) == 16
    assert (card_number("8800", one) == card_number("8800", other)) == (one == other)


def test_a_serial_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        card_number("8800", 10**11)
