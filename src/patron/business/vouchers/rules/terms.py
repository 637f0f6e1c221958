"""What a voucher promises: its terms, read from JSON and written back. No Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self, TypeVar

from patron.business.loyalty.filters import ProductFilter, RuleError, WhenFilter, WhoFilter
from patron.kernel.money import quantum

LARGEST_AMOUNT = Decimal("99999999.99")
MOST_USES = 1_000_000
MOST_ITEMS = Decimal(1000)
SHIPPING = "shipping"
"""`ProductFacts.kind` of a line that is the charge for delivery."""


Missing = TypeVar("Missing", int, None)


class Kind(StrEnum):
    """How the worth is found.

    `amount`: so much money off. `percent`: so many per cent off. `product`: so many pieces of the products named, for
    nothing, the dearest first. `free_item`: so many pieces of what is bought, for nothing, the cheapest first.
    `shipping`: the charge for delivery, up to so much.
    """

    AMOUNT = "amount"
    PERCENT = "percent"
    PRODUCT = "product"
    FREE_ITEM = "free_item"
    SHIPPING = "shipping"


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """The promise of a voucher. Amounts are in `currency`.

    `value` is money for `amount` and `shipping`, per cent for `percent`, pieces for `product` and `free_item`. `most`
    caps what a voucher gives on one basket. `minimum_spend` and `minimum_quantity` look at the eligible lines before
    any voucher. `branches` holds codes of branches, none: everywhere. `uses` is how often one code may be used.
    `partial_use` lets an `amount` keep what a basket did not need. `member_limit` is how many of the definition one
    member may use. A voucher that is not `combinable` stands alone. `transferable` vouchers may change hands.
    """

    kind: Kind
    value: Decimal
    currency: str = "HKD"
    most: Decimal | None = None
    minimum_spend: Decimal = Decimal(0)
    minimum_quantity: Decimal = Decimal(0)
    products: ProductFilter = field(default_factory=ProductFilter)
    branches: frozenset[str] = frozenset()
    when: WhenFilter = field(default_factory=WhenFilter)
    who: WhoFilter = field(default_factory=WhoFilter)
    uses: int = 1
    partial_use: bool = False
    member_limit: int | None = None
    combinable: bool = True
    transferable: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any], place: str = "terms") -> Self:
        """The terms that JSON says. Raises RuleError naming the place of what cannot be read or contradicts itself."""
        unknown = sorted(set(given) - _NAMES)
        if unknown:
            raise RuleError(f"{place}.{unknown[0]}", "terms of a voucher have no such part")
        try:
            kind = Kind(given.get("kind", ""))
        except ValueError:
            raise RuleError(f"{place}.kind", "there is no such kind of voucher") from None
        currency = given.get("currency", "HKD")
        if not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
            raise RuleError(f"{place}.currency", "a currency is a code such as HKD")
        terms = cls(
            kind=kind,
            value=_number(given, "value", place, Decimal(0)) or Decimal(0),
            currency=currency,
            most=_number(given, "most", place, None),
            minimum_spend=_number(given, "minimum_spend", place, None) or Decimal(0),
            minimum_quantity=_number(given, "minimum_quantity", place, None) or Decimal(0),
            products=ProductFilter.read(_part(given, "products", place), f"{place}.products"),
            branches=_texts(given, "branches", place),
            when=WhenFilter.read(_part(given, "when", place), f"{place}.when"),
            who=WhoFilter.read(_part(given, "who", place), f"{place}.who"),
            uses=_count(given, "uses", place, missing=1),
            partial_use=_flag(given, "partial_use", place, otherwise=False),
            member_limit=_count(given, "member_limit", place, missing=None),
            combinable=_flag(given, "combinable", place, otherwise=True),
            transferable=_flag(given, "transferable", place, otherwise=False),
        )
        check(terms, place)
        return terms

    def as_json(self) -> dict[str, Any]:
        """The terms as `read` takes them; parts that say nothing are left out."""
        found: dict[str, Any] = {"kind": str(self.kind), "value": _text(self.value), "currency": self.currency}
        for name in ("most", "minimum_spend", "minimum_quantity"):
            if number := getattr(self, name):
                found[name] = _text(number)
        for name in ("products", "when", "who"):
            if part := getattr(self, name).as_json():
                found[name] = part
        if self.branches:
            found["branches"] = sorted(self.branches)
        if self.uses != 1:
            found["uses"] = self.uses
        if self.member_limit is not None:
            found["member_limit"] = self.member_limit
        if self.partial_use:
            found["partial_use"] = True
        if not self.combinable:
            found["combinable"] = False
        if self.transferable:
            found["transferable"] = True
        return found


_NAMES = frozenset(VoucherTerms.__dataclass_fields__)


def check(terms: VoucherTerms, place: str = "terms") -> None:
    """Raise RuleError for terms that contradict themselves."""
    for name in ("value", "most", "minimum_spend"):
        number = getattr(terms, name)
        cent = Decimal("0.01") if (name, terms.kind) == ("value", Kind.PERCENT) else quantum(terms.currency)
        if number is not None and not 0 <= number <= LARGEST_AMOUNT:
            raise RuleError(f"{place}.{name}", "this amount is below zero or too large")
        if number is not None and number != number.quantize(cent):
            raise RuleError(f"{place}.{name}", "this has too many decimals")
    if terms.value <= 0:
        raise RuleError(f"{place}.value", "a voucher gives more than nothing")
    if terms.most is not None and terms.most <= 0:
        raise RuleError(f"{place}.most", "a voucher gives more than nothing")
    if terms.kind is Kind.PERCENT and terms.value > 100:
        raise RuleError(f"{place}.value", "no more than 100 per cent")
    if terms.kind in (Kind.PRODUCT, Kind.FREE_ITEM) and (terms.value % 1 or terms.value > MOST_ITEMS):
        raise RuleError(f"{place}.value", "a whole number of pieces, at most 1,000")
    if terms.kind is Kind.PRODUCT and terms.products.is_open:
        raise RuleError(f"{place}.products", "say which products this voucher is for")
    if not 0 <= terms.minimum_quantity <= MOST_ITEMS:
        raise RuleError(f"{place}.minimum_quantity", "from 0 to 1,000 pieces")
    if not 1 <= terms.uses <= MOST_USES:
        raise RuleError(f"{place}.uses", "from 1 to 1,000,000 uses")
    if terms.member_limit is not None and terms.member_limit < 1:
        raise RuleError(f"{place}.member_limit", "at least one for each member, or leave it empty")
    if terms.partial_use and (terms.kind is not Kind.AMOUNT or terms.uses != 1 or terms.member_limit is not None):
        raise RuleError(
            f"{place}.partial_use",
            "only an amount used under one code, without a limit for members, can be used in parts",
        )


def _number(given: Mapping[str, Any], name: str, place: str, missing: Decimal | None) -> Decimal | None:
    value = given.get(name)
    if value is None or value == "":
        return missing
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise RuleError(f"{place}.{name}", "write a number as text, such as 12.50")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise RuleError(f"{place}.{name}", "this is not a number") from None
    if not number.is_finite():
        raise RuleError(f"{place}.{name}", "this is not a number")
    return number


def _count(given: Mapping[str, Any], name: str, place: str, *, missing: Missing) -> int | Missing:
    value = given.get(name)
    if value is None or value == "":
        return missing
    if type(value) is not int:
        raise RuleError(f"{place}.{name}", "this is a whole number")
    return value


def _flag(given: Mapping[str, Any], name: str, place: str, *, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    if not isinstance(value, bool):
        raise RuleError(f"{place}.{name}", "this is true or false")
    return value


def _texts(given: Mapping[str, Any], name: str, place: str) -> frozenset[str]:
    values = given.get(name) or []
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise RuleError(f"{place}.{name}", "this is a list of texts")
    return frozenset(value for value in values if value)


def _part(given: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    value = given.get(name) or {}
    if not isinstance(value, Mapping):
        raise RuleError(f"{place}.{name}", "this is a part of its own")
    return value


def _text(number: Decimal) -> str:
    """`12.50` as `12.5`, never `1E+2`."""
    return f"{number.normalize():f}"
