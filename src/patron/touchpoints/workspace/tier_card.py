"""The tier of a customer, as the loyalty tab of their page shows it."""

from typing import Any

from patron.business.loyalty.queries import benefits_of, get_visible_memberships, tier_progress, why_tier
from patron.kernel.ui import formats
from patron.touchpoints.workspace.customer_picture import Picture

REASONS = 6


def tier_of(picture: Picture) -> dict[str, Any]:
    """Where the customer's first membership stands on the ladder, what it brings and why; None without a ladder."""
    if not picture.actor.can("loyalty.view"):
        return {"tier": None}
    for membership in get_visible_memberships(picture.customer, picture.actor)[:1]:
        if (progress := tier_progress(membership, picture.now)) is not None:
            brings = benefits_of(membership, picture.now)
            places = max(0, -int(brings.multiplier.normalize().as_tuple().exponent))
            return {
                "tier": progress,
                "tier_brings": brings,
                "tier_times": formats.decimal(brings.multiplier, places) if brings.multiplier != 1 else "",
                "tier_reasons": why_tier(membership, limit=REASONS),
            }
    return {"tier": None}
