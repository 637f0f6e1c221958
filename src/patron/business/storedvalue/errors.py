"""Refusals of stored value, in words that say what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.business.storedvalue.rules import Bound, Passed
from patron.kernel.errors import Conflict, InvalidInput


class StoredValueNotOffered(Conflict):
    code = "stored_value_not_offered"
    message = _("This programme takes no deposits. Set up its stored value first.")


class InsufficientFunds(Conflict):
    """Less money is there than asked for. `details`: asked, available."""

    code = "insufficient_stored_value"
    message = _("There is not enough stored value for this. Bonus that has expired can no longer be used.")


class WalletFrozen(Conflict):
    code = "wallet_frozen"
    message = _("This member's stored value is frozen. Unfreeze it first.")


class WithdrawalNotAllowed(Conflict):
    code = "withdrawal_not_allowed"
    message = _("This programme does not pay out stored value.")


class NothingPaidOut(Conflict):
    """Fee and spent bonus eat up the withdrawal. `details`: fee, bonus_charged."""

    code = "nothing_paid_out"
    message = _("The fee and the bonus already spent leave nothing to pay out.")


class RefundTooLarge(Conflict):
    """More would go back than was paid. `details`: asked, refundable."""

    code = "refund_exceeds_payment"
    message = _("More than was paid cannot be refunded.")


class NotAPayment(InvalidInput):
    code = "not_a_payment"
    message = _("Only a payment with stored value can be refunded.")


class InvalidAmount(InvalidInput):
    code = "invalid_amount"
    message = _("An amount must be more than zero, in whole cents, and not absurdly large.")


class SecretRequired(Conflict):
    """The amount needs the member's PIN or a one-time code. `details`: above, has_pin."""

    code = "secret_required"
    message = _("This amount needs the member's PIN or a one-time code.")


class WrongPin(Conflict):
    """The PIN is not the member's. `details`: attempts_left."""

    code = "wrong_pin"
    message = _("This PIN is not right. After too many failures it is locked for a while.")


class PinLocked(Conflict):
    """Too many wrong PINs. `details`: until."""

    code = "pin_locked"
    message = _("Too many wrong PINs. Wait, or use a one-time code.")


class CodeNotValid(Conflict):
    code = "one_time_code_not_valid"
    message = _("This code is not right, was used, or has run out. Send a new one.")


class WeakPin(InvalidInput):
    code = "weak_pin"
    message = _("A PIN has four to eight digits, not all the same and not in a row.")


class NoWayToSend(Conflict):
    code = "no_way_to_send"
    message = _("The code cannot be sent to this member, and your role may not read it out.")


_WORDS: dict[Bound, str | Promise] = {
    "min_deposit": _("The smallest deposit is %(limit)s."),
    "max_deposit": _("The largest deposit is %(limit)s."),
    "max_balance": _("With this deposit the member would hold more than %(limit)s."),
    "max_payment": _("The largest payment with stored value is %(limit)s."),
    "max_per_day": _("With this the member would pay more than %(limit)s with stored value today."),
}


class LimitPassed(Conflict):
    """A limit of the policy or of this member. `details`: limit (its name), bound (its value)."""

    code = "stored_value_limit"

    @classmethod
    def of(cls, passed: Passed) -> "LimitPassed":
        words = str(_WORDS[passed.bound]) % {"limit": passed.limit}
        return cls(words, details={"limit": passed.bound, "bound": passed.limit, "field": "amount"})
