"""The till's requests and answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from patron.business.purchases.rules import ReturnedLine
from patron.business.tills.baskets import BasketItem, Payment, TillBasket
from patron.touchpoints.api.schemas.parts import (
    Amount,
    Currency,
    Input,
    Instant,
    Number,
    Output,
    PositiveAmount,
    Quantity,
    UnitPrice,
)

ClientId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    Field(description="The till's own id of this: the same again gets the same answer.", examples=["T7-91"]),
]
Member = Annotated[
    str, StringConstraints(max_length=200), Field(description="A card, customer number, phone or e-mail.")
]
Cashier = Annotated[str, StringConstraints(max_length=100)]
MOST_LINES = 500


class PosLineIn(Input):
    """A line of the basket. Without a price the catalogue's counts."""

    product: Annotated[str, StringConstraints(max_length=64)] = ""
    description: Annotated[str, StringConstraints(max_length=300)] = ""
    quantity: Quantity = Decimal(1)
    unit_price: UnitPrice | None = None
    discount_amount: PositiveAmount = Decimal(0)


class PosBasketIn(Input):
    """A basket on the counter."""

    lines: Annotated[list[PosLineIn], Field(min_length=1, max_length=MOST_LINES)]
    member: Member = ""
    vouchers: Annotated[list[Annotated[str, StringConstraints(max_length=60)]], Field(max_length=20)] = []
    currency: Currency | None = None

    def basket(self) -> TillBasket:
        """The basket as the till's room takes it."""
        return TillBasket(
            items=[
                BasketItem(line.product, line.quantity, line.unit_price, line.discount_amount, line.description)
                for line in self.lines
            ],
            member=self.member,
            vouchers=self.vouchers,
            currency=self.currency or "",
        )


class PosPaymentIn(Input):
    """A means of payment. `points` and `stored_value` are taken from the member; large amounts need PIN or code."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=20), Field(examples=["cash", "points"])]
    amount: Amount
    reference: Annotated[str, StringConstraints(max_length=100)] = ""
    pin: Annotated[str, StringConstraints(max_length=12)] | None = None
    code: Annotated[str, StringConstraints(max_length=12)] | None = None


class PosQuoteIn(PosBasketIn):
    """A basket to quote. With payments the points to be earned leave out what is paid by means that earn nothing."""

    payments: Annotated[list[PosPaymentIn], Field(max_length=20)] = []


class PosSaleIn(PosBasketIn):
    """A sale to commit. Without payments everything was paid in cash."""

    client_id: ClientId
    occurred_at: Instant
    payments: Annotated[list[PosPaymentIn], Field(max_length=20)] = []
    cashier: Cashier = ""

    def paid(self) -> list[Payment]:
        """The payments as the till's room takes them."""
        return [Payment(p.kind, p.amount, p.reference, p.pin, p.code) for p in self.payments]


class PosReturnLineIn(Input):
    """How much of which line comes back."""

    line_no: Annotated[int, Field(ge=1, le=100_000, strict=True)]
    quantity: Quantity


class PosReturnIn(Input):
    """Goods of a sale that come back."""

    client_id: ClientId
    sale: ClientId
    lines: Annotated[list[PosReturnLineIn], Field(min_length=1, max_length=MOST_LINES)]
    occurred_at: Instant
    cashier: Cashier = ""

    def returned(self) -> list[ReturnedLine]:
        """The lines as the till's room takes them."""
        return [ReturnedLine(line.line_no, line.quantity) for line in self.lines]


class PosVoidIn(Input):
    """A sale to cancel."""

    client_id: ClientId
    sale: ClientId
    occurred_at: Instant | None = None


class PosBalanceIn(Input):
    """Whose balance is asked."""

    member: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PosBatchItemIn(Input):
    """One transaction of a till that was offline: exactly one of the three."""

    sale: PosSaleIn | None = None
    returned: PosReturnIn | None = None
    void: PosVoidIn | None = None


class PosBatchIn(Input):
    """What a till did while it was offline, in any order. `sent_at` is its clock now: a wrong one is set right."""

    items: Annotated[list[PosBatchItemIn], Field(min_length=1, max_length=500)]
    sent_at: Instant | None = None


class BalancesOut(Output):
    """What a member has."""

    points: Number
    pending: Number
    stored_value: Number
    stamps: Number


class TierOut(Output):
    """The tier held; `risen` by this transaction."""

    code: str
    name: str
    until: date | None
    risen: bool


class PosMemberOut(Output):
    """Who it is, and what they have now."""

    customer: str
    name: str
    tier: TierOut
    balances: BalancesOut


class PosPointsOut(Output):
    """What a transaction did to the member's points, and why, in words."""

    earned: Number = Decimal(0)
    taken_back: Number = Decimal(0)
    spent: Number = Decimal(0)
    given_back: Number = Decimal(0)
    stamps: Number = Decimal(0)
    why: list[str] = []


class PosVoucherOut(Output):
    """A voucher used."""

    code: str
    name: str
    amount: Number


class PosVoucherBackOut(Output):
    """A voucher given back; one whose days are past cannot be used any more."""

    code: str
    name: str
    usable: bool


class PosSaleOut(Output):
    """What a sale came to."""

    purchase: int
    occurred_at: datetime
    net_amount: Number
    discount_amount: Number
    currency: str
    vouchers: list[PosVoucherOut]
    points: PosPointsOut | None = None
    member: PosMemberOut | None = None
    notes: list[str] = []


class PosVoidOut(Output):
    """What voiding did."""

    purchase: int
    voided: bool
    money_back: Number
    vouchers_back: list[PosVoucherBackOut]
    points: PosPointsOut | None = None
    member: PosMemberOut | None = None
    notes: list[str] = []


class PosReturnOut(Output):
    """What goes back to the customer, by means."""

    purchase: int
    original: int
    net_amount: Number
    currency: str
    money_back: Number
    points_back: Number
    stored_value_back: Number
    vouchers_back: list[PosVoucherBackOut]
    points: PosPointsOut | None = None
    member: PosMemberOut | None = None
    notes: list[str] = []


class PosQuoteLineOut(Output):
    """A line priced, vouchers taken off."""

    line_no: int
    product: str
    name: str
    quantity: Number
    unit_price: Number
    discount_amount: Number
    net_amount: Number


class PosCheckOut(Output):
    """What became of a voucher that was presented."""

    code: str
    name: str
    amount: Number
    usable: bool
    refusal: str
    words: str


class PosUsableOut(Output):
    """A voucher of the member that was not presented: what it would take off, and what to say."""

    code: str
    name: str
    amount: Number
    words: str
    until: date | None


class PosQuoteOut(Output):
    """What a basket would cost, earn and redeem, and what the cashier may say."""

    currency: str
    lines: list[PosQuoteLineOut]
    gross_amount: Number
    voucher_amount: Number
    net_amount: Number
    vouchers: list[PosCheckOut]
    usable_vouchers: list[PosUsableOut]
    points: PosPointsOut | None = None
    points_can_pay: Number | None = None
    points_needed: Number | None = None
    member: PosMemberOut | None = None
    say: list[str]
    notes: list[str] = []


class PosBalanceOut(Output):
    """What a member has, and what to say."""

    member: PosMemberOut
    usable_vouchers: list[PosUsableOut]
    points_can_pay: Number | None = None
    points_needed: Number | None = None
    say: list[str]
    notes: list[str] = []


class PosBatchAnswerOut(Output):
    """What became of one transaction: done (with the answer that the till would have got), or refused, and why."""

    client_id: str
    status: Literal["done", "refused"]
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class PosBatchOut(Output):
    """One answer for each item, in the order sent. Refused ones may be corrected and sent again."""

    done: int
    refused: int
    items: list[PosBatchAnswerOut]
