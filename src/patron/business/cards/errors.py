"""Refusals of the card room, in words that say what to do."""

from django.utils.translation import gettext_lazy as _

from patron.kernel.errors import Conflict, InvalidInput, NotFound


class NoSuchCard(NotFound):
    code = "no_such_card"
    message = _("This member has no card. Issue one first.")


class NoSuchDesign(NotFound):
    code = "no_such_design"
    message = _("This card design does not exist. Choose one from the list.")


class DesignRefused(InvalidInput):
    """A part of a design is wrong. `details`: field."""

    code = "card_design_invalid"
    message = _("This card cannot be drawn. Correct the part that is marked.")


class DesignNotDraft(Conflict):
    code = "card_design_not_draft"
    message = _("This version is active or retired and stays as it is. Change it to make the next version.")


class PicturesInvalid(InvalidInput):
    code = "card_picture_invalid"
    message = _("A picture for cards is a PNG or JPEG of 5 MB at most, no more than 6,000 dots wide or high.")


class WalletNotConfigured(NotFound):
    """The organisation has not set up this wallet. `details`: wallet, setting."""

    code = "wallet_not_configured"
    message = _("This wallet is not set up here. The installation needs the organisation's certificate or key for it.")


class PassRefused(NotFound):
    """No pass of this serial number, or the token is not its own: the two are not told apart."""

    code = "no_such_pass"
    message = _("There is no such pass.")
