"""The methods that compete, all of them for all regular series at one origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.forecasting.calendar import Events, event_effects
from patron.intelligence.mining.forecasting.panel import LEVEL_DAYS, WEEK, Panel, level_of, spread, weekday_index
from patron.intelligence.mining.forecasting.pooled import YEAR, PooledRegression, year_ago
from patron.intelligence.mining.forecasting.smoothing import exponential, seasonal_naive, theta

NAIVE: Final = "seasonal_naive"
AVERAGE: Final = "average"
YEARLY: Final = "last_year"
EXPONENTIAL: Final = "exponential"
THETA: Final = "theta"
POOLED: Final = "pooled"
COMBINED: Final = "combined"
#: In the order in which equals are preferred: the simple before the involved.
METHODS: Final = (AVERAGE, EXPONENTIAL, THETA, POOLED, COMBINED, YEARLY, NAIVE)

#: Half a year: the memory of the mean of a series that sells only now and then.
SPARSE_DAYS: Final = 26 * WEEK


def regular_forecasts(
    panel: Panel, events: Events, regression: PooledRegression, origin: int, horizon: int
) -> Mapping[str, Real]:
    """Method → (series, horizon) from the first ``origin`` columns of ``panel``. Closed days are filled beforehand.

    Needs at least four weeks. Averages and smoothing work on sales without weekday and events, which are put back.
    """
    known = panel.until(origin)
    index = weekday_index(known.values, known.begun)
    past, future = spread(index, 0, origin), spread(index, origin, horizon)
    usual = past * _moving_level(known.values)
    effects = event_effects(events.window(known.first, origin), known.values, usual)
    lift_past = np.maximum(1 + effects @ events.window(known.first, origin), 0.1)
    lift_future = np.maximum(1 + effects @ events.window(known.end, horizon), 0.0)
    plain = known.values / lift_past
    level = level_of(plain, known.begun)
    without_weekday = np.where(past > 0.05, plain / np.maximum(past, 0.05), level[:, None])
    season = future * lift_future
    found = {
        AVERAGE: np.repeat(level[:, None], horizon, axis=1) * season,
        EXPONENTIAL: exponential(without_weekday, known.begun, horizon) * season,
        THETA: theta(without_weekday, known.begun, horizon) * season,
        POOLED: regression.forecast(origin),
    }
    found[COMBINED] = sum(found.values(), np.zeros_like(season)) / len(found)
    if origin >= YEAR + LEVEL_DAYS:
        found[YEARLY] = level[:, None] * year_ago(known.values, horizon) * season
    found[NAIVE] = seasonal_naive(known.values, horizon)
    return found


def sparse_forecasts(panel: Panel, origin: int, horizon: int) -> Mapping[str, Real]:
    """The two methods for series that sell only now and then, or have only begun: a long mean, and the baseline."""
    known = panel.until(origin)
    level = level_of(known.values, known.begun, days=SPARSE_DAYS)
    season = spread(weekday_index(known.values, known.begun), origin, horizon)
    return {AVERAGE: level[:, None] * season, NAIVE: seasonal_naive(known.values, horizon)}


def _moving_level(values: Real) -> Real:
    """Mean of the eight weeks around each day, as far as they are known."""
    series, length = values.shape
    sums = np.concatenate([np.zeros((series, 1)), np.cumsum(values, axis=1)], axis=1)
    first = np.clip(np.arange(length) - LEVEL_DAYS // 2, 0, max(length - LEVEL_DAYS, 0))
    last = np.minimum(first + LEVEL_DAYS, length)
    level: Real = (sums[:, last] - sums[:, first]) / (last - first)
    return level
