"""Refusals of the loyalty programme, in words that say what to do."""

from django.utils.translation import gettext_lazy as _

from patron.kernel.errors import Conflict, InvalidInput, NotFound


class NoSuchMember(NotFound):
    code = "no_such_member"
    message = _("This customer is not a member of the programme. Enrol them first.")


class MembershipNotActive(Conflict):
    code = "membership_not_active"
    message = _("This membership is suspended or closed. Reactivate it first.")


class InsufficientPoints(Conflict):
    """Fewer points are available than asked for. `details`: asked, available."""

    code = "insufficient_points"
    message = _("There are not enough points for this. Points that have expired can no longer be used.")


class KeyReused(Conflict):
    """The request key has been used for something else. `details`: request_key."""

    code = "request_key_reused"
    message = _("This request key has already been used for another request. Use a new key for a new request.")


class CardTaken(Conflict):
    code = "card_taken"
    message = _("This card number belongs to another member, or was blocked. Check the number.")


class InvalidCard(InvalidInput):
    code = "invalid_card"
    message = _("This card number is not valid: its check digit is wrong. Check the number.")


class InvalidPoints(InvalidInput):
    code = "invalid_points"
    message = _("Points must be more than zero, with at most two decimals.")


class ReasonRequired(InvalidInput):
    code = "reason_required"
    message = _("Say why: an adjustment needs a reason.")


class RuleInThePast(InvalidInput):
    code = "rule_in_the_past"
    message = _("Points have been posted since then. A new rule can only take effect from now on.")


class InvalidTerms(InvalidInput):
    """The terms of a programme contradict themselves. `details`: field, the place among the terms."""

    code = "invalid_terms"
    message = _("These terms cannot be read.")


class NothingReserved(Conflict):
    code = "nothing_reserved"
    message = _("This reservation was used or released already.")


class NothingToGiveBack(Conflict):
    """More is asked back than is still spent. `details`: asked, spent."""

    code = "nothing_to_give_back"
    message = _("That many points were not spent there, or were given back already.")


class ApprovalNeeded(Conflict):
    """The adjustment waits for a second person. `details`: approval."""

    code = "approval_needed"
    message = _("So many points need a second person: the adjustment waits for approval.")


class CannotApprove(Conflict):
    code = "cannot_approve"
    message = _("A second person has to decide, and only once.")


class NoSuchTier(InvalidInput):
    code = "no_such_tier"
    message = _("There is no such tier in the programme.")


class NoSuchEvent(InvalidInput):
    code = "no_such_event"
    message = _("The programme gives nothing for this event.")
