"""Paying with stored value, and refunds of payments.

Six statements each, and nothing that another member needs is locked: a till calls them inside its own commit. Lock
order across rooms: purchase, vouchers, gift stock, points, then stored value.
"""

from datetime import datetime
from decimal import Decimal

from patron.business.loyalty.ledger.book import Book, Holding, day_of
from patron.business.loyalty.ledger.movements import KIND
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership
from patron.business.loyalty.rules import ZERO, OpenLot, Short, Take
from patron.business.storedvalue.errors import InsufficientFunds, LimitPassed, NotAPayment, RefundTooLarge
from patron.business.storedvalue.models import What
from patron.business.storedvalue.proofs import require_secret
from patron.business.storedvalue.rules import limit_of_payment, needs_secret, plan_payment, plan_refund
from patron.business.storedvalue.standing import (
    UNIT,
    answered,
    as_transaction,
    checked_amount,
    read_standing,
    stored_key,
    where,
)
from patron.kernel.actor import Actor
from patron.kernel.operation import operation
from patron.kernel.prepared import fetch

_PAID = """
SELECT (SELECT id FROM loyalty_ledgertransaction WHERE request_key = %(key)s::text),
    (SELECT coalesce(sum(amount), 0) FROM loyalty_ledgertransaction
     WHERE origin_id = %(payment)s::bigint AND unit = 'stored_value' AND kind = 'refund'),
    l.id, l.expires_on, l.amount, l.remaining, -p.amount, g.currency
FROM loyalty_posting p
    JOIN loyalty_lot l ON l.id = p.lot_id
    JOIN loyalty_ledgertransaction t ON t.id = p.transaction_id
    JOIN loyalty_membership m ON m.id = t.membership_id
    JOIN loyalty_programme g ON g.id = m.programme_id
WHERE p.transaction_id = %(payment)s::bigint
ORDER BY p.line_no
"""


@operation(permission="storedvalue.pay", private=("pin", "code"))
def pay(
    membership: Membership,
    amount: Decimal,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    receipt: str = "",
    purchase_id: int | None = None,
    pin: str | None = None,
    code: str | None = None,
    branch_id: int | None = None,
    terminal: str = "",
    cashier: str = "",
) -> LedgerTransaction:
    """Pay `amount` with the member's stored value and return the movement (`amount` negative).

    Bonus pays first or last as the policy says; what has expired by `now` cannot be used. `receipt` is the till's key
    of the sale, `purchase_id` its row where there is one. Above the policy's amount it needs `pin` or `code`; either is
    checked whenever it is given. Same `request_key`, amount and receipt: the first answer.

    Raises InvalidAmount, MembershipNotActive, WalletFrozen, LimitPassed, SecretRequired, WrongPin, PinLocked,
    CodeNotValid, InsufficientFunds (`details`: asked, available), KeyReused, NoSuchMember.
    """
    book = Book([membership.pk], unit=UNIT)
    standing = read_standing(membership.pk, request_key, day_of(now))
    amount = checked_amount(amount, standing.currency)
    asked: dict[str, object] = {"amount": str(amount), "receipt": receipt}
    earlier = answered(standing.earlier, request_key, membership_id=membership.pk, what=What.PAYMENT, asked=asked)
    if earlier is not None:
        return earlier
    standing.require_active()
    standing.require_thawed()
    passed = limit_of_payment(standing.policy, amount=amount, paid_today=standing.paid_today)
    if passed is not None:
        raise LimitPassed.of(passed)
    proof = require_secret(
        membership_id=membership.pk,
        wallet=standing.wallet,
        needed=needs_secret(standing.policy, amount),
        above=standing.policy.secret_above,
        pin=pin,
        code=code,
        now=now,
    )
    if membership.pk not in book.holdings:
        raise InsufficientFunds(details={"asked": amount, "available": ZERO})
    holding = book.holding(membership.pk)
    book.expire(holding, on=day_of(now))
    try:
        takes = plan_payment(
            holding.lots.values(), amount, bonus=standing.bonus, bonus_first=standing.policy.bonus_first
        )
    except Short as short:
        raise InsufficientFunds(details={"asked": amount, "available": short.available}) from short
    movement = book.enter(holding, kind=KIND.SPEND, request_key=stored_key(request_key), occurred_at=now)
    movement.branch_id, movement.purchase_id = branch_id, purchase_id
    book.debit(movement, takes, counterpart=Bucket.REDEEMED)
    movement.explanation = {
        "what": What.PAYMENT,
        "asked": asked,
        "bonus": str(sum((take.amount for take in takes if take.lot_id in standing.bonus), ZERO)),
        **where(branch_id=branch_id, terminal=terminal, cashier=cashier),
        **({"proof": proof} if proof else {}),
    }
    book.close(actor=actor, now=now)
    return as_transaction(movement, actor=actor)


@operation(permission="storedvalue.refund")
def refund(
    payment: LedgerTransaction,
    amount: Decimal | None = None,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    receipt: str = "",
    purchase_id: int | None = None,
    reason: str = "",
    branch_id: int | None = None,
    terminal: str = "",
    cashier: str = "",
) -> LedgerTransaction:
    """Give back `amount` of a payment (all that was not refunded yet, if None) and return the movement.

    It goes into the lots that paid, those drawn last first, so that own money comes back as own money and bonus as
    bonus; bonus whose date has passed meanwhile expires at once. Frozen and closed wallets are refunded as well.

    Raises NotAPayment, InvalidAmount, RefundTooLarge (`details`: asked, refundable), KeyReused.
    """
    if payment.unit != UNIT or payment.kind != KIND.SPEND:
        raise NotAPayment(details={"payment": payment.pk})
    book = Book([payment.membership_id], unit=UNIT)
    holding = book.holding(payment.membership_id)
    earlier_id, refunded, takes, currency = _paid(payment, holding, request_key)
    wanted = None if amount is None else checked_amount(amount, currency)
    asked: dict[str, object] = {"payment": payment.pk, "amount": None if wanted is None else str(wanted)}
    earlier = answered(earlier_id, request_key, membership_id=payment.membership_id, what=What.REFUND, asked=asked)
    if earlier is not None:
        return earlier
    refundable = -payment.amount - refunded
    wanted = refundable if wanted is None else wanted
    if not 0 < wanted <= refundable:
        raise RefundTooLarge(details={"asked": wanted, "refundable": refundable})
    book.expire(holding, on=day_of(now))
    back = plan_refund(takes, refunded=refunded, amount=wanted)
    movement = book.enter(holding, kind=KIND.REFUND, request_key=stored_key(request_key), occurred_at=now)
    movement.origin_id, movement.branch_id, movement.purchase_id = payment.pk, branch_id, purchase_id
    book.credit(movement, wanted, counterpart=Bucket.REDEEMED, earned_at=now, expires_on=None, refill=back)
    movement.explanation = {
        "what": What.REFUND,
        "asked": asked,
        "left": str(refundable - wanted),
        **where(branch_id=branch_id, terminal=terminal, cashier=cashier),
        **({"receipt": receipt} if receipt else {}),
        **({"reason": reason} if reason else {}),
    }
    book.expire(holding, on=day_of(now), not_before=now)
    book.close(actor=actor, now=now)
    return as_transaction(movement, actor=actor)


def _paid(
    payment: LedgerTransaction, holding: Holding, request_key: str
) -> tuple[int | None, Decimal, list[Take], str]:
    """The movement that this key gave before, how much went back so far, the lots that paid (laid into the holding),
    and the currency."""
    rows = fetch(_PAID, {"key": stored_key(request_key), "payment": payment.pk})
    for _, _, lot_id, expires_on, amount, remaining, _, _ in rows:
        holding.lots.setdefault(lot_id, OpenLot(lot_id, expires_on, amount, remaining))
    earlier, refunded, currency = rows[0][0], rows[0][1], rows[0][7]
    return earlier, refunded, [Take(row[2], row[6]) for row in rows], currency
