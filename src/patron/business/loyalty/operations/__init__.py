"""Every write of the loyalty programme, by topic."""

from patron.business.loyalty.operations.expiring import expire_lots
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

__all__ = [
    "adjust_points",
    "change_programme",
    "create_programme",
    "enrol",
    "expire_lots",
    "issue_card",
    "post_earning",
    "publish_version",
    "replace_card",
    "save_draft",
    "set_membership_status",
    "spend_points",
    "take_back_points",
]
