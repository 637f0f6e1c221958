"""What keeps a member's stored value safe: freezing, PINs, one-time codes, limits of their own."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import ReasonRequired
from patron.business.loyalty.ledger.book import Book, open_accounts
from patron.business.loyalty.models import Membership
from patron.business.storedvalue.errors import NoWayToSend, WeakPin
from patron.business.storedvalue.models import OneTimeCode, Wallet
from patron.business.storedvalue.proofs import code_digest, new_code, pin_hash
from patron.business.storedvalue.rules import CODE_LIFE, MOST_MONEY, is_pin, is_weak_pin
from patron.business.storedvalue.senders import CodeMessage, code_senders
from patron.business.storedvalue.standing import UNIT
from patron.core.activities.operations import log_activity
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput
from patron.kernel.operation import operation


@operation(permission="storedvalue.freeze")
def freeze(membership: Membership, *, reason: str, actor: Actor, now: datetime) -> Wallet:
    """Let no money in or out, except refunds, until `unfreeze`; a payment under way counts as before it.

    Freezing again changes the reason. Raises ReasonRequired.
    """
    if not reason.strip():
        raise ReasonRequired(_("Say why the money is frozen."), details={"field": "reason"})
    wallet = _locked_wallet(membership)
    was_frozen = wallet.is_frozen
    wallet.is_frozen, wallet.frozen_reason = True, reason.strip()[:200]
    wallet.frozen_at = wallet.frozen_at if was_frozen else now
    wallet.save(update_fields=["is_frozen", "frozen_reason", "frozen_at"])
    if not was_frozen:
        _tell(membership, "stored_value.frozen", actor=actor, now=now)
    return wallet


@operation(permission="storedvalue.freeze")
def unfreeze(membership: Membership, *, actor: Actor, now: datetime) -> Wallet:
    """Let the money move again. Safe to repeat."""
    wallet = _locked_wallet(membership)
    if wallet.is_frozen:
        wallet.is_frozen, wallet.frozen_reason, wallet.frozen_at = False, "", None
        wallet.save(update_fields=["is_frozen", "frozen_reason", "frozen_at"])
        _tell(membership, "stored_value.unfrozen", actor=actor, now=now)
    return wallet


@operation(permission="storedvalue.set_pin", private=("pin",))
def set_pin(membership: Membership, pin: str, *, actor: Actor, now: datetime) -> Wallet:
    """Set or change the PIN (the member types it in); earlier failures are forgotten. Raises WeakPin."""
    if not is_pin(pin) or is_weak_pin(pin):
        raise WeakPin(details={"field": "pin"})
    wallet = _locked_wallet(membership)
    wallet.pin_hash, wallet.pin_failures, wallet.pin_locked_until = pin_hash(pin), 0, None
    wallet.save(update_fields=["pin_hash", "pin_failures", "pin_locked_until"])
    _tell(membership, "stored_value.pin_changed", actor=actor, now=now)
    return wallet


@operation(permission="storedvalue.freeze")
def set_wallet_limits(
    membership: Membership,
    *,
    max_payment: Decimal | None,
    max_per_day: Decimal | None,
    actor: Actor,
    now: datetime,
) -> Wallet:
    """Give a member limits of their own, above or below the policy's; None goes by the policy. Raises InvalidInput."""
    for field, limit in (("max_payment", max_payment), ("max_per_day", max_per_day)):
        if limit is not None and not (limit.is_finite() and 0 < limit <= MOST_MONEY):
            raise InvalidInput(_("A limit is more than zero."), details={"field": field})
    wallet = _locked_wallet(membership)
    wallet.max_payment, wallet.max_per_day = max_payment, max_per_day
    wallet.save(update_fields=["max_payment", "max_per_day"])
    return wallet


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that counts until `expires_at`. `code` is empty where it was sent (by way `sent_by`): else read it out."""

    expires_at: datetime
    sent_by: str
    code: str = ""


@operation(permission="storedvalue.send_code")
def send_code(membership: Membership, *, actor: Actor, now: datetime) -> SentCode:
    """Send the member a code that lets one large amount through; an earlier one no longer counts.

    Where no way of sending reaches the member, an actor who may (`storedvalue.read_code`) gets it to read out or
    print; others get NoWayToSend.
    """
    _locked_wallet(membership)
    OneTimeCode.objects.filter(membership=membership, closed_at=None).update(closed_at=now)
    code, expires_at = new_code(), now + CODE_LIFE
    message = CodeMessage(membership.pk, membership.customer_id, code, expires_at, now)
    sent_by = next((sender.name for sender in code_senders if sender.send(message)), "")
    if not sent_by and not actor.can("storedvalue.read_code"):
        raise NoWayToSend
    OneTimeCode.objects.create(
        membership=membership,
        digest=code_digest(membership.pk, code),
        expires_at=expires_at,
        sent_by=sent_by,
        created_at=now,
    )
    _tell(membership, "stored_value.code_sent", actor=actor, now=now)
    return SentCode(expires_at=expires_at, sent_by=sent_by, code="" if sent_by else code)


def _locked_wallet(membership: Membership) -> Wallet:
    """The member's wallet, made where there is none, once every payment under way has ended."""
    open_accounts([membership.pk], unit=UNIT)
    Book([membership.pk], unit=UNIT)
    Wallet.objects.bulk_create([Wallet(membership=membership)], ignore_conflicts=True)
    return Wallet.objects.select_for_update().get(membership=membership)


def _tell(membership: Membership, kind: str, *, actor: Actor, now: datetime) -> None:
    log_activity(
        actor=actor,
        now=now,
        customer_id=membership.customer_id,
        kind=kind,
        source=f"loyalty.membership:{membership.pk}",
    )
