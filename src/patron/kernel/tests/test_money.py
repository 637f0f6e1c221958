"""Money: sums never lose or make a cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.kernel.money import Money, quantum, rounded

cents = st.integers(min_value=-(10**12), max_value=10**12).map(lambda n: Decimal(n).scaleb(-2))
weights = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=20).filter(any)


@given(amount=cents, by=weights)
def test_split_parts_add_up_exactly(amount: Decimal, by: list[int]) -> None:
    parts = Money(amount, "HKD").split(by)

    assert sum((p.amount for p in parts), Decimal(0)) == amount
    assert all(p.amount == rounded(p.amount, "HKD") for p in parts)


@given(amount=cents, by=weights)
def test_split_part_is_within_one_minor_unit_of_its_share(amount: Decimal, by: list[int]) -> None:
    for part, weight in zip(Money(amount, "HKD").split(by), by, strict=True):
        assert abs(part.amount - amount * weight / sum(by)) < quantum("HKD")


def test_split_gives_the_odd_cent_to_the_first_of_equals() -> None:
    parts = Money(Decimal("10.00"), "HKD").split([1, 1, 1])

    assert [p.amount for p in parts] == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]


@pytest.mark.parametrize("by", [[], [0, 0], [1, -1]])
def test_split_refuses_weights_that_mean_nothing(by: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(Decimal("1.00"), "HKD").split(by)


def test_halves_round_away_from_zero_in_the_currency_s_minor_unit() -> None:
    assert rounded(Decimal("2.345"), "HKD") == Decimal("2.35")
    assert rounded(Decimal("-2.345"), "HKD") == Decimal("-2.35")
    assert rounded(Decimal("2.5"), "JPY") == Decimal("3")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="HKD and TWD"):
        Money(Decimal(1), "HKD") + Money(Decimal(1), "TWD")


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity")])
def test_money_is_finite(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        Money(amount, "HKD")


def test_money_is_never_a_float() -> None:
    with pytest.raises(TypeError):
        Money(1.5, "HKD")  # type: ignore[arg-type]
