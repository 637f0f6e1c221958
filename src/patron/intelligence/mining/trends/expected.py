"""What a customer is likely to do in the next four weeks, with an interval, from the recent past.

Visits come at a rate of their own that slowly changes: recent days weigh more. Rates differ between customers like a
gamma distribution, so a rate seen for a short time is drawn towards everybody's::

    rate | seen ~ Gamma(a + Σ w, b + exposure)        w = 2^(−age ÷ half life), exposure = ∫ w
    visits in T days ~ negative binomial

Source: A. Gelman and others, Bayesian Data Analysis, 3rd ed. (2013), section 2.6; discounting of old evidence: M. West,
J. Harrison, Bayesian Forecasting and Dynamic Models, 2nd ed. (1997), section 10.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole, Whole32

AHEAD_DAYS: Final = 28
#: Half lives that the back-test chooses from; the one that serves without a test.
HALF_LIVES: Final = (14.0, 28.0, 56.0, 112.0)
HALF_LIFE_DAYS: Final = 56.0
_PRIOR_VISITS: Final = 2.0
#: Shares that may be left out at either end of the interval, the widest interval first.
_TAILS: Final = (0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25)
_INSIDE: Final = 0.8
_MOST_TESTED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Expected:
    """Per customer, for the next 28 days: mean and the interval that holds 80 %. Zero for a customer never seen."""

    visits: Real
    visits_low: Real
    visits_high: Real
    spend: Real
    spend_low: Real
    spend_high: Real


def expected(
    owner: Whole32,
    day: Whole32,
    amount: Real,
    first: Whole,
    customers: int,
    *,
    as_of: int,
    half_life: float = HALF_LIFE_DAYS,
    tail: float = _TAILS[0],
) -> Expected:
    """From visits (owner, day, amount of the day) up to ``as_of``; ``first`` is each customer's first day.

    ``tail`` is the share of the distribution left out at either end: a tenth, or what the back-test found to do.
    """
    from scipy import stats

    told = _rates(owner, day, first, customers, as_of=as_of, half_life=half_life)
    known = day <= as_of
    owner, amount = owner[known], np.maximum(amount[known], 0)
    number, mean, there = told.number, told.mean, told.number > 0
    low, high = told.interval(tail)
    spend = np.bincount(owner, weights=amount, minlength=customers)
    squares = np.bincount(owner, weights=amount**2, minlength=customers)
    everybody = float(spend.sum() / max(number.sum(), 1))
    each = (spend + _PRIOR_VISITS * everybody) / (number + _PRIOR_VISITS)
    spread = float(squares.sum() / max(number.sum(), 1)) / max(everybody**2, 1e-9) - 1
    # Of a random number of random amounts: E[N] · variance of one + variance of N · mean of one squared.
    variance = mean * max(spread, 0.0) * each**2 + mean / told.chance * each**2
    money = mean * each
    with np.errstate(divide="ignore", invalid="ignore"):
        k, theta = np.where(money > 0, money**2 / variance, 1), np.where(money > 0, variance / money, 1)
    spend_low, spend_high = (stats.gamma.ppf(share, k, scale=theta) for share in (tail, 1 - tail))
    none = told.chance**told.shape
    spend_low = np.where(none > tail, 0.0, spend_low)

    def of_known(values: Real) -> Real:
        return np.where(there, values, 0.0)

    return Expected(*(of_known(each) for each in (mean, low, high, money, spend_low, spend_high)))


@dataclass(frozen=True, slots=True)
class _Rates:
    """The visits of the next four weeks as negative binomials: ``shape`` and ``chance``; ``number`` of visits seen."""

    shape: Real
    chance: Real
    mean: Real
    number: Real

    def interval(self, tail: float) -> tuple[Real, Real]:
        """Without the share ``tail`` at either end."""
        from scipy import stats

        low, high = (stats.nbinom.ppf(share, self.shape, self.chance) for share in (tail, 1 - tail))
        return low, high


def _rates(owner: Whole32, day: Whole32, first: Whole, customers: int, *, as_of: int, half_life: float) -> _Rates:
    known = day <= as_of
    age = (as_of - day[known]).astype(float)
    seen = np.bincount(owner[known], weights=2.0 ** (-age / half_life), minlength=customers).astype(float)
    number = np.bincount(owner[known], minlength=customers).astype(float)
    lived = np.maximum(as_of - first + 1, 1).astype(float)
    decay = np.log(2) / half_life
    exposure = (1 - np.exp(-decay * lived)) / decay
    a, b = rate_prior(seen[number > 0], exposure[number > 0])
    shape, rate = a + seen, b + exposure
    return _Rates(shape, rate / (rate + AHEAD_DAYS), shape / rate * AHEAD_DAYS, number)


def rate_prior(seen: Real, exposure: Real) -> tuple[float, float]:
    """Shape and rate of the gamma distribution of rates, by moments; a plain one where rates hardly differ."""
    if not len(seen):
        return 1.0, HALF_LIFE_DAYS
    mean = float(seen.sum() / exposure.sum())
    # The variance of observed rates is that of the rates and that of counting.
    counting = mean / exposure / 2
    variance = float(np.mean((seen / exposure - mean) ** 2 - counting))
    if mean <= 0 or variance <= 1e-12:
        return max(mean, 1e-6) * HALF_LIFE_DAYS, HALF_LIFE_DAYS
    return min(mean**2 / variance, 50.0), min(mean / variance, 50.0 / mean)


@dataclass(frozen=True, slots=True)
class BackTest:
    """Expected visits of four weeks ago against what came: typical errors (root mean square), share inside.

    They were foretold with the half life that had done best four weeks before that. ``half_life`` is what does best
    now, ``tail`` the largest share left out at either end of the interval with which four in five came inside.
    """

    customers: int
    error: float
    naive_error: float
    inside: float
    half_life: float
    tail: float


def back_test(owner: Whole32, day: Whole32, first: Whole, customers: int, *, as_of: int) -> BackTest | None:
    """The forecast as of four weeks ago, and the visits of the four weeks before it as baseline.

    Over customers who had visited in the year before; of more than 20,000 every second, third … one. None with less
    than twelve weeks before.
    """
    then = as_of - AHEAD_DAYS
    if not len(day) or int(day.min()) > then - 3 * AHEAD_DAYS:
        return None
    every = -(-customers // _MOST_TESTED)
    if every > 1:
        chosen_rows = owner % every == 0
        owner, day, first = owner[chosen_rows] // every, day[chosen_rows], first[::every]
        customers = len(first)

    def visits(after: int, until: int) -> Real:
        rows: Flags = (day > after) & (day <= until)
        return np.bincount(owner[rows], minlength=customers).astype(float)

    def rates(at: int, half_life: float) -> _Rates:
        return _rates(owner, day, first, customers, as_of=at, half_life=half_life)

    def errors(at: int) -> dict[float, float]:
        came, known = visits(at, at + AHEAD_DAYS), visits(at - 364, at) > 0
        return {each: _typical((rates(at, each).mean - came)[known]) for each in HALF_LIVES}

    came, naive = visits(then, as_of), visits(then - AHEAD_DAYS, then)
    known = visits(then - 364, then) > 0
    if not known.any():
        return None
    before, now = errors(then - AHEAD_DAYS), errors(then)
    chosen, best = min(before, key=lambda each: before[each]), min(now, key=lambda each: now[each])
    told = rates(then, best)
    inside, tail = 0.0, _TAILS[0]
    for each in _TAILS:
        low, high = told.interval(each)
        share = float(((came >= low) & (came <= high))[known].mean())
        if each > _TAILS[0] and share < _INSIDE:
            break
        inside, tail = share, each
    return BackTest(
        customers=int(known.sum()),
        error=now[chosen],
        naive_error=_typical((naive - came)[known]),
        inside=inside,
        half_life=best,
        tail=tail,
    )


def _typical(errors: Real) -> float:
    """Root mean square: right for a mean, where the absolute error would prefer whole numbers."""
    return float(np.sqrt((errors**2).mean())) if len(errors) else 0.0
