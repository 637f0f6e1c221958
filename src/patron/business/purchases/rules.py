"""What a receipt must be, and what may be returned of it. No Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from patron.kernel.money import rounded

QUANTITY_STEP = Decimal("0.001")
PRICE_STEP = Decimal("0.0001")
LARGEST_AMOUNT = Decimal("99999999999999.99")
LARGEST_QUANTITY = Decimal("99999999999.999")
LARGEST_PRICE = Decimal("999999999999.9999")


class ReceiptError(ValueError):
    """A receipt that contradicts itself. `place` names the field, for example `lines[2].quantity`."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the till gives it. `net_amount` None means quantity × unit price − discount."""

    product_code: str
    quantity: Decimal
    unit_price: Decimal
    discount_amount: Decimal = Decimal(0)
    net_amount: Decimal | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """How much of which line of the original comes back."""

    line_no: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class TenderPart:
    """A means of payment and how much of it was used."""

    kind: str
    amount: Decimal
    reference: str = ""


@dataclass(frozen=True, slots=True)
class CouponPart:
    """A coupon used, on one line or (None) on the whole receipt. Its amount is already within the discounts."""

    code: str
    amount: Decimal
    line_no: int | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with every amount decided."""

    product_code: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_amount: Decimal
    net_amount: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines add up to: `net` = `gross` − `discount`."""

    gross: Decimal
    discount: Decimal
    net: Decimal


def price_lines(lines: Sequence[Line], *, currency: str) -> list[PricedLine]:
    """Every line with its net amount, rounded to the currency's minor unit, halves away from zero.

    Raises ReceiptError for no lines, a quantity that is not above zero, a negative price or discount, a net amount
    below zero, too many decimals, or a number too large to keep.
    """
    if not lines:
        raise ReceiptError("lines", "a receipt needs at least one line")
    return [_priced(line, f"lines[{index}]", currency) for index, line in enumerate(lines)]


def _priced(line: Line, place: str, currency: str) -> PricedLine:
    if not line.product_code and not line.description:
        raise ReceiptError(f"{place}.product_code", "a line needs a product code or a description")
    _check_number(line.quantity, f"{place}.quantity", step=QUANTITY_STEP, largest=LARGEST_QUANTITY)
    _check_number(line.unit_price, f"{place}.unit_price", step=PRICE_STEP, largest=LARGEST_PRICE)
    _check_number(line.discount_amount, f"{place}.discount_amount", step=Decimal("0.01"), largest=LARGEST_AMOUNT)
    if line.quantity <= 0:
        raise ReceiptError(f"{place}.quantity", "a sale's quantity is above zero; what comes back is a return")
    if line.unit_price < 0 or line.discount_amount < 0:
        raise ReceiptError(f"{place}.unit_price", "prices and discounts are not negative")
    net = line.net_amount
    if net is None:
        net = rounded(line.quantity * line.unit_price - line.discount_amount, currency)
    _check_number(net, f"{place}.net_amount", step=Decimal("0.01"), largest=LARGEST_AMOUNT)
    if net < 0:
        raise ReceiptError(f"{place}.net_amount", "a line cannot cost less than nothing")
    return PricedLine(
        product_code=line.product_code,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_amount=line.discount_amount,
        net_amount=net,
    )


def _check_number(value: Decimal, place: str, *, step: Decimal, largest: Decimal) -> None:
    if not value.is_finite():
        raise ReceiptError(place, "this is not a number")
    if abs(value) > largest:
        raise ReceiptError(place, "this number is too large")
    if value % step:
        raise ReceiptError(place, f"this number has more than {-int(step.as_tuple().exponent)} decimals")


def totals_of(lines: Iterable[PricedLine]) -> Totals:
    """What the lines add up to. Gross is net + discount, so that a till's own rounding is kept.

    Raises ReceiptError when the sum is too large to keep.
    """
    net = discount = Decimal(0)
    for line in lines:
        net += line.net_amount
        discount += line.discount_amount
    if abs(net) + discount > LARGEST_AMOUNT:
        raise ReceiptError("lines", "these lines add up to more than can be kept")
    return Totals(gross=net + discount, discount=discount, net=net)


def check_tenders(tenders: Sequence[TenderPart], net: Decimal) -> None:
    """Payments, where given, add up to what was to be paid. Raises ReceiptError."""
    paid = sum((tender.amount for tender in tenders), Decimal(0))
    if tenders and paid != net:
        raise ReceiptError("tenders", f"the payments add up to {paid}, but {net} was to be paid")


def returned_share(
    *, quantity: Decimal, original_quantity: Decimal, original_net: Decimal, already: Decimal, already_net: Decimal,
    currency: str,
) -> Decimal:  # fmt: skip
    """What is paid back for `quantity` of a line: its share of what the line cost, never more than is left.

    The last piece takes the remainder, so that a line returned bit by bit gives back exactly what it cost. All
    arguments are positive; `already` and `already_net` are what earlier returns took. Raises ReceiptError when more
    would come back than was bought.
    """
    if quantity <= 0:
        raise ReceiptError("quantity", "the quantity that comes back is above zero")
    left = original_quantity - already
    if quantity > left:
        raise ReceiptError("quantity", f"only {max(left, Decimal(0)).normalize():f} of this line can still be returned")
    if quantity == left:
        return original_net - already_net
    return min(rounded(original_net * quantity / original_quantity, currency), original_net - already_net)
