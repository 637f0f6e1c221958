"""Looking at a running experiment more than once, without raising the chance of a false alarm.

Each planned look spends a part of ``alpha``; its boundary is the |z| beyond which the parts spent so far add up. The
spending function is K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70
(1983) 659-663, of the type of P. C. O'Brien and T. R. Fleming, Biometrics 35 (1979) 549-556: hard to pass early,
hardly any price at the end. Boundaries by the recursion of P. Armitage, C. K. McPherson, B. C. Rowe, JRSS A 132 (1969)
235-244.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from patron.intelligence.mining.arrays import Real

_NODES: Final = 96
_WIDEST: Final = 12.0


def spent(fraction: float, *, alpha: float) -> float:
    """How much of ``alpha`` (two-sided) may be spent by the time ``fraction`` (0 to 1] of the data is in."""
    return float(4 * ndtr(ndtri(alpha / 4) / np.sqrt(fraction)))


def equal_looks(looks: int) -> tuple[float, ...]:
    """The fractions of the data at ``looks`` looks of equal distance."""
    return tuple(place / looks for place in range(1, looks + 1))


@lru_cache(maxsize=256)
def boundaries(fractions: tuple[float, ...], *, alpha: float) -> tuple[float, ...]:
    """The |z| to pass at each look, ``fractions`` of the data ascending up to 1; a single look gives the usual one."""
    found: list[float] = []
    grid = _Grid.start()
    before = 0.0
    for fraction in fractions:
        budget = spent(fraction, alpha=alpha)
        bound = grid.solve(fraction, budget - before)
        found.append(bound)
        grid = grid.after(fraction, bound)
        before = budget
    return tuple(found)


def crossing_probability(fractions: Sequence[float], bounds: Sequence[float]) -> float:
    """The chance that chance alone passes one of ``bounds`` at one of the looks."""
    grid = _Grid.start()
    total = 0.0
    for fraction, bound in zip(fractions, bounds, strict=True):
        total += grid.crossing(fraction, bound)
        grid = grid.after(fraction, bound)
    return total


@lru_cache(maxsize=64)
def obrien_fleming(looks: int, *, alpha: float) -> tuple[float, ...]:
    """The boundaries of O'Brien and Fleming themselves: C·√(looks ÷ look), for looks of equal distance."""
    fractions = equal_looks(looks)
    low, high = 1.0, _WIDEST
    for _ in range(40):
        constant = (low + high) / 2
        passed = crossing_probability(fractions, [constant / np.sqrt(each) for each in fractions])
        low, high = (constant, high) if passed > alpha else (low, constant)
    return tuple(float(low / np.sqrt(each)) for each in fractions)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Real, Real]:
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    return points, weights


class _Grid:
    """The density of the sum of increments among those who passed no boundary yet, on Gauss-Legendre nodes."""

    def __init__(self, fraction: float, nodes: Real, mass: Real) -> None:
        self.fraction, self.nodes, self.mass = fraction, nodes, mass

    @classmethod
    def start(cls) -> _Grid:
        return cls(0.0, np.zeros(1), np.ones(1))

    def crossing(self, fraction: float, bound: float) -> float:
        """The chance of passing ``bound`` (in standard errors) at ``fraction``, having passed none before."""
        step, limit = np.sqrt(fraction - self.fraction), bound * np.sqrt(fraction)
        return float(self.mass @ (ndtr((-limit - self.nodes) / step) + ndtr((self.nodes - limit) / step)))

    def solve(self, fraction: float, budget: float) -> float:
        low, high = 0.0, _WIDEST
        for _ in range(50):
            bound = (low + high) / 2
            low, high = (bound, high) if self.crossing(fraction, bound) > budget else (low, bound)
        return (low + high) / 2

    def after(self, fraction: float, bound: float) -> _Grid:
        """The density at ``fraction`` of those inside ``bound``."""
        limit = min(bound, _WIDEST) * np.sqrt(fraction)
        points, weights = _legendre()
        nodes = limit * points
        step = np.sqrt(fraction - self.fraction)
        density = np.exp(-(((nodes[:, None] - self.nodes[None, :]) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        return _Grid(fraction, nodes, weights * limit * (density @ self.mass))
