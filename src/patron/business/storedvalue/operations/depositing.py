"""Money that comes in over the counter, and money that is paid out again."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.ledger.book import Book, Holding, day_of, open_accounts
from patron.business.loyalty.ledger.movements import KIND, Movement
from patron.business.loyalty.models import Bucket, LedgerTransaction, Membership
from patron.business.loyalty.rules import ZERO, Short, Take
from patron.business.storedvalue.deposits import open_deposits
from patron.business.storedvalue.errors import (
    InsufficientFunds,
    LimitPassed,
    NothingPaidOut,
    StoredValueNotOffered,
    WithdrawalNotAllowed,
)
from patron.business.storedvalue.models import BonusTier, Tender, What
from patron.business.storedvalue.proofs import require_secret
from patron.business.storedvalue.rules import (
    Leaving,
    bonus_for,
    bonus_until,
    limit_of_deposit,
    needs_secret,
    plan_withdrawal,
)
from patron.business.storedvalue.standing import (
    UNIT,
    Standing,
    answered,
    as_transaction,
    checked_amount,
    read_standing,
    stored_key,
    where,
)
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.money import quantum
from patron.kernel.operation import operation


@operation(permission="storedvalue.deposit")
def deposit(
    membership: Membership,
    amount: Decimal,
    *,
    tender: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    reference: str = "",
    branch_id: int | None = None,
    terminal: str = "",
    cashier: str = "",
) -> LedgerTransaction:
    """Take a deposit and return the movement; the policy's bonus, if any, is a second one with this one as origin.

    `tender` is one of `Tender`, `reference` the slip's or transfer's number. Same `request_key`, amount and tender: the
    first answer. Raises InvalidAmount, InvalidInput, StoredValueNotOffered, MembershipNotActive, WalletFrozen,
    LimitPassed, KeyReused, NoSuchMember.
    """
    _require_tender(tender)
    open_accounts([membership.pk], unit=UNIT)
    book = Book([membership.pk], unit=UNIT)
    standing = read_standing(membership.pk, request_key, day_of(now))
    amount = checked_amount(amount, standing.currency)
    asked: dict[str, object] = {"amount": str(amount), "tender": str(tender)}
    earlier = answered(standing.earlier, request_key, membership_id=membership.pk, what=What.DEPOSIT, asked=asked)
    if earlier is not None:
        return earlier
    if not standing.policy.is_offered:
        raise StoredValueNotOffered
    standing.require_active()
    standing.require_thawed()
    holding = book.holding(membership.pk)
    book.expire(holding, on=day_of(now))
    passed = limit_of_deposit(standing.policy, amount=amount, balance=holding.balance)
    if passed is not None:
        raise LimitPassed.of(passed)
    place = where(branch_id=branch_id, terminal=terminal, cashier=cashier)
    movement = book.enter(holding, kind=KIND.EARN, request_key=stored_key(request_key), occurred_at=now)
    movement.branch_id, movement.basis_amount = branch_id, amount
    book.credit(movement, amount, counterpart=Bucket.ISSUED, earned_at=now, expires_on=None)
    movement.explanation = {"what": What.DEPOSIT, "asked": asked, "tender": str(tender), **place}
    if reference:
        movement.explanation = {**movement.explanation, "reference": reference}
    _grant_bonus(book, holding, movement, standing, amount=amount, place=place)
    book.close(actor=actor, now=now)
    return as_transaction(movement, actor=actor)


@operation(permission="storedvalue.withdraw", private=("pin", "code"))
def withdraw(
    membership: Membership,
    amount: Decimal,
    *,
    request_key: str,
    actor: Actor,
    now: datetime,
    tender: str = Tender.CASH,
    reason: str = "",
    pin: str | None = None,
    code: str | None = None,
    branch_id: int | None = None,
    terminal: str = "",
    cashier: str = "",
) -> LedgerTransaction:
    """Pay out `amount` of the member's own money and return the movement (`amount` negative).

    Bonus is never paid out. Deposits keep their bonus in proportion to what is not withdrawn: the rest is taken back,
    and what of it was spent already is kept of the payout, as is the fee. `explanation["paid_out"]` is what the member
    gets in hand. Closed memberships can be paid out.

    Raises WithdrawalNotAllowed, InsufficientFunds (`details`: asked, available), NothingPaidOut, InvalidAmount,
    InvalidInput, MembershipNotActive for a suspended member, WalletFrozen, the refusals of the PIN, KeyReused.
    """
    _require_tender(tender)
    book = Book([membership.pk], unit=UNIT)
    standing = read_standing(membership.pk, request_key, day_of(now))
    amount = checked_amount(amount, standing.currency)
    asked: dict[str, object] = {"amount": str(amount), "tender": str(tender)}
    earlier = answered(standing.earlier, request_key, membership_id=membership.pk, what=What.WITHDRAWAL, asked=asked)
    if earlier is not None:
        return earlier
    if not standing.policy.withdrawals_allowed:
        raise WithdrawalNotAllowed
    if standing.status != Membership.Status.CLOSED:
        standing.require_active()
    standing.require_thawed()
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
        leaving = plan_withdrawal(open_deposits(holding), amount, quantum=quantum(standing.currency))
    except Short as short:
        raise InsufficientFunds(details={"asked": amount, "available": short.available}) from short
    fee, charged = standing.policy.withdrawal_fee, sum((each.charged for each in leaving), ZERO)
    if amount <= fee + charged:
        raise NothingPaidOut(details={"fee": fee, "bonus_charged": charged})
    place = where(branch_id=branch_id, terminal=terminal, cashier=cashier)
    movement = book.enter(holding, kind=KIND.RETURN, request_key=stored_key(request_key), occurred_at=now)
    movement.branch_id, movement.basis_amount = branch_id, -(amount - fee - charged)
    book.debit(movement, [Take(each.deposit.lot.id, each.amount) for each in leaving], counterpart=Bucket.ISSUED)
    movement.explanation = {
        "what": What.WITHDRAWAL,
        "asked": asked,
        "tender": str(tender),
        "paid_out": str(amount - fee - charged),
        **({"fee": str(fee)} if fee else {}),
        **({"charged": str(charged)} if charged else {}),
        **({"proof": proof} if proof else {}),
        **({"reason": reason} if reason else {}),
        **place,
    }
    for each in leaving:
        _take_bonus_back(book, holding, movement, each, place=place)
    book.close(actor=actor, now=now)
    return as_transaction(movement, actor=actor)


def _grant_bonus(
    book: Book, holding: Holding, movement: Movement, standing: Standing, *, amount: Decimal, place: dict[str, object]
) -> None:
    tiers = [tier.terms for tier in BonusTier.objects.filter(policy_id=standing.policy_id)]
    bonus, tier = bonus_for(amount, tiers, quantum=quantum(standing.currency))
    if not bonus or tier is None:
        return
    granted = book.enter(
        holding, kind=KIND.EARN, request_key=f"{movement.request_key}:bonus", occurred_at=movement.occurred_at
    )
    granted.origin_id, granted.branch_id, granted.basis_amount = movement.id, movement.branch_id, amount
    granted.activity = "stored_value.bonus_granted"
    book.credit(
        granted,
        bonus,
        counterpart=Bucket.ISSUED,
        earned_at=movement.occurred_at,
        expires_on=bonus_until(day_of(movement.occurred_at), standing.policy.bonus_months),
    )
    granted.explanation = {
        "what": What.BONUS,
        "from_amount": str(tier.from_amount),
        "percent": str(tier.percent),
        **place,
    }
    movement.explanation = {**movement.explanation, "bonus": str(bonus)}


def _take_bonus_back(
    book: Book, holding: Holding, movement: Movement, leaving: Leaving, *, place: dict[str, object]
) -> None:
    deposit, settled = leaving.deposit, leaving.taken + leaving.charged
    if not settled or deposit.bonus_id is None:
        return
    back = book.enter(
        holding,
        kind=KIND.RETURN,
        request_key=f"{movement.request_key}:bonus:{deposit.bonus_id}",
        occurred_at=movement.occurred_at,
    )
    back.origin_id, back.branch_id, back.basis_amount = deposit.bonus_id, movement.branch_id, -leaving.amount
    back.activity = "stored_value.bonus_taken_back"
    if leaving.taken and deposit.bonus_lot is not None:
        book.debit(back, [Take(deposit.bonus_lot.id, leaving.taken)], counterpart=Bucket.ISSUED)
    back.explanation = {
        "what": What.BONUS_BACK,
        "withdrawn": str(leaving.amount),
        "charged": str(leaving.charged),
        **place,
    }


def _require_tender(tender: str) -> None:
    if tender not in Tender.values:
        raise InvalidInput(_("Choose how it is paid."), details={"field": "tender"})
