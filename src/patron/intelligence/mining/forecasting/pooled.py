"""One regression for all series: a day's sales from the weekday, the recent level, last year's shape and the events.

Sales are measured in the level of their series (mean of the last eight weeks), so that a small branch learns from the
large ones. Training rows are weekly origins in the past and every day of the horizon after them; a row is used only
when its day was over at the time of the forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.forecasting.calendar import Events
from patron.intelligence.mining.forecasting.panel import LEVEL_DAYS, WEEK, Panel, level_of, spread, weekday_index

YEAR: Final = 52 * WEEK
_OWN: Final = 7
#: Before any data: half of the level of eight weeks, half of the last four.
_PRIOR: Final = {0: 0.5, 2: 0.5}
_PENALTY: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Sums:
    """X'X and X'y of one training origin, by week of the horizon."""

    squares: Real
    products: Real


class PooledRegression:
    """Ridge regression over all series of ``panel``; :meth:`forecast` may be asked at any column.

    Penalised towards a plain mean of the recent past, by 1 % of the mean of the diagonal of X'X. Source: A. E. Hoerl,
    R. W. Kennard, Ridge regression, Technometrics 12 (1970) 55–67; pooling of series: P. Montero-Manso,
    R. J. Hyndman, Principles and algorithms for forecasting groups of time series, International Journal of Forecasting
    37 (2021) 1632–1653.
    """

    def __init__(self, panel: Panel, events: Events, horizon: int) -> None:
        self._panel = panel
        self._events = events
        self._horizon = horizon
        self._weeks = -(-horizon // WEEK)
        self._cached: dict[int, _Sums] = {}

    def forecast(self, origin: int) -> Real:
        """(series, horizon): the days after the first ``origin`` columns, from those columns alone."""
        features, level = self._features(origin)
        coefficients = self._fit(origin)
        result: Real = np.maximum(features @ coefficients, 0) * level[:, None]
        return result

    def _fit(self, origin: int) -> Real:
        width = _OWN + len(self._events.names)
        squares, products = np.zeros((width, width)), np.zeros(width)
        for start in range(origin - WEEK, LEVEL_DAYS - 1, -WEEK):
            over = min((origin - start) // WEEK, self._weeks)
            sums = self._sums(start)
            squares += sums.squares[:over].sum(axis=0)
            products += sums.products[:over].sum(axis=0)
        prior = np.array([_PRIOR.get(place, 0.0) for place in range(width)])
        diagonal = float(np.trace(squares)) / width
        if diagonal <= 0:
            return prior
        penalised = squares + _PENALTY * diagonal * np.eye(width)
        coefficients: Real = prior + np.linalg.solve(penalised, products - squares @ prior)
        return coefficients

    def _sums(self, start: int) -> _Sums:
        if start not in self._cached:
            self._cached[start] = self._sums_at(start)
        return self._cached[start]

    def _sums_at(self, start: int) -> _Sums:
        panel = self._panel
        features, level = self._features(start)
        width = features.shape[2]
        length = min(self._horizon, panel.days - start)
        used = (level > 0) & (panel.begun <= start - LEVEL_DAYS)
        squares = np.zeros((self._weeks, width, width))
        products = np.zeros((self._weeks, width))
        if not used.any():
            return _Sums(squares, products)
        target = np.clip(panel.values[used, start : start + length] / level[used, None], -1, 6)
        noise = np.abs(features[used, :, 3] - features[used, :, 0]).mean(axis=1) + 0.1
        for week in range(-(-length // WEEK)):
            days = slice(week * WEEK, min((week + 1) * WEEK, length))
            rows = features[used, days].reshape(-1, width)
            weights = np.repeat(1 / noise**2, rows.shape[0] // int(used.sum()))
            weighted = rows * weights[:, None]
            squares[week] = weighted.T @ rows
            products[week] = weighted.T @ target[:, days].reshape(-1)
        return _Sums(squares, products)

    def _features(self, origin: int) -> tuple[Real, Real]:
        """(series, horizon, features) and the level of each series, as known after ``origin`` columns."""
        known = self._panel.until(origin)
        values, horizon = known.values, self._horizon
        level = np.maximum(level_of(values, known.begun), 0)
        scaled = values / np.where(level > 0, level, 1.0)[:, None]
        index = spread(weekday_index(values, known.begun), origin, horizon)
        week, month = scaled[:, -WEEK:].mean(axis=1), scaled[:, -4 * WEEK :].mean(axis=1)
        lags = scaled[:, -4 * WEEK :].reshape(len(scaled), 4, WEEK) if origin >= 4 * WEEK else None
        like = np.arange(horizon) % WEEK
        usual = lags.mean(axis=1)[:, like] if lags is not None else index
        latest = lags[:, -1][:, like] if lags is not None else index
        ahead = np.arange(1, horizon + 1) / horizon
        columns = [
            index,
            np.clip(week, 0, 4)[:, None] * index,
            np.clip(month, 0, 4)[:, None] * index,
            np.clip(usual, 0, 6),
            np.clip(latest, 0, 6),
            (np.clip(month, 0, 4) - 1)[:, None] * ahead * index,
            (year_ago(values, horizon) - 1) * index,
        ]
        flags = self._events.window(known.end, horizon)
        columns += [row[None, :] * index for row in flags]
        return np.stack(columns, axis=2), level


def year_ago(values: Real, horizon: int) -> Real:
    """How the days ahead compared, a year ago, with the eight weeks before them: (series, horizon); 1 where unknown.

    A year is 52 weeks, so that weekdays meet; each day is the mean of the week around it.
    """
    series, length = values.shape
    start = length - YEAR
    if start < LEVEL_DAYS:
        return np.ones((series, horizon))
    base = values[:, start - LEVEL_DAYS : start].mean(axis=1)
    sums = np.concatenate([np.zeros((series, 1)), np.cumsum(values, axis=1)], axis=1)
    first = np.clip(start + np.arange(horizon) - WEEK // 2, 0, length)
    last = np.clip(first + WEEK, 0, length)
    week = (sums[:, last] - sums[:, first]) / np.maximum(last - first, 1)
    ratio = week / np.where(base > 0, base, 1.0)[:, None]
    bounded: Real = np.where(base[:, None] > 0, np.clip(ratio, 0.2, 5.0), 1.0)
    return bounded
