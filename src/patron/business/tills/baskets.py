"""What stands on the counter: who buys what, at which price, with which vouchers. The same for a quote and a sale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.baskets import Basket, BasketLine, MemberFacts, ProductFacts, categories_of
from patron.business.loyalty.errors import NoSuchMember
from patron.business.loyalty.ledger.awards import entitlements_of
from patron.business.loyalty.ledger.states import load_states
from patron.business.loyalty.models import Membership
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.loyalty.rules.sales import MemberState
from patron.business.purchases.receipts import KnownProduct, known_products
from patron.business.purchases.rules import Line, PricedLine, ReceiptError, price_lines
from patron.business.tills.errors import NoPrice
from patron.business.tills.models import Terminal
from patron.business.tills.rules import discounted
from patron.business.vouchers.queries import CodeCheck, check_codes
from patron.core.catalog.models import BranchPrice, Product
from patron.core.customers.queries.identifying import identify_customer
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.prepared import fetch


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
    visits: int
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


_MEMBER = """
SELECT m.id FROM loyalty_card c JOIN loyalty_membership m ON m.id = c.membership_id
WHERE c.number = %s::text AND c.status = 'active'
"""


def find_member(text: str, actor: Actor) -> Membership | None:
    """Who shows this card, number, phone or e-mail; None for nobody (an empty text).

    A blocked card finds nobody. Raises InvalidInput naming the field for who is not on file, or is no member.
    """
    text = text.strip()
    if not text:
        return None
    memberships = Membership.objects.select_related("customer", "programme")
    digits = text.replace(" ", "").replace("-", "")
    if digits.isdigit() and (rows := fetch(_MEMBER, [digits])):
        return memberships.get(pk=rows[0][0])
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
    products = known_products([item.product for item in asked.items if item.product])
    try:
        before = price_lines(_lines(asked.items, products, terminal, at), currency=currency)
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
    return Counter(at, membership, rulebook, state, 0, before, lines, products, basket, facts, checks)


def _lines(
    items: Sequence[BasketItem], products: dict[str, KnownProduct], terminal: Terminal, at: datetime
) -> list[Line]:
    missing = [item.product for item in items if item.unit_price is None]
    prices = _prices(missing, terminal, at) if missing else {}
    lines = []
    for index, item in enumerate(items):
        price = item.unit_price if item.unit_price is not None else prices.get(item.product)
        if price is None:
            raise NoPrice(details={"field": f"lines[{index}].unit_price", "product": item.product})
        known = products.get(item.product)
        description = item.description if known is None or item.description != known.name else ""
        lines.append(Line(item.product, item.quantity, price, item.discount_amount, None, description))
    return lines


def _prices(codes: Sequence[str], terminal: Terminal, at: datetime) -> dict[str, Decimal]:
    """What the catalogue asks for products in the terminal's branch on that day."""
    prices = {
        code: price
        for code, price in Product.objects.filter(code__in=codes).values_list("code", "list_price")
        if price is not None
    }
    own = BranchPrice.objects.filter(product__code__in=codes, branch=terminal.branch_id, valid_from__lte=today(at))
    return prices | dict(own.order_by("valid_from").values_list("product__code", "price"))


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
