"""The decisions: who may have what, and how an order moves."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from patron.business.gifts.rules import (
    CODE_ALPHABET,
    CODE_LENGTH,
    EFFECTS,
    GONE,
    OPEN,
    TRANSITIONS,
    Movement,
    Refusal,
    Standing,
    State,
    Terms,
    Way,
    in_language,
    may_move,
    movement_for,
    new_pickup_code,
    next_states,
    normalised_code,
    points_missing,
    refusals,
)

DAY = date(2026, 3, 2)
UMBRELLA = Terms(points_price=Decimal(100), money_price=Decimal(0))
MEMBER = Standing(is_active=True, tier="silver", points=Decimal(250))


@pytest.mark.parametrize(
    ("terms", "standing", "quantity", "free", "expected"),
    [
        (UMBRELLA, MEMBER, 2, 2, ()),
        (UMBRELLA, MEMBER, 3, 5, (Refusal.POINTS,)),
        (UMBRELLA, MEMBER, 2, 1, (Refusal.NO_STOCK,)),
        (UMBRELLA, MEMBER, 2, None, ()),
        (UMBRELLA, Standing(is_active=False, points=Decimal(250)), 1, 1, (Refusal.MEMBER_NOT_ACTIVE,)),
        (Terms(Decimal(1), Decimal(0), is_active=False), MEMBER, 1, 1, (Refusal.WITHDRAWN,)),
        (Terms(Decimal(1), Decimal(0), starts_on=date(2026, 3, 3)), MEMBER, 1, 1, (Refusal.NOT_YET,)),
        (Terms(Decimal(1), Decimal(0), starts_on=DAY, ends_on=DAY), MEMBER, 1, 1, ()),
        (Terms(Decimal(1), Decimal(0), ends_on=date(2026, 3, 1)), MEMBER, 1, 1, (Refusal.ENDED,)),
        (Terms(Decimal(1), Decimal(0), tiers=frozenset({"gold"})), MEMBER, 1, 1, (Refusal.TIER,)),
        (Terms(Decimal(1), Decimal(0), tiers=frozenset({"gold", "silver"})), MEMBER, 1, 1, ()),
        (Terms(Decimal(1), Decimal(0), limit=2), Standing(True, points=Decimal(9), taken=1), 2, 9, (Refusal.LIMIT,)),
        (Terms(Decimal(1), Decimal(0), limit=2), Standing(True, points=Decimal(9), taken=1), 1, 9, ()),
        (Terms(Decimal(9), Decimal(0), is_active=False), Standing(True, points=Decimal(0)), 1, 0,
         (Refusal.WITHDRAWN, Refusal.NO_STOCK, Refusal.POINTS)),
    ],
)  # fmt: skip
def test_refusals_name_every_reason(
    terms: Terms, standing: Standing, quantity: int, free: int | None, expected: tuple[Refusal, ...]
) -> None:
    assert refusals(terms, standing, quantity=quantity, on=DAY, free=free) == expected


def test_a_gift_goes_by_post_only_where_that_is_offered() -> None:
    assert refusals(UMBRELLA, MEMBER, quantity=1, on=DAY, free=1, delivered=True) == (Refusal.NO_DELIVERY,)
    posted = Terms(Decimal(100), Decimal(0), can_be_delivered=True)
    assert refusals(posted, MEMBER, quantity=1, on=DAY, free=1, delivered=True) == ()


def test_points_missing_is_what_the_member_lacks() -> None:
    assert points_missing(UMBRELLA, MEMBER, quantity=3) == 50
    assert points_missing(UMBRELLA, MEMBER, quantity=2) == 0
    assert points_missing(UMBRELLA, Standing(is_active=True), quantity=9) == 0  # left to the ledger


def test_an_order_that_is_over_stays_over() -> None:
    assert TRANSITIONS[State.CANCELLED] == {}
    assert set(TRANSITIONS) == set(State)
    assert next_states("reserved", way="pick_up") == (State.READY, State.HANDED_OVER, State.CANCELLED)
    assert next_states("reserved", way="delivery") == (State.READY, State.SHIPPED, State.CANCELLED)
    assert next_states("delivered", way="delivery") == (State.CANCELLED,)
    assert not may_move("handed_over", "ready", way="pick_up")
    assert not may_move("ready", "delivered", way="delivery")


def test_every_way_through_the_states_leaves_the_shelf_with_nothing_reserved() -> None:
    for way in Way:
        for path in _paths(State.RESERVED, way, (State.RESERVED,)):
            on_hand, reserved = 0, 1  # the order reserves one piece
            for state, to in pairwise(path):
                movement = movement_for(state, to)
                change = EFFECTS[movement] if movement else (0, 0)
                on_hand, reserved = on_hand + change[0], reserved + change[1]
            assert reserved == (1 if path[-1] in OPEN else 0)
            assert on_hand == (-1 if path[-1] in GONE else 0)


def _paths(state: State, way: Way, so_far: tuple[State, ...]) -> list[tuple[State, ...]]:
    return [so_far] + [path for to in next_states(state, way=way) for path in _paths(to, way, (*so_far, to))]


def test_a_broken_gift_that_comes_back_does_not_lie_on_the_shelf_again() -> None:
    assert movement_for("handed_over", "cancelled", goods_back=False) is None
    assert movement_for("handed_over", "cancelled") is Movement.RETURNED
    assert movement_for("shipped", "delivered") is None


def test_pickup_codes_are_read_out_and_typed_as_people_do() -> None:
    code = new_pickup_code()
    assert len(code) == CODE_LENGTH
    assert set(code) <= set(CODE_ALPHABET)
    assert not set(CODE_ALPHABET) & set("01IO")
    assert len({new_pickup_code() for _ in range(1000)}) == 1000
    assert new_pickup_code(lambda letters: letters[0]) == "2222222"
    assert normalised_code(" k7q-4mx p") == "K7Q4MXP"


def test_words_come_in_the_reader_s_language_or_the_nearest() -> None:
    names = {"zh-hant": "雨傘"}
    assert in_language("Umbrella", names, "zh-Hant") == "雨傘"
    assert in_language("Umbrella", names, "zh-hans") == "雨傘"
    assert in_language("Umbrella", names, "en") == "Umbrella"
    assert in_language("Umbrella", {}, "zh-hans") == "Umbrella"
