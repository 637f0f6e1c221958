"""What stands on the counter: who buys what, at which price, with which vouchers. The same for a quote and a sale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.baskets import Basket, BasketLine, MemberFacts, ProductFacts, categories_of
from patron.business.loyalty.errors import NoSuchMember
from patron.business.loyalty.ledger.awards import entitlements_of
from patron.business.loyalty.ledger.states import load_states
from patron.business.loyalty.models import Membership, Programme
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.sales import MemberState
from patron.business.purchases.receipts import KnownProduct, known_products
from patron.business.purchases.rules import Line, PricedLine, ReceiptError, price_lines
from patron.business.tills.errors import NoPrice
from patron.business.tills.models import Terminal
from patron.business.tills.rules import discounted
from patron.business.vouchers.queries import CodeCheck, check_codes
from patron.core.customers.models import Customer
from patron.core.customers.queries.identifying import identify_customer
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.prepared import columns, fetch, fetch_models


@dataclass(frozen=True, slots=True)
class BasketItem:
    """A line as the till tells it. Without `unit_price` the catalogue's counts (the branch's own, else the list)."""

    product: str
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    discount_amount: Decimal = Decimal(0)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A means of payment and how much money of it. `points` and `stored_value` are taken from the member."""

    kind: str
    amount: Decimal
    reference: str = ""
    pin: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TillBasket:
    """What a till asks a quote for, or sells. `member` is a card, number, phone or e-mail; empty for nobody."""

    items: Sequence[BasketItem]
    member: str = ""
    vouchers: Sequence[str] = ()
    currency: str = ""


@dataclass(slots=True)
class Counter:
    """A basket with everything known of it: the member and their state, the lines priced, the vouchers checked."""

    at: datetime
    membership: Membership | None
    rulebook: Rulebook | None
    state: MemberState | None
    before: list[PricedLine]
    lines: list[PricedLine]
    products: dict[str, KnownProduct]
    basket: Basket
    facts: MemberFacts | None
    checks: list[CodeCheck]

    @property
    def net_amount(self) -> Decimal:
        return sum((line.net_amount for line in self.lines), Decimal(0))

    @property
    def voucher_amount(self) -> Decimal:
        return sum((check.worth.amount for check in self.checks if check.is_usable), Decimal(0))


_MEMBER = (
    f"SELECT {columns(Membership, 'm')}, {columns(Customer, 'u')}, {columns(Programme, 'g')} "  # noqa: S608
    "FROM loyalty_card c JOIN loyalty_membership m ON m.id = c.membership_id "
    "JOIN customers_customer u ON u.id = m.customer_id JOIN loyalty_programme g ON g.id = m.programme_id "
    "WHERE c.number = %s::text AND c.status = 'active'"
)


def find_member(text: str, actor: Actor) -> Membership | None:
    """Who shows this card, number, phone or e-mail; None for nobody (an empty text).

    A blocked card finds nobody. Raises InvalidInput naming the field for who is not on file, or is no member.
    """
    text = text.strip()
    if not text:
        return None
    digits = text.replace(" ", "").replace("-", "")
    if digits.isdigit() and (rows := fetch_models([Membership, Customer, Programme], _MEMBER, [digits])):
        member, member.customer, member.programme = rows[0]
        return member  # type: ignore[no-any-return]
    memberships = Membership.objects.select_related("customer", "programme")
    try:
        customer = identify_customer(text, actor=actor)
    except NotFound as error:
        raise InvalidInput(error.message, details={"field": "member"}) from error
    membership = memberships.filter(customer=customer).order_by("pk").first()
    if membership is None:
        raise NoSuchMember(details={"field": "member"})
    return membership


def lay_out(
    asked: TillBasket,
    *,
    terminal: Terminal,
    membership: Membership | None,
    currency: str,
    at: datetime,
    tenders: Sequence[tuple[str, Decimal]] = (),
    with_state: bool,
    now: datetime,
) -> Counter:
    """Price a basket and check its vouchers; nothing is taken. `with_state` also reads what rules ask of the member.

    Raises InvalidInput naming the line for what contradicts itself, NoPrice.
    """
    codes = [item.product for item in asked.items if item.product]
    products = known_products(codes, branch_id=terminal.branch_id, day=today(at))
    try:
        before = price_lines(_lines(asked.items, products), currency=currency)
    except ReceiptError as error:
        raise InvalidInput(str(error), details={"field": error.place}) from error
    rulebook, state, facts = None, None, None
    if membership is not None and (with_state or asked.vouchers):
        entitlements = entitlements_of(membership.customer_id, currency, at)
        rulebook = next((rules for member, _, rules in entitlements if member == membership.pk), None)
        if rulebook is not None:
            state = load_states(rulebook, [membership.pk], first=today(at))[membership.pk]
        facts = MemberFacts(
            tier=membership.tier,
            segments=_segments(membership) if asked.vouchers else frozenset(),
            birth_on=membership.customer.birth_on,
            joined_on=membership.joined_on,
        )
    basket = _basket(before, products, terminal, at, tenders)
    checks: list[CodeCheck] = []
    lines = before
    if asked.vouchers:
        checks = check_codes(
            list(asked.vouchers), basket, membership=membership, member=facts, now=now, terminal=terminal.code
        )
        off: dict[int, Decimal] = {}
        for check in checks:
            if check.is_usable:
                for number, cut in check.worth.by_line.items():
                    off[number] = off.get(number, Decimal(0)) + cut
        lines = discounted(before, off)
    return Counter(at, membership, rulebook, state, before, lines, products, basket, facts, checks)


def _lines(items: Sequence[BasketItem], products: dict[str, KnownProduct]) -> list[Line]:
    lines = []
    for index, item in enumerate(items):
        known = products.get(item.product)
        price = item.unit_price
        if price is None and known is not None:
            price = known.price
        if price is None:
            raise NoPrice(details={"field": f"lines[{index}].unit_price", "product": item.product})
        description = item.description if known is None or item.description != known.name else ""
        lines.append(Line(item.product, item.quantity, price, item.discount_amount, None, description))
    return lines


def _basket(
    lines: Sequence[PricedLine],
    products: dict[str, KnownProduct],
    terminal: Terminal,
    at: datetime,
    tenders: Sequence[tuple[str, Decimal]],
) -> Basket:
    return Basket(
        at=at,
        local=at.astimezone(house_zone()),
        lines=[
            BasketLine(number, facts_of(line, products), line.quantity, line.unit_price, line.net_amount)
            for number, line in enumerate(lines, start=1)
        ],
        branch=terminal.branch.code,
        tenders=tenders,
    )


def facts_of(line: PricedLine, products: dict[str, KnownProduct]) -> ProductFacts:
    """What rules may ask of the product of a line."""
    known = products.get(line.product_code)
    if known is None:
        return ProductFacts(line.product_code)
    return ProductFacts(known.code, known.brand, categories_of(known.category), known.kind)


def _segments(membership: Membership) -> frozenset[str]:
    rows = fetch(
        "SELECT model || ':' || label FROM customers_insight WHERE customer_id = %s::bigint AND label <> ''",
        [membership.customer_id],
    )
    return frozenset(label for (label,) in rows)
