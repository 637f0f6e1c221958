"""Terminals of the demo company's busiest branches, and what is sold at them by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.models import Membership
from patron.business.tills.baskets import BasketItem, Payment, TillBasket
from patron.business.tills.models import Terminal
from patron.business.tills.operations import commit_sale, create_terminal
from patron.business.tills.rules import POINTS, STORED_VALUE
from patron.core.accounts.models import Branch
from patron.core.catalog.models import Product
from patron.kernel.actor import Actor

CENT = Decimal("0.01")
LEAST_PRICE, MOST_PRICE = Decimal(12), Decimal(60)


@dataclass(frozen=True, slots=True)
class Sale:
    """What a member buys: `items` products, of the last one `pieces`; in part with stored value or points (`money`)."""

    member: Membership
    at: datetime
    cashier: str
    items: int = 1
    pieces: int = 1
    stored_value: Decimal = Decimal(0)
    points_money: Decimal = Decimal(0)
    voucher: str = ""


def set_up_terminals(branches: Iterable[Branch], *, actor: Actor, now: datetime) -> list[Terminal]:
    """A counter for the workspace's till in every branch, and one terminal that waits for a till with its own key."""
    terminals = []
    for branch in branches:
        for code, name, most_points in (
            (f"{branch.code}-counter", "櫃位 Counter", None),
            (f"{branch.code}-till-1", "收銀機一 Till 1", Decimal(20000)),
        ):
            terminals.append(
                create_terminal(
                    branch,
                    code=code,
                    name=name,
                    most_points=most_points,
                    most_voucher_amount=Decimal(2000),
                    actor=actor,
                    now=now,
                )
            )
    return terminals


def sell(sales: Sequence[Sale], *, terminal: Terminal, prefix: str, actor: Actor) -> None:
    """Commit sales as a till does, each at its own moment. The rest of what is due is paid in cash."""
    products = list(
        Product.objects.filter(is_active=True, list_price__gte=LEAST_PRICE, list_price__lte=MOST_PRICE)
        .exclude(category=None)
        .order_by("code")[:400:10]
    )
    for number, sale in enumerate(sales):
        chosen = [products[(7 * number + 3 * place) % len(products)] for place in range(sale.items)]
        items = [
            BasketItem(
                product=product.code,
                quantity=Decimal(sale.pieces if product is chosen[-1] else 1),
                unit_price=(product.list_price or MOST_PRICE).quantize(CENT),
            )
            for product in chosen
        ]
        commit_sale(
            terminal,
            f"demo-{prefix}-{number}",
            basket=TillBasket(
                items, member=sale.member.customer.number, vouchers=(sale.voucher,) if sale.voucher else ()
            ),
            payments=_payments(sale, items),
            occurred_at=sale.at,
            cashier=sale.cashier,
            actor=actor,
            now=sale.at,
        )


def _payments(sale: Sale, items: Sequence[BasketItem]) -> list[Payment]:
    """Nothing said is cash: so it is where a voucher makes the sum another one."""
    parts = [
        Payment(kind, amount)
        for kind, amount in ((STORED_VALUE, sale.stored_value), (POINTS, sale.points_money))
        if amount
    ]
    if not parts:
        return []
    due = sum(((item.unit_price or Decimal(0)) * item.quantity for item in items), Decimal(0))
    return [*parts, Payment("cash", due.quantize(CENT) - sum(part.amount for part in parts))]
