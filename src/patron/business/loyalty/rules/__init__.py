"""Pure decisions of the loyalty programme, by topic. No Django.

`terms` (the rules as data), `earning` (what a purchase earns, and why), `tiers`, `lots` (which points are used first),
`cards` (numbers and check digits).
"""

from patron.business.loyalty.rules.cards import CARD_LENGTH, card_number, check_digit, is_valid_card
from patron.business.loyalty.rules.lots import (
    CENT,
    ZERO,
    Credit,
    OpenLot,
    Short,
    Take,
    after,
    in_order_of_use,
    plan_credit,
    plan_expiry,
    plan_spending,
    plan_taking_back,
)
from patron.business.loyalty.rules.reading import MOST_POINTS

__all__ = [
    "CARD_LENGTH",
    "CENT",
    "MOST_POINTS",
    "ZERO",
    "Credit",
    "OpenLot",
    "Short",
    "Take",
    "after",
    "card_number",
    "check_digit",
    "in_order_of_use",
    "is_valid_card",
    "plan_credit",
    "plan_expiry",
    "plan_spending",
    "plan_taking_back",
]
