"""The distribution of each customer's next gap, given the silence so far.

Logarithms of the gaps of customer u are normal with mean μ_u and spread σ_u. Both are drawn towards those of all
customers (normal-inverse-gamma prior with ``prior`` gaps; A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013),
section 3.3)::

    μ_u = (Σ ln gap + k · μ) / (n + k)
    σ_u² = (Σ (ln gap − mean)² + n k / (n + k) · (mean − μ)² + k · σ²) / (n + k) · (1 + 1 / (n + k))

The next visit falls on day a from today with a chance proportional to
``[Φ((ln(s + a + ½) − μ_u) / σ_u) − Φ((ln(s + a − ½) − μ_u) / σ_u)] · w_u(weekday)``
where s is the silence and w_u the customer's habit of weekdays, drawn towards everybody's. After each visit a customer
leaves for good with chance d, so after a silence s they are still there with chance

    alive = (1 − d) S(s) / ((1 − d) S(s) + d),  S(s) = 1 − Φ((ln(s + ½) − μ_u) / σ_u)

k is estimated, unless it is given, as the variance within customers ÷ that between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import ndtr

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.rhythm import MICRO, Visits

#: Visits at everybody's weekdays that weigh as much as a customer's own.
WEEKDAY_PRIOR: Final = 10.0
_LEAST_SPREAD: Final = 0.4
_FALLBACK_PRIOR: Final = 2.0
_BLOCK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Paces:
    """One element per customer who had come by the day ``origin``; ``who`` are their places.

    ``mean`` and ``spread`` of the logarithm of the next gap; ``silence`` in days; ``gaps`` how many of the latest were
    used; ``last_gap`` 0 without one;
    ``weekday`` has seven columns (Monday first), of mean 1.
    ``prior`` is k, ``leaving`` d.
    """

    origin: int
    who: Whole
    mean: Real
    spread: Real
    silence: Whole
    gaps: Whole
    last_gap: Whole
    weekday: Real
    population_gap: float
    prior: float
    leaving: float = 0.0

    def spread_over(self, most: int) -> Paces:
        """At most so many customers, evenly spread over all: enough to learn and to judge from."""
        if len(self.who) <= most:
            return self
        rows = np.linspace(0, len(self.who) - 1, most).astype(np.int64)
        return replace(
            self,
            who=self.who[rows],
            mean=self.mean[rows],
            spread=self.spread[rows],
            silence=self.silence[rows],
            gaps=self.gaps[rows],
            last_gap=self.last_gap[rows],
            weekday=self.weekday[rows],
        )

    def typical(self) -> Real:
        """The median gap of each, in days."""
        return np.exp(self.mean)


def paces_at(visits: Visits, origin: int, *, gaps: int, prior: float, fallback_days: float) -> Paces:
    """What was known of everybody's pace at the end of the day ``origin``; ``prior`` 0 has k estimated."""
    seen = visits.seen_until(origin)
    who = np.flatnonzero(seen > 0)
    last = visits.starts[who] + seen[who] - 1
    used = np.minimum(seen[who] - 1, gaps)
    logs = np.log(np.maximum(visits.gap, 1).astype(np.float64))
    squares = np.concatenate(([0.0], np.cumsum(logs * logs)))
    total = visits.recent_logs(last, used) / MICRO
    square = squares[last + 1] - squares[last + 1 - used]
    mean, spread, middle, weight = _posterior(total, square, used, prior=prior, fallback_days=fallback_days)
    return Paces(
        origin=origin,
        who=who,
        mean=mean,
        spread=spread,
        silence=(origin - visits.day[last]).astype(np.int64),
        gaps=used.astype(np.int64),
        last_gap=visits.gap[last].astype(np.int64),
        weekday=_weekdays(visits, origin, who),
        population_gap=float(np.exp(middle)),
        prior=weight,
    )


def _posterior(
    total: Real, square: Real, used: Whole, *, prior: float, fallback_days: float
) -> tuple[Real, Real, float, float]:
    repeating = used > 0
    own = np.where(repeating, total / np.maximum(used, 1), 0.0)
    middle = float(own[repeating].mean()) if repeating.any() else float(np.log(fallback_days))
    within = np.maximum(square - used * own * own, 0.0)
    degrees = np.maximum(used - 1, 0)
    variance = max(float(within.sum() / degrees.sum()), 0.05) if degrees.sum() else 1.0
    k = prior or _estimated_prior(own[repeating], used[repeating], variance)
    weight = used + k
    mean = (total + k * middle) / weight
    drift = used * k / weight * (own - middle) ** 2
    spread = np.sqrt((within + drift + k * variance) / weight * (1 + 1 / weight))
    return mean, np.maximum(spread, _LEAST_SPREAD), middle, k


def _estimated_prior(own: Real, used: Whole, variance: float) -> float:
    """Variance within ÷ between customers: of the means, less what the few gaps of each let them scatter."""
    if len(own) < 2:
        return _FALLBACK_PRIOR
    between = float(own.var(ddof=1)) - variance * float((1 / used).mean())
    return float(np.clip(variance / max(between, 1e-9), 0.25, 20.0))


def _weekdays(visits: Visits, origin: int, who: Whole) -> Real:
    known = visits.day <= origin
    weekday = (visits.day[known] + 3) % 7  # 1970-01-01 was a Thursday
    everybody = (np.bincount(weekday, minlength=7) + 1) / (len(weekday) + 7)
    counts = np.bincount(visits.owner[known].astype(np.int64) * 7 + weekday, minlength=7 * (len(visits.starts) - 1))
    own = counts.reshape(-1, 7)[who]
    habit: Real = 7 * (own + WEEKDAY_PRIOR * everybody) / (own.sum(axis=1, keepdims=True) + WEEKDAY_PRIOR)
    return habit


def blocks(paces: Paces) -> Iterator[slice]:
    """Slices of customers small enough for a table of days ahead."""
    for first in range(0, len(paces.who), _BLOCK):
        yield slice(first, min(first + _BLOCK, len(paces.who)))


def days_ahead(paces: Paces, rows: slice, *, days: int, fresh: bool = False) -> Real:
    """Chance that the next visit falls on each of the next ``days`` days: one row per customer; the rest comes later.

    ``fresh`` asks for customers who came on the day ``origin`` itself.
    """
    mean, spread = paces.mean[rows, np.newaxis], paces.spread[rows, np.newaxis]
    silence = np.zeros_like(paces.silence[rows]) if fresh else paces.silence[rows]
    edges = np.log(silence[:, np.newaxis] + np.arange(days + 1) + 0.5)
    upper = ndtr((mean - edges) / spread)  # chance of a longer gap: exact far out in the tail too
    still = np.maximum(upper[:, :1], 1e-300)
    alive = (1 - paces.leaving) * upper[:, :1] / np.maximum((1 - paces.leaving) * upper[:, :1] + paces.leaving, 1e-300)
    plain = alive * (upper[:, :-1] - upper[:, 1:]) / still
    weekday = (paces.origin + 1 + np.arange(days) + 3) % 7
    told = plain * paces.weekday[rows][:, weekday]
    # The weekday moves a visit within its week; how many come within the window stays the same.
    inside, moved = plain.sum(axis=1, keepdims=True), told.sum(axis=1, keepdims=True)
    chances: Real = np.where(moved > 0, told * inside / np.maximum(moved, 1e-300), plain)
    return chances


def quantile_days(chances: Real, level: Real | float) -> Whole:
    """The first day (from 1) by whose end a visit has the chance ``level``; one more than there are days for none."""
    reached = np.cumsum(chances, axis=1) >= np.broadcast_to(level, len(chances))[:, np.newaxis] - 1e-12
    days: Whole = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, chances.shape[1] + 1).astype(np.int64)
    return days
