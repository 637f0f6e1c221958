"""Cards in the wallets of phones, and which wallets the house has set up."""

from typing import Literal

from patron.business.cards.errors import WalletNotConfigured
from patron.business.cards.wallets.google import google_account
from patron.business.cards.wallets.signing import pass_identity


def offers_apple() -> Literal["", "trial", "own"]:
    """Whether passes can be made: no, for trials only, or with the organisation's certificate."""
    try:
        return "trial" if pass_identity().is_trial else "own"
    except WalletNotConfigured:
        return ""


def offers_google() -> bool:
    """Whether links to Google Wallet can be made."""
    try:
        google_account()
    except WalletNotConfigured:
        return False
    return True
