"""Who may have which gift, how an order moves, and what that does to the shelf. No Django."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
MOST_PIECES = 100
"""The most pieces of one order."""


class Refusal(StrEnum):
    """Why a member cannot have a gift; `points` is the only one that time alone mends."""

    MEMBER_NOT_ACTIVE = "member_not_active"
    WITHDRAWN = "withdrawn"
    NOT_YET = "not_yet"
    ENDED = "ended"
    TIER = "tier"
    LIMIT = "limit"
    NO_DELIVERY = "no_delivery"
    NO_STOCK = "no_stock"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a gift asks. No `tiers`: every member; no `limit`: any number; days are inclusive, None is open."""

    points_price: Decimal
    money_price: Decimal
    is_active: bool = True
    tiers: frozenset[str] = frozenset()
    limit: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    can_be_delivered: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member is and has: `taken` pieces of this gift so far, orders that were cancelled left out.

    `points` None leaves points out of it: the ledger decides that, under its lock.
    """

    is_active: bool
    tier: str = ""
    points: Decimal | None = None
    taken: int = 0


def refusals(
    terms: Terms, standing: Standing, *, quantity: int, on: date, free: int | None, delivered: bool = False
) -> tuple[Refusal, ...]:
    """Every reason why the member cannot have `quantity` pieces on day `on`, the weightiest first; none: they can.

    `free` is how many pieces nobody has reserved where they would come from; None leaves stock out of it.
    """
    found = (
        (Refusal.MEMBER_NOT_ACTIVE, not standing.is_active),
        (Refusal.WITHDRAWN, not terms.is_active),
        (Refusal.NOT_YET, terms.starts_on is not None and on < terms.starts_on),
        (Refusal.ENDED, terms.ends_on is not None and on > terms.ends_on),
        (Refusal.TIER, bool(terms.tiers) and standing.tier not in terms.tiers),
        (Refusal.LIMIT, terms.limit is not None and standing.taken + quantity > terms.limit),
        (Refusal.NO_DELIVERY, delivered and not terms.can_be_delivered),
        (Refusal.NO_STOCK, free is not None and free < quantity),
        (Refusal.POINTS, points_missing(terms, standing, quantity=quantity) > 0),
    )
    return tuple(reason for reason, holds in found if holds)


def points_missing(terms: Terms, standing: Standing, *, quantity: int = 1) -> Decimal:
    """How many points more the member needs for `quantity` pieces; zero for who has enough."""
    if standing.points is None:
        return ZERO
    return max(terms.points_price * quantity - standing.points, ZERO)


class State(StrEnum):
    """Where an order stands."""

    RESERVED = "reserved"
    READY = "ready"
    HANDED_OVER = "handed_over"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Way(StrEnum):
    """How a gift reaches the member."""

    PICK_UP = "pick_up"
    DELIVERY = "delivery"


OPEN = frozenset({State.RESERVED, State.READY})
"""States in which the pieces still lie on the shelf, reserved."""

GONE = frozenset({State.HANDED_OVER, State.SHIPPED, State.DELIVERED})
"""States in which the pieces have left the shelf."""

TRANSITIONS: Mapping[State, Mapping[State, frozenset[Way]]] = {
    State.RESERVED: {
        State.READY: frozenset(Way),
        State.HANDED_OVER: frozenset({Way.PICK_UP}),
        State.SHIPPED: frozenset({Way.DELIVERY}),
        State.CANCELLED: frozenset(Way),
    },
    State.READY: {
        State.HANDED_OVER: frozenset({Way.PICK_UP}),
        State.SHIPPED: frozenset({Way.DELIVERY}),
        State.CANCELLED: frozenset(Way),
    },
    State.SHIPPED: {State.DELIVERED: frozenset({Way.DELIVERY}), State.CANCELLED: frozenset({Way.DELIVERY})},
    State.HANDED_OVER: {State.CANCELLED: frozenset({Way.PICK_UP})},
    State.DELIVERED: {State.CANCELLED: frozenset({Way.DELIVERY})},
    State.CANCELLED: {},
}
"""From → to, and for which ways of reaching the member. The database keeps the same table (migration 0002)."""


def may_move(state: str, to: str, *, way: str) -> bool:
    """Whether an order in `state` may become `to`."""
    return Way(way) in TRANSITIONS[State(state)].get(State(to), frozenset())


def next_states(state: str, *, way: str) -> tuple[State, ...]:
    """What an order may become next."""
    return tuple(to for to, ways in TRANSITIONS[State(state)].items() if Way(way) in ways)


class Movement(StrEnum):
    """What happens to a shelf."""

    RECEIVED = "received"
    CORRECTED = "corrected"
    RESERVED = "reserved"
    RELEASED = "released"
    HANDED_OUT = "handed_out"
    RETURNED = "returned"


EFFECTS: Mapping[Movement, tuple[int, int]] = {
    Movement.RECEIVED: (1, 0),
    Movement.CORRECTED: (1, 0),
    Movement.RESERVED: (0, 1),
    Movement.RELEASED: (0, -1),
    Movement.HANDED_OUT: (-1, -1),
    Movement.RETURNED: (1, 0),
}
"""What one piece of a movement does to (on hand, reserved)."""


def movement_for(state: str, to: str, *, goods_back: bool = True) -> Movement | None:
    """What a change of state does to the shelf: nothing between states that stand on the same side of it.

    `goods_back` tells of a cancelled gift that had left whether it lies on the shelf again.
    """
    if to == State.CANCELLED:
        if state in OPEN:
            return Movement.RELEASED
        return Movement.RETURNED if goods_back else None
    if state in OPEN and to in GONE:
        return Movement.HANDED_OUT
    return None


CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that nobody confuses when reading them out: no 0, 1, I, O."""

CODE_LENGTH = 7


def new_pickup_code(choose: Callable[[Sequence[str]], str] = secrets.choice) -> str:
    """A code that nobody can guess: one of 34 thousand million."""
    return "".join(choose(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def normalised_code(text: str) -> str:
    """A pick-up code as it is kept, from what people type: case, spaces and hyphens do not matter."""
    return "".join(c for c in text.upper() if c.isalnum())


def in_language(text: str, translations: Mapping[str, str], language: str) -> str:
    """`text` in `language` where it was translated, else in the nearest script, else as it stands."""
    wanted = language.lower()
    if translations.get(wanted):
        return translations[wanted]
    if wanted.startswith("zh"):
        return translations.get("zh-hant") or translations.get("zh-hans") or text
    return text
