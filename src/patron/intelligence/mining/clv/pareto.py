"""Pareto/NBD: how often customers buy, and when they stop, at any moment.

D. C. Schmittlein, D. G. Morrison & R. Colombo (1987), "Counting your customers: who are they and what will they do
next?", Management Science 33(1), 1-24; formulas after P. S. Fader & B. G. S. Hardie (2005), "A note on deriving the
Pareto/NBD model and related expressions". While alive a customer buys at random with rate λ ~ gamma(r, α) and stops
with rate μ ~ gamma(s, β)::

    L = Γ(r+x)/Γ(r) · α^r β^s · [ (α+T)^-(r+x) (β+T)^-s + s · ∫ (α+u)^-(r+x) (β+u)^-(s+1) du ],   u from t_x to T

The note writes the integral as the difference of two 2F1, in one form for α ≥ β and in another for α < β. Here it is
summed directly at Gauss-Legendre points in w = ln((c+u)/(c+t_x)), c = min(α, β), in which the integrand is smooth and
falls about exponentially; it is cut off where it has fallen by e^-34. One form serves both cases, nothing overflows
however large x is, and the gradient comes from the same points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaln, psi

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.clv.counting import SLICE, CountModel, Prepared, summed
from patron.intelligence.mining.clv.summaries import Cells, sums_at

_POINTS: Final = 20
_CUT: Final = 34.0
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(_POINTS)
_PLACE: Final = (_NODE + 1) / 2


@dataclass(frozen=True, slots=True)
class _Gone:
    """The integral over the time of stopping: its logarithm, and means over it for the gradient."""

    log: Real
    log_alpha: Real
    over_alpha: Real
    log_beta: Real
    over_beta: Real


@dataclass(frozen=True, slots=True)
class ParetoNbd(CountModel):
    """Pareto/NBD."""

    name: str = "paretonbd"
    symbols: tuple[str, ...] = ("r", "alpha", "s", "beta")
    timed: tuple[str, ...] = ("alpha", "beta")

    def starts(self, cells: Cells) -> list[Real]:
        """Two places from which the search begins: customers who stay for about T, and for much longer."""
        rate = cells.purchase_rate
        middle = cells.mean_age
        return [np.array([0.5, 0.5 / rate, 0.5, middle / 2]), np.array([1.0, 1.0 / rate, 1.0, 5 * middle])]

    def prepared(self, cells: Cells) -> Prepared:
        """The log-likelihood of these cells and its gradient, as a function of (r, α, s, β)."""
        xs, place = np.unique(cells.x, return_inverse=True)
        of_x = sums_at(place, cells.count, len(xs))
        return lambda values: _likelihood(values, cells, xs, of_x)

    def p_alive(self, values: Real, x: Real, tx: Real, age: Real) -> Real:
        """Probability of still being a customer at T (Fader & Hardie 2005, equation 11)."""
        r, alpha, s, beta = values
        alive = np.empty(len(x))
        for first in range(0, len(x), SLICE):
            part = slice(first, first + SLICE)
            here = -(r + x[part]) * np.log(alpha + age[part]) - s * np.log(beta + age[part])
            odds = _gone(values, x[part], tx[part], age[part]).log - here
            alive[part] = 1 / (1 + np.exp(np.minimum(odds, 700)))
        return alive

    def rate(self, values: Real, x: Real, age: Real, after: Real) -> Real:
        """Expected purchases per unit of time at ``after`` from now, of a customer known to be alive now."""
        r, alpha, s, beta = values
        density: Real = (r + x) / (alpha + age) * ((beta + age) / (beta + age + after)) ** s
        return density

    def pairs(self, values: Real, x: Real, age: Real, after: Real) -> Real:
        """Density of pairs: E[λ²] · P(alive after w); 2·∫ w · pairs(w) dw is E[Y·(Y-1)] if alive now."""
        r, alpha, s, beta = values
        k = r + x
        density: Real = k * (k + 1) / (alpha + age) ** 2 * ((beta + age) / (beta + age + after)) ** s
        return density

    def expected_if_alive(self, values: Real, x: Real, age: Real, horizon: float | Real) -> Real:
        """Expected purchases within ``horizon`` of a customer known to be alive (equation 41 without P(alive))."""
        r, alpha, s, beta = values
        expected: Real = (r + x) / (alpha + age) * (beta + age) * _stay(s, np.log1p(horizon / (beta + age)))
        return expected

    def expected_since_first(self, values: Real, times: Real) -> Real:
        """Expected repeat purchases of a new customer in the time since the first purchase (equation 17)."""
        r, alpha, s, beta = values
        expected: Real = r / alpha * beta * _stay(s, np.log1p(times / beta))
        return expected


PARETO_NBD: Final = ParetoNbd()


def _stay(s: float, stretch: Real) -> Real:
    """(1 - e^(-(s-1)·stretch)) / (s-1), which is ``stretch`` at s = 1."""
    if abs(s - 1) < 1e-9:
        return stretch
    share: Real = -np.expm1(-(s - 1) * stretch) / (s - 1)
    return share


def _likelihood(values: Real, cells: Cells, xs: Real, of_x: Real) -> tuple[float, Real]:
    r, alpha, s, beta = values
    number = of_x.sum()
    height = of_x @ gammaln(r + xs) + number * (r * np.log(alpha) + s * np.log(beta) - gammaln(r))
    slope = np.array(
        [
            of_x @ psi(r + xs) + number * (np.log(alpha) - psi(r)),
            number * r / alpha,
            number * np.log(beta),
            number * s / beta,
        ]
    )

    def part(cut: slice) -> tuple[float, Real]:
        return _part(values, cells.x[cut], cells.tx[cut], cells.age[cut], cells.count[cut])

    part_height, part_slope = summed(part, len(cells.x))
    return float(height + part_height), slope + part_slope


def _part(values: Real, x: Real, tx: Real, age: Real, count: Real) -> tuple[float, Real]:
    r, alpha, s, beta = values
    log_alpha, log_beta = np.log(alpha + age), np.log(beta + age)
    here = -(r + x) * log_alpha - s * log_beta
    gone = _gone(values, x, tx, age)
    total = np.logaddexp(here, gone.log)
    alive, left = np.exp(here - total) * count, np.exp(gone.log - total) * count
    slope = np.array(
        [
            -(alive @ log_alpha) - left @ gone.log_alpha,
            -(alive @ ((r + x) / (alpha + age))) - left @ ((r + x) * gone.over_alpha),
            -(alive @ log_beta) + left @ (1 / s - gone.log_beta),
            -(alive @ (s / (beta + age))) - left @ ((s + 1) * gone.over_beta),
        ]
    )
    return float(count @ total), slope


def _gone(values: Real, x: Real, tx: Real, age: Real) -> _Gone:
    r, alpha, s, beta = values
    base = min(alpha, beta)
    start = base + tx
    fall = (r + x) * start / (alpha + tx) + (s + 1) * start / (beta + tx) - 1
    length = np.minimum(np.log1p((age - tx) / start), _CUT / np.maximum(fall, 1e-9))
    to_base = start[:, None] * np.exp(length[:, None] * _PLACE)
    to_alpha, to_beta = to_base + (alpha - base), to_base + (beta - base)
    log_alpha, log_beta = np.log(to_alpha), np.log(to_beta)
    heights = np.log(to_base) - (r + x)[:, None] * log_alpha - (s + 1) * log_beta
    top = heights.max(axis=1)
    share = _WEIGHT * np.exp(heights - top[:, None])
    total = share.sum(axis=1)
    share /= total[:, None]
    with np.errstate(divide="ignore"):
        log = np.log(s / 2 * length) + top + np.log(total)
    return _Gone(
        log=log,
        log_alpha=(share * log_alpha).sum(axis=1),
        over_alpha=(share / to_alpha).sum(axis=1),
        log_beta=(share * log_beta).sum(axis=1),
        over_beta=(share / to_beta).sum(axis=1),
    )
