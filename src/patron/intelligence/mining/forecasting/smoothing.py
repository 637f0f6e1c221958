"""Forecasting methods for many series at once: every step of the recursions is one operation on all of them.

Each takes values without their weekday (``values ÷ weekday index``) as (series, days) and gives (series, horizon); the
weekday is put back by the caller. ``begun`` is the first column of each series that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.forecasting.panel import LEVEL_DAYS, WEEK

ALPHAS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
#: Smoothing of the slope of the damped trend, as share of alpha, and how much of the slope is left after a day.
_SLOPES: Final = (0.02, 0.1)
_DAMPING: Final = 0.98
_START_DAYS: Final = 4 * WEEK


@dataclass(frozen=True, slots=True)
class Smoothed:
    """Level after the last day and sum of squared one-day-ahead errors: (alphas, series)."""

    level: Real
    slope: Real
    errors: Real


def seasonal_naive(values: Real, horizon: int) -> Real:
    """The last seven days over and over: the baseline. With fewer than seven days, their mean."""
    length = values.shape[1]
    if length < WEEK:
        return np.repeat(values.mean(axis=1, keepdims=True) if length else np.zeros((len(values), 1)), horizon, axis=1)
    repeated: Real = values[:, length - WEEK + np.arange(horizon) % WEEK]
    return repeated


def smooth(values: Real, begun: Whole, alphas: tuple[float, ...], *, slope_share: float = 0.0) -> Smoothed:
    """Exponential smoothing with each of ``alphas``; a damped trend where ``slope_share`` (beta ÷ alpha) is above 0.

    The level starts at the mean of the first four weeks since ``begun``.
    Source: R. J. Hyndman, G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), sections 8.1–8.2.
    """
    series, length = values.shape
    alpha = np.asarray(alphas)[:, None]
    beta = alpha * slope_share
    damping = _DAMPING if slope_share else 0.0
    level = np.broadcast_to(_starting_level(values, begun), (len(alphas), series)).copy()
    slope = np.zeros_like(level)
    errors = np.zeros_like(level)
    earliest = int(begun.min(initial=length))
    for column in range(earliest, length):
        expected = level + damping * slope
        # A series that has not begun has no error and stays where it starts.
        error = (values[:, column] - expected) * (column >= begun)
        errors += error * error
        level = expected + alpha * error
        if slope_share:
            slope = damping * slope + beta * error
    return Smoothed(level, slope, errors)


def _starting_level(values: Real, begun: Whole) -> Real:
    length = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    stop = np.minimum(begun + _START_DAYS, length)
    rows = np.arange(len(values))
    start: Real = (sums[rows, stop] - sums[rows, np.minimum(begun, length)]) / np.maximum(stop - begun, 1)
    return start


def exponential(values: Real, begun: Whole, horizon: int) -> Real:
    """Exponential smoothing, with or without a damped trend, whichever fits best by Akaike's criterion."""
    number = np.maximum(values.shape[1] - begun, 1)
    fits = [(smooth(values, begun, ALPHAS), 2, 0.0)]
    fits += [(smooth(values, begun, ALPHAS, slope_share=share), 4, _DAMPING) for share in _SLOPES]
    scores = np.concatenate([number * np.log(np.maximum(fit.errors / number, 1e-12)) + 2 * k for fit, k, _ in fits])
    level = np.concatenate([fit.level for fit, _, _ in fits])
    slope = np.concatenate([fit.slope for fit, _, _ in fits])
    best, rows = scores.argmin(axis=0), np.arange(values.shape[0])
    run = np.cumsum(_DAMPING ** np.arange(1, horizon + 1))
    result: Real = level[best, rows][:, None] + slope[best, rows][:, None] * run
    return result


def theta(values: Real, begun: Whole, horizon: int) -> Real:
    """The theta method: exponential smoothing with half of the straight line's slope as drift.

    Source: V. Assimakopoulos, K. Nikolopoulos, The theta model, International Journal of Forecasting 16 (2000) 521–530,
    in the form of R. J. Hyndman, B. Billah, Unmasking the theta method, same journal 19 (2003) 287–290, equation (6).
    """
    fit = smooth(values, begun, ALPHAS)
    best, rows = fit.errors.argmin(axis=0), np.arange(values.shape[0])
    alpha = np.asarray(ALPHAS)[best]
    number = np.maximum(values.shape[1] - begun, 1)
    return theta_forecast(fit.level[best, rows], straight_slope(values, begun), alpha, number, horizon)


def theta_forecast(level: Real, slope: Real, alpha: Real, number: Whole, horizon: int) -> Real:
    """Equation (6): level + slope ÷ 2 · (h − 1 + 1 ÷ alpha − (1 − alpha)^n ÷ alpha) for h = 1 … horizon."""
    ahead = np.arange(horizon)[None, :] + ((1 - (1 - alpha) ** number) / alpha)[:, None]
    result: Real = level[:, None] + 0.5 * slope[:, None] * ahead
    return result


def straight_slope(values: Real, begun: Whole) -> Real:
    """Slope per day of the least-squares line through each series since it began; 0 with less than eight weeks."""
    length = values.shape[1]
    there = np.arange(length)[None, :] >= begun[:, None]
    number = np.maximum(there.sum(axis=1), 1)
    time = np.arange(length)[None, :] * there
    centred = (np.arange(length)[None, :] - (time.sum(axis=1) / number)[:, None]) * there
    square = (centred**2).sum(axis=1)
    slope = (centred * values).sum(axis=1) / np.maximum(square, 1.0)
    result: Real = np.where(number >= LEVEL_DAYS, slope, 0.0)
    return result
