"""Properties of the pure decisions."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.loyalty.rules import OpenLot, Short, Take, after
from patron.business.storedvalue.rules import (
    Deposit,
    Tier,
    bonus_for,
    bonus_until,
    plan_payment,
    plan_refund,
    plan_withdrawal,
)

CENT = Decimal("0.01")
cents = st.integers(1, 100_000).map(lambda n: Decimal(n) / 100)
shares = st.integers(0, 100).map(lambda n: Decimal(n) / 100)
days = st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1))
lots = st.lists(st.tuples(cents, days, st.booleans()), min_size=1, max_size=6).map(
    lambda rows: (
        [OpenLot(n, until if is_bonus else None, amount, amount) for n, (amount, until, is_bonus) in enumerate(rows)],
        {n for n, (_, _, is_bonus) in enumerate(rows) if is_bonus},
    )
)


def _part(amount: Decimal, share: Decimal) -> Decimal:
    return (amount * share).quantize(CENT)


@given(lots, shares, st.booleans())
def test_the_second_kind_pays_only_when_the_first_is_used_up(
    given_lots: tuple[list[OpenLot], set[int]], share: Decimal, bonus_first: bool
) -> None:
    held, bonus = given_lots
    total = sum((lot.remaining for lot in held), Decimal(0))
    amount = _part(total, share)
    takes = plan_payment(held, amount, bonus=bonus, bonus_first=bonus_first)
    assert sum((take.amount for take in takes), Decimal(0)) == amount
    left = after(held, takes, sign=-1)
    assert all(lot.remaining >= 0 for lot in left)
    first = [lot for lot in left if (lot.id in bonus) == bonus_first]
    second_is_touched = any((take.lot_id in bonus) != bonus_first for take in takes)
    assert not second_is_touched or all(lot.remaining == 0 for lot in first)
    with pytest.raises(Short):
        plan_payment(held, total + CENT, bonus=bonus, bonus_first=bonus_first)


@given(st.lists(cents, min_size=1, max_size=5), st.lists(shares, min_size=1, max_size=5))
def test_refunds_in_pieces_end_as_though_only_the_rest_had_been_paid(
    amounts: list[Decimal], pieces: list[Decimal]
) -> None:
    takes = [Take(n, amount) for n, amount in enumerate(amounts)]
    paid, refunded = sum(amounts, Decimal(0)), Decimal(0)
    back: dict[int | None, Decimal] = {}
    for share in pieces:
        piece = _part(paid - refunded, share)
        for take in plan_refund(takes, refunded=refunded, amount=piece):
            back[take.lot_id] = back.get(take.lot_id, Decimal(0)) + take.amount
        refunded += piece
    rest = paid - refunded
    for take in takes:
        kept = min(rest, take.amount)
        rest -= kept
        assert take.amount - back.get(take.lot_id, Decimal(0)) == kept
    with pytest.raises(Short):
        plan_refund(takes, refunded=refunded, amount=paid - refunded + CENT)


@given(cents, cents, shares, st.lists(shares, min_size=1, max_size=5))
def test_withdrawing_in_pieces_settles_the_bonus_once(
    amount: Decimal, bonus: Decimal, spent: Decimal, pieces: list[Decimal]
) -> None:
    bonus = min(bonus, amount)
    own, unspent = amount, bonus - _part(bonus, spent)
    gone, settled = Decimal(0), Decimal(0)
    for share in [*pieces, Decimal(1)]:
        part = _part(own, share)
        lot, bonus_lot = OpenLot(1, None, amount, own), OpenLot(2, None, bonus, unspent)
        deposit = Deposit(lot, withdrawn=gone, bonus_id=7, bonus=bonus, settled=settled, bonus_lot=bonus_lot)
        for leaving in plan_withdrawal([deposit], part, quantum=CENT):
            settled += leaving.taken + leaving.charged
            unspent -= leaving.taken
        gone, own = gone + part, own - part
        assert unspent >= 0
    assert [own, settled, unspent] == [Decimal(0), bonus, Decimal(0)]


@given(cents, st.lists(st.tuples(cents, shares.filter(bool)), max_size=4, unique_by=lambda row: row[0]))
def test_a_bonus_is_never_more_than_the_deposit(amount: Decimal, rows: list[tuple[Decimal, Decimal]]) -> None:
    tiers = [Tier(start, share * 100) for start, share in rows]
    bonus, tier = bonus_for(amount, tiers, quantum=CENT)
    assert 0 <= bonus <= amount
    assert (tier is None) == all(start > amount for start, _ in rows)


@pytest.mark.parametrize(
    ("day", "months", "until"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 1), 0, date(2026, 12, 31)),
        (date(2026, 3, 2), None, None),
    ],
)
def test_bonus_lasts_to_the_end_of_a_month(day: date, months: int | None, until: date | None) -> None:
    assert bonus_until(day, months) == until
