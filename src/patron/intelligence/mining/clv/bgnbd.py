"""BG/NBD: how often customers buy, and after which purchase they stop.

P. S. Fader, B. G. S. Hardie & K. L. Lee (2005), "'Counting your customers' the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24(2), 275-284. While alive a customer buys at random with rate λ ~ gamma(r, α);
after each repeat purchase they stop for good with probability p ~ beta(a, b). Its likelihood (their equation 6) is::

    L = Γ(r+x)/Γ(r) · B(a, b+x)/B(a, b) · α^r · [ (α+T)^-(r+x) + 1{x>0} · a/(b+x-1) · (α+t_x)^-(r+x) ]

The MBG/NBD of ``mbgnbd.py`` differs by one more chance to stop, at the very first purchase. With y = x for BG/NBD and
y = x + 1 for MBG/NBD both read::

    L = Γ(r+x)/Γ(r) · B(a, b+y)/B(a, b) · α^r · (α+T)^-(r+x) · (1 + e^z),
    z = ln a - ln(b+y-1) + (r+x)·[ln(α+T) - ln(α+t_x)]        (no e^z where y = 0)

and P(alive) = 1 / (1 + e^z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaincinv, gammaln, hyp2f1, psi

from patron.intelligence.mining.arrays import Flags, Real
from patron.intelligence.mining.clv.counting import CountModel, Prepared, summed
from patron.intelligence.mining.clv.summaries import Cells, sums_at

_NODE, _DOUBLE = np.polynomial.legendre.leggauss(64)
_LEVEL: Final = (_NODE + 1) / 2
_WEIGHT: Final = _DOUBLE / 2


@dataclass(frozen=True, slots=True)
class _Ready:
    """Sums that do not depend on the parameters, and the cells that may have stopped."""

    xs: Real
    of_x: Real
    ages: Real
    of_age: Real
    purchases_of_age: Real
    x: Real
    tx: Real
    age: Real
    count: Real


@dataclass(frozen=True, slots=True)
class BgNbd(CountModel):
    """BG/NBD (``chances`` 0) or MBG/NBD (``chances`` 1: customers may also stop at their first purchase)."""

    name: str = "bgnbd"
    symbols: tuple[str, ...] = ("r", "alpha", "a", "b")
    timed: tuple[str, ...] = ("alpha",)
    chances: int = 0

    def starts(self, cells: Cells) -> list[Real]:
        """Two places from which the search begins: most stay, and many leave."""
        rate = cells.purchase_rate
        return [np.array([0.5, 0.5 / rate, 0.5, 2.0]), np.array([1.0, 1.0 / rate, 0.5, 10.0])]

    def prepared(self, cells: Cells) -> Prepared:
        """The log-likelihood of these cells and its gradient, as a function of (r, α, a, b)."""
        ready = self._ready(cells)
        return lambda values: self._likelihood(values, ready)

    def _ready(self, cells: Cells) -> _Ready:
        xs, place = np.unique(cells.x, return_inverse=True)
        ages, age_place = np.unique(cells.age, return_inverse=True)
        may = self._may_have_stopped(cells.x)
        return _Ready(
            xs=xs,
            of_x=sums_at(place, cells.count, len(xs)),
            ages=ages,
            of_age=sums_at(age_place, cells.count, len(ages)),
            purchases_of_age=sums_at(age_place, cells.count * cells.x, len(ages)),
            x=cells.x[may],
            tx=cells.tx[may],
            age=cells.age[may],
            count=cells.count[may],
        )

    def _may_have_stopped(self, x: Real) -> Flags:
        flags: Flags = x + self.chances > 0
        return flags

    def _likelihood(self, values: Real, d: _Ready) -> tuple[float, Real]:
        r, alpha, a, b = values
        number, y = d.of_x.sum(), d.xs + self.chances
        height = d.of_x @ (gammaln(r + d.xs) + gammaln(b + y) - gammaln(a + b + y))
        height += number * (gammaln(a + b) - gammaln(b) - gammaln(r) + r * np.log(alpha))
        log_age, exponents = np.log(alpha + d.ages), r * d.of_age + d.purchases_of_age
        height -= exponents @ log_age
        gone_height, gone = summed(lambda cut: self._gone(values, d, cut), len(d.x))
        both = psi(a + b) - psi(a + b + y)
        slope = np.array(
            [
                d.of_x @ psi(r + d.xs) - number * (psi(r) - np.log(alpha)) - d.of_age @ log_age,
                number * r / alpha - exponents @ (1 / (alpha + d.ages)),
                d.of_x @ both,
                d.of_x @ (both + psi(b + y) - psi(b)),
            ]
        )
        return float(height + gone_height), slope + gone

    def _gone(self, values: Real, d: _Ready, cut: slice) -> tuple[float, Real]:
        """The sum of ln(1 + e^z) over a slice of cells, and its gradient."""
        r, alpha, a, b = values
        count = d.count[cut]
        start, to_end = alpha + d.tx[cut], alpha + d.age[cut]
        stretch = np.log(to_end / start)
        before = d.x[cut] + (b + self.chances - 1)
        times = r + d.x[cut]
        z = times * stretch + np.log(a / before)
        small = np.exp(-np.abs(z))
        height = count @ (np.log1p(small) + np.maximum(z, 0))
        gone = count * np.where(z >= 0, 1.0, small) / (1 + small)
        later = (gone * times) @ (1 / to_end - 1 / start)
        return float(height), np.array([gone @ stretch, later, gone.sum() / a, -(gone @ (1 / before))])

    def p_alive(self, values: Real, x: Real, tx: Real, age: Real) -> Real:
        """Probability of still being a customer; 1 without a repeat purchase in BG/NBD, which lets nobody stop before.

        Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model", equation 1.
        """
        r, alpha, a, b = values
        may = self._may_have_stopped(x)
        before = np.where(may, x + (b + self.chances - 1), 1.0)
        z = (r + x) * np.log((alpha + age) / (alpha + tx)) + np.log(a / before)
        alive = 1 / (1 + np.exp(np.minimum(z, 700)))
        return np.where(may, alive, 1.0)

    def rate(self, values: Real, x: Real, age: Real, after: Real) -> Real:
        """Expected purchases per unit of time at ``after`` from now, of a customer known to be alive now.

        The mean of λ·e^(-λ·p·u) over λ ~ gamma(r+x, α+T), p ~ beta(a, b+y), by Pfaff's transformation of 2F1.
        """
        r, alpha, a, b = values
        scale, c = alpha + age, a + b + x + self.chances
        density: Real = (r + x) / scale * _falling(r + x + 1, a, c, after / scale)
        return density

    def pairs(self, values: Real, x: Real, age: Real, after: Real) -> Real:
        """Density of pairs: the mean of (1-p)·λ²·e^(-λ·p·w); 2·∫ w · pairs(w) dw is E[Y·(Y-1)] if alive now."""
        r, alpha, a, b = values
        scale, stay, k = alpha + age, b + x + self.chances, r + x
        density: Real = k * (k + 1) / scale**2 * stay / (a + stay) * _falling(k + 2, a, a + stay + 1, after / scale)
        return density

    def expected_if_alive(self, values: Real, x: Real, age: Real, horizon: float | Real) -> Real:
        """Expected purchases within ``horizon`` of a customer known to be alive (the paper's equation 10).

        Euler's transformation takes the large powers out of the paper's 2F1: no overflow however large x is.
        """
        r, alpha, a, b = values
        a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
        c = a + b + x + self.chances - 1
        ratio = horizon / (alpha + age + horizon)
        with np.errstate(all="ignore"):
            rest = (1 - ratio) ** (a - 1) * hyp2f1(a - 1, a + b + self.chances - 1 - r, c, ratio)
            expected: Real = c / (a - 1) * (1 - rest)
        lost = ~(np.isfinite(expected) & (expected >= 0))
        if lost.any():
            times, share = (r + x)[lost], np.broadcast_to(horizon / (alpha + age), x.shape)[lost]
            chance = _chances(a, (b + x + self.chances)[lost])
            expected[lost] = (-np.expm1(-times[:, None] * np.log1p(chance * share[:, None])) / chance) @ _WEIGHT
        return expected

    def expected_since_first(self, values: Real, times: Real) -> Real:
        """Expected repeat purchases of a new customer in the time since the first purchase (equation 9)."""
        _, _, a, b = values
        still = b / (a + b) if self.chances else 1.0
        zero = np.zeros(len(times))
        expected: Real = still * self.expected_if_alive(values, zero, zero, times)
        return expected


def _falling(k: Real, a: float, c: Real, share: Real) -> Real:
    """2F1(k, a; c; -share): 1 at 0, falling; by Pfaff's transformation its argument stays within 0 and 1."""
    with np.errstate(all="ignore"):
        value: Real = (1 + share) ** -a * hyp2f1(c - k, a, c, share / (1 + share))
    lost = ~(np.isfinite(value) & (value >= 0))
    if lost.any():
        chance = _chances(a, (c - a)[lost])
        value[lost] = np.exp(-k[lost, None] * np.log1p(chance * share[lost, None])) @ _WEIGHT
    return value


def _chances(a: float, b: Real) -> Real:
    """For each of ``b`` the chances to stop, p ~ beta(a, b), at Gauss-Legendre points of their distribution.

    Where the parameters run to hundreds, 2F1 and the power before it leave the range of numbers. Then p hardly differs
    between customers, and the mean over these points is exact to many digits.
    """
    chances: Real = np.maximum(betaincinv(a, b[:, None], _LEVEL), 1e-300)
    return chances


BG_NBD: Final = BgNbd()
