"""Loyalty: how long, how firmly and how steadily does each customer keep buying, and whose cycle is getting longer?"""

from __future__ import annotations

import datetime as dt
from typing import Final

from patron.intelligence.mining.contract import Model, ModelCard, Outcome
from patron.intelligence.mining.transactions import (
    AMOUNT,
    BRANCH,
    BRAND,
    CATEGORY,
    CUSTOMER,
    DATE,
    DISCOUNT,
    PRODUCT,
    QUANTITY,
    Purchases,
)
from patron.intelligence.mining.trends.settings import LoyaltyParameters


def compute(purchases: Purchases, as_of: dt.date, parameters: LoyaltyParameters) -> Outcome:
    """One row per customer, by customer; formulas: ``docs/algorithms/loyalty_analysis.md``."""
    from patron.intelligence.mining.trends.outcome import outcome_of

    return outcome_of(purchases, as_of, parameters)


MODEL: Final = Model(
    card=ModelCard(
        name="loyalty",
        title="Loyalty analysis",
        question="How long, how firmly and how steadily does each customer keep buying, and whose cycle grows longer?",
        roles=(CUSTOMER, DATE, AMOUNT, BRANCH, PRODUCT, QUANTITY, DISCOUNT, CATEGORY, BRAND),
        method=(
            "Three indices of 0 to 100. Persistence: active periods, tenure, still here. Firmness: how little common "
            "ups and downs, price cuts, other branches and other brands move the customer (as far as there are "
            "columns). Stability: regular gaps, even visits, a rhythm that stays. Recent gaps are compared with "
            "earlier ones by a moderated t test, and the next four weeks are forecast with an interval of 80 %. "
            "Confidence is gaps ÷ (gaps + 6)."
        ),
        source=(
            "Trend decomposition: R. B. Cleveland and others, STL (1990); test of the cycle: G. K. Smyth (2004), "
            "Y. Benjamini and Y. Hochberg (1995); retention: E. L. Kaplan and P. Meier (1958); forecast: "
            "gamma-Poisson, A. Gelman and others, Bayesian Data Analysis, 3rd ed. (2013), section 2.6."
        ),
        limits=(
            "The weights of the indices are a convention, written down and the same for all; compare, do not add up.",
            "A season that moves everybody's visits moves the cycle of each; compare a customer with the group.",
            "The share of wallet is a stand-in: what is bought elsewhere is not seen, only missing here.",
            "The response to price cuts says how much more is taken in a purchase, not who comes because of it.",
        ),
    ),
    parameters=LoyaltyParameters,
    compute=compute,
)
