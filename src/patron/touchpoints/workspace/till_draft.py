"""The basket on the counter while it is being made: as it stands in the form, and as the session remembers it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from patron.business.tills.baskets import BasketItem, Payment, TillBasket
from patron.business.vouchers.rules.codes import normalised
from patron.kernel.money import rounded

MOST_ROWS = 200
LONGEST_TEXT = 200
MEANS = ("points", "stored_value", "card", "mobile")
"""Means of payment that an amount is typed for; what is left is paid in cash."""
STALE = timedelta(minutes=10)
_CLIENT_ID = re.compile(r"[0-9a-f]{32}\Z")
_MANY = re.compile(r"(?P<quantity>\d{1,5}(?:\.\d{1,3})?)\s*[*×]\s*(?P<code>.+)\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """A line as typed. Without `product` its `name` says what it is."""

    product: str = ""
    name: str = ""
    quantity: str = "1"
    price: str = ""
    discount: str = ""


@dataclass(slots=True)
class Draft:
    """A basket as typed. Its `client_id` is drawn once, so that it is sold once; `at` is when it was last changed."""

    client_id: str = field(default_factory=lambda: uuid4().hex)
    at: str = ""
    member: str = ""
    rows: list[Row] = field(default_factory=list)
    vouchers: list[str] = field(default_factory=list)
    pay: dict[str, str] = field(default_factory=dict)
    given: str = ""

    @classmethod
    def of_form(cls, post: QueryDict) -> "Draft":
        """The basket that a form sends. Columns that do not fit together are cut to the shortest."""
        columns = [post.getlist(name)[:MOST_ROWS] for name in ("product", "name", "quantity", "price", "discount")]
        rows = [Row(*(text.strip()[:LONGEST_TEXT] for text in texts)) for texts in zip(*columns, strict=False)]
        client_id = post.get("client_id", "")
        codes = [normalised(code[:60]) for code in post.getlist("voucher")]
        return cls(
            client_id=client_id if _CLIENT_ID.match(client_id) else uuid4().hex,
            at=post.get("at", "")[:40],
            member=post.get("member", "").strip()[:LONGEST_TEXT],
            rows=rows,
            vouchers=[*dict.fromkeys(code for code in codes if code)][:20],
            pay={name: post.get(f"pay_{name}", "").strip()[:20] for name in MEANS},
            given=post.get("given", "").strip()[:20],
        )

    @classmethod
    def of_session(cls, kept: Mapping[str, Any] | None) -> "Draft":
        """The basket that the session remembers; an empty one where it remembers none."""
        if not kept:
            return cls()
        return cls(**{**kept, "rows": [Row(**row) for row in kept.get("rows", [])]})

    def as_session(self) -> dict[str, Any]:
        return asdict(self)

    def use_voucher(self, code: str) -> None:
        """Put a voucher's code beside the basket, once."""
        self.vouchers = list(dict.fromkeys([*self.vouchers, normalised(code[:60])]))

    def drop_voucher(self, code: str) -> bool:
        """Take a voucher's code away again; False where it is not there."""
        gone = normalised(code[:60])
        known = gone in self.vouchers
        self.vouchers = [each for each in self.vouchers if each != gone]
        return known

    def touched(self, now: datetime) -> None:
        """Note when the basket was changed: a sale counts from then."""
        self.at = now.isoformat()

    def occurred_at(self, now: datetime) -> datetime:
        """When the sale counts: its last change, so that sending it twice says the same; now if that was long ago."""
        try:
            at = datetime.fromisoformat(self.at)
        except ValueError:
            return now
        return at if at.tzinfo is not None and now - STALE <= at <= now else now

    def add(self, product: str, name: str, *, price: Decimal | None, quantity: Decimal = Decimal(1)) -> int:
        """Put a product into the basket, onto its row where there is one at this price. Returns the row's index."""
        asked = "" if price is None else plain(price) if price % Decimal("0.01") else f"{price:.2f}"
        for index, row in enumerate(self.rows):
            so_far = number(row.quantity)
            if product and row.product == product and row.price == asked and so_far is not None:
                self.rows[index] = replace(row, quantity=plain(so_far + quantity))
                return index
        self.rows.append(Row(product, name[:LONGEST_TEXT], plain(quantity), asked))
        return len(self.rows) - 1

    def basket(self) -> tuple[TillBasket, dict[str, str]]:
        """The basket, and what is wrong with it: words by the id of the field."""
        problems: dict[str, str] = {}
        items = [item for i, row in enumerate(self.rows) if (item := _item(row, i, problems)) is not None]
        return TillBasket(items=items, member=self.member, vouchers=tuple(self.vouchers)), problems


@dataclass(frozen=True, slots=True)
class Due:
    """What is paid by what: the parts typed, the rest in `cash`, `given` over the counter and the `change`."""

    parts: Mapping[str, Decimal]
    cash: Decimal
    given: Decimal | None
    problems: Mapping[str, str]

    @property
    def change(self) -> Decimal:
        """What goes back of the money given; zero where too little, or nothing, was given."""
        return max(self.given - self.cash, Decimal(0)) if self.given is not None else Decimal(0)

    def payments(self, *, pin: str = "", code: str = "") -> list[Payment]:
        """The payments as the till's room takes them."""
        paid = [
            Payment(kind, amount, pin=pin or None, code=code or None)
            if kind == "stored_value"
            else Payment(kind, amount)
            for kind, amount in self.parts.items()
        ]
        return [*paid, Payment("cash", self.cash)] if self.cash else paid


def due_of(draft: Draft, net_amount: Decimal) -> Due:
    """How `net_amount` is paid, and what is wrong with that."""
    parts, problems = parts_of(draft)
    cash = net_amount - sum(parts.values(), Decimal(0))
    if cash < 0:
        problems.setdefault(f"pay-{next(reversed(parts))}", _("This is more than there is to pay."))
    given = number(draft.given) if draft.given else None
    if draft.given and (given is None or given < 0):
        problems["given"] = _("Type an amount of money.")
    elif given is not None and given < cash:
        problems["given"] = _("This is less than what is to be paid in cash.")
    return Due(parts, max(cash, Decimal(0)), given, problems)


def parts_of(draft: Draft) -> tuple[dict[str, Decimal], dict[str, str]]:
    """The means of payment with the amounts typed for them, and what is wrong with an amount."""
    problems: dict[str, str] = {}
    parts: dict[str, Decimal] = {}
    for kind in MEANS:
        typed = draft.pay.get(kind, "")
        amount = number(typed) if typed else Decimal(0)
        if amount is None or amount < 0 or amount % Decimal("0.01"):
            problems[f"pay-{kind}"] = _("Type an amount of money.")
        elif amount:
            parts[kind] = amount
    return parts, problems


def many_of(typed: str) -> tuple[Decimal, str]:
    """How many, and the code: `3*4901` is three of 4901."""
    found = _MANY.match(typed.strip())
    if found is None or not Decimal(found["quantity"]):
        return Decimal(1), typed.strip()
    return Decimal(found["quantity"]), found["code"].strip()


def number(text: str) -> Decimal | None:
    """The number that was typed, with or without commas; None for anything else."""
    try:
        value = Decimal(text.replace(",", "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**9 else None


def plain(value: Decimal) -> str:
    """A number as one would type it."""
    return f"{value.normalize():f}" if value else "0"


def _item(row: Row, index: int, problems: dict[str, str]) -> BasketItem | None:
    quantity, price = number(row.quantity), number(row.price)
    if quantity is None or quantity <= 0 or quantity % Decimal("0.001"):
        problems[f"quantity-{index}"] = _("A quantity is more than zero, with at most three decimals.")
    if price is None or price < 0 or price % Decimal("0.0001"):
        problems[f"price-{index}"] = _("Type the price.")
    if quantity is None or price is None or {f"quantity-{index}", f"price-{index}"} & problems.keys():
        return None
    discount = _discount(row.discount, quantity * price)
    if discount is None or discount > quantity * price:
        problems[f"discount-{index}"] = _("A discount is an amount of money or a percentage, at most the whole price.")
        return None
    return BasketItem(row.product, quantity, price, discount, "" if row.product else row.name)


def _discount(typed: str, whole: Decimal) -> Decimal | None:
    """The money off a line: an amount, or a percentage such as 10%."""
    if not typed:
        return Decimal(0)
    percent = typed.rstrip().endswith(("%", "％"))
    value = number(typed.rstrip(" %％"))
    if value is None or value < 0:
        return None
    if percent:
        return rounded(whole * value / 100, settings.CURRENCY)
    return value if not value % Decimal("0.01") else None
