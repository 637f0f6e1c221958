"""What vouchers are worth on a basket: exact to the cent, never more than what they apply to. No Django.

Several vouchers apply in a stated order, each to what the ones before it left to pay: pieces for nothing (`product`,
then `free_item`), then percentages, then amounts, then delivery; cash vouchers that keep a remainder come last of the
amounts, so that nothing of the others is lost. Among equals the larger value goes first, then the code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from patron.business.loyalty.baskets import GIFT_CARD, STORED_VALUE, Basket, BasketLine, MemberFacts
from patron.business.vouchers.rules.terms import SHIPPING, Kind, VoucherTerms
from patron.kernel.money import Money, quantum, rounded

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
ORDER = (Kind.PRODUCT, Kind.FREE_ITEM, Kind.PERCENT, Kind.AMOUNT, Kind.SHIPPING)


class Reason(StrEnum):
    """Why a voucher gives nothing on a basket."""

    NONE = ""
    BRANCH = "branch"
    WHEN = "when"
    MEMBER_NEEDED = "member_needed"
    WHO = "who"
    NO_ITEMS = "no_items"
    MINIMUM_QUANTITY = "minimum_quantity"
    MINIMUM_SPEND = "minimum_spend"
    NOT_COMBINABLE = "not_combinable"
    NOTHING_LEFT = "nothing_left"
    NOTHING_TO_PAY = "nothing_to_pay"


@dataclass(frozen=True, slots=True)
class Worth:
    """What a voucher takes off a basket: `by_line` adds up to `amount`. Nothing has a `reason`; `missing` says how much
    money (or how many pieces) more would do."""

    amount: Decimal = ZERO
    by_line: dict[int, Decimal] = field(default_factory=dict)
    reason: Reason = Reason.NONE
    missing: Decimal = ZERO

    @property
    def is_usable(self) -> bool:
        return self.amount > 0


@dataclass(frozen=True, slots=True)
class Presented:
    """A voucher put on the counter. `remaining` is what a cash voucher still holds."""

    code: str
    terms: VoucherTerms
    remaining: Decimal | None = None


def worth_of(
    terms: VoucherTerms, basket: Basket, member: MemberFacts | None, *, remaining: Decimal | None = None
) -> Worth:
    """What one voucher takes off the basket. `remaining` is what a cash voucher still holds, None: all of it."""
    return _worth(terms, basket, member, remaining, _payable(basket))


def worth_of_all(presented: Sequence[Presented], basket: Basket, member: MemberFacts | None) -> dict[str, Worth]:
    """What each of several vouchers takes off the basket, by code, together never more than is to be paid.

    A voucher that stands alone does so: with others it gives nothing, unless it was presented first; then the others
    give nothing.
    """
    left = _payable(basket)
    alone = _alone(presented)
    found: dict[str, Worth] = {}
    for each in in_order(presented):
        if each.code not in alone:
            found[each.code] = Worth(reason=Reason.NOT_COMBINABLE)
            continue
        worth = _worth(each.terms, basket, member, each.remaining, left)
        for line_no, amount in worth.by_line.items():
            left[line_no] -= amount
        found[each.code] = worth
    return found


def in_order(presented: Iterable[Presented]) -> list[Presented]:
    """The vouchers in the order in which they apply."""
    return sorted(
        presented, key=lambda each: (ORDER.index(each.terms.kind), each.terms.partial_use, -each.terms.value, each.code)
    )


def _alone(presented: Sequence[Presented]) -> set[str]:
    """The codes that may apply together."""
    if presented and not presented[0].terms.combinable:
        return {presented[0].code}
    return {each.code for each in presented if each.terms.combinable}


def _payable(basket: Basket) -> dict[int, Decimal]:
    """What of each line a voucher could take: nothing of gift cards and top-ups, and no more in all than is to be paid.

    Where lines below zero (a deposit given back) make less to pay than the goods cost, the last lines give way.
    """
    room = max(basket.net_amount, ZERO)
    payable: dict[int, Decimal] = {}
    for line in basket.lines:
        goods = line.product.kind not in (GIFT_CARD, STORED_VALUE) and line.quantity > 0
        part = min(max(line.net_amount, ZERO), room).quantize(CENT, rounding=ROUND_DOWN) if goods else ZERO
        payable[line.line_no] = part
        room -= part
    return payable


def _worth(
    terms: VoucherTerms,
    basket: Basket,
    member: MemberFacts | None,
    remaining: Decimal | None,
    left: dict[int, Decimal],
) -> Worth:
    if reason := _outside(terms, basket, member):
        return Worth(reason=reason)
    lines = [line for line in basket.lines if _is_eligible(terms, line)]
    if not lines:
        return Worth(reason=Reason.NO_ITEMS)
    if short := _short(terms, basket, lines):
        return short
    cap = _cap(terms, remaining)
    if cap is not None and cap <= 0:
        return Worth(reason=Reason.NOTHING_LEFT)
    if terms.kind in (Kind.PRODUCT, Kind.FREE_ITEM):
        by_line = _pieces(terms, lines, left, cap)
    else:
        by_line = _share(terms, lines, left, cap)
    amount = sum(by_line.values(), ZERO)
    return Worth(amount=amount, by_line=by_line) if amount > 0 else Worth(reason=Reason.NOTHING_TO_PAY)


def _outside(terms: VoucherTerms, basket: Basket, member: MemberFacts | None) -> Reason:
    """Why the voucher is not for this place, hour or person."""
    if terms.branches and basket.branch not in terms.branches:
        return Reason.BRANCH
    if not terms.when.matches(basket.local):
        return Reason.WHEN
    if member is None and (terms.member_limit is not None or not terms.who.is_open):
        return Reason.MEMBER_NEEDED
    return Reason.NONE if terms.who.matches(member) else Reason.WHO


def _is_eligible(terms: VoucherTerms, line: BasketLine) -> bool:
    if line.net_amount <= 0 or line.quantity <= 0 or line.product.kind in (GIFT_CARD, STORED_VALUE):
        return False
    if terms.kind is Kind.SHIPPING:
        return line.product.kind == SHIPPING or (not terms.products.is_open and terms.products.matches(line.product))
    return line.product.kind != SHIPPING and terms.products.matches(line.product)


def _short(terms: VoucherTerms, basket: Basket, lines: Sequence[BasketLine]) -> Worth | None:
    """Too little bought for this voucher, and how much is missing. Delivery looks at the goods that are delivered."""
    if terms.kind is Kind.SHIPPING:
        charges = {line.line_no for line in lines}
        lines = [
            line
            for line in basket.lines
            if line.line_no not in charges and line.net_amount > 0
            and line.product.kind not in (GIFT_CARD, STORED_VALUE, SHIPPING)
        ]  # fmt: skip
    pieces = sum((line.quantity for line in lines), Decimal(0))
    if pieces < terms.minimum_quantity:
        return Worth(reason=Reason.MINIMUM_QUANTITY, missing=terms.minimum_quantity - pieces)
    spend = sum((line.net_amount for line in lines), ZERO)
    if spend < terms.minimum_spend:
        return Worth(reason=Reason.MINIMUM_SPEND, missing=terms.minimum_spend - spend)
    return None


def _cap(terms: VoucherTerms, remaining: Decimal | None) -> Decimal | None:
    """The most that the voucher gives on this basket; None without a limit but the lines themselves."""
    caps = [cap for cap in (terms.most, remaining) if cap is not None]
    if terms.kind in (Kind.AMOUNT, Kind.SHIPPING):
        caps.append(terms.value)
    return min(caps) if caps else None


def _share(
    terms: VoucherTerms, lines: Sequence[BasketLine], left: dict[int, Decimal], cap: Decimal | None
) -> dict[int, Decimal]:
    """A total spread over the lines by what is left to pay of each, by largest remainder."""
    open_lines = [line.line_no for line in lines if left[line.line_no] > 0]
    room = sum((left[line_no] for line_no in open_lines), ZERO)
    total = rounded(room * terms.value / 100, terms.currency) if terms.kind is Kind.PERCENT else room
    return _spread(total if cap is None else min(total, cap), {n: left[n] for n in open_lines}, terms.currency)


def _pieces(
    terms: VoucherTerms, lines: Sequence[BasketLine], left: dict[int, Decimal], cap: Decimal | None
) -> dict[int, Decimal]:
    """So many pieces for nothing, by what is left to pay for one: the dearest (product) or cheapest (free item) first.

    A part of a piece (0.75 kg on a line) counts as one.
    """
    wanted, found = terms.value, dict[int, Decimal]()
    dearest = terms.kind is Kind.PRODUCT

    def price(line: BasketLine) -> Decimal:
        return left[line.line_no] / max(line.quantity, Decimal(1))

    for line in sorted(lines, key=lambda each: (-price(each) if dearest else price(each), each.line_no)):
        if wanted <= 0:
            break
        if left[line.line_no] <= 0:
            continue
        taken = min(wanted, max(Decimal(1), line.quantity // 1))
        share = rounded(left[line.line_no] * min(taken, line.quantity) / line.quantity, terms.currency)
        part = min(share, left[line.line_no])
        if part > 0:
            found[line.line_no] = part
        wanted -= taken
    total = sum(found.values(), ZERO)
    return found if cap is None or total <= cap else _spread(cap, found, terms.currency)


def _spread(total: Decimal, weights: dict[int, Decimal], currency: str) -> dict[int, Decimal]:
    """`total` divided by `weights`, by largest remainder; no part above its weight where the total is not."""
    total = min(total, sum(weights.values(), ZERO)).quantize(quantum(currency))
    if total <= 0:
        return {}
    parts = Money(total, currency).split(list(weights.values()))
    return {line_no: part.amount for line_no, part in zip(weights, parts, strict=True) if part.amount > 0}
