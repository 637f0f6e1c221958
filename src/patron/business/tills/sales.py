"""What terminals sold: the list of one, a sale with all that may still come back of it, and what would go back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, Sum

from patron.business.purchases.models import Purchase, PurchaseLine, Tender
from patron.business.purchases.rules import ReceiptError, ReturnedLine, returned_share
from patron.business.tills.errors import NoSuchSale
from patron.business.tills.means import NOTHING, given_so_far, paid_by, returned_so_far
from patron.business.tills.models import Terminal, TillEntry
from patron.business.tills.rules import Back, given_back
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, PermissionRefused

Position = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """What a terminal told, newest first, and where to go on: pass `following` as `before`; None at the end."""

    entries: Sequence[TillEntry]
    following: Position | None


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of a sale; `left` of its quantity may still come back, for `left_net` of its money."""

    line_no: int
    product: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    discount_amount: Decimal
    net_amount: Decimal
    left: Decimal
    left_net: Decimal


@dataclass(frozen=True, slots=True)
class SaleDetails:
    """A sale (or return) of a terminal with its lines, payments, and the returns of it."""

    entry: TillEntry
    lines: Sequence[SoldLine]
    tenders: Sequence[Tender]
    returns: Sequence[TillEntry]

    @property
    def is_sale(self) -> bool:
        return self.entry.kind == TillEntry.Kind.SALE

    @property
    def is_voided(self) -> bool:
        return self.entry.purchase.status == Purchase.Status.VOIDED

    @property
    def may_come_back(self) -> bool:
        """Whether goods of it may still be returned."""
        return self.is_sale and not self.is_voided and any(line.left > 0 for line in self.lines)

    @property
    def may_be_voided(self) -> bool:
        return self.is_sale and not self.is_voided and not self.returns


def recent_entries(terminal: Terminal, actor: Actor, *, before: Position | None = None, limit: int = 25) -> EntryPage:
    """One page of what a terminal told, newest first; `has_returns` says whether goods of a sale came back.

    One query; reads the index `till_entry_recent`. Raises PermissionRefused without `tills.sell`.
    """
    _require_permission(actor)
    standing = Purchase.objects.filter(original=OuterRef("purchase"), status=Purchase.Status.COMPLETED)
    entries = (
        TillEntry.objects.filter(terminal=terminal)
        .select_related("purchase", "membership__customer")
        .annotate(has_returns=Exists(standing))
        .order_by("-recorded_at", "-pk")
    )
    if before is not None:
        at, key = before
        entries = entries.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, pk__lt=key), recorded_at__lte=at)
    rows = list(entries[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return EntryPage(rows, (rows[-1].recorded_at, rows[-1].pk) if more else None)


def get_entry(entry_id: int, actor: Actor) -> TillEntry:
    """What a terminal of the actor's branches told. Raises NoSuchSale, PermissionRefused without `tills.sell`."""
    _require_permission(actor)
    entries = TillEntry.objects.select_related(
        "terminal__branch", "purchase__original", "membership__customer", "membership__programme"
    )
    if actor.branch_ids is not None:
        entries = entries.filter(terminal__branch_id__in=actor.branch_ids)
    entry = entries.filter(pk=entry_id).first()
    if entry is None:
        raise NoSuchSale(details={"entry": entry_id})
    return entry


def entry_told(terminal: Terminal, client_id: str) -> TillEntry | None:
    """What a terminal told under a client id; None for an id that it never used."""
    return TillEntry.objects.filter(terminal=terminal, client_id=client_id).first()


def sale_details(entry: TillEntry) -> SaleDetails:
    """An entry with everything on its receipt. Four queries."""
    taken = _taken(entry.purchase)
    lines = PurchaseLine.objects.filter(purchase=entry.purchase).select_related("product").order_by("line_no")
    returns = TillEntry.objects.filter(purchase__original=entry.purchase, kind=TillEntry.Kind.RETURN)
    return SaleDetails(
        entry=entry,
        lines=[_sold(line, taken.get(line.line_no, (Decimal(0), Decimal(0)))) for line in lines],
        tenders=list(entry.purchase.tenders.order_by("id")),
        returns=list(
            returns.filter(purchase__status=Purchase.Status.COMPLETED).select_related("purchase").order_by("pk")
        ),
    )


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would go back to the customer: goods for so much money, and by which means."""

    net_amount: Decimal
    back: Back


def foresee_return(sale: SaleDetails, lines: Sequence[ReturnedLine]) -> Foreseen:
    """What `return_goods` would give back for these lines just now; nothing is written.

    Raises InvalidInput naming the line for more than can still come back.
    """
    sold = {line.line_no: line for line in sale.lines}
    purchase = sale.entry.purchase
    net = sum((_share(sold.get(line.line_no), line.quantity, purchase.currency) for line in lines), Decimal(0))
    back = given_back(
        paid_by(purchase),
        net_amount=purchase.net_amount,
        returned=returned_so_far(purchase) + net,
        before=given_so_far(purchase),
    )
    return Foreseen(net, back)


def foresee_void(sale: SaleDetails) -> Foreseen:
    """What `void_sale` would give back just now; nothing is written."""
    purchase = sale.entry.purchase
    back = given_back(paid_by(purchase), net_amount=purchase.net_amount, returned=purchase.net_amount, before=NOTHING)
    return Foreseen(purchase.net_amount, back)


def _share(line: SoldLine | None, quantity: Decimal, currency: str) -> Decimal:
    if line is None:
        raise InvalidInput(details={"field": "lines"})
    try:
        return returned_share(
            quantity=quantity,
            original_quantity=line.quantity,
            original_net=line.net_amount,
            already=line.quantity - line.left,
            already_net=line.net_amount - line.left_net,
            currency=currency,
        )
    except ReceiptError as error:
        raise InvalidInput(str(error), details={"field": "lines", "line": line.line_no}) from error


def _taken(purchase: Purchase) -> Mapping[int, tuple[Decimal, Decimal]]:
    """Quantity and money that came back so far, by line; both positive."""
    rows = (
        PurchaseLine.objects.filter(original_purchase_id=purchase.pk, purchase__status=Purchase.Status.COMPLETED)
        .values_list("original_line_no")
        .annotate(quantity=Sum("quantity"), net=Sum("net_amount"))
    )
    return {number: (-quantity, -net) for number, quantity, net in rows if number is not None}


def _sold(line: PurchaseLine, taken: tuple[Decimal, Decimal]) -> SoldLine:
    return SoldLine(
        line_no=line.line_no,
        product=line.product.code if line.product else "",
        name=line.product.name if line.product else line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_amount=line.discount_amount,
        net_amount=line.net_amount,
        left=line.quantity - taken[0],
        left_net=line.net_amount - taken[1],
    )


def _require_permission(actor: Actor) -> None:
    if not actor.can("tills.sell"):
        raise PermissionRefused(details={"permission": "tills.sell"})
