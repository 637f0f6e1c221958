"""A sale at the till: vouchers, receipt, points and stored value, in one transaction."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings

from patron.business.loyalty.errors import InsufficientPoints
from patron.business.loyalty.ledger.awards import entitlements_of
from patron.business.loyalty.models import Membership
from patron.business.loyalty.operations import spend_points
from patron.business.loyalty.rules.earning import Rulebook
from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import record_priced
from patron.business.purchases.receipts import Receipt
from patron.business.purchases.rules import CouponPart, TenderPart
from patron.business.storedvalue.operations.paying import pay
from patron.business.tills import answers, errors
from patron.business.tills.baskets import Counter, Payment, TillBasket, find_member, lay_out
from patron.business.tills.entries import checked_clock, digest_of, earlier_answer, redeemed_since, write_entry
from patron.business.tills.models import Terminal, TillEntry
from patron.business.tills.rules import POINTS, STORED_VALUE, Clock
from patron.business.vouchers.operations import use_vouchers
from patron.kernel.actor import Actor
from patron.kernel.clock import house_zone, today
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation


@operation(permission="tills.sell", private=("basket", "payments"))
def commit_sale(
    terminal: Terminal,
    client_id: str,
    *,
    basket: TillBasket,
    payments: Sequence[Payment],
    occurred_at: datetime,
    actor: Actor,
    now: datetime,
    sent_at: datetime | None = None,
    cashier: str = "",
) -> dict[str, Any]:
    """Sell: use the vouchers, write the receipt, post the points, take points and stored value; all or nothing.

    Returns the answer for the till (as JSON). The same `client_id` with the same content gives the first answer,
    however often and however many at once; with other content ClientIdReused. Locks, in this order: the receipt's
    number, the vouchers, the member's points, their stored value.

    Raises InvalidInput naming the field, TooOld, ClockAhead, LimitOfTerminal, VouchersChanged, PointsDoNotPay,
    MemberNeeded, and what vouchers, points and stored value refuse.
    """
    digest = digest_of(TillEntry.Kind.SALE, _content(basket, payments, occurred_at))
    if (answer := earlier_answer(terminal, client_id, digest)) is not None:
        return answer
    clock = checked_clock(terminal, occurred_at, now=now, sent_at=sent_at)
    currency = basket.currency or settings.CURRENCY
    membership = find_member(basket.member, actor)
    counter = lay_out(
        basket,
        terminal=terminal,
        membership=membership,
        currency=currency,
        at=clock.at,
        tenders=[(payment.kind, payment.amount) for payment in payments],
        with_state=False,
        now=now,
    )
    _require_usable(counter)
    _require_no_debt(counter, payments)
    tenders = _tenders(payments, counter)
    purchase = record_priced(
        receipt=Receipt(
            source=f"till:{terminal.code}",
            source_key=client_id,
            occurred_at=clock.at,
            branch=terminal.branch,
            currency=currency,
            terminal=terminal.code,
            cashier=cashier,
        ),
        lines=counter.lines,
        customer=membership.customer if membership is not None else None,
        tenders=tenders,
        coupons=_coupons(counter),
        products=counter.products,
        actor=actor,
        now=now,
    )
    if purchase.recorded_lines is None:  # the same request came in twice at once, and the other one was first
        answer = earlier_answer(terminal, client_id, digest)
        if answer is None:
            raise errors.ClientIdReused(details={"client_id": client_id})
        return answer
    _use_vouchers(terminal, client_id, counter, purchase, actor=actor, now=now)
    spent = _take_points(membership, payments, purchase, actor=actor, now=now)
    _take_stored_value(membership, payments, purchase, cashier=cashier, actor=actor, now=now)
    _require_within_limits(terminal, counter, spent, now=now)
    answer = _answer(counter, purchase, clock)
    write_entry(
        terminal,
        client_id,
        kind=TillEntry.Kind.SALE,
        digest=digest,
        purchase_id=purchase.pk,
        membership_id=membership.pk if membership is not None else None,
        occurred_at=clock.at,
        points_spent=spent,
        voucher_amount=counter.voucher_amount,
        answer=answer,
        actor=actor.reference,
    )
    return answer


def _content(basket: TillBasket, payments: Sequence[Payment], occurred_at: datetime) -> dict[str, Any]:
    return {
        "items": [
            [
                item.product,
                _same(item.quantity),
                _same(item.unit_price),
                _same(item.discount_amount),
                item.description,
            ]
            for item in basket.items
        ],
        "member": basket.member.strip(),
        "vouchers": list(basket.vouchers),
        "currency": basket.currency,
        "payments": [[p.kind, _same(p.amount), p.reference] for p in payments],
        "at": occurred_at.timestamp(),
    }


def _same(value: Decimal | None) -> str | None:
    """A number as text: 1, 1.0 and 1.00 are the same."""
    return None if value is None else f"{value.normalize():f}"


def _require_usable(counter: Counter) -> None:
    for check in counter.checks:
        if not check.is_usable:
            raise InvalidInput(
                check.words, details={"field": "vouchers", "voucher": check.typed, "refusal": check.refusal}
            )


def _require_no_debt(counter: Counter, payments: Sequence[Payment]) -> None:
    """Where the programme says so, who owes points redeems nothing."""
    membership = counter.membership
    redeems = counter.checks or any(payment.kind == POINTS for payment in payments)
    if membership is None or not redeems or membership.programme.debt != "block":
        return
    balance = Decimal(answers.balances_of(membership, day=today(counter.at))["points"])
    if balance < 0:
        raise errors.PointsOwed(details={"owed": -balance})


def _coupons(counter: Counter) -> list[CouponPart]:
    return [
        CouponPart(code=check.code, amount=check.worth.amount) for check in counter.checks if check.worth.amount > 0
    ]


def _tenders(payments: Sequence[Payment], counter: Counter) -> list[TenderPart]:
    """The payments as the receipt keeps them. Nothing said: everything was paid in cash."""
    if not payments:
        return [TenderPart("cash", counter.net_amount)] if counter.net_amount else []
    for index, payment in enumerate(payments):
        if payment.amount <= 0:
            raise InvalidInput("a payment is more than nothing", details={"field": f"payments[{index}].amount"})
        if payment.kind in (POINTS, STORED_VALUE) and counter.membership is None:
            raise errors.MemberNeeded(details={"field": f"payments[{index}].kind"})
    return [TenderPart(payment.kind, payment.amount, payment.reference) for payment in payments]


def _use_vouchers(
    terminal: Terminal, client_id: str, counter: Counter, purchase: Purchase, *, actor: Actor, now: datetime
) -> None:
    if not counter.checks:
        return
    given = use_vouchers(
        [check.code for check in counter.checks],
        request_key=f"till:{terminal.pk}:{client_id}",
        basket=counter.basket,
        membership=counter.membership,
        member=counter.facts,
        purchase=purchase,
        terminal=terminal.code,
        branch_id=terminal.branch_id,
        actor=actor,
        now=now,
    )
    promised = {check.code: check.worth.amount for check in counter.checks}
    if {each.code: each.amount for each in given} != promised:
        raise errors.VouchersChanged


def _take_points(
    membership: Membership | None, payments: Sequence[Payment], purchase: Purchase, *, actor: Actor, now: datetime
) -> Decimal:
    money = sum((payment.amount for payment in payments if payment.kind == POINTS), Decimal(0))
    if not money or membership is None:
        return Decimal(0)
    rulebook = _rules(membership, purchase)
    paying = rulebook.terms.paying if rulebook is not None else None
    if paying is None:
        raise errors.PointsDoNotPay(details={"field": "payments"})
    points = paying.points_for(money)
    most = (purchase.net_amount * paying.most_share / 100).quantize(Decimal("0.01"))
    if points < paying.least or money > most:
        raise errors.PointsDoNotPay(details={"points": points, "least": paying.least, "most_money": most})
    earned = Decimal(answers.told(answers.movements_of(purchase.pk))["earned"])
    spend = spend_points(
        membership,
        points,
        request_key=f"till:{purchase.pk}",
        branch_id=purchase.branch_id,
        purchase_id=purchase.pk,
        actor=actor,
        now=now,
    )
    left = Decimal(answers.balances_of(membership, day=today(now))["points"])
    if left < earned:  # a purchase cannot be paid by the points that it earns
        raise InsufficientPoints(details={"asked": -spend.amount, "available": max(points + left - earned, Decimal(0))})
    return points


def _take_stored_value(
    membership: Membership | None,
    payments: Sequence[Payment],
    purchase: Purchase,
    *,
    cashier: str,
    actor: Actor,
    now: datetime,
) -> None:
    if membership is None:
        return
    for number, payment in enumerate(payments, start=1):
        if payment.kind == STORED_VALUE:
            pay(
                membership,
                payment.amount,
                request_key=f"till:{purchase.pk}:{number}",
                receipt=purchase.source_key,
                purchase_id=purchase.pk,
                pin=payment.pin,
                code=payment.code,
                branch_id=purchase.branch_id,
                terminal=purchase.terminal,
                cashier=cashier,
                actor=actor,
                now=now,
            )


def _require_within_limits(terminal: Terminal, counter: Counter, spent: Decimal, *, now: datetime) -> None:
    if terminal.most_amount is not None and counter.net_amount > terminal.most_amount:
        raise errors.LimitOfTerminal(details={"limit": terminal.most_amount, "asked": counter.net_amount})
    if (terminal.most_points is None or not spent) and (
        terminal.most_voucher_amount is None or not counter.voucher_amount
    ):
        return
    midnight = datetime.combine(today(now), time(), house_zone())
    points, vouchers = redeemed_since(terminal, midnight)
    for limit, so_far, asked in (
        (terminal.most_points, points, spent),
        (terminal.most_voucher_amount, vouchers, counter.voucher_amount),
    ):
        if limit is not None and asked and so_far + asked > limit:
            raise errors.LimitOfTerminal(details={"limit": limit, "asked": so_far + asked})


def _rules(membership: Membership, purchase: Purchase) -> Rulebook | None:
    entitlements = entitlements_of(membership.customer_id, purchase.currency, purchase.occurred_at)
    return next((rules for member, _, rules in entitlements if member == membership.pk), None)


def _answer(counter: Counter, purchase: Purchase, clock: Clock) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "purchase": purchase.pk,
        "occurred_at": purchase.occurred_at.isoformat(),
        "net_amount": str(purchase.net_amount),
        "discount_amount": str(purchase.discount_amount),
        "currency": purchase.currency,
        "vouchers": [
            {"code": check.code, "name": check.name, "amount": str(check.worth.amount)} for check in counter.checks
        ],
        "notes": answers.moved_clock(clock.moved.total_seconds()),
    }
    if counter.membership is not None:
        movements = answers.movements_of(purchase.pk)
        answer["points"] = answers.told(movements)
        answer["member"] = answers.member_facts(
            counter.membership, day=today(purchase.occurred_at), ladder=answers.ladder_of(movements)
        )
    return answer
