"""Customers made up by the models' own stories, with parameters of your choice: to test estimation and to time it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole


@dataclass(frozen=True, slots=True)
class Simulated:
    """Whole days; ``alive`` says who really was a customer at T; ``later`` counts purchases in the horizon after it."""

    frequency: Whole
    recency: Whole
    age: Whole
    alive: Flags
    later: Whole


def simulate_bg(
    values: Real, age: Whole, *, seed: int, chances: int = 0, unit_days: float = 7.0, horizon_days: int = 0
) -> Simulated:
    """Customers of BG/NBD (``chances`` 0) or MBG/NBD (1) with (r, α, a, b), α in units of time, each aged ``age``."""
    r, alpha, a, b = values
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, len(age)) / unit_days
    stop = random.beta(a, b, len(age))
    stays = random.geometric(np.maximum(stop, 1e-12)) - chances
    return _run(random, rate, age, horizon_days, purchases=stays)


def simulate_pareto(values: Real, age: Whole, *, seed: int, unit_days: float = 7.0, horizon_days: int = 0) -> Simulated:
    """Customers of Pareto/NBD with (r, α, s, β), α and β in units of time, each aged ``age``."""
    r, alpha, s, beta = values
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, len(age)) / unit_days
    life = random.exponential(1 / np.maximum(random.gamma(s, 1 / beta, len(age)), 1e-300)) * unit_days
    return _run(random, rate, age, horizon_days, life=life)


def simulate_spend(values: Real, frequency: Whole, *, seed: int) -> Real:
    """Mean amount per repeat purchase by gamma-gamma (p, q, v); 0 without a repeat purchase."""
    p, q, v = values
    random = np.random.default_rng(seed)
    own = random.gamma(q, 1 / v, len(frequency))
    x = np.maximum(frequency, 1)
    return np.where(frequency > 0, random.gamma(p * x, 1 / (own * x)), 0.0)


def _run(
    random: np.random.Generator,
    rate: Real,
    age: Whole,
    horizon_days: int,
    *,
    purchases: Whole | None = None,
    life: Real | None = None,
) -> Simulated:
    """Purchase after purchase, for all customers who still go on; two purchases of one day are one."""
    number = len(age)
    frequency, recency, later = (np.zeros(number, dtype=np.int64) for _ in range(3))
    stopped_at = np.full(number, np.inf) if life is None else life
    left = np.full(number, np.iinfo(np.int64).max) if purchases is None else purchases
    if purchases is not None:
        stopped_at = np.where(left <= 0, 0.0, np.inf)
    going = np.flatnonzero(left > 0)
    now, last_day = np.zeros(number), np.zeros(number, dtype=np.int64)
    made = np.zeros(number, dtype=np.int64)
    while len(going):
        now[going] += random.exponential(1 / np.maximum(rate[going], 1e-300))
        here = now[going]
        going = going[(here <= age[going] + horizon_days) & (here <= stopped_at[going])]
        day = np.ceil(now[going]).astype(np.int64)
        new = day > last_day[going]
        seen = day <= age[going]
        frequency[going[new & seen]] += 1
        later[going[new & ~seen]] += 1
        recency[going[seen]] = day[seen]
        last_day[going] = day
        made[going] += 1
        finished = made[going] >= left[going]
        stopped_at[going[finished]] = now[going[finished]]
        going = going[~finished]
    return Simulated(frequency=frequency, recency=recency, age=age, alive=stopped_at > age, later=later)
