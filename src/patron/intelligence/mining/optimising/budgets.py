"""Dividing a budget over cells (segment x action) whose gain grows with spending, but ever less.

Gain of a cell that gets x:  exponential  m·(1 - e^(-x/s))  or  logarithmic  m·ln(1 + x/s);  m is what can be gained,
s the spending that counts as a dose. Both are concave, so the division is best exactly when every cell that is not at
one of its bounds has the same marginal gain λ (Karush-Kuhn-Tucker; B. O. Koopman, "The optimum distribution of effort",
Operations Research 1(2), 1953). For a given λ the spending of each cell has a closed form; the spending in all falls
as λ rises, so λ is found by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from patron.intelligence.mining.arrays import Real

Shape = Literal["exponential", "logarithmic"]


@dataclass(frozen=True, slots=True)
class Cells:
    """Arrays of equal length: `top` m, `dose` s (both ≥ 0, in money), and the least and most that each may get."""

    top: Real
    dose: Real
    least: Real
    most: Real


@dataclass(frozen=True, slots=True)
class Division:
    """Spending, gain and marginal gain of each cell; `price` is λ, what the last unit of the budget brings."""

    spend: Real
    gain: Real
    marginal: Real
    price: float


def gain(cells: Cells, spend: Real, shape: Shape) -> Real:
    """What the cells bring at this spending."""
    share = spend / np.maximum(cells.dose, 1e-12)
    grown: Real = cells.top * (-np.expm1(-share) if shape == "exponential" else np.log1p(share))
    return grown


def marginal(cells: Cells, spend: Real, shape: Shape) -> Real:
    """What one more unit of money brings in each cell."""
    dose = np.maximum(cells.dose, 1e-12)
    slope: Real = cells.top * (np.exp(-spend / dose) / dose if shape == "exponential" else 1 / (dose + spend))
    return slope


def divide(cells: Cells, budget: float, *, shape: Shape = "exponential", least_return: float = 0.0) -> Division:
    """The best division of at most ``budget``.

    Money whose marginal gain is below ``least_return`` stays unspent (1: only what brings back its cost), beyond the
    ``least`` of each cell. Raises :class:`ValueError` when ``least`` exceeds ``most`` or, in all, the budget.
    """
    if (cells.least > cells.most).any():
        raise ValueError("a cell must get more than it may")
    if cells.least.sum() > budget + 1e-9:
        raise ValueError("the least of all cells together exceeds the budget")

    def spending(price: float) -> Real:
        if price <= 0:
            return np.where(cells.top > 0, cells.most, cells.least)
        dose = np.maximum(cells.dose, 1e-12)
        with np.errstate(divide="ignore"):
            wished = dose * np.log(cells.top / (dose * price)) if shape == "exponential" else cells.top / price - dose
        return np.clip(np.where(cells.top > 0, wished, 0.0), cells.least, cells.most)

    price = max(least_return, 0.0)
    spend = spending(price)
    if not np.isfinite(spend.sum()) or spend.sum() > budget:
        low, high = price, max(float(marginal(cells, cells.least, shape).max(initial=0.0)), price) + 1e-12
        for _ in range(200):
            middle = (low + high) / 2 if low <= 0 else float(np.sqrt(low * high))
            over = spending(middle).sum() > budget
            low, high = (middle, high) if over else (low, middle)
            if high - low <= 1e-14 * high:
                break
        price = high
        spend = _exactly(spending(price), spending(low), budget)
    return Division(spend, gain(cells, spend, shape), marginal(cells, spend, shape), price)


def _exactly(under: Real, over: Real, budget: float) -> Real:
    """Between the spending at two prices a hair apart, that which uses the budget to the last unit."""
    gap = float((over - under).sum())
    if gap <= 0:
        return under
    share = min(max((budget - float(under.sum())) / gap, 0.0), 1.0)
    between: Real = under + share * (over - under)
    return between


def even(cells: Cells, budget: float) -> Real:
    """For comparison: the budget in equal parts, within the bounds; what does not fit goes to the rest."""
    spend = cells.least.astype(np.float64).copy()
    left = budget - float(spend.sum())
    open_cells = spend < cells.most
    while left > 1e-9 and open_cells.any():
        part = left / int(open_cells.sum())
        added = np.where(open_cells, np.minimum(part, cells.most - spend), 0.0)
        spend += added
        left -= float(added.sum())
        open_cells &= spend < cells.most - 1e-12
    return spend
