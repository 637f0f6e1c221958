"""What is assumed of contacts and actions until campaigns with control groups have measured it. No heavy imports.

These are not findings. They are round figures of the kind that planners start from; every page and every command that
uses them says so and lets them be changed. Replace them by the lift that your own experiments show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChannelAssumption:
    """`saves`: of customers about to leave, the share that one contact keeps; `cost` of a contact in local money;
    `daily`: contacts that a person makes a day, None where no person is needed."""

    saves: float
    cost: float
    daily: int | None


CHANNELS: Final = {
    "call": ChannelAssumption(saves=0.08, cost=12.0, daily=25),
    "sms": ChannelAssumption(saves=0.02, cost=0.5, daily=None),
    "email": ChannelAssumption(saves=0.01, cost=0.1, daily=None),
}
#: Of customers who are probably gone already a contact brings back this part of what it saves of others.
GONE_PART: Final = 0.3
#: Share of the gain that a day of waiting loses.
DECAY: Final = 0.02

#: Cost of doing the action once for one customer.
ACTIONS: Final = {"call": 12.0, "voucher": 6.0, "message": 0.5}
#: Life-cycle stage → action → by how much a year's money of the customer rises if it is done once for each.
UPLIFT: Final = {
    "new": {"call": 0.03, "voucher": 0.06, "message": 0.02},
    "developing": {"call": 0.03, "voucher": 0.05, "message": 0.02},
    "mature": {"call": 0.005, "voucher": 0.010, "message": 0.004},
    "declining": {"call": 0.06, "voucher": 0.05, "message": 0.02},
    "lost": {"call": 0.02, "voucher": 0.02, "message": 0.005},
    "reactivated": {"call": 0.03, "voucher": 0.04, "message": 0.015},
}
#: On the exponential curve a dose (once for each customer) brings 1 - 1/e of the most that can be gained.
DOSE_SHARE: Final = 0.6321205588285577


def response(customers: float, money: float, *, stage: str, action: str, margin: float) -> tuple[float, float]:
    """(top, dose) of a segment's response curve: ``money`` is what its ``customers`` bring a year."""
    gained = money * margin * UPLIFT[stage][action]
    return gained / DOSE_SHARE, customers * ACTIONS[action]
