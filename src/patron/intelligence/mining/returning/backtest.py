"""How the forecast of the next visit did on days it had not seen, and what that teaches about its interval.

At a past day everybody's next visit is forecast, then looked up. Who had not come by the end of the window is counted
as "later than that". Errors are restricted to the window: forecast and truth both count as at most ``window`` days, so
that those who stayed away are in the figure too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.returning.gaps import Paces, blocks, days_ahead, quantile_days
from patron.intelligence.mining.rhythm import Visits

#: The bands of chances within which promises are compared with what came.
BANDS: Final = np.linspace(0, 1, 21)
_PRIOR_CUSTOMERS: Final = 20.0
#: Chances of leaving that are tried.
_LEAVING: Final = (0.0, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12)
#: Shares outside the interval on each side, the narrowest interval first.
_SIDES: Final = np.linspace(0.3, 0.01, 59)


@dataclass(frozen=True, slots=True)
class Levels:
    """Between which levels of the forecast distribution the interval lies, and its middle."""

    low: float
    high: float
    middle: float = 0.5


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days ahead (from 1; ``window`` + 1: later), and the chance of a visit within ``within`` days."""

    expected: Whole
    earliest: Whole
    latest: Whole
    soon: Real
    overdue: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Score:
    """``errors`` by method: mean absolute error in days. ``coverage``: share of the truths inside the interval."""

    customers: int
    came: int
    errors: Mapping[str, float]
    coverage: float
    promised: float
    kept: float


def forecast(paces: Paces, levels: Levels, *, window: int, within: int, chances_of: Real | None = None) -> Forecast:
    """The next visit of everybody in ``paces``; ``chances_of`` (one per band of :data:`BANDS`) calibrates."""
    expected, earliest, latest = (np.zeros(len(paces.who), dtype=np.int64) for _ in range(3))
    soon = np.zeros(len(paces.who))
    for rows in blocks(paces):
        chances = days_ahead(paces, rows, days=window)
        expected[rows] = quantile_days(chances, levels.middle)
        earliest[rows] = quantile_days(chances, levels.low)
        latest[rows] = quantile_days(chances, levels.high)
        soon[rows] = chances[:, :within].sum(axis=1)
    soon = np.clip(soon, 0, 1)
    if chances_of is not None:
        soon = np.interp(soon, (BANDS[:-1] + BANDS[1:]) / 2, chances_of)
    late = np.exp(paces.mean + 1.2815515655 * paces.spread)  # nine gaps in ten are shorter
    return Forecast(expected, earliest, latest, soon, paces.silence > late)


def next_visits(visits: Visits, paces: Paces, *, window: int) -> Whole:
    """Days from ``paces.origin`` to the next visit; ``window`` + 1 for none within the window."""
    after = (visits.starts[:-1] + visits.seen_until(paces.origin))[paces.who]
    there = after < visits.starts[paces.who + 1]
    day = visits.day[np.minimum(after, len(visits.day) - 1)].astype(np.int64)
    return np.where(there, np.minimum(day - paces.origin, window + 1), window + 1)


def learn_leaving(visits: Visits, paces: Paces, *, window: int) -> float:
    """The chance of leaving after a visit under which what came after ``paces.origin`` was likeliest."""
    truth = next_visits(visits, paces, window=window)
    likely = np.zeros(len(_LEAVING))
    for place, leaving in enumerate(_LEAVING):
        tried = replace(paces, leaving=leaving)
        for rows in blocks(tried):
            chances = days_ahead(tried, rows, days=window)
            day = np.minimum(truth[rows], window) - 1
            came = chances[np.arange(len(chances)), day]
            chance = np.where(truth[rows] <= window, came, 1 - chances.sum(axis=1))
            likely[place] += np.log(np.maximum(chance, 1e-9)).sum()
    return float(_LEAVING[int(likely.argmax())])


def learn_levels(visits: Visits, paces: Paces, *, window: int, interval: float) -> Levels:
    """The narrowest levels, with equal shares outside, between which at least ``interval`` of the truths fell.

    Who did not come within the window counts as having come on the day after it.
    """
    truth = next_visits(visits, paces, window=window)
    before, until = np.zeros(len(truth)), np.zeros(len(truth))
    for rows in blocks(paces):
        sums = np.cumsum(days_ahead(paces, rows, days=window), axis=1)
        sums = np.concatenate((np.zeros((len(sums), 1)), sums, np.ones((len(sums), 1))), axis=1)
        line = np.arange(len(sums))
        before[rows], until[rows] = sums[line, truth[rows] - 1], sums[line, truth[rows]]
    places = (before + until) / 2
    for side in _SIDES:
        low, high = (float(level) for level in np.quantile(places, (side, 1 - side)))
        if np.mean((until >= low) & (before < high)) >= interval:
            break
    return Levels(low, min(high, 0.995), float(np.clip(np.median(places), 0.2, 0.8)))


def learn_chances(visits: Visits, paces: Paces, *, window: int, within: int) -> Real:
    """What share came within ``within`` days, by band of the chance that was forecast; never falling."""
    told = forecast(paces, Levels(0.1, 0.9), window=window, within=within).soon
    came = next_visits(visits, paces, window=window) <= within
    band = np.clip(np.searchsorted(BANDS, told, side="right") - 1, 0, len(BANDS) - 2)
    size = np.bincount(band, minlength=len(BANDS) - 1)
    hits = np.bincount(band, weights=came, minlength=len(BANDS) - 1)
    middle = (BANDS[:-1] + BANDS[1:]) / 2
    shares: Real = np.maximum.accumulate((hits + _PRIOR_CUSTOMERS * middle) / (size + _PRIOR_CUSTOMERS))
    return shares


def score(visits: Visits, paces: Paces, levels: Levels, chances_of: Real | None, *, window: int, within: int) -> Score:
    """How the forecast did in the ``window`` days after ``paces.origin``, beside three rules without a model."""
    truth = next_visits(visits, paces, window=window)
    told = forecast(paces, levels, window=window, within=within, chances_of=chances_of)
    rules = {
        "model": told.expected,
        "population_gap": _after(paces, np.full(len(truth), paces.population_gap)),
        "last_gap": _after(paces, np.where(paces.last_gap > 0, paces.last_gap, paces.population_gap)),
        "own_gap": _after(paces, paces.typical()),
    }
    limit = np.minimum(truth, window)
    inside = (truth >= told.earliest) & (truth <= told.latest)
    return Score(
        customers=len(truth),
        came=int((truth <= window).sum()),
        errors={name: float(np.abs(np.minimum(days, window) - limit).mean()) for name, days in rules.items()},
        coverage=float(inside.mean()),
        promised=float(told.soon.mean()),
        kept=float((truth <= within).mean()),
    )


def _after(paces: Paces, gap: Real) -> Whole:
    """Days ahead by a rule "last visit plus ``gap``"; tomorrow where that day has passed."""
    return np.maximum(np.rint(gap) - paces.silence, 1).astype(np.int64)


def expected_visits(paces: Paces, *, days: int) -> Real:
    """How many visits to expect of each customer on each of the next ``days`` days, repeated visits included."""
    found = np.zeros((len(paces.who), days))
    for rows in blocks(paces):
        first = days_ahead(paces, rows, days=days)
        again = days_ahead(paces, rows, days=days, fresh=True)
        total = first.copy()
        for day in range(1, days):
            total[:, day] += (total[:, :day] * again[:, :day][:, ::-1]).sum(axis=1)
        found[rows] = np.minimum(total, 1)
    return found
