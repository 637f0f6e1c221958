"""Purchases as callers see and send them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from patron.business.purchases.models import CouponUse, Purchase, PurchaseLine, Tender
from patron.business.purchases.queries import PurchaseDetails
from patron.touchpoints.api.schemas.parts import (
    Amount,
    Code,
    Currency,
    Input,
    Instant,
    Number,
    Output,
    PositiveAmount,
    Quantity,
    UnitPrice,
)

Source = Annotated[str, StringConstraints(min_length=1, max_length=60), Field(examples=["till"])]
SourceKey = Annotated[str, StringConstraints(min_length=1, max_length=120), Field(examples=["T7-000123"])]
LineNumber = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class PurchaseOut(Output):
    """A receipt without its lines. Amounts of returns are negative."""

    id: int
    source: str
    source_key: str
    kind: Literal["sale", "return"]
    status: Literal["completed", "voided"]
    customer: str | None = Field(description="The customer's number; null for an anonymous purchase.")
    branch: str | None = Field(description="The code of the branch.")
    channel: str
    occurred_at: datetime
    voided_at: datetime | None
    currency: str
    gross_amount: Number
    discount_amount: Number
    net_amount: Number = Field(description="What was paid: gross_amount − discount_amount.")
    line_count: int
    terminal: str
    cashier: str
    original: int | None = Field(description="The id of the sale that this return belongs to.")

    @classmethod
    def of(cls, purchase: Purchase) -> "PurchaseOut":
        return cls.model_construct(**_header(purchase))


class LineOut(Output):
    """One line of a receipt."""

    line_no: int
    product: str | None = Field(description="The product's code.")
    description: str
    quantity: Number
    unit_price: Number
    discount_amount: Number
    net_amount: Number
    original_line_no: int | None

    @classmethod
    def of(cls, line: PurchaseLine) -> "LineOut":
        return cls.model_construct(
            line_no=line.line_no,
            product=line.product.code if line.product else None,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_amount=line.discount_amount,
            net_amount=line.net_amount,
            original_line_no=line.original_line_no,
        )


class TenderOut(Output):
    """A means of payment and how much of it was used."""

    kind: str
    amount: Number
    reference: str

    @classmethod
    def of(cls, tender: Tender) -> "TenderOut":
        return cls.model_construct(kind=tender.kind, amount=tender.amount, reference=tender.reference)


class CouponOut(Output):
    """A coupon that lowered the purchase, or one of its lines."""

    code: str
    amount: Number
    line_no: int | None

    @classmethod
    def of(cls, use: CouponUse) -> "CouponOut":
        return cls.model_construct(code=use.code, amount=use.amount, line_no=use.line_no)


class PurchaseDetailsOut(PurchaseOut):
    """A receipt with everything on it."""

    lines: list[LineOut]
    tenders: list[TenderOut]
    coupons: list[CouponOut]
    returns: list[int] = Field(description="The ids of the returns of this sale.")

    @classmethod
    def of_details(cls, details: PurchaseDetails) -> "PurchaseDetailsOut":
        return cls.model_construct(
            **_header(details.purchase),
            lines=[LineOut.of(line) for line in details.lines],
            tenders=[TenderOut.of(tender) for tender in details.tenders],
            coupons=[CouponOut.of(use) for use in details.coupons],
            returns=[purchase.pk for purchase in details.returns],
        )


def _header(purchase: Purchase) -> dict[str, Any]:
    same = (
        "id", "source", "source_key", "kind", "status", "channel", "occurred_at", "voided_at", "currency",
        "gross_amount", "discount_amount", "net_amount", "line_count", "terminal", "cashier",
    )  # fmt: skip
    return {
        **{name: getattr(purchase, name) for name in same},
        "customer": purchase.customer.number if purchase.customer else None,
        "branch": purchase.branch.code if purchase.branch else None,
        "original": purchase.original_id,
    }


class ReceiptIn(Input):
    """Where and when. `source` and `source_key` together are unique: the same receipt again adds nothing."""

    source: Source = "api"
    source_key: SourceKey
    occurred_at: Instant
    branch: Code | None = Field(default=None, description="The code of the branch; the key's own unless told.")
    channel: Annotated[str, StringConstraints(min_length=1, max_length=20)] = "store"
    currency: Currency | None = Field(default=None, description="The organisation's own unless told.")
    terminal: Annotated[str, StringConstraints(max_length=40)] = ""
    cashier: Annotated[str, StringConstraints(max_length=100)] = ""


class LineIn(Input):
    """A line as the till printed it. A product not on file yet is added by its code."""

    product: Annotated[str, StringConstraints(max_length=64), Field(examples=["MILK-1L"])] = ""
    description: Annotated[str, StringConstraints(max_length=300)] = ""
    quantity: Quantity
    unit_price: UnitPrice
    discount_amount: PositiveAmount = Decimal(0)
    net_amount: PositiveAmount | None = Field(
        default=None, description="quantity × unit_price − discount_amount unless told."
    )


class TenderIn(Input):
    """A means of payment and how much of it was used."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=20), Field(examples=["cash"])]
    amount: Amount
    reference: Annotated[str, StringConstraints(max_length=100)] = ""


class CouponIn(Input):
    """A coupon, on one line or on the whole receipt. Its amount is already within the discounts."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    amount: Amount
    line_no: LineNumber | None = None


class PurchaseIn(ReceiptIn):
    """A sale."""

    customer: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="Customer number, card number, whole phone number, e-mail or external id; null is anonymous.",
        examples=["C0000042"],
    )
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1000)]
    tenders: Annotated[list[TenderIn], Field(max_length=50)] = []
    coupons: Annotated[list[CouponIn], Field(max_length=100)] = []


class ReturnedLineIn(Input):
    """How much of which line comes back."""

    line_no: LineNumber
    quantity: Quantity


class ReturnIn(ReceiptIn):
    """Lines of a sale that come back, wholly or in part."""

    lines: Annotated[list[ReturnedLineIn], Field(min_length=1, max_length=1000)]
