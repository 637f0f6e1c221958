"""A placebo: split customers who were all treated alike, many times, and count how often an effect is "found".

A method that keeps its level finds one in 1 of 20 splits at 95 %. Run on the house's own customers it shows whether its
money is so uneven that the method fails, and how much narrower what was known before makes the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.experimenting import means, rates
from patron.intelligence.mining.experimenting.parameters import MONEY, RATE

#: Larger houses are sampled: the answer does not get better beyond.
SAMPLE: Final = 20_000
_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Placebo:
    """``p_values`` of every split, ``alpha`` of which alarm if all is well; ``width``: that of the mean interval."""

    splits: int
    customers: int
    alpha: float
    p_values: Real
    width: float

    @property
    def alarms(self) -> float:
        """The share of splits in which an effect was found that cannot be."""
        return float((self.p_values < self.alpha).mean())

    @property
    def error(self) -> float:
        """The standard error of ``alarms`` if the level is kept: how far luck moves it."""
        return float(np.sqrt(self.alpha * (1 - self.alpha) / self.splits))

    @property
    def keeps_level(self) -> bool:
        """Whether there are no more alarms than luck (three standard errors) explains."""
        return self.alarms <= self.alpha + 3 * self.error


def sample(customers: int, *, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places of the customers to split: all, or :data:`SAMPLE` of them drawn by lot, ascending."""
    if customers <= SAMPLE:
        return np.arange(customers)
    return np.sort(np.random.default_rng(seed).choice(customers, SAMPLE, replace=False))


def placebo(outcome: Real, *, kind: str, splits: int = 1000, alpha: float = 0.05, seed: int) -> Placebo:
    """Split ``outcome`` (one per customer, at least 4) in two halves by lot, ``splits`` times, and compare them.

    Rates by the score test, money by Welch's t-test (the bootstrap gives the same for groups of hundreds).
    """
    random = np.random.default_rng(seed)
    half = len(outcome) // 2
    p_values, widths = [], []
    step = max(1, _AT_ONCE // len(outcome))
    for start in range(0, splits, step):
        count = min(step, splits - start)
        treated = (random.random((count, len(outcome))).argsort(axis=1) < half).astype(np.float64)
        found, low, high = _compared(treated, outcome, half, kind, alpha)
        p_values.append(found)
        widths.append(high - low)
    return Placebo(splits, len(outcome), alpha, np.concatenate(p_values), float(np.concatenate(widths).mean()))


def _compared(treated: Real, outcome: Real, half: int, kind: str, alpha: float) -> tuple[Real, Real, Real]:
    rest = len(outcome) - half
    given = treated @ outcome
    kept = outcome.sum() - given
    sizes = np.full(len(given), float(half)), np.full(len(given), float(rest))
    if kind == RATE:
        limits = rates.difference_interval(given, sizes[0], kept, sizes[1], confidence=1 - alpha)
        return (rates.score_p_value(given, sizes[0], kept, sizes[1]), *limits)
    if kind != MONEY:
        raise ValueError(f"kind is {kind!r}; it must be rate or money")
    squares = treated @ outcome**2
    first = _moments(sizes[0], given, squares)
    second = _moments(sizes[1], kept, (outcome**2).sum() - squares)
    low, high, p_value = means.welch(first, second, alpha=alpha)
    return p_value, low, high


def _moments(size: Real, total: Real, squares: Real) -> means.Moments:
    mean = total / size
    return means.Moments(size, mean, np.maximum(squares - size * mean**2, 0.0) / (size - 1))
