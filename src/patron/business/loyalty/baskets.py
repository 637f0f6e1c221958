"""A basket and the member who holds it, as rules see them: for earning points and for the worth of vouchers. No Django.

Amounts are Decimals of the programme's currency. `at` is an aware instant, `local` the same on the branch's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

GIFT_CARD = "gift_card"
STORED_VALUE = "stored_value"


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What rules may ask of a product. `categories` holds the path of its category and of every one above it
    (`Food`, `Food > Dairy`); `kind` is empty for goods, else `gift_card` or `stored_value`."""

    code: str
    brand: str = ""
    categories: frozenset[str] = frozenset()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A line: what was bought, how much of it, and what is paid for it after the till's own discounts."""

    line_no: int
    product: ProductFacts
    quantity: Decimal
    unit_price: Decimal
    net_amount: Decimal


@dataclass(frozen=True, slots=True)
class Basket:
    """What is bought at once. `tenders` is how much is paid by which means, where that is known already."""

    at: datetime
    local: datetime
    lines: Sequence[BasketLine]
    branch: str = ""
    channel: str = "store"
    tenders: Sequence[tuple[str, Decimal]] = ()

    @property
    def net_amount(self) -> Decimal:
        return sum((line.net_amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What rules may ask of a member on the day of the basket.

    `tier` is the code of the tier held, empty for none. `segments` are labels published about the customer, each
    `model:label` (`value:A`, `lifecycle:mature`). `visits` counts the sales before this basket.
    """

    tier: str = ""
    segments: frozenset[str] = frozenset()
    birth_on: date | None = None
    joined_on: date | None = None
    visits: int = 0


def categories_of(path: str) -> frozenset[str]:
    """The paths of a category and of every one above it.

    >>> sorted(categories_of("Food > Dairy"))
    ['Food', 'Food > Dairy']
    """
    names = [name for name in path.split(" > ") if name]
    return frozenset(" > ".join(names[: depth + 1]) for depth in range(len(names)))
