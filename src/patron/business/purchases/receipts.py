"""Writing a sale of the till: receipt, lines, payments and coupons by one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from patron.business.purchases.models import Purchase
from patron.business.purchases.rules import CouponPart, PricedLine, TenderPart, Totals
from patron.core.accounts.models import Branch
from patron.core.catalog.models import Product
from patron.core.customers.models import Customer
from patron.kernel.money import rounded
from patron.kernel.prepared import fetch


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where and when: what a sale and a return have in common. `source` and `source_key` make it unique."""

    source: str
    source_key: str
    occurred_at: datetime
    branch: Branch | None = None
    channel: str = "store"
    currency: str = ""
    terminal: str = ""
    cashier: str = ""


@dataclass(frozen=True, slots=True)
class KnownProduct:
    """A product on file as a receipt needs it. `category` is the path of its category, `kind` its kind of goods,
    `price` what the branch asks for it (its own price, else the list price)."""

    id: int
    code: str
    name: str
    brand: str
    category: str
    kind: str
    cost: Decimal | None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line just written, for those who follow: what it was, what was paid for it, how much of it."""

    product: KnownProduct | None
    net_amount: Decimal
    quantity: Decimal


PRODUCTS = """
SELECT p.id, p.code, p.name, p.brand, coalesce(c.path, ''), coalesce(p.attributes ->> 'kind', ''), p.cost,
    coalesce((SELECT b.price FROM catalog_branchprice b
              WHERE b.product_id = p.id AND b.branch_id = %s::bigint AND b.valid_from <= %s::date
              ORDER BY b.valid_from DESC LIMIT 1), p.list_price)
FROM catalog_product p LEFT JOIN catalog_category c ON c.id = p.category_id
WHERE p.code = ANY(%s::text[])
"""

SALE = """
WITH sale AS (
    INSERT INTO purchases_purchase (source, source_key, kind, status, customer_id, branch_id, channel, occurred_at,
        currency, gross_amount, discount_amount, net_amount, cost_amount, line_count, terminal, cashier)
    VALUES (%s::text, %s::text, 'sale', 'completed', %s::bigint, %s::bigint, %s::text, %s::timestamptz,
        %s::text, %s::numeric, %s::numeric, %s::numeric, %s::numeric, %s::int, %s::text, %s::text)
    ON CONFLICT (source, source_key) DO NOTHING RETURNING id
), lines AS (
    INSERT INTO purchases_purchaseline (purchase_id, line_no, product_id, description, quantity, unit_price,
        discount_amount, net_amount, cost_amount)
    SELECT sale.id, l.* FROM sale, unnest(%s::int[], %s::bigint[], %s::text[], %s::numeric[], %s::numeric[],
        %s::numeric[], %s::numeric[], %s::numeric[]) AS l
), tenders AS (
    INSERT INTO purchases_tender (purchase_id, kind, amount, reference)
    SELECT sale.id, t.* FROM sale, unnest(%s::text[], %s::numeric[], %s::text[]) AS t
), coupons AS (
    INSERT INTO purchases_couponuse (purchase_id, line_no, code, amount)
    SELECT sale.id, c.* FROM sale, unnest(%s::int[], %s::text[], %s::numeric[]) AS c
)
SELECT id FROM sale
"""


def known_products(
    codes: Sequence[str], *, branch_id: int | None = None, day: date | None = None
) -> dict[str, KnownProduct]:
    """The products on file with these codes, with the branch's prices of a day. One statement."""
    return {row[1]: KnownProduct(*row) for row in fetch(PRODUCTS, [branch_id, day, list(codes)])}


def products_for(
    lines: Sequence[PricedLine], known: Mapping[str, KnownProduct] | None = None
) -> dict[str, KnownProduct]:
    """The products of lines by code (`known` already, or read); those not on file yet are added, in one statement."""
    names = {line.product_code: line.description or line.product_code for line in lines if line.product_code}
    found = known_products(list(names)) if known is None else dict(known)
    missing = [code for code in sorted(names) if code not in found]
    if missing:
        Product.objects.bulk_create((Product(code=code, name=names[code]) for code in missing), ignore_conflicts=True)
        found |= known_products(missing)
    return found


def write_sale(
    receipt: Receipt,
    lines: Sequence[PricedLine],
    totals: Totals,
    currency: str,
    customer: Customer | None,
    tenders: Sequence[TenderPart],
    coupons: Sequence[CouponPart],
    *,
    known: Mapping[str, KnownProduct] | None = None,
) -> Purchase | None:
    """Write a sale, and return it with `recorded_lines` and `recorded_tenders`; None where its number is taken.

    A receipt of the same number that is being written at the same moment is waited for.
    """
    products = products_for(lines, known)
    bought = [products.get(line.product_code) for line in lines]
    costs = [
        None if product is None or product.cost is None else rounded(product.cost * line.quantity, currency)
        for product, line in zip(bought, lines, strict=True)
    ]
    told = [cost for cost in costs if cost is not None]
    purchase = Purchase(
        source=receipt.source,
        source_key=receipt.source_key,
        kind=Purchase.Kind.SALE,
        customer=customer,
        branch=receipt.branch,
        channel=receipt.channel,
        occurred_at=receipt.occurred_at,
        currency=currency,
        gross_amount=totals.gross,
        discount_amount=totals.discount,
        net_amount=totals.net,
        cost_amount=sum(told, Decimal(0)) if len(told) == len(costs) else None,
        line_count=len(lines),
        terminal=receipt.terminal,
        cashier=receipt.cashier,
    )
    rows = fetch(
        SALE,
        [
            purchase.source,
            purchase.source_key,
            purchase.customer_id,
            purchase.branch_id,
            purchase.channel,
            purchase.occurred_at,
            currency,
            totals.gross,
            totals.discount,
            totals.net,
            purchase.cost_amount,
            len(lines),
            purchase.terminal,
            purchase.cashier,
            list(range(1, len(lines) + 1)),
            [None if product is None else product.id for product in bought],
            [line.description for line in lines],
            [line.quantity for line in lines],
            [line.unit_price for line in lines],
            [line.discount_amount for line in lines],
            [line.net_amount for line in lines],
            costs,
            [tender.kind for tender in tenders],
            [tender.amount for tender in tenders],
            [tender.reference for tender in tenders],
            [coupon.line_no for coupon in coupons],
            [coupon.code for coupon in coupons],
            [coupon.amount for coupon in coupons],
        ],
    )
    if not rows:
        return None
    ((purchase.pk,),) = rows
    purchase._state.adding, purchase._state.db = False, "default"
    purchase.recorded_lines = [
        RecordedLine(product, line.net_amount, line.quantity) for product, line in zip(bought, lines, strict=True)
    ]
    purchase.recorded_tenders = [(tender.kind, tender.amount) for tender in tenders]
    return purchase
