"""What a fitted model expects of each customer: purchases, money, and how far off it may be.

Everything but P(alive) depends on frequency and T alone, so it is computed once per distinct pair. Integrals over the
horizon are Gauss-Legendre sums in ln(1 + u/scale), in which the rate of purchases is smooth however young a customer
is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.clv.counting import CountModel
from patron.intelligence.mining.clv.summaries import Cells

_POINTS: Final = 8


@dataclass(frozen=True, slots=True)
class Prospects:
    """Per customer: probability of being alive, and of the horizon: expected purchases (undiscounted and discounted).

    ``if_alive`` is the expectation for a customer known to be alive, ``pair_of`` the place of the customer's
    (frequency, T) among the distinct ones of ``pairs``.
    """

    p_alive: Real
    expected: Real
    discounted: Real
    if_alive: Real
    pair_of: Whole
    pairs: tuple[Real, Real]


def prospects(model: CountModel, values: Real, cells: Cells, *, horizon: float, discount: float) -> Prospects:
    """``horizon`` in units of time; ``discount``: continuous rate per unit of time (0: money later is money now)."""
    key, place = np.unique(cells.x + 1j * cells.age, return_inverse=True)
    x, age = key.real, key.imag
    mean = model.expected_if_alive(values, x, age, horizon)
    discounted = _integral(model, values, x, age, horizon, discount) if discount else mean
    alive = model.p_alive(values, cells.x, cells.tx, cells.age)[cells.cell_of]
    pair_of = place[cells.cell_of]
    if_alive = mean[pair_of]
    return Prospects(
        p_alive=alive,
        expected=alive * if_alive,
        discounted=alive * discounted[pair_of],
        if_alive=if_alive,
        pair_of=pair_of,
        pairs=(x, age),
    )


def _integral(model: CountModel, values: Real, x: Real, age: Real, horizon: float, discount: float) -> Real:
    total = np.zeros_like(x)
    for after, width in _steps(model, values, age, horizon):
        total += width * np.exp(-discount * after) * model.rate(values, x, age, after)
    return total


def _steps(model: CountModel, values: Real, age: Real, horizon: float) -> list[tuple[Real, Real]]:
    """Points of time within the horizon and their widths; for each customer their own."""
    scale = min(values[model.symbols.index(each)] for each in model.timed) + age
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    length = np.log1p(horizon / scale)
    steps = []
    for node, weight in zip(nodes, weights, strict=True):
        grown = np.exp(length * (node + 1) / 2)
        steps.append((scale * (grown - 1), weight / 2 * length * scale * grown))
    return steps


def purchase_range(
    model: CountModel, values: Real, found: Prospects, *, horizon: float, coverage: float
) -> tuple[Real, Real]:
    """The range in which the number of purchases within the horizon falls with probability ``coverage`` (or more).

    A mixture: none if the customer has gone; if alive a negative binomial count with the model's own mean and variance
    (second factorial moment by the density of pairs). Quantiles of each side leave (1 - coverage)/2 out.
    """
    x, age = found.pairs
    mean = model.expected_if_alive(values, x, age, horizon)
    second = np.zeros_like(x)
    for after, width in _steps(model, values, age, horizon):
        second += 2 * width * after * model.pairs(values, x, age, after)
    excess = np.maximum(second - mean**2, 1e-9 * mean**2 + 1e-12)
    shape = mean**2 / excess
    tail = (1 - coverage) / 2
    gone = 1 - found.p_alive
    low = _quantile(tail, gone, shape[found.pair_of], mean[found.pair_of])
    high = _quantile(1 - tail, gone, shape[found.pair_of], mean[found.pair_of])
    return low, high


def _quantile(level: float, gone: Real, shape: Real, mean: Real) -> Real:
    """The smallest whole number k with P(count ≤ k) ≥ ``level``."""
    within = (level - gone) / np.maximum(1 - gone, 1e-300)
    places = np.zeros(len(gone))
    some = within > 0
    if some.any():
        places[some] = _negative_binomial(np.minimum(within[some], 1 - 1e-12), shape[some], mean[some])
    return places


def _negative_binomial(level: Real, shape: Real, mean: Real) -> Real:
    """Quantiles: none where the chance of none suffices, else a start by the gamma distribution, put right exactly."""
    success = shape / (shape + mean)
    places = np.zeros(len(level))
    rest = np.flatnonzero(success**shape < level)
    places[rest] = np.floor(special.gammaincinv(shape[rest], level[rest]) * (mean / shape)[rest])

    def below(who: Whole, k: Real) -> Real:
        share: Real = special.betainc(shape[who], k + 1, success[who])
        return share

    high = rest[places[rest] > 0]
    while len(high):
        high = high[below(high, places[high] - 1) >= level[high]]
        places[high] -= 1
        high = high[places[high] > 0]
    low = rest
    while len(low):
        low = low[below(low, places[low]) < level[low]]
        places[low] += 1
    return places
