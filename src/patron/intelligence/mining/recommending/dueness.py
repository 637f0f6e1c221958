"""How likely a product that was bought before is bought again, by its own pace and by how due it is.

The pace λ of customer u and product j (purchase days per day) is a decayed count with a prior of ``PRIOR_DAYS`` days
at the pace of all who buy j::

    λ = (Σ 2^(−age / half-life) + PRIOR_DAYS · pace_j) / (exposure + PRIOR_DAYS)
    exposure = half-life / ln 2 · (1 − 2^(−days since u's first purchase / half-life))

Purchases at that pace would fall within h days with chance 1 − exp(−λ h). Refills are more regular than that: someone
who bought rice yesterday needs none. So the chance is multiplied by what was seen an horizon ago in the same band of
*silence ÷ usual gap*: purchases that came ÷ purchases that the pace promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.recommending.history import Events, Known, Real32, among, bought_between

PRIOR_DAYS: Final = 28.0
#: Bands of silence ÷ usual gap, for products bought on two days or more.
RATIOS: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
#: Bands of days since the purchase, for products bought once.
ONCE_DAYS: Final = (7, 14, 28, 56, 112)
#: Expected purchases that count as evidence for a factor of 1.
PRIOR_PURCHASES: Final = 20.0


@dataclass(frozen=True, slots=True)
class Dueness:
    """``factor`` by band; ``pace`` of each product among those who buy it."""

    factor: Real
    pace: Real

    def chances(self, known: Known, *, horizon_days: int) -> Real32:
        """Chance of each element of ``known`` within ``horizon_days``, 0 to 1."""
        plain = _plain_chances(known, self.pace, horizon_days)
        return np.minimum(plain * self.factor[bands(known)], 0.995).astype(np.float32)


def learn_dueness(events: Events, before: Known, *, horizon_days: int) -> Dueness:
    """Factors from the ``horizon_days`` after the day of ``before``; all 1 while nothing was known then."""
    pace = _paces(before)
    expected = _plain_chances(before, pace, horizon_days)
    came = bought_between(events, before.origin, before.origin + horizon_days)
    hit = among(before.pairs, came)
    band = bands(before)
    count = len(RATIOS) + len(ONCE_DAYS) + 2
    promised = np.bincount(band, weights=expected, minlength=count)
    bought = np.bincount(band, weights=hit, minlength=count)
    return Dueness(factor=(bought + PRIOR_PURCHASES) / (promised + PRIOR_PURCHASES), pace=pace)


def bands(known: Known) -> Whole:
    """The band of each element: first those bought once by days of silence, then by silence ÷ usual gap."""
    silence = known.origin - known.last
    gap = (known.last - known.first) / np.maximum(known.times - 1, 1)
    ratio = np.searchsorted(RATIOS, silence / np.maximum(gap, 1), side="right") + len(ONCE_DAYS) + 1
    once = np.searchsorted(ONCE_DAYS, silence, side="right")
    return np.where(known.times > 1, ratio, once).astype(np.int64)


def _paces(known: Known) -> Real:
    """Purchase days per day of each product among its buyers; the mean of all for one that nobody has."""
    exposure = _exposure(known)[known.owner]
    days = np.bincount(known.product, weights=exposure, minlength=known.products)
    weight = np.bincount(known.product, weights=known.weight, minlength=known.products)
    overall = weight.sum() / days.sum() if days.sum() > 0 else 0.01
    return np.where(days > 0, weight / np.maximum(days, 1e-9), overall)


def _exposure(known: Known) -> Real:
    since = known.origin - known.since + 1
    exposure: Real = known.half_life / np.log(2) * (1 - np.exp2(-since / known.half_life))
    return exposure


def _plain_chances(known: Known, pace: Real, horizon_days: int) -> Real:
    exposure = _exposure(known)[known.owner]
    rate = (known.weight + PRIOR_DAYS * pace[known.product]) / (exposure + PRIOR_DAYS)
    chances: Real = -np.expm1(-rate * horizon_days)
    return chances
