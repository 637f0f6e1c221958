"""Two rates compared: the score interval of Miettinen and Nurminen, which holds also near 0 and 1.

O. Miettinen and M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4 (1985) 213-226. The interval
holds every difference (or ratio) that the score test does not refuse, so that interval and p-value never disagree.
Everything is by array: one place per comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from patron.intelligence.mining.arrays import Real

_HALVINGS: Final = 60


def wilson(successes: Real, size: Real, *, confidence: float) -> tuple[Real, Real]:
    """Limits of single rates: E. B. Wilson, JASA 22 (1927) 209-212. Within 0 and 1, also for none or all."""
    z = float(ndtri((1 + confidence) / 2))
    centre = (successes + z * z / 2) / (size + z * z)
    half = z / (size + z * z) * np.sqrt(successes * (size - successes) / size + z * z / 4)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def score_p_value(treated: Real, treated_size: Real, control: Real, control_size: Real) -> Real:
    """Two-sided p-value of "both rates are the same"; 1 where nobody or everybody succeeded."""
    z = _difference_z(treated, treated_size, control, control_size, np.zeros_like(treated))
    p_value: Real = 2 * ndtr(-np.abs(z))
    return p_value


def difference_interval(
    treated: Real, treated_size: Real, control: Real, control_size: Real, *, confidence: float
) -> tuple[Real, Real]:
    """Limits of treated rate − control rate, from the successes and sizes of both groups."""
    z = float(ndtri((1 + confidence) / 2))
    observed = treated / treated_size - control / control_size

    def test(difference: Real) -> Real:
        return _difference_z(treated, treated_size, control, control_size, difference)

    low = _root(test, np.full_like(observed, -1.0), observed, target=z)
    high = _root(test, observed, np.full_like(observed, 1.0), target=-z)
    return low, high


def ratio_interval(
    treated: Real, treated_size: Real, control: Real, control_size: Real, *, confidence: float
) -> tuple[Real, Real]:
    """Limits of treated rate ÷ control rate; not a number where nobody succeeded in the control group.

    The search is over ratios of 10⁻⁹ to 10⁹; a lower limit of 0 is given where nobody succeeded in the treated group.
    """
    z = float(ndtri((1 + confidence) / 2))
    usable = control > 0
    safe = np.where(usable, control, 1.0)

    def test(log_ratio: Real) -> Real:
        return _ratio_z(treated, treated_size, safe, control_size, np.exp(log_ratio))

    observed = np.maximum(treated / treated_size, 1e-12) / (safe / control_size)
    ends = np.full_like(observed, np.log(1e9))
    middle = np.clip(np.log(observed), -ends, ends)
    low = np.where(treated > 0, np.exp(_root(test, -ends, middle, target=z)), 0.0)
    high = np.exp(_root(test, middle, ends, target=-z))
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def _root(test: Callable[[Real], Real], low: Real, high: Real, *, target: float) -> Real:
    """Where the falling function ``test`` passes ``target``, by halving; an end where it never does."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = test(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _difference_z(treated: Real, n1: Real, control: Real, n0: Real, difference: Real) -> Real:
    """The score statistic of a difference: how many standard errors the observed one lies above it."""
    p0 = _rate_given_difference(treated, n1, control, n0, difference)
    p1 = np.clip(p0 + difference, 0.0, 1.0)
    total = n1 + n0
    variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * total / (total - 1)
    return _standardised(treated / n1 - control / n0 - difference, variance)


def _rate_given_difference(x1: Real, n1: Real, x0: Real, n0: Real, difference: Real) -> Real:
    """The likeliest control rate if the treated one is higher by ``difference``: the cubic of the paper's appendix."""
    total, successes = n1 + n0, x1 + x0
    l2 = (n1 + 2 * n0) * difference - total - successes
    l1 = (n0 * difference - total - 2 * x0) * difference + successes
    l0 = x0 * difference * (1 - difference)
    third = l2 / (3 * total)
    q = third**3 - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    p = np.where(q < 0, -1.0, 1.0) * np.sqrt(np.maximum(third**2 - l1 / (3 * total), 0.0))
    cube = np.where(p == 0, 1.0, p**3)
    angle = (np.pi + np.arccos(np.clip(q / cube, -1.0, 1.0))) / 3
    rate: Real = np.clip(2 * p * np.cos(angle) - third, np.maximum(0.0, -difference), np.minimum(1.0, 1.0 - difference))
    return rate


def _ratio_z(treated: Real, n1: Real, control: Real, n0: Real, ratio: Real) -> Real:
    total = n1 + n0
    b = -(n1 * ratio + treated + n0 + control * ratio)
    root = np.sqrt(np.maximum(b * b - 4 * total * ratio * (treated + control), 0.0))
    p0 = np.clip((-b - root) / (2 * total * ratio), 0.0, 1.0)
    p1 = np.clip(p0 * ratio, 0.0, 1.0)
    variance = (p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0) * total / (total - 1)
    return _standardised(treated / n1 - ratio * control / n0, variance)


def _standardised(distance: Real, variance: Real) -> Real:
    """``distance`` in standard errors; without variance it is 0 where there is no distance and unbounded elsewhere."""
    known = variance > 0
    certain = np.where(np.abs(distance) < 1e-12, 0.0, np.copysign(np.inf, distance))
    z: Real = np.where(known, distance / np.sqrt(np.where(known, variance, 1.0)), certain)
    return z
