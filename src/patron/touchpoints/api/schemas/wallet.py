"""Stored value as callers see it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from patron.business.loyalty.models import LedgerTransaction
from patron.business.storedvalue.queries import MoneyLine, WalletBalance, explain, what_of
from patron.touchpoints.api.schemas.parts import Amount, Code, Input, Number, Output, ShortText

What = Literal["deposit", "bonus", "payment", "refund", "withdrawal", "bonus_back", "expiry"]
TenderName = Literal["cash", "card", "transfer", "mobile", "cheque", "other"]
RequestKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120),
    Field(description="Yours, one for each request: the same key again gives the first answer and moves nothing."),
]


class MoneyMovementOut(Output):
    """One movement of a member's money."""

    id: int
    occurred_at: datetime
    what: What
    amount: Number = Field(description="What it gave the member (negative: took).")
    balance: Number | None = Field(description="The balance after this movement, on the statement.")
    bonus: Number | None = Field(description="The bonus that a deposit brought, or what of a payment was bonus.")
    paid_out: Number | None = Field(description="What a withdrawal puts into the member's hand.")
    words: str = Field(description="What it was, with the numbers, in the language of Accept-Language.")

    @classmethod
    def of(cls, transaction: LedgerTransaction, *, balance: Decimal | None = None) -> "MoneyMovementOut":
        facts = transaction.explanation
        return cls.model_construct(
            id=transaction.pk,
            occurred_at=transaction.occurred_at,
            what=what_of(transaction),
            amount=transaction.amount,
            balance=balance,
            bonus=Decimal(facts["bonus"]) if "bonus" in facts else None,
            paid_out=Decimal(facts["paid_out"]) if "paid_out" in facts else None,
            words=explain(transaction),
        )

    @classmethod
    def of_line(cls, line: MoneyLine) -> "MoneyMovementOut":
        return cls.of(line.transaction, balance=line.balance)


class WalletOut(Output):
    """What a member holds now, and the last movements of it."""

    currency: str
    balance: Number = Field(description="All that can be paid with.")
    own: Number = Field(description="Deposited money: never expires, may be withdrawn.")
    bonus: Number = Field(description="Granted with deposits: may expire, is never paid out.")
    expiring: Number = Field(description="Of the bonus, what goes next.")
    expires_on: date | None = Field(description="The last day on which it can be used.")
    is_frozen: bool
    has_pin: bool
    movements: list[MoneyMovementOut] = Field(description="The last ten, newest first.")

    @classmethod
    def of(cls, wallet: WalletBalance, lines: list[MoneyLine]) -> "WalletOut":
        return cls.model_construct(
            currency=wallet.currency,
            balance=wallet.balance,
            own=wallet.own,
            bonus=wallet.bonus,
            expiring=wallet.expiring,
            expires_on=wallet.expires_on,
            is_frozen=wallet.is_frozen,
            has_pin=wallet.has_pin,
            movements=[MoneyMovementOut.of_line(line) for line in lines],
        )


class DepositIn(Input):
    """Money that a member brings."""

    request_key: RequestKey
    amount: Amount
    tender: TenderName
    reference: ShortText = ""
    branch: Code | None = Field(None, description="Code of the branch; the key's own where it has one.")
    terminal: ShortText = ""
    cashier: ShortText = ""


class WithdrawalIn(Input):
    """Money that a member takes out."""

    request_key: RequestKey
    amount: Amount
    tender: TenderName = "cash"
    reason: ShortText = ""
    pin: Annotated[str, StringConstraints(max_length=8)] | None = Field(None, description="The member's PIN.")
    code: Annotated[str, StringConstraints(max_length=6)] | None = Field(None, description="A one-time code.")
    branch: Code | None = Field(None, description="Code of the branch; the key's own where it has one.")
    terminal: ShortText = ""
    cashier: ShortText = ""
