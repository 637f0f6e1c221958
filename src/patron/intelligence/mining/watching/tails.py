"""How unlikely is what a customer does now, had nothing changed? Tail probabilities that know how little is known.

Everything by array, one place per customer. A probability for a customer with a short history is drawn towards the
population's habit and widened for what the history does not tell, so that few visits raise no more alarms than many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betainc, gammainc, stdtr

from patron.intelligence.mining.arrays import Flags, Real, Whole

#: The population's regularity weighs as much as so many gaps; its spread as so many observations.
PRIOR_GAPS: Final = 8.0
PRIOR_DEGREES: Final = 6.0
#: Beyond so many visits a window, spending little does not come from coming seldom.
_MOST_VISITS: Final = 30
_REGULARITY: Final = (0.2, 50.0)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Gaps between visits as gamma variables of ``shape`` (regularity) and unknown rate.

    What is known of the rate is a gamma distribution with ``strength`` (shape) and ``weight`` (rate): the gaps seen.
    """

    shape: Real
    strength: Real
    weight: Real

    @property
    def mean(self) -> Real:
        """The expected gap (of the predictive distribution)."""
        expected: Real = self.shape * self.weight / np.maximum(self.strength - 1, 1e-9)
        return expected


def rhythms(count: Whole | Real, total: Real, log_total: Real, product_total: Real) -> Rhythm:
    """Rhythm of each customer from sums over ``count`` gaps: of x, ln x and x · ln x.

    Shape by the closed form of Z.-S. Ye and N. Chen, The American Statistician 71 (2017) 177-181: 1 ÷ shape is the
    covariance of x and ln x, relative to the mean of x; drawn towards the mean of the population. The rate's prior is
    as strong as one gap of the customer's own mean, so a rhythm needs two gaps at least.
    """
    size = np.maximum(count, 1).astype(np.float64)
    spread = product_total / np.maximum(total, 1e-12) - log_total / size
    usable = count >= 2
    pooled = float(np.average(spread[usable], weights=size[usable] - 1)) if usable.any() else 1.0
    own = (spread * size + pooled * PRIOR_GAPS) / (size + PRIOR_GAPS)
    shape = 1 / np.clip(own, 1 / _REGULARITY[1], 1 / _REGULARITY[0])
    return Rhythm(shape=shape, strength=shape * size, weight=total)


def silence_tail(rhythm: Rhythm, silence: Real) -> Real:
    """The chance that a customer who goes on as before is seen on some day with such a silence or a longer one.

    A day taken at random is likelier to fall into a long gap; so it is not the chance that a gap is as long, but the
    integral of the gap's tail beyond ``silence``, divided by the mean gap (the backward recurrence time of a renewal
    process: D. R. Cox, *Renewal Theory* (1962), section 5.2), averaged over what is not known of the rate:
    P = T(k + 1, A) − s · (A ÷ kB) · T(k, A + 1), where T(k, A) is the tail beyond s ÷ (s + B) of a beta(k, A) variable.
    """
    share = silence / (silence + np.maximum(rhythm.weight, 1e-12))
    first = 1 - betainc(rhythm.shape + 1, rhythm.strength, share)
    second = 1 - betainc(rhythm.shape, rhythm.strength + 1, share)
    scaled = silence * rhythm.strength / (rhythm.shape * np.maximum(rhythm.weight, 1e-12))
    tail: Real = np.clip(first - scaled * second, 0.0, 1.0)
    return tail


def silence_until(rhythm: Rhythm, probability: float) -> Real:
    """The silence whose :func:`silence_tail` is ``probability``: longer ones count as unusual."""
    low: Real = np.zeros_like(rhythm.weight)
    high: Real = np.maximum(rhythm.mean, 1.0) * 1000
    for _ in range(60):
        middle = (low + high) / 2
        above = silence_tail(rhythm, middle) > probability
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def moderated_t(
    now: Real, mean: Real, squares: Real, count: Whole | Real, *, now_count: Real | float = 1.0, relative: bool
) -> tuple[Real, Real]:
    """How far ``now`` lies from a customer's own ``mean``, and the degrees of freedom of that t.

    ``squares``: sum of squared deviations of ``count`` earlier values; ``now`` is the mean of ``now_count`` values.
    The variance is drawn towards the population's (G. K. Smyth, Statistical Applications in Genetics and Molecular
    Biology 3 (2004) 1) with :data:`PRIOR_DEGREES`; ``relative`` says that spread grows with the mean.
    """
    size = np.maximum(count, 1).astype(np.float64)
    scale = np.maximum(np.abs(mean), 1e-9) if relative else np.ones_like(mean)
    degrees = np.maximum(size - 1, 0.0)
    usable: Flags = size > 1
    pooled = float((squares / scale**2)[usable].sum() / degrees[usable].sum()) if usable.any() else 1.0
    variance = (squares + PRIOR_DEGREES * pooled * scale**2) / (degrees + PRIOR_DEGREES)
    error = np.sqrt(variance * (1 / np.maximum(now_count, 1e-9) + 1 / size))
    t: Real = (now - mean) / np.maximum(error, 1e-12)
    return t, degrees + PRIOR_DEGREES


def t_tails(t: Real, degrees: Real) -> tuple[Real, Real]:
    """The chance of so little or less, and of so much or more."""
    low: Real = stdtr(degrees, t)
    high: Real = stdtr(degrees, -t)
    return low, high


def spend_low_tail(now: Real, visits: Real, regularity: Real, basket: Real, variation: float) -> Real:
    """The chance of spending ``now`` or less in a window by coming seldom and buying little, as luck has it.

    ``visits``: the usual number; with gamma gaps of shape k the chance of n or more is G(n·k, k·visits), G the
    regularised incomplete gamma function (R. Winkelmann, Journal of Business & Economic Statistics 13 (1995) 467-474).
    n baskets are a gamma variable of mean n · ``basket`` and squared coefficient of variation ``variation`` ÷ n.
    """
    tail = np.zeros(len(now))
    at_least = np.ones(len(now))
    for count in range(_MOST_VISITS):
        more = gammainc((count + 1) * regularity, regularity * visits)
        little = np.ones(len(now))
        if count:
            little = gammainc(count / variation, np.maximum(now, 0.0) / (basket * variation))
        tail += (at_least - more) * little
        at_least = more
    return tail


def count_tail(now: Whole, exposure_now: Real, before: Whole, exposure_before: Real) -> Real:
    """The chance of ``now`` events or more, had the rate stayed as it was: Poisson with a gamma rate.

    ``exposure`` is what could bring such an event (visits). The rate's prior is the population's, fitted by its mean
    and overdispersion; the predictive distribution is a negative binomial (A. Gelman et al., *Bayesian Data Analysis*,
    3rd ed. (2013), section 2.6).
    """
    exposed = exposure_before > 0
    rate = float(before[exposed].sum() / exposure_before[exposed].sum()) if exposed.any() else 0.0
    rate = max(rate, 1e-4)
    own = before[exposed] / exposure_before[exposed]
    between = float(np.average((own - rate) ** 2, weights=exposure_before[exposed])) if exposed.any() else 0.0
    within = rate * float(exposed.sum()) / float(exposure_before[exposed].sum()) if exposed.any() else rate
    between = max(between - within, (0.3 * rate) ** 2)
    alpha, beta = rate**2 / between + before, rate / between + exposure_before
    tail = np.ones(len(now))
    some = now > 0
    chance = beta[some] / (beta[some] + np.maximum(exposure_now[some], 1e-9))
    # nbdtrc takes whole sizes; the incomplete beta function is the same for any.
    tail[some] = betainc(now[some].astype(np.float64), alpha[some], 1 - chance)
    return tail
