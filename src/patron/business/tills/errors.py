"""Refusals of the till, in words that say what to do."""

from django.utils.translation import gettext_lazy as _

from patron.kernel.errors import Conflict, InvalidInput, NotFound, PermissionRefused


class NoTerminal(PermissionRefused):
    code = "no_terminal"
    message = _("This key belongs to no terminal in use. Set up a terminal for it first.")


class ClientIdReused(Conflict):
    """`details`: client_id."""

    code = "client_id_reused"
    message = _("This client id was used for another transaction. Use a new one for a new transaction.")


class NoSuchSale(NotFound):
    code = "no_such_sale"
    message = _("No sale with this number is on file. Check the receipt.")


class ClockAhead(InvalidInput):
    """`details`: occurred_at, now."""

    code = "clock_ahead"
    message = _("This sale lies in the future. Set the clock of the till, or send its time along (sent_at).")


class TooOld(InvalidInput):
    """`details`: occurred_at, days."""

    code = "too_old"
    message = _("This sale is older than this terminal may tell of. Bring it in by an import instead.")


class LimitOfTerminal(Conflict):
    """`details`: limit, asked."""

    code = "terminal_limit"
    message = _("This is more than this terminal may do. Ask the branch manager.")


class VouchersChanged(Conflict):
    code = "vouchers_changed"
    message = _("A voucher is worth something else by now. Ask for a new quote.")


class PointsDoNotPay(InvalidInput):
    code = "points_do_not_pay"
    message = _("Points cannot pay this: see how many are needed, and how much of a purchase they may pay.")


class MemberNeeded(InvalidInput):
    code = "member_needed"
    message = _("Points and stored value need a member: read the card first.")


class PointsOwed(Conflict):
    """`details`: owed."""

    code = "points_owed"
    message = _("This member owes points: nothing can be redeemed until they are repaid.")


class NoPrice(InvalidInput):
    code = "no_price"
    message = _("This product has no price on file. Give one.")
