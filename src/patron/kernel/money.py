"""Money: a Decimal with its currency. Never a float."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0}
DEFAULT_MINOR_DIGITS = 2


def quantum(currency: str) -> Decimal:
    """The smallest amount of `currency`, for example Decimal("0.01")."""
    return Decimal(1).scaleb(-MINOR_DIGITS.get(currency, DEFAULT_MINOR_DIGITS))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` to the currency's minor unit, halves away from zero (as tills print it)."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency. Arithmetic across currencies raises ValueError."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError("money is a Decimal")
        if not self.amount.is_finite():
            raise ValueError("money is finite")
        if len(self.currency) != 3 or not self.currency.isupper():
            raise ValueError("a currency is an ISO 4217 code such as HKD")

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __bool__(self) -> bool:
        return bool(self.amount)

    def rounded(self) -> "Money":
        """To the minor unit, halves away from zero."""
        return Money(rounded(self.amount, self.currency), self.currency)

    def split(self, weights: Sequence[Decimal | int]) -> list["Money"]:
        """Divide by `weights` so that the parts, each in whole minor units, add up to this amount exactly.

        Largest remainder: each part is rounded towards zero, then the minor units left over go to the parts
        with the largest remainders, earlier parts first. The amount must be in whole minor units.

        Raises ValueError for no weights, a negative weight, or weights that sum to zero.
        """
        if not weights or any(w < 0 for w in weights) or not (total := sum(Decimal(w) for w in weights)):
            raise ValueError("weights must be non-negative and not all zero")
        if self.amount != rounded(self.amount, self.currency):
            raise ValueError("only an amount in whole minor units can be split")
        unit = quantum(self.currency)
        units = int(abs(self.amount) / unit)
        exact = [units * Decimal(w) / total for w in weights]
        parts = [int(e) for e in exact]
        by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
        for i in by_remainder[: units - sum(parts)]:
            parts[i] += 1
        sign = -1 if self.amount < 0 else 1
        return [Money(sign * unit * p, self.currency) for p in parts]
