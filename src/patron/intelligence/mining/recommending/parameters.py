"""The settings of the next-product model, apart from its methods: listing the models must not load heavy libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from patron.intelligence.mining.contract import Parameters, parameter

#: The candidates; the first is the baseline.
METHOD_NAMES: Final = (
    "popular",
    "popular_lately",
    "taken_up",
    "repeat",
    "alike",
    "correlated",
    "rules",
    "sequences",
    "neighbours",
    "factors",
    "blend",
)


@dataclass(frozen=True)
class NextProductParameters(Parameters):
    """How far ahead, how many, and what the candidates are told."""

    horizon_days: int = parameter(28, "an offer is right when it is bought within so many days", minimum=1, maximum=366)
    top: int = parameter(5, "offers per customer and list", minimum=1, maximum=50)
    method: str = parameter(
        "best", "best: the method that did best in the validation; or one by name", choices=("best", *METHOD_NAMES)
    )
    half_life_days: float = parameter(56.0, "a purchase counts half after so many days", minimum=1)
    min_customers: int = parameter(5, "products with fewer customers are left out", minimum=1)
    max_products: int = parameter(1000, "at most so many products, those with the most customers", minimum=2)
    sample_customers: int = parameter(20_000, "at most so many customers teach and test the methods", minimum=10)
    together_prior: float = parameter(
        10.0, "lifts are drawn towards 1 as if so many more customers had behaved like everybody", minimum=0.01
    )
    factors: int = parameter(24, "factors of the matrix factorisation", minimum=1, maximum=256)
    neighbours: int = parameter(50, "neighbours kept per product", minimum=1, maximum=500)
    seed: int = parameter(
        7, "of the random start of the factorisation and of the sample of the blend", minimum=0, maximum=2**32 - 1
    )
