"""Every write of purchases from tills and pages. Files go in through `imports`, in bulk, by the same rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from patron.business.purchases.followers import followers
from patron.business.purchases.models import Purchase, PurchaseLine
from patron.business.purchases.receipts import KnownProduct, write_sale
from patron.business.purchases.receipts import Receipt as Receipt
from patron.business.purchases.rules import (
    CouponPart,
    Line,
    PricedLine,
    ReceiptError,
    ReturnedLine,
    TenderPart,
    Totals,
    check_tenders,
    price_lines,
    returned_share,
    totals_of,
)
from patron.core.activities.operations import log_activity
from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.money import rounded
from patron.kernel.operation import inside_operation, operation


@operation(permission="purchases.record")
def record_purchase(
    *,
    receipt: Receipt,
    lines: Sequence[Line],
    customer: Customer | None = None,
    tenders: Sequence[TenderPart] = (),
    coupons: Sequence[CouponPart] = (),
    actor: Actor,
    now: datetime,
) -> Purchase:
    """Record a sale; `customer` None is an anonymous one. Products not on file yet are added by their code.

    Safe to retry: the same receipt again gives the purchase recorded first. Raises Conflict when the number was used
    for other content, InvalidInput naming the field for what contradicts itself, NotFound for a branch that the actor
    does not serve. Locks nothing; followers (points) lock their own rows afterwards.
    """
    currency = _checked(receipt, actor)
    try:
        priced = price_lines(lines, currency=currency)
        totals = totals_of(priced)
        check_tenders(tenders, totals.net)
    except ReceiptError as error:
        raise InvalidInput(str(error), details={"field": error.place}) from error
    return _record_sale(receipt, priced, totals, currency, customer, tenders, coupons, actor=actor, now=now)


@inside_operation
def record_priced(
    *,
    receipt: Receipt,
    lines: Sequence[PricedLine],
    customer: Customer | None,
    tenders: Sequence[TenderPart],
    coupons: Sequence[CouponPart],
    products: Mapping[str, KnownProduct],
    actor: Actor,
    now: datetime,
) -> Purchase:
    """Record a sale whose lines are priced already, as part of another operation (the till's). As `record_purchase`;
    `products` are those of the lines that are on file."""
    currency = _checked(receipt, actor)
    try:
        totals = totals_of(lines)
        check_tenders(tenders, totals.net)
    except ReceiptError as error:
        raise InvalidInput(str(error), details={"field": error.place}) from error
    return _record_sale(
        receipt, lines, totals, currency, customer, tenders, coupons, known=products, actor=actor, now=now
    )


def _record_sale(
    receipt: Receipt,
    priced: Sequence[PricedLine],
    totals: Totals,
    currency: str,
    customer: Customer | None,
    tenders: Sequence[TenderPart],
    coupons: Sequence[CouponPart],
    *,
    known: Mapping[str, KnownProduct] | None = None,
    actor: Actor,
    now: datetime,
) -> Purchase:
    purchase = write_sale(receipt, priced, totals, currency, customer, tenders, coupons, known=known)
    if purchase is None:
        existing = _existing(receipt)
        if existing is None:  # the one that had this number was rolled back meanwhile
            raise Conflict(_("Two tills sent this receipt at once. Send it again."))
        return _same_sale(existing, receipt, priced, customer)
    _tell(purchase, "purchase.completed", actor=actor, now=now)
    for follower in followers:
        follower.on_recorded(purchase, actor=actor, now=now)
    return purchase


@operation(permission="purchases.record")
def record_return(
    *, original: Purchase, receipt: Receipt, lines: Sequence[ReturnedLine], actor: Actor, now: datetime
) -> Purchase:
    """Record that lines of `original` came back, wholly or in part.

    Safe to retry by the receipt's number. Raises Conflict when the original was voided or is itself a return,
    InvalidInput when more would come back than was bought (earlier returns counted). Locks the original's row, so that
    two tills cannot take back the same thing.
    """
    currency = _checked(receipt, actor)
    existing = _existing(receipt)
    if existing is not None:
        return _same_return(existing, original, lines)
    locked = Purchase.objects.select_for_update().get(pk=original.pk)
    # A retry that waited for the lock finds here what the first one wrote.
    existing = _existing(receipt)
    if existing is not None:
        return _same_return(existing, original, lines)
    if locked.kind != Purchase.Kind.SALE or locked.status == Purchase.Status.VOIDED:
        raise Conflict(_("Only a sale that stands can be returned."), details={"purchase": locked.source_key})
    if currency != locked.currency:
        raise InvalidInput(_("A return is in the currency of its sale."), details={"field": "currency"})
    if receipt.occurred_at < locked.occurred_at:
        raise InvalidInput(_("A return cannot come before its sale."), details={"field": "occurred_at"})
    purchase = _write_return(locked, receipt, lines)
    _tell(purchase, "purchase.returned", actor=actor, now=now)
    for follower in followers:
        follower.on_recorded(purchase, actor=actor, now=now)
    return purchase


@operation(permission="purchases.void")
def void_purchase(*, purchase: Purchase, actor: Actor, now: datetime) -> Purchase:
    """Cancel a purchase as if it had not been; voiding it again changes nothing.

    Raises Conflict while a return of it stands: void that first; NotFound for another branch's. Locks its row.
    """
    if actor.branch_ids is not None and purchase.branch_id not in actor.branch_ids:
        raise NotFound(details={"purchase": purchase.source_key})
    locked = Purchase.objects.select_for_update().get(pk=purchase.pk)
    if locked.status == Purchase.Status.VOIDED:
        return locked
    if locked.returns.exclude(status=Purchase.Status.VOIDED).exists():
        raise Conflict(_("Something of this purchase was returned. Void the return first."))
    locked.status = Purchase.Status.VOIDED
    locked.voided_at = now
    locked.save(update_fields=["status", "voided_at"])
    _tell(locked, "purchase.voided", actor=actor, now=now)
    for follower in followers:
        follower.on_voided(locked, actor=actor, now=now)
    return locked


def _checked(receipt: Receipt, actor: Actor) -> str:
    """The receipt's currency, once everything it says of itself holds."""
    currency = receipt.currency or settings.CURRENCY
    if currency != settings.CURRENCY:
        raise InvalidInput(
            _("Amounts are kept in %(house)s; this receipt is in %(theirs)s. Convert it first.")
            % {"house": settings.CURRENCY, "theirs": currency},
            details={"field": "currency"},
        )
    for name in ("source", "source_key"):
        if not getattr(receipt, name).strip():
            raise InvalidInput(_("A receipt needs a number of its own."), details={"field": name})
    if receipt.occurred_at.tzinfo is None:
        raise InvalidInput(_("Give the time with its zone, for example +08:00."), details={"field": "occurred_at"})
    if actor.branch_ids is not None and (receipt.branch is None or receipt.branch.pk not in actor.branch_ids):
        raise NotFound(_("This branch is not one of yours."), details={"field": "branch"})
    return currency


def _existing(receipt: Receipt) -> Purchase | None:
    return Purchase.objects.filter(source=receipt.source, source_key=receipt.source_key).first()


def _total(costs: Sequence[Decimal | None]) -> Decimal | None:
    """The cost of a receipt: known only where that of every line is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _write_return(original: Purchase, receipt: Receipt, lines: Sequence[ReturnedLine]) -> Purchase:
    bought = {line.line_no: line for line in original.lines.all()}
    taken = _already_returned(original)
    if not lines or len({line.line_no for line in lines}) != len(lines):
        raise InvalidInput(_("Name each line that comes back once."), details={"field": "lines"})
    rows = []
    for index, line in enumerate(lines):
        source = bought.get(line.line_no)
        if source is None:
            raise InvalidInput(
                _("The sale has no line %(number)s.") % {"number": line.line_no},
                details={"field": f"lines[{index}].line_no"},
            )
        rows.append(_returned_row(source, line, taken.get(line.line_no), f"lines[{index}]", original.currency))
    net = sum((row.net_amount for row in rows), Decimal(0))
    discount = sum((row.discount_amount for row in rows), Decimal(0))
    purchase = Purchase.objects.create(
        source=receipt.source,
        source_key=receipt.source_key,
        kind=Purchase.Kind.RETURN,
        customer_id=original.customer_id,
        branch=receipt.branch,
        channel=receipt.channel,
        occurred_at=receipt.occurred_at,
        currency=original.currency,
        gross_amount=net + discount,
        discount_amount=discount,
        net_amount=net,
        cost_amount=_total([row.cost_amount for row in rows]),
        line_count=len(rows),
        terminal=receipt.terminal,
        cashier=receipt.cashier,
        original=original,
    )
    for number, row in enumerate(rows, start=1):
        row.purchase, row.line_no = purchase, number
    PurchaseLine.objects.bulk_create(rows)
    return purchase


def _already_returned(original: Purchase) -> dict[int, tuple[Decimal, Decimal]]:
    """Quantity and money taken back so far, by line of the original; both positive."""
    rows = (
        PurchaseLine.objects.filter(original_purchase_id=original.pk)
        .exclude(purchase__status=Purchase.Status.VOIDED)
        .values_list("original_line_no")
        .annotate(quantity=Sum("quantity"), net=Sum("net_amount"))
    )
    return {number: (-quantity, -net) for number, quantity, net in rows if number is not None}


def _returned_row(
    source: PurchaseLine, line: ReturnedLine, taken: tuple[Decimal, Decimal] | None, place: str, currency: str
) -> PurchaseLine:
    already, already_net = taken or (Decimal(0), Decimal(0))
    try:
        net = returned_share(
            quantity=line.quantity,
            original_quantity=source.quantity,
            original_net=source.net_amount,
            already=already,
            already_net=already_net,
            currency=currency,
        )
    except ReceiptError as error:
        raise InvalidInput(str(error), details={"field": f"{place}.{error.place}"}) from error
    part = line.quantity / source.quantity
    return PurchaseLine(
        product_id=source.product_id,
        description=source.description,
        quantity=-line.quantity,
        unit_price=source.unit_price,
        discount_amount=-rounded(source.discount_amount * part, currency),
        net_amount=-net,
        cost_amount=None if source.cost_amount is None else -rounded(source.cost_amount * part, currency),
        original_purchase_id=source.purchase_id,
        original_line_no=source.line_no,
    )


def _same_sale(
    existing: Purchase, receipt: Receipt, lines: Sequence[PricedLine], customer: Customer | None
) -> Purchase:
    """`existing` if it says what this receipt says, else Conflict."""
    kept = [
        (
            line.product.code if line.product else "",
            line.quantity,
            line.unit_price,
            line.discount_amount,
            line.net_amount,
        )
        for line in existing.lines.select_related("product").order_by("line_no")
    ]
    asked = [(x.product_code, x.quantity, x.unit_price, x.discount_amount, x.net_amount) for x in lines]
    same = (
        existing.kind == Purchase.Kind.SALE
        and existing.occurred_at == receipt.occurred_at
        and existing.branch_id == (receipt.branch.pk if receipt.branch else None)
        and existing.customer_id == (customer.pk if customer else None)
        and kept == asked
    )
    if not same:
        raise _used(receipt.source_key)
    return existing


def _same_return(existing: Purchase, original: Purchase, lines: Sequence[ReturnedLine]) -> Purchase:
    kept = sorted((line.original_line_no, -line.quantity) for line in existing.lines.all())
    if existing.original_id != original.pk or kept != sorted((line.line_no, line.quantity) for line in lines):
        raise _used(existing.source_key)
    return existing


def _used(source_key: str) -> Conflict:
    return Conflict(
        _("Receipt number %(number)s was used for another purchase. Use a number of its own.") % {"number": source_key},
        details={"field": "source_key"},
    )


def _tell(purchase: Purchase, kind: str, *, actor: Actor, now: datetime) -> None:
    log_activity(
        actor=actor,
        now=now,
        customer_id=purchase.customer_id,
        kind=kind,
        occurred_at=now if kind == "purchase.voided" else purchase.occurred_at,
        channel=purchase.channel,
        branch_id=purchase.branch_id,
        source=f"purchase:{purchase.pk}",
        facts={"net": str(purchase.net_amount), "currency": purchase.currency, "lines": purchase.line_count},
    )
