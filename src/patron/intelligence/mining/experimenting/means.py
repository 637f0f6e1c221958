"""Two means of money compared: heavy tails, unequal groups, and a covariate from before that narrows the interval.

- :func:`adjusted` takes out what was already known before (CUPED): A. Deng, Y. Xu, R. Kohavi, T. Walker, "Improving the
  sensitivity of online controlled experiments by utilizing pre-experiment data", WSDM 2013.
- :func:`compare` gives the difference with a studentised bootstrap: P. Hall, *The Bootstrap and Edgeworth Expansion*
  (1992), chapter 3; nothing is trimmed, because the few who spend most are what the question is about.
- Where resampling would take long, or the level is finer than the resamples can tell, it gives the skewness-corrected
  interval: P. Hall, "On the removal of skewness by transformation", JRSS B 54 (1992) 221-228; for two samples
  X.-H. Zhou and P. Dinh, Biostatistics 6 (2005) 187-200.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from patron.intelligence.mining.arrays import Flags, Real

#: Larger groups are not resampled: there the mean's skewness is small and its correction exact enough.
RESAMPLED_ROWS: Final = 20_000
#: So many resamples must lie beyond each limit.
TAIL_RESAMPLES: Final = 10
#: Draws made at once: 64 MB.
_DRAWS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean, variance and third central moment of a group, each one number or one per column."""

    size: float
    mean: Real
    variance: Real
    third: Real


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treated mean − control mean, its limits and p-value; limits and p are none where nothing varies.

    ``ratio_low`` and ``ratio_high`` are the limits of treated ÷ control, none where a mean is not above zero.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    ratio_low: float | None
    ratio_high: float | None
    method: str


def moments(values: Real) -> Moments:
    """Of ``values`` (one group, at least two values), unbiased variance, third moment by plain division."""
    mean = values.mean()
    centred = values - mean
    return Moments(
        size=float(len(values)),
        mean=np.asarray(mean),
        variance=np.asarray((centred**2).sum() / (len(values) - 1)),
        third=np.asarray((centred**3).mean()),
    )


def adjusted(outcome: Real, before: Real, group: npt.NDArray[np.int64]) -> tuple[Real, float, float]:
    """``outcome`` less what ``before`` foretells: the values, the slope θ, and the share of variance taken out.

    ``before`` must have been measured before anybody was treated; a missing value (not a number) counts as the mean of
    the others. θ is estimated within the groups, so that the effect itself cannot bend it.
    """
    known = np.isfinite(before)
    if not known.any():
        return outcome, 0.0, 0.0
    filled = np.where(known, before, before[known].mean())
    within_x, within_y = _within(filled, group), _within(outcome, group)
    spread = float(within_x @ within_x)
    total = float(within_y @ within_y)
    if spread <= 0 or total <= 0:
        return outcome, 0.0, 0.0
    slope = float(within_x @ within_y) / spread
    values = outcome - slope * (filled - filled.mean())
    return values, slope, slope * slope * spread / total


def _within(values: Real, group: npt.NDArray[np.int64]) -> Real:
    sizes = np.bincount(group)
    means = np.bincount(group, values) / np.maximum(sizes, 1)
    centred: Real = values - means[group]
    return centred


def compare(treated: Real, control: Real, *, alpha: float, resamples: int, seed: int) -> Comparison:
    """The difference of two means with limits that leave ``alpha`` outside, from the values of both groups.

    Each group needs two values. Same values and seed, same answer.
    """
    difference = float(treated.mean() - control.mean())
    if np.ptp(treated) == 0 and np.ptp(control) == 0:
        return Comparison(difference, None, None, None, None, None, "no variation")
    enough = alpha / 2 * resamples >= TAIL_RESAMPLES
    if enough and max(len(treated), len(control)) <= RESAMPLED_ROWS:
        return _bootstrapped(treated, control, alpha=alpha, resamples=resamples, seed=seed)
    first, second = moments(treated), moments(control)
    low, high, p_value = skewness_corrected(first, second, alpha=alpha)
    ratio = _log_ratio(float(first.mean), float(second.mean), first, second)
    limits = None if ratio is None else (ratio[0], ratio[1], _degrees(first, second), alpha)
    return Comparison(
        difference, float(low), float(high), float(p_value), *_plain_ratio(limits), "skewness-corrected t"
    )


def skewness_corrected(treated: Moments, control: Moments, *, alpha: float) -> tuple[Real, Real, Real]:
    """Lower and upper limit of the difference, and the p-value, from the moments alone; by column where they are."""
    variance = treated.variance / treated.size + control.variance / control.size
    error = np.sqrt(variance)
    skewness = (treated.third / treated.size**2 - control.third / control.size**2) / np.where(
        error > 0, error, 1.0
    ) ** 3
    degrees = _degrees(treated, control)
    difference = treated.mean - control.mean
    t = np.where(error > 0, difference / np.where(error > 0, error, 1.0), 0.0)
    p_value = 2 * stdtr(degrees, -np.abs(_transformed(t, skewness)))
    quantile = stdtrit(degrees, 1 - alpha / 2)
    low = difference - error * _untransformed(quantile, skewness)
    high = difference - error * _untransformed(-quantile, skewness)
    return low, high, np.minimum(p_value, 1.0)


def _transformed(t: Real, skewness: Real) -> Real:
    """Hall's monotone cubic g(T), which is closer to normal than T."""
    third = skewness / 3
    g: Real = t + third * t * t + third * third * t**3 / 3 + skewness / 6
    return g


def _untransformed(value: Real, skewness: Real) -> Real:
    third = skewness / 3
    tiny = np.abs(third) < 1e-9
    safe = np.where(tiny, 1.0, third)
    t: Real = np.where(tiny, value, (np.cbrt(1 + 3 * safe * (value - skewness / 6)) - 1) / safe)
    return t


def _degrees(treated: Moments, control: Moments) -> Real:
    """Degrees of freedom of B. L. Welch (Biometrika 34, 1947)."""
    first, second = treated.variance / treated.size, control.variance / control.size
    below = first**2 / (treated.size - 1) + second**2 / (control.size - 1)
    degrees: Real = np.where(below > 0, (first + second) ** 2 / np.where(below > 0, below, 1.0), 1.0)
    return degrees


def _log_ratio(first_mean: float, second_mean: float, first: Moments, second: Moments) -> tuple[float, float] | None:
    """The logarithm of the ratio of two means and its standard error (delta method); none unless both are above 0."""
    if first_mean <= 0 or second_mean <= 0:
        return None
    variance = (
        float(first.variance) / first.size / first_mean**2 + float(second.variance) / second.size / second_mean**2
    )
    return float(np.log(first_mean / second_mean)), float(np.sqrt(variance))


def _plain_ratio(ratio: tuple[float, float, Real, float] | None) -> tuple[float | None, float | None]:
    if ratio is None:
        return None, None
    centre, error, degrees, alpha = ratio
    quantile = float(stdtrit(degrees, 1 - alpha / 2))
    return float(np.exp(centre - quantile * error)), float(np.exp(centre + quantile * error))


def _bootstrapped(treated: Real, control: Real, *, alpha: float, resamples: int, seed: int) -> Comparison:
    random = np.random.default_rng(seed)
    first, second = moments(treated), moments(control)
    first_mean, first_variance = _resampled(treated, resamples, random)
    second_mean, second_variance = _resampled(control, resamples, random)

    difference = float(first.mean - second.mean)
    error = float(np.sqrt(first.variance / first.size + second.variance / second.size))
    drawn_error = np.sqrt(first_variance + second_variance)
    pivots = _pivots(first_mean - second_mean - difference, drawn_error)
    low, high = (difference - error * each for each in np.quantile(pivots, [1 - alpha / 2, alpha / 2]))
    beyond = min((pivots >= difference / error).sum(), (pivots <= difference / error).sum())
    p_value = min(1.0, 2 * (float(beyond) + 1) / (len(pivots) + 1))

    ratio_low = ratio_high = None
    ratio = _log_ratio(float(first.mean), float(second.mean), first, second)
    positive = (first_mean > 0) & (second_mean > 0)
    if ratio is not None and positive.all():
        drawn = np.log(first_mean / second_mean) - ratio[0]
        drawn_error = np.sqrt(first_variance / first_mean**2 + second_variance / second_mean**2)
        steps = np.quantile(_pivots(drawn, drawn_error), [1 - alpha / 2, alpha / 2])
        ratio_low, ratio_high = (float(np.exp(ratio[0] - ratio[1] * step)) for step in steps)
    return Comparison(difference, float(low), float(high), p_value, ratio_low, ratio_high, "studentised bootstrap")


def _pivots(distance: Real, error: Real) -> Real:
    """Distances in standard errors; a resample without variation tells nothing and is left out."""
    varied: Flags = error > 0
    pivots: Real = distance[varied] / error[varied]
    return pivots


def _resampled(values: Real, resamples: int, random: np.random.Generator) -> tuple[Real, Real]:
    """Mean, and squared standard error of the mean, of each resample of as many values."""
    size = len(values)
    means, squares = np.empty(resamples), np.empty(resamples)
    centred = values - values.mean()  # small numbers keep the variance exact
    step = max(1, _DRAWS // size)
    for start in range(0, resamples, step):
        drawn = centred[random.integers(0, size, (min(step, resamples - start), size), dtype=np.int32)]
        place = slice(start, start + len(drawn))
        means[place] = drawn.mean(axis=1)
        squares[place] = np.maximum(np.einsum("ij,ij->i", drawn, drawn) / size - means[place] ** 2, 0.0)
    return means + values.mean(), squares / (size - 1)
