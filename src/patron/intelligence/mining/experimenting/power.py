"""How many customers an experiment needs, or what it can see with those there are. Standard library alone.

Rates: J. L. Fleiss, B. Levin, M. C. Paik, *Statistical Methods for Rates and Proportions*, 3rd ed. (2003), section 4.2,
without continuity correction, for groups of unequal size. Means: the normal formula with the correction of
W. C. Guenther, The American Statistician 35 (1981) 243-244. All tests are two-sided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_LARGEST: Final = 10**12


@dataclass(frozen=True, slots=True)
class Sizes:
    """Customers in each of the two groups."""

    treated: int
    control: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.treated + self.control


@dataclass(frozen=True, slots=True)
class Design:
    """What is asked of the experiment: chance of a false alarm, chance of seeing a true effect, share treated."""

    alpha: float = 0.05
    power: float = 0.8
    treated_share: float = 0.5

    def __post_init__(self) -> None:
        for name in ("alpha", "power", "treated_share"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1; it is {getattr(self, name)}.")

    def sizes(self, total: float) -> Sizes:
        """``total`` customers divided by the share treated, both groups rounded up."""
        return Sizes(math.ceil(total * self.treated_share - 1e-9), math.ceil(total * (1 - self.treated_share) - 1e-9))


def rate_sizes(base: float, lifted: float, design: Design) -> Sizes:
    """Customers needed to see a rate of ``base`` become ``lifted``. Raises ValueError where the two are equal."""
    if base == lifted:
        raise ValueError("A difference of nothing cannot be seen by any number of customers.")
    share = design.treated_share
    pooled = share * lifted + (1 - share) * base
    needed = _z(1 - design.alpha / 2) * math.sqrt(pooled * (1 - pooled) / (share * (1 - share)))
    needed += _z(design.power) * math.sqrt(lifted * (1 - lifted) / share + base * (1 - base) / (1 - share))
    return design.sizes((needed / (lifted - base)) ** 2)


def rate_power(base: float, lifted: float, treated: int, control: int, *, alpha: float = 0.05) -> float:
    """The chance of seeing ``base`` become ``lifted`` with groups of these sizes."""
    share = treated / (treated + control)
    pooled = share * lifted + (1 - share) * base
    null = math.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / control))
    error = math.sqrt(lifted * (1 - lifted) / treated + base * (1 - base) / control)
    distance = abs(lifted - base) - _z(1 - alpha / 2) * null
    if error == 0:
        return 1.0 if distance > 0 else 0.0
    return _NORMAL.cdf(distance / error)


def smallest_rate_lift(base: float, treated: int, control: int, design: Design) -> float | None:
    """The smallest rise of ``base`` that groups of these sizes see with the power wanted; none if not even up to 1."""

    def seen(lift: float) -> bool:
        return rate_power(base, base + lift, treated, control, alpha=design.alpha) >= design.power

    return _smallest(seen, 1 - base)


def mean_sizes(deviation: float, difference: float, design: Design, *, explained: float = 0.0) -> Sizes:
    """Customers needed to see means differ by ``difference`` where values have the standard ``deviation``.

    ``explained`` is the share of variance that a covariate from before takes out (CUPED). Raises ValueError where the
    difference is zero.
    """
    if difference == 0:
        raise ValueError("A difference of nothing cannot be seen by any number of customers.")
    share = design.treated_share
    z_alpha = _z(1 - design.alpha / 2)
    ratio = deviation * math.sqrt(1 - explained) * (z_alpha + _z(design.power)) / difference
    total = ratio**2 / (share * (1 - share)) + z_alpha**2 / 2
    return design.sizes(total)


def mean_power(
    deviation: float, difference: float, treated: int, control: int, *, alpha: float = 0.05, explained: float = 0.0
) -> float:
    """The chance of seeing such a difference of means with groups of these sizes (normal, as :func:`mean_sizes`)."""
    z_alpha = _z(1 - alpha / 2)
    spread = deviation * math.sqrt(1 - explained)
    if spread == 0:
        return 1.0 if difference else alpha
    share = treated / (treated + control)
    effective = max(treated + control - z_alpha**2 / 2, 0.0) * share * (1 - share)
    distance = abs(difference) / spread * math.sqrt(effective)
    return _NORMAL.cdf(distance - z_alpha) + _NORMAL.cdf(-distance - z_alpha)


def smallest_mean_difference(
    deviation: float, treated: int, control: int, design: Design, *, explained: float = 0.0
) -> float | None:
    """The smallest difference of means that groups of these sizes see with the power wanted; none for tiny groups."""

    def seen(difference: float) -> bool:
        found = mean_power(deviation, difference, treated, control, alpha=design.alpha, explained=explained)
        return found >= design.power

    return _smallest(seen, _LARGEST)


def _smallest(seen: Callable[[float], bool], largest: float) -> float | None:
    """The least value that is seen, to 12 digits, where everything above it is seen as well."""
    if largest <= 0 or not seen(largest):
        return None
    low, high = 0.0, largest
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _z(probability: float) -> float:
    return _NORMAL.inv_cdf(probability)
