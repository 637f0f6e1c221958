"""Pure decisions of the loyalty programme, by topic: earning, tiers, expiry, which points are used first. No Django."""

from patron.business.loyalty.rules.cards import card_number, check_digit, is_valid_card
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
from patron.business.loyalty.rules.plain import (
    MOST_POINTS,
    Award,
    EarningTerms,
    decide_earning,
    expiry_date,
    points_to_take_back,
)

__all__ = [
    "CENT",
    "MOST_POINTS",
    "ZERO",
    "Award",
    "Credit",
    "EarningTerms",
    "OpenLot",
    "Short",
    "Take",
    "after",
    "card_number",
    "check_digit",
    "decide_earning",
    "expiry_date",
    "in_order_of_use",
    "is_valid_card",
    "plan_credit",
    "plan_expiry",
    "plan_spending",
    "plan_taking_back",
    "points_to_take_back",
]
