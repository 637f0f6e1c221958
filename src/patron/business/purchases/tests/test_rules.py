"""What a receipt must be, and what may be returned of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.business.purchases.rules import (
    Line,
    ReceiptError,
    TenderPart,
    check_tenders,
    price_lines,
    returned_share,
    totals_of,
)

cents = st.integers(min_value=0, max_value=10**7).map(lambda n: Decimal(n).scaleb(-2))
quantities = st.integers(min_value=1, max_value=500_000).map(lambda n: Decimal(n).scaleb(-3))


def _line(**values: object) -> Line:
    given_values: dict[str, object] = {"product_code": "A", "quantity": Decimal(1), "unit_price": Decimal(10)}
    return Line(**(given_values | values))  # type: ignore[arg-type]


def test_net_is_quantity_times_price_less_discount_with_halves_away_from_zero() -> None:
    (line,) = price_lines(
        [_line(quantity=Decimal("0.355"), unit_price=Decimal("19.90"), discount_amount=Decimal("1.00"))], currency="HKD"
    )

    assert line.net_amount == Decimal("6.06")  # 7.0645 − 1.00 = 6.0645


def test_a_till_s_own_net_amount_is_kept() -> None:
    (line,) = price_lines([_line(net_amount=Decimal("9.99"))], currency="HKD")

    assert (line.net_amount, totals_of([line]).gross) == (Decimal("9.99"), Decimal("9.99"))


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"quantity": Decimal(0)}, "lines[0].quantity"),
        ({"quantity": Decimal(-1)}, "lines[0].quantity"),
        ({"quantity": Decimal("1.0001")}, "lines[0].quantity"),
        ({"unit_price": Decimal(-1)}, "lines[0].unit_price"),
        ({"unit_price": Decimal("Infinity")}, "lines[0].unit_price"),
        ({"discount_amount": Decimal(11)}, "lines[0].net_amount"),
        ({"net_amount": Decimal("1E20")}, "lines[0].net_amount"),
        ({"product_code": "", "description": ""}, "lines[0].product_code"),
    ],
)
def test_a_line_that_contradicts_itself_is_refused_by_name(values: dict[str, object], place: str) -> None:
    with pytest.raises(ReceiptError) as refused:
        price_lines([_line(**values)], currency="HKD")

    assert refused.value.place == place


def test_a_receipt_without_lines_is_refused() -> None:
    with pytest.raises(ReceiptError, match="at least one line"):
        price_lines([], currency="HKD")


def test_payments_must_add_up_where_they_are_given() -> None:
    check_tenders([], Decimal(5))
    check_tenders([TenderPart("cash", Decimal(2)), TenderPart("card", Decimal(3))], Decimal(5))
    with pytest.raises(ReceiptError, match="add up to 4"):
        check_tenders([TenderPart("cash", Decimal(4))], Decimal(5))


@given(net=cents, quantity=quantities, cuts=st.lists(st.integers(min_value=1, max_value=500_000), max_size=6))
def test_a_line_returned_bit_by_bit_gives_back_exactly_what_it_cost(
    net: Decimal, quantity: Decimal, cuts: list[int]
) -> None:
    already = already_net = Decimal(0)
    pieces = [min(Decimal(cut).scaleb(-3), quantity) for cut in cuts]
    for piece in [*pieces, quantity]:
        piece = min(piece, quantity - already)
        if piece <= 0:
            continue
        back = returned_share(
            quantity=piece, original_quantity=quantity, original_net=net, already=already, already_net=already_net,
            currency="HKD",
        )  # fmt: skip
        assert back >= 0
        already, already_net = already + piece, already_net + back

    assert (already, already_net) == (quantity, net)


def test_more_than_was_bought_cannot_come_back() -> None:
    with pytest.raises(ReceiptError, match=r"only 0\.5 "):
        returned_share(
            quantity=Decimal(1), original_quantity=Decimal(2), original_net=Decimal(10), already=Decimal("1.5"),
            already_net=Decimal("7.50"), currency="HKD",
        )  # fmt: skip
