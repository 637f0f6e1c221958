"""Names the activities of vouchers, and follows members and purchases."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.followers import MemberFollower, member_followers
from patron.business.loyalty.models import Membership
from patron.business.purchases.followers import PurchaseFollower, followers
from patron.business.purchases.models import Purchase
from patron.business.vouchers import following, jobs
from patron.core.activities.kinds import ActivityKind, kinds
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.jobs import defer

for _kind in (
    ActivityKind("voucher.issued", _("Voucher given"), icon="ticket", topic="points"),
    ActivityKind("voucher.bought", _("Voucher bought with points"), icon="ticket", topic="points"),
    ActivityKind("voucher.used", _("Voucher used"), icon="discount", topic="points"),
    ActivityKind("voucher.given_back", _("Voucher given back"), icon="arrow-back-up", topic="points"),
    ActivityKind("voucher.expired", _("Voucher expired"), icon="hourglass-empty", topic="points"),
    ActivityKind("voucher.cancelled", _("Voucher cancelled"), icon="ticket-off", topic="points"),
    ActivityKind("voucher.transferred", _("Voucher handed over"), icon="transfer", topic="points"),
):
    kinds.register(_kind)


def _on_enrolled(membership: Membership, *, actor: Actor, now: datetime) -> None:
    following.welcome(membership, actor=actor, now=now)


def _on_tier_changed(
    membership: Membership,
    before: str,  # noqa: ARG001 (the registry's signature)
    after: str,
    *,
    actor: Actor,  # noqa: ARG001
    now: datetime,
) -> None:
    if after and following.for_tier(membership, after) and following.has_risen(membership):
        occasion = f"tier:{after}:{today(now).year}"
        defer(jobs.give_for_tier, membership_id=membership.pk, tier=after, occasion=occasion)


def _on_recorded(purchase: Purchase, *, actor: Actor, now: datetime) -> None:  # noqa: ARG001
    if purchase.kind == Purchase.Kind.RETURN and purchase.original is not None:
        _undo_if_nothing_stands(purchase.original)


def _on_voided(purchase: Purchase, *, actor: Actor, now: datetime) -> None:  # noqa: ARG001
    if purchase.kind == Purchase.Kind.SALE:
        _undo_if_nothing_stands(purchase)


def _on_batch(cursor: Any, table: str, *, actor: Actor, now: datetime) -> None:
    """Files bring no vouchers of this room."""


def _undo_if_nothing_stands(purchase: Purchase) -> None:
    if following.is_to_be_undone(purchase):
        defer(jobs.undo, purchase_id=purchase.pk)


member_followers.register(MemberFollower("vouchers", on_enrolled=_on_enrolled, on_tier_changed=_on_tier_changed))
followers.register(PurchaseFollower("vouchers", on_recorded=_on_recorded, on_voided=_on_voided, on_batch=_on_batch))
