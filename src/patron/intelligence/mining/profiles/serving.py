"""What serving a customer costs, and what is left of the profit after it.

Contribution = gross profit − cost to serve (R. Kaplan and V. Narayanan, Journal of Cost Management 15, 2001). Cost to
serve is counted from what happened: each kind of event times what one costs. The prices are the house's own
assumptions. Reductions of price are not in it: revenue is net of them already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real

#: Kinds of effort, and the beginnings of the log's codes that count as one of them.
EFFORTS: Final[dict[str, tuple[str, ...]]] = {
    "messages": ("message.", "sms.", "email.", "push.", "letter."),
    "calls": ("contact.", "call."),
    "visits": ("visit.", "appointment."),
    "cases": ("case.opened", "complaint."),
    "gifts": ("gift.handed_over", "gift.shipped"),
}


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one of each costs, in the house's currency; ``margin``: gross profit of sales whose cost is not known."""

    purchase: float = 1.0
    return_: float = 5.0
    message: float = 0.5
    call: float = 20.0
    visit: float = 80.0
    case: float = 60.0
    gift: float = 10.0
    margin: float = 0.25


def cost_to_serve(counted: Mapping[str, Real], tariff: Tariff) -> Real:
    """For each customer; ``counted``: purchases, returns and :data:`EFFORTS` → how many each customer caused."""
    prices = {
        "purchases": tariff.purchase,
        "returns": tariff.return_,
        "messages": tariff.message,
        "calls": tariff.call,
        "visits": tariff.visit,
        "cases": tariff.case,
        "gifts": tariff.gift,
    }
    some = next(iter(counted.values()))
    total: Real = np.zeros(len(some))
    for name, price in prices.items():
        if name in counted:
            total = total + counted[name] * price
    return total


def estimated_profit(revenue: Real, known_profit: Real, covered: Real, margin: float) -> Real:
    """Known gross profit, and ``margin`` of the revenue whose cost is not known."""
    profit: Real = known_profit + (revenue - covered) * margin
    return profit
