"""Every read of the loyalty programme, by topic."""

from patron.business.loyalty.queries.checks import LedgerCheck, check_ledger
from patron.business.loyalty.queries.members import find_by_card, get_membership, get_visible_memberships, has_programme
from patron.business.loyalty.queries.points import (
    Liability,
    LotLine,
    PointsBalance,
    liability,
    open_lots,
    points_balance,
    points_balance_at,
    points_balances,
)
from patron.business.loyalty.queries.statement import (
    PurchasePoints,
    Statement,
    StatementLine,
    points_of_purchases,
    statement,
)
from patron.business.loyalty.queries.tiers import (
    TierBenefits,
    TierCount,
    TierProgress,
    TierReason,
    benefits_of,
    tier_counts,
    tier_progress,
    why_tier,
)
from patron.business.loyalty.queries.words import explain

__all__ = [
    "LedgerCheck",
    "Liability",
    "LotLine",
    "PointsBalance",
    "PurchasePoints",
    "Statement",
    "StatementLine",
    "TierBenefits",
    "TierCount",
    "TierProgress",
    "TierReason",
    "benefits_of",
    "check_ledger",
    "explain",
    "find_by_card",
    "get_membership",
    "get_visible_memberships",
    "has_programme",
    "liability",
    "open_lots",
    "points_balance",
    "points_balance_at",
    "points_balances",
    "points_of_purchases",
    "statement",
    "tier_counts",
    "tier_progress",
    "why_tier",
]
