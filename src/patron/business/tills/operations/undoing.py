"""Undoing at the till: voiding a sale, and taking goods back, wholly or in part."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from patron.business.loyalty.models import LedgerTransaction
from patron.business.loyalty.operations import give_back_points
from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import record_return, void_purchase
from patron.business.purchases.receipts import Receipt
from patron.business.purchases.rules import ReturnedLine
from patron.business.storedvalue.operations.paying import refund
from patron.business.tills import answers, errors
from patron.business.tills.entries import checked_clock, digest_of, earlier_answer, entry_of_sale, write_entry
from patron.business.tills.means import NOTHING, given_so_far, paid_by, returned_so_far
from patron.business.tills.models import Terminal, TillEntry
from patron.business.tills.rules import Back, given_back
from patron.business.vouchers.operations import undo_vouchers
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import Conflict
from patron.kernel.operation import operation

SPEND, REFUND = LedgerTransaction.Kind.SPEND, LedgerTransaction.Kind.REFUND


@operation(permission="tills.sell")
def void_sale(
    terminal: Terminal, client_id: str, *, sale: str, actor: Actor, now: datetime, occurred_at: datetime | None = None
) -> dict[str, Any]:
    """Cancel the sale that a terminal of this branch told under `sale`, as if it had not been.

    Its points are taken back, points and stored value that paid for it go back into their old lots, its vouchers can be
    used again. The same `client_id` again gives the first answer. Raises NoSuchSale, Conflict while goods of it have
    come back, ClientIdReused.
    """
    digest = digest_of(TillEntry.Kind.VOID, {"sale": sale})
    if (answer := earlier_answer(terminal, client_id, digest)) is not None:
        return answer
    entry = _sale(terminal, sale)
    purchase = Purchase.objects.select_for_update().get(pk=entry.purchase_id)
    if (answer := earlier_answer(terminal, client_id, digest)) is not None:
        return answer
    if purchase.status == Purchase.Status.VOIDED:
        raise Conflict(details={"sale": sale, "status": purchase.status})
    returned = undo_vouchers(purchase=purchase, actor=actor, now=now)
    void_purchase(purchase=purchase, actor=actor, now=now)
    paid = paid_by(purchase)
    back = given_back(paid, net_amount=purchase.net_amount, returned=purchase.net_amount, before=NOTHING)
    _give_back(terminal, purchase, purchase, back, key=f"void:{purchase.pk}", actor=actor, now=now)
    answer = {
        "purchase": purchase.pk,
        "voided": True,
        "money_back": str(back.money),
        "vouchers_back": [{"code": each.code, "name": each.name, "usable": each.is_back} for each in returned],
        "notes": [],
    } | _member(entry, purchase.pk, now)
    write_entry(
        terminal,
        client_id,
        kind=TillEntry.Kind.VOID,
        digest=digest,
        purchase_id=purchase.pk,
        membership_id=entry.membership_id,
        occurred_at=occurred_at or now,
        answer=answer,
        actor=actor.reference,
    )
    return answer


@operation(permission="tills.sell")
def return_goods(
    terminal: Terminal,
    client_id: str,
    *,
    sale: str,
    lines: Sequence[ReturnedLine],
    occurred_at: datetime,
    actor: Actor,
    now: datetime,
    sent_at: datetime | None = None,
    cashier: str = "",
) -> dict[str, Any]:
    """Take lines of a sale back. What they had earned goes, by the rules of the sale; what paid for them comes back by
    the means that paid, each its share. Once everything is back its vouchers can be used again.

    The same `client_id` again gives the first answer. Raises NoSuchSale, InvalidInput for more than was bought,
    Conflict for a voided sale, ClientIdReused, TooOld, ClockAhead.
    """
    content = {"sale": sale, "lines": [[line.line_no, f"{line.quantity.normalize():f}"] for line in lines]}
    digest = digest_of(TillEntry.Kind.RETURN, content | {"at": occurred_at.timestamp()})
    if (answer := earlier_answer(terminal, client_id, digest)) is not None:
        return answer
    entry = _sale(terminal, sale)
    clock = checked_clock(terminal, occurred_at, now=now, sent_at=sent_at)
    original = Purchase.objects.select_for_update().get(pk=entry.purchase_id)
    if (answer := earlier_answer(terminal, client_id, digest)) is not None:
        return answer
    paid, before, came_back = paid_by(original), given_so_far(original), returned_so_far(original)
    returned = record_return(
        original=original,
        receipt=Receipt(
            source=f"till:{terminal.code}",
            source_key=client_id,
            occurred_at=max(clock.at, original.occurred_at),
            branch=terminal.branch,
            currency=original.currency,
            terminal=terminal.code,
            cashier=cashier,
        ),
        lines=lines,
        actor=actor,
        now=now,
    )
    total = came_back - returned.net_amount
    back = given_back(paid, net_amount=original.net_amount, returned=total, before=before)
    vouchers = []
    if total >= original.net_amount:
        vouchers = undo_vouchers(purchase=original, actor=actor, now=now)
    _give_back(terminal, original, returned, back, key=f"return:{returned.pk}", actor=actor, now=now)
    answer = {
        "purchase": returned.pk,
        "original": original.pk,
        "net_amount": str(returned.net_amount),
        "currency": returned.currency,
        "money_back": str(back.money),
        "points_back": answers.plain(back.points),
        "stored_value_back": str(back.stored_value),
        "vouchers_back": [{"code": each.code, "name": each.name, "usable": each.is_back} for each in vouchers],
        "notes": answers.moved_clock(clock.moved.total_seconds()),
    } | _member(entry, returned.pk, now)
    write_entry(
        terminal,
        client_id,
        kind=TillEntry.Kind.RETURN,
        digest=digest,
        purchase_id=returned.pk,
        membership_id=entry.membership_id,
        occurred_at=clock.at,
        answer=answer,
        actor=actor.reference,
    )
    return answer


def _sale(terminal: Terminal, sale: str) -> TillEntry:
    entry = entry_of_sale(terminal, sale)
    if entry is None:
        raise errors.NoSuchSale(details={"sale": sale})
    return entry


def _give_back(
    terminal: Terminal, original: Purchase, cause: Purchase, back: Back, *, key: str, actor: Actor, now: datetime
) -> None:
    """Points first, then stored value: each into the lots that paid."""
    if back.points:
        spend = LedgerTransaction.objects.get(purchase=original, kind=SPEND, unit="points")
        give_back_points(
            spend,
            back.points,
            request_key=f"till:{key}",
            reason="",
            branch_id=terminal.branch_id,
            purchase_id=cause.pk,
            actor=actor,
            now=now,
        )
    left = back.stored_value
    if not left:
        return
    payments = LedgerTransaction.objects.filter(purchase=original, kind=SPEND, unit="stored_value").order_by("-pk")
    for payment in payments:
        refunded = payment.answers.filter(kind=REFUND).aggregate(all=Sum("amount"))["all"] or Decimal(0)
        part = min(left, -payment.amount - refunded)
        if part > 0:
            refund(
                payment,
                part,
                request_key=f"till:{key}:{payment.pk}",
                receipt=cause.source_key,
                terminal=terminal.code,
                actor=actor,
                now=now,
                branch_id=terminal.branch_id,
                purchase_id=cause.pk,
            )
            left -= part


def _member(entry: TillEntry, purchase_id: int, now: datetime) -> dict[str, Any]:
    if entry.membership is None:
        return {}
    movements = [one for one in answers.movements_of(purchase_id) if one.kind not in ("earn", "spend")]
    return {
        "points": answers.told(movements),
        "member": answers.member_facts(entry.membership, day=today(now)),
    }
