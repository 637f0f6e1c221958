"""Follows purchases, names the activities of the programme, and lets card numbers find customers."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.ledger import awards, returns
from patron.business.loyalty.ledger.bulk import earn_batch
from patron.business.purchases.bulk.resolving import Identifier, identifiers
from patron.business.purchases.followers import PurchaseFollower, followers
from patron.business.purchases.models import Purchase
from patron.core.activities.kinds import ActivityKind, kinds
from patron.core.customers.search.providers import TermProvider, register_term_provider
from patron.kernel.actor import Actor

for _kind in (
    ActivityKind("loyalty.enrolled", _("Joined the programme"), icon="id-badge-2", topic="points"),
    ActivityKind("loyalty.status_changed", _("Membership changed"), icon="id-badge-2", topic="points"),
    ActivityKind("loyalty.card_issued", _("Card issued"), icon="credit-card", topic="points"),
    ActivityKind("loyalty.card_blocked", _("Card blocked"), icon="credit-card-off", topic="points"),
    ActivityKind("points.earned", _("Points earned"), icon="coins", topic="points"),
    ActivityKind("points.taken_back", _("Points taken back"), icon="arrow-back-up", topic="points"),
    ActivityKind("points.given_back", _("Points given back"), icon="arrow-forward-up", topic="points"),
    ActivityKind("points.spent", _("Points spent"), icon="gift", topic="points"),
    ActivityKind("points.expired", _("Points expired"), icon="hourglass-empty", topic="points"),
    ActivityKind("points.adjusted", _("Points adjusted"), icon="adjustments", topic="points"),
    ActivityKind("points.transferred", _("Points transferred"), icon="arrows-exchange", topic="points"),
    ActivityKind("stamps.earned", _("Stamps earned"), icon="rubber-stamp", topic="points"),
    ActivityKind("stamps.spent", _("Stamps used"), icon="rubber-stamp", topic="points"),
    ActivityKind("loyalty.household_joined", _("Shares points with a household"), icon="home-heart", topic="points"),
    ActivityKind("loyalty.household_left", _("No longer shares points"), icon="home-off", topic="points"),
    ActivityKind("loyalty.tier_changed", _("Tier changed"), icon="award", topic="points"),
):
    kinds.register(_kind)

register_term_provider(
    TermProvider(
        name="loyalty cards",
        select="""
            SELECT m.customer_id, c.number
            FROM loyalty_card c JOIN loyalty_membership m ON m.id = c.membership_id
            WHERE m.customer_id {customers}
        """,
        find="""
            SELECT m.customer_id
            FROM loyalty_card c JOIN loyalty_membership m ON m.id = c.membership_id
            WHERE c.number = %(code)s
        """,
    )
)

# Tills know members by their cards: a file of purchases may name a card number, also of one that was replaced.
identifiers.register(
    Identifier(
        name="loyalty cards",
        select="""
            SELECT a.value, m.customer_id
            FROM intake_asked AS a
            JOIN loyalty_card AS c ON c.number = replace(a.value, ' ', '')
            JOIN loyalty_membership AS m ON m.id = c.membership_id
        """,
    )
)


def _on_recorded(purchase: Purchase, *, actor: Actor, now: datetime) -> None:
    if purchase.kind == Purchase.Kind.SALE:
        awards.earn(purchase, actor=actor, now=now)
    elif purchase.original_id is not None:
        returns.take_back([_undone(purchase, purchase.original_id, purchase.occurred_at)], actor=actor, now=now)


def _on_voided(purchase: Purchase, *, actor: Actor, now: datetime) -> None:
    if purchase.kind == Purchase.Kind.SALE:
        returns.void_sale(_undone(purchase, purchase.pk, now), actor=actor, now=now)
    elif purchase.original_id is not None:
        returns.void_return(_undone(purchase, purchase.original_id, now), actor=actor, now=now)


def _on_batch(cursor: Any, table: str, *, actor: Actor, now: datetime) -> None:
    earn_batch(cursor, table, actor=actor, now=now)


def _undone(purchase: Purchase, original_id: int, at: datetime) -> returns.Undone:
    net_amount = -purchase.net_amount if purchase.status == Purchase.Status.VOIDED else purchase.net_amount
    return returns.Undone(purchase.pk, original_id, at, net_amount, purchase.branch_id)


followers.register(PurchaseFollower("loyalty", on_recorded=_on_recorded, on_voided=_on_voided, on_batch=_on_batch))
