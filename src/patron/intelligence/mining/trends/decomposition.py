"""A series taken apart: trend, season and the irregular rest.

Groups get STL; a million customers get a light form of it, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole

WEEK: Final = 7
WEEKS_A_YEAR: Final = 52
_CHUNK: Final = 100_000
_MEDIAN_OF: Final = 5
#: Rounds that take weight off odd days; more of them change the trend by less than a thousandth.
_ROBUST_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Decomposition:
    """By week, the oldest first: ``actual`` = ``trend`` + ``season`` + ``irregular``.

    ``season_of`` says what the season is: ``year``, ``week`` (days of the week; within full weeks it adds up to about
    nothing) or ``none``. ``weekdays``: by how much each day of the week, counted from the first day of the first full
    week, lies above or below a mean day, as a share; empty without. ``note``: why there is no season of the
    year, in English; empty where there is one.
    """

    actual: Real
    trend: Real
    season: Real
    irregular: Real
    season_of: str
    weekdays: tuple[float, ...]
    note: str

    def strength(self) -> tuple[float, float]:
        """Strength of trend and of season, 0 to 1: 1 − variance of the rest ÷ variance of the rest and the part.

        Source: X. Wang, K. Smith, R. Hyndman, Characteristic-based clustering for time series data, Data Mining and
        Knowledge Discovery 13 (2006) 335–364.
        """
        rest = float(np.var(self.irregular))
        found = []
        for part in (self.trend, self.season):
            whole = float(np.var(self.irregular + part))
            found.append(max(0.0, 1 - rest / whole) if whole > 1e-12 else 0.0)
        return found[0], found[1]


def decompose(daily: Real) -> Decomposition:
    """Take a series of days apart, by weeks that end with its last day; days before the first full week are left out.

    With two years or more: STL by week with the season of the year. With three weeks or more: STL by day with the days
    of the week, added up to weeks. With less: a moving median. STL is robust: a few odd days do not bend the trend.
    Source: R. B. Cleveland and others, STL: a seasonal-trend decomposition procedure based on loess, Journal of
    Official Statistics 6 (1990) 3–73.
    """
    weeks = len(daily) // WEEK
    values = daily[len(daily) - weeks * WEEK :]
    by_week = values.reshape(weeks, WEEK).sum(axis=1)
    if weeks >= 2 * WEEKS_A_YEAR:
        trend, season = _stl(by_week, WEEKS_A_YEAR, seasonal=13)
        return Decomposition(by_week, trend, season, by_week - trend - season, "year", (), "")
    note = f"The season of the year needs two years of data; there are {weeks} weeks."
    if weeks < 3:
        flat = np.full(weeks, float(np.median(by_week)) if weeks else 0.0)
        return Decomposition(by_week, flat, np.zeros(weeks), by_week - flat, "none", (), note)
    trend, season = _stl(values, WEEK, seasonal=2 * min(weeks, 13) + 1)
    mean = float(values.mean())
    shares = season.reshape(weeks, WEEK).mean(axis=0) / mean if abs(mean) > 1e-12 else np.zeros(WEEK)
    in_weeks = [part.reshape(weeks, WEEK).sum(axis=1) for part in (trend, season)]
    rest = by_week - in_weeks[0] - in_weeks[1]
    return Decomposition(by_week, in_weeks[0], in_weeks[1], rest, "week", tuple(map(float, shares)), note)


def _stl(values: Real, period: int, *, seasonal: int) -> tuple[Real, Real]:
    if np.ptp(values) == 0:
        return values.astype(float), np.zeros(len(values))
    from statsmodels.tsa.seasonal import STL

    # The trend looks over a quarter of a year of days, or over a year and a half of weeks.
    span = 91 if period == WEEK else 79
    fit = STL(values, period=period, seasonal=seasonal, trend=span, robust=True).fit(
        inner_iter=2, outer_iter=_ROBUST_ROUNDS
    )
    return np.asarray(fit.trend, dtype=float), np.asarray(fit.seasonal, dtype=float)


@dataclass(frozen=True, slots=True)
class LightParts:
    """Per customer: change of the trend from its first to its last third, as a share of the larger one (−1 to 1), and
    what part of the variance of spending by period is trend, season and irregular (adding up to 1). "Not a number"
    with too little.
    """

    change: Real
    trend_share: Real
    season_share: Real
    irregular_share: Real


def light_decomposition(periods: Real, possible: Whole, *, least: int = 6) -> LightParts:
    """Spending (customers, periods; the oldest first) taken apart without a loop over customers.

    The season is everybody's: total of each period ÷ mean of the totals. The trend is the median of five periods of
    what is left after dividing by it. Only customers with at least ``least`` of the last periods ``possible``; periods
    before their first are left out.
    """
    customers, length = periods.shape
    totals = periods.sum(axis=0)
    season = totals / totals.mean() if customers and totals.mean() > 0 else np.ones(length)
    season = np.where(season > 0.05, season, 1.0)
    results = np.full((4, customers), np.nan)
    for start in range(0, customers, _CHUNK):
        rows = slice(start, min(start + _CHUNK, customers))
        results[:, rows] = _light_chunk(periods[rows], possible[rows], season, least)
    return LightParts(*results)


def _light_chunk(spent: Real, possible: Whole, season: Real, least: int) -> Real:
    length = spent.shape[1]
    there = np.arange(length)[None, :] >= length - possible[:, None]
    plain = np.where(there, spent / season, np.nan)
    half = _MEDIAN_OF // 2
    padded = np.pad(plain, ((0, 0), (half, half)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_OF, axis=1)
    trend = _row_medians(windows)
    seasonal = trend * (season - 1)
    rest = spent - trend - seasonal
    spread = np.stack([_variances(np.where(there, part, np.nan)) for part in (trend, seasonal, rest)])
    enough = (possible >= least) & there.any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = spread / spread.sum(axis=0)
        third = np.maximum(possible // 3, 1)
        place = np.arange(length)[None, :]
        late = place >= length - third[:, None]
        early = there & (place < (length - possible + third)[:, None])
        old = np.where(early, trend, 0).sum(axis=1) / early.sum(axis=1)
        new = np.where(late & there, trend, 0).sum(axis=1) / (late & there).sum(axis=1)
        larger = np.maximum(old, new)
        change = np.where(larger > 0, (new - old) / larger, np.nan)
    result: Real = np.where(enough[None, :], np.vstack([change[None, :], shares]), np.nan)
    return result


def _row_medians(windows: Real) -> Real:
    """Median over the last axis without "not a number" (which sorts last); "not a number" where all are."""
    ordered = np.sort(windows, axis=-1)
    known = np.isfinite(windows).sum(axis=-1)
    lower = np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0)[..., None], axis=-1)[..., 0]
    upper = np.take_along_axis(ordered, np.maximum(known // 2, 0)[..., None], axis=-1)[..., 0]
    medians: Real = (lower + upper) / 2
    return medians


def _variances(values: Real) -> Real:
    known = np.isfinite(values)
    number = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, values, 0).sum(axis=1) / number
    variance: Real = np.where(known, (values - mean[:, None]) ** 2, 0).sum(axis=1) / number
    return variance


def explained_share(weekly: Real, possible: Whole, factors: Real, *, least_weeks: int = 20) -> Real:
    """What part of the variance of each customer's weekly spending (customers, weeks) common ``factors`` (weeks, k)
    explain, since the customer's first of ``possible`` weeks: adjusted R², 0 to 1; "not a number" with fewer weeks
    than ``least_weeks`` or no variance.

    The factors are the same for all, so the normal equations are a table by first week and one product of matrices.
    """
    length, k = factors.shape
    centred = (factors - factors.mean(axis=0)) / np.maximum(factors.std(axis=0), 1e-12)
    design = np.column_stack([np.ones(length), centred])
    outer = design[:, :, None] * design[:, None, :]
    since = np.cumsum(outer[::-1], axis=0)  # since[j − 1]: the last j weeks
    weeks = np.clip(possible, 1, length)
    inverse = np.linalg.pinv(since, rcond=1e-10, hermitian=True)
    result = np.full(len(weekly), np.nan)
    for start in range(0, len(weekly), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(weekly)))
        y, n = weekly[rows], weeks[rows]
        product = y @ design
        explained = np.einsum("ij,ijk,ik->i", product, inverse[n - 1], product)
        mean_part = product[:, 0] ** 2 / n
        total = (y * y).sum(axis=1) - mean_part
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = (explained - mean_part) / total
            adjusted = 1 - (1 - r2) * (n - 1) / (n - k - 1)
            usable = (n >= least_weeks) & (total > 1e-9)
            result[rows] = np.where(usable, np.clip(adjusted, 0, 1), np.nan)
    return result
