"""Retention per period: a constant rate (geometric), and rates that differ between customers (shifted beta-geometric).

P. S. Fader & B. G. S. Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21(1),
76-90. Each customer leaves at the end of a period with a probability θ of their own, θ ~ beta(α, β). Those who leave
easily go first, so the retention rate of those who remain rises with age::

    S(t) = B(α, β+t) / B(α, β),    r(t) = S(t)/S(t-1) = (β+t-1) / (α+β+t-1)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, psi

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.clv.fitting import Fit, fit


@dataclass(frozen=True, slots=True)
class Counts:
    """By whole periods t = 0, 1, …: who left in the period after t, and who was last seen after t with no end yet."""

    left: Whole
    still: Whole

    @property
    def leavers(self) -> int:
        """All who left."""
        return int(self.left.sum())

    @property
    def periods(self) -> int:
        """Periods that customers could have left in: t + 1 of each leaver, t of each who is still there."""
        places = np.arange(len(self.left))
        return int((self.left * (places + 1)).sum() + (self.still * places).sum())


def counts_of(periods: Whole, ended: Whole) -> Counts:
    """``periods``: whole periods that each was there; ``ended``: 1 where they then left."""
    length = int(periods.max(initial=0)) + 1
    left = np.bincount(periods, ended, length).astype(np.int64)
    return Counts(left=left, still=np.bincount(periods, minlength=length) - left)


@dataclass(frozen=True, slots=True)
class Geometric:
    """One leaving rate per period for everybody, its standard error, and the log-likelihood."""

    theta: float
    error: float
    log_likelihood: float


def geometric(counts: Counts) -> Geometric:
    """Maximum likelihood: leavers ÷ periods at risk. Raises :class:`ValueError` without a period at risk."""
    leavers, periods = counts.leavers, counts.periods
    if not periods:
        raise ValueError("nobody has been there for a whole period")
    theta = leavers / periods
    stayed = periods - leavers
    height = (leavers * np.log(theta) if leavers else 0.0) + (stayed * np.log1p(-theta) if stayed else 0.0)
    return Geometric(theta, float(np.sqrt(theta * (1 - theta) / periods)), float(height))


def shifted_beta_geometric(counts: Counts) -> Fit:
    """Maximum likelihood of (α, β). Raises :class:`ValueError` without anybody who left."""
    if not counts.leavers:
        raise ValueError("nobody has left yet")
    theta = geometric(counts).theta
    places = np.arange(len(counts.left), dtype=np.float64)
    left, still = counts.left.astype(np.float64), counts.still.astype(np.float64)

    def likelihood(values: Real) -> tuple[float, Real]:
        a, b = values
        height = left @ (betaln(a + 1, b + places) - betaln(a, b)) + still @ (betaln(a, b + places) - betaln(a, b))
        common = psi(a + b) - psi(a + b + places)
        later = psi(a + b) - psi(a + b + places + 1)
        slope_a = left @ (psi(a + 1) - psi(a) + later) + still @ common
        slope_b = left @ (psi(b + places) - psi(b) + later) + still @ (psi(b + places) - psi(b) + common)
        return float(height), np.array([slope_a, slope_b])

    starts = [np.array([strength * theta, strength * (1 - theta) + 1e-3]) for strength in (1.0, 10.0)]
    return fit(("alpha", "beta"), likelihood, customers=float(left.sum() + still.sum()), scale={}, starts=starts)


def survival(alpha: float, beta: float, periods: Real | Whole) -> Real:
    """S(t): the share still there after so many periods."""
    share: Real = np.exp(betaln(alpha, beta + periods) - betaln(alpha, beta))
    return share


def retention(alpha: float, beta: float, age: Real | Whole) -> Real:
    """The probability that a customer who has been there for ``age`` whole periods stays for one more."""
    rate: Real = (beta + age) / (alpha + beta + age)
    return rate


def remaining(alpha: float, beta: float, age: Real | Whole, *, horizon: int) -> Real:
    """Periods that a customer of that age is still expected to stay, of the next ``horizon``: Σ S(age+k)/S(age)."""
    begin = np.asarray(age, dtype=np.float64)
    total, staying = np.zeros(len(begin)), np.ones(len(begin))
    for step in range(horizon):
        staying = staying * retention(alpha, beta, begin + step)
        total += staying
    return total
