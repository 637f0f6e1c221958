"""Every write of the loyalty programme, by topic."""

from patron.business.loyalty.operations.approvals import decide_approval, request_adjustment
from patron.business.loyalty.operations.events import award_event, pay_referrals
from patron.business.loyalty.operations.expiring import expire_lots, mature_lots
from patron.business.loyalty.operations.households import (
    join_household,
    leave_household,
    open_household,
    transfer_points,
)
from patron.business.loyalty.operations.membership import (
    enrol,
    issue_card,
    replace_card,
    set_membership_status,
)
from patron.business.loyalty.operations.posting import (
    adjust_points,
    post_earning,
    spend_points,
    take_back_points,
)
from patron.business.loyalty.operations.programme import (
    change_programme,
    create_programme,
    publish_version,
    save_draft,
)
from patron.business.loyalty.operations.reserving import (
    commit_reserved_points,
    give_back_points,
    release_overdue,
    release_points,
    reserve_points,
)
from patron.business.loyalty.operations.tiers import (
    announce_tiers,
    grant_tier,
    place_members,
    review_tiers,
    revoke_tier,
)

__all__ = [
    "adjust_points",
    "announce_tiers",
    "award_event",
    "change_programme",
    "commit_reserved_points",
    "create_programme",
    "decide_approval",
    "enrol",
    "expire_lots",
    "give_back_points",
    "grant_tier",
    "issue_card",
    "join_household",
    "leave_household",
    "mature_lots",
    "open_household",
    "pay_referrals",
    "place_members",
    "post_earning",
    "publish_version",
    "release_overdue",
    "release_points",
    "replace_card",
    "request_adjustment",
    "reserve_points",
    "review_tiers",
    "revoke_tier",
    "save_draft",
    "set_membership_status",
    "spend_points",
    "take_back_points",
    "transfer_points",
]
