"""Refusals of vouchers, in words that say what to do."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from patron.kernel.errors import Conflict, DomainError, InvalidInput, NotFound


class NoSuchVoucher(NotFound):
    """Nobody was given this code. `details`: codes. Whoever catches it counts it: `note_wrong_codes`."""

    code = "no_such_voucher"
    message = _("No voucher has this code. Check it character by character.")


class TooManyWrongCodes(DomainError):
    """Too many codes that do not exist were typed at this terminal within an hour. `details`: terminal."""

    code = "too_many_wrong_codes"
    status = 429
    message = _("Too many wrong voucher codes were typed at this terminal. Wait an hour, or call the manager.")


class VoucherInUse(Conflict):
    """Another till holds it just now. `details`: code."""

    code = "voucher_in_use"
    message = _("This voucher is being used at another till. Try again in a few minutes, or use another one.")


class VoucherUsed(Conflict):
    """Nothing of it is left. `details`: code."""

    code = "voucher_used"
    message = _("This voucher has been used already.")


class VoucherExpired(Conflict):
    """The day is past, or has not come. `details`: code, valid_from, valid_until."""

    code = "voucher_expired"
    message = _("This voucher is not valid today: its days are past, or have not come.")


class VoucherCancelled(Conflict):
    code = "voucher_cancelled"
    message = _("This voucher was cancelled.")


class VoucherOfAnother(Conflict):
    code = "voucher_of_another"
    message = _("This voucher belongs to another member. Identify that member, or transfer the voucher first.")


class VoucherNotApplicable(Conflict):
    """It gives nothing on this basket. `details`: code, reason (`rules.Reason`), missing."""

    code = "voucher_not_applicable"
    message = _("This voucher cannot be used on this purchase.")


class VoucherLimitReached(Conflict):
    """The member's or the terminal's limit, or the budget. `details`: limit."""

    code = "voucher_limit_reached"
    message = _("This voucher cannot be used again: the limit for this member, terminal or promotion is reached.")


class NoneLeft(Conflict):
    """The stock of codes does not suffice. `details`: definition, left."""

    code = "voucher_none_left"
    message = _("No more vouchers of this kind can be issued. Raise the number on its page first.")


class NoReservation(Conflict):
    """The request holds no voucher (any more). `details`: request_key."""

    code = "no_voucher_reservation"
    message = _("The reservation of this voucher has ended. Present the voucher again.")


class RequestKeyReused(Conflict):
    """`details`: request_key."""

    code = "request_key_reused"
    message = _("This request key has already been used for another request. Use a new key for a new request.")


class TermsFrozen(Conflict):
    code = "voucher_terms_frozen"
    message = _("Vouchers have been issued under these terms. Copy them into a new kind of voucher instead.")


class InvalidTerms(InvalidInput):
    """`details`: field (the place), as `rules.RuleError` names it."""

    code = "invalid_voucher_terms"
    message = _("These terms contradict themselves.")


class NotTransferable(Conflict):
    code = "voucher_not_transferable"
    message = _("This voucher cannot change hands.")


class NotIssued(Conflict):
    """The definition is not active, or its days are past. `details`: definition."""

    code = "voucher_not_issued"
    message = _("Vouchers of this kind are not issued now: it is switched off, or its days are past.")


class NotForSale(Conflict):
    code = "voucher_not_for_sale"
    message = _("This kind of voucher is not bought with points.")


RULE_WORDS = frozenset(
    {
        gettext_noop("a currency is a code such as HKD"),
        gettext_noop("a voucher gives more than nothing"),
        gettext_noop("a whole number of pieces, at most 1,000"),
        gettext_noop("at least one for each member, or leave it empty"),
        gettext_noop("from 0 to 1,000 pieces"),
        gettext_noop("from 1 to 1,000,000 uses"),
        gettext_noop("no more than 100 per cent"),
        gettext_noop("only an amount used under one code, without a limit for members, can be used in parts"),
        gettext_noop("say which products this voucher is for"),
        gettext_noop("terms of a voucher have no such part"),
        gettext_noop("the last day comes before the first"),
        gettext_noop("there is no such kind of voucher"),
        gettext_noop("this amount is below zero or too large"),
        gettext_noop("this has too many decimals"),
        gettext_noop("this is a list of texts"),
        gettext_noop("this is a part of its own"),
        gettext_noop("this is a whole number"),
        gettext_noop("this is not a number"),
        gettext_noop("this is true or false"),
        gettext_noop("weekdays are numbers from 1 (Monday) to 7 (Sunday)"),
        gettext_noop("write a day as 2026-01-31 and an hour as 18:30"),
        gettext_noop("write a number as text, such as 12.50"),
    }
)
"""What the rules, which know no languages, say is wrong with terms; for the translators."""
