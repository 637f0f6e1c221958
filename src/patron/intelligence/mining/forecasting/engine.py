"""From a panel to forecasts: back-test by date, choice of method, intervals from the errors of the back-test.

``docs/algorithms/forecast.md`` has the formulas and worked numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.forecasting.backtest import (
    CLOSED,
    EMPTY,
    NEW,
    REGULAR,
    SPARSE,
    BackTest,
    choose,
    widening,
)
from patron.intelligence.mining.forecasting.calendar import Events
from patron.intelligence.mining.forecasting.intervals import Spread, spread_of
from patron.intelligence.mining.forecasting.methods import (
    METHODS,
    YEARLY,
    regular_forecasts,
    sparse_forecasts,
)
from patron.intelligence.mining.forecasting.panel import WEEK, Panel, by_step, without_closed_days
from patron.intelligence.mining.forecasting.pooled import PooledRegression

_LEAST_TRAINING: Final = 16 * WEEK
_SHORT_TRAINING: Final = 8 * WEEK
_GAP: Final = 2 * WEEK
_MOST_ORIGINS: Final = 14


@dataclass(frozen=True, slots=True)
class Forecasts:
    """``mean`` (series, steps ahead). ``chosen`` numbers ``backtest.methods``; ``kind`` numbers KINDS."""

    panel: Panel
    step: int
    mean: Real
    spread: Spread
    chosen: npt.NDArray[np.int8]
    kind: npt.NDArray[np.int8]
    backtest: BackTest

    def interval(self, share: float) -> tuple[Real, Real]:
        """Low and high that hold about ``share`` of what comes; not below zero for a series that never was."""
        return self.spread.bounds(self.panel, self.mean, share)


def forecast(panel: Panel, events: Events, *, horizon: int, step: int) -> Forecasts:
    """Forecasts of every series for the ``horizon`` days after the panel, added up by ``step`` days.

    ``horizon`` is a multiple of ``step``. The methods are compared at origins two weeks apart, each knowing only what
    lay before it; each series gets the method with the smallest mean absolute error. ``events`` must reach to the end
    of the horizon.
    """
    filled, _ = without_closed_days(panel)
    kind = kinds(filled)
    origins = _origins(panel.days, horizon)
    everything = _all_methods(filled, events, kind, [*origins, panel.days], horizon, step)
    predicted, ahead = everything[:, :-1], everything[:, -1]
    late = np.array([[begun > origin - 4 * WEEK for begun in panel.begun] for origin in origins], dtype=bool)
    if len(origins):
        predicted = np.where(late[None, :, :, None], np.nan, predicted)
    methods = _methods_of(panel.days, origins)
    actual = _actual(filled, origins, horizon, step)
    backtest = BackTest(methods, np.asarray(origins, dtype=np.int64), predicted, actual, _scale(filled, step), horizon)
    chosen = choose(backtest.mae(), methods, kind)
    mean = ahead[chosen, np.arange(len(panel.names))]
    mean = np.where((kind >= CLOSED)[:, None], 0.0, mean)
    spread = spread_of(backtest.of(chosen), actual, kind=kind, level=np.abs(mean).mean(axis=1), scale=backtest.scale)
    wider = widening(panel, backtest, kind)
    return Forecasts(panel, step, mean, replace(spread, wider=wider), chosen, kind, backtest)


def kinds(panel: Panel) -> npt.NDArray[np.int8]:
    """Of each series: regular, sparse, new (begun within eight weeks), closed (eight weeks of nothing) or empty."""
    values, length = panel.values, panel.days
    weeks = min(26, length // WEEK)
    sold = (
        (np.abs(by_step(values[:, length - weeks * WEEK :], WEEK)) > 0) if weeks else np.zeros((len(values), 0), bool)
    )
    lived = np.minimum(weeks, -(-(length - panel.begun) // WEEK))
    result = np.where((sold.sum(axis=1) >= 8) & (2 * sold.sum(axis=1) >= lived), REGULAR, SPARSE)
    result = np.where(length - panel.begun < 8 * WEEK, NEW, result)
    if weeks >= 8:
        result = np.where(~sold[:, -8:].any(axis=1), CLOSED, result)
    return np.where(panel.begun >= length, EMPTY, result).astype(np.int8)


def _origins(days: int, horizon: int) -> list[int]:
    """Columns at which the past is forecast, the oldest first; none when the data are too short."""
    least = _LEAST_TRAINING if days >= _LEAST_TRAINING + horizon else _SHORT_TRAINING
    found = [days - horizon - _GAP * place for place in range(_MOST_ORIGINS)]
    return sorted(each for each in found if each >= least)


def _methods_of(days: int, origins: list[int]) -> tuple[str, ...]:
    # A method must have been tested to be chosen: last year's shape needs a year before the oldest origin.
    first = origins[0] if origins else days
    return METHODS if first >= 52 * WEEK + 8 * WEEK else tuple(each for each in METHODS if each != YEARLY)


def _all_methods(
    panel: Panel, events: Events, kind: npt.NDArray[np.int8], origins: list[int], horizon: int, step: int
) -> Real:
    """(methods, origins, series, steps)."""
    methods = _methods_of(panel.days, origins[:-1])
    result = np.full((len(methods), len(origins), len(panel.names), horizon // step), np.nan)
    regular, others = np.flatnonzero(kind == REGULAR), np.flatnonzero(kind != REGULAR)
    dense, thin = panel.rows(regular), panel.rows(others)
    regression = PooledRegression(dense, events, horizon)
    for place, origin in enumerate(origins):
        if origin >= 4 * WEEK and len(regular):
            for name, values in regular_forecasts(dense, events, regression, origin, horizon).items():
                if name in methods:
                    result[methods.index(name), place, regular] = by_step(values, step)
        if len(others):
            for name, values in sparse_forecasts(thin, origin, horizon).items():
                result[methods.index(name), place, others] = by_step(values, step)
    return result


def _actual(panel: Panel, origins: list[int], horizon: int, step: int) -> Real:
    rows = [by_step(panel.values[:, origin : origin + horizon], step) for origin in origins]
    return np.stack(rows) if rows else np.zeros((0, len(panel.names), horizon // step))


def _scale(panel: Panel, step: int) -> Real:
    """Mean absolute change to the same days a week later, by steps of ``step`` days; "not a number" below two weeks."""
    weeks = panel.days // WEEK
    values = panel.values[:, panel.days - weeks * WEEK :]
    if weeks < 2:
        return np.full(len(panel.names), np.nan)
    changes = (
        np.abs(np.diff(by_step(values, WEEK), axis=1)) if step == WEEK else np.abs(values[:, WEEK:] - values[:, :-WEEK])
    )
    scale: Real = changes.mean(axis=1)
    return scale
