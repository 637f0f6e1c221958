"""A customer's stored value, as their page shows it: partial `workspace/partials/customer_wallet.html`."""

from patron.business.loyalty.errors import NoSuchMember
from patron.business.storedvalue.queries import WalletBalance, get_wallet_membership, wallet_balance
from patron.touchpoints.workspace.customer_picture import Picture


def wallet_of(picture: Picture) -> WalletBalance | None:
    """What the customer holds; None for those who are no members, and for readers who may not see it."""
    if not (picture.actor.can("storedvalue.view") and picture.actor.can("loyalty.view")):
        return None
    try:
        membership = get_wallet_membership(picture.customer, picture.actor)
    except NoSuchMember:
        return None
    return wallet_balance(membership, now=picture.now)
