"""How the money is spread over the customers: Lorenz curve, Gini, the few that bring most, and the whale curve."""

from __future__ import annotations

from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.contract import Point

STEPS: Final = 100


def gini(values: Real) -> float | None:
    """0 when all bring the same, towards 1 when one brings everything (C. Gini, 1912); below zero counts as zero.

    None without anything above zero.
    """
    counted = np.sort(np.maximum(values, 0))
    total, count = float(counted.sum()), len(counted)
    if not total:
        return None
    return float(2 * np.dot(np.arange(1, count + 1), counted) / (count * total) - (count + 1) / count)


def lorenz(values: Real) -> tuple[Point, ...]:
    """Share of customers from the smallest up → share of value (M. Lorenz, 1905); at most 101 points, or none."""
    counted = np.sort(np.maximum(values, 0))
    total, count = float(counted.sum()), len(counted)
    if not total:
        return ()
    running = np.concatenate(([0.0], np.cumsum(counted)))
    places = np.unique(np.linspace(0, count, min(count, STEPS) + 1).round().astype(np.int64))
    return tuple((round(float(each / count), 6), round(float(running[each] / total), 6)) for each in places)


def top_share(values: Real, share: float) -> float | None:
    """What part of all value the best ``share`` of the customers bring, rounded up to a whole customer."""
    counted = np.sort(np.maximum(values, 0))[::-1]
    total = float(counted.sum())
    if not total:
        return None
    few = int(np.ceil(round(share * len(counted), 9)))
    return float(counted[:few].sum() / total)


def fewest_for(values: Real, share: float) -> int:
    """How many customers, counted from the best, bring ``share`` of all value; 0 where there is none."""
    counted = np.sort(np.maximum(values, 0))[::-1]
    total = float(counted.sum())
    return int(np.searchsorted(np.cumsum(counted), share * total * (1 - 1e-12)) + 1) if total else 0


def whale_curve(contribution: Real) -> tuple[Point, ...]:
    """Customers from the best to the worst → running contribution ÷ contribution of all; at most 101 points.

    Above 1 where customers at a loss eat up what others bring (R. Kaplan and R. Cooper, Cost and Effect, 1998). None
    where all together bring nothing.
    """
    descending = np.sort(contribution)[::-1]
    total, count = float(descending.sum()), len(descending)
    if total <= 0:
        return ()
    running = np.concatenate(([0.0], np.cumsum(descending)))
    places = np.unique(np.linspace(0, count, min(count, STEPS) + 1).round().astype(np.int64))
    return tuple((round(float(each / count), 6), round(float(running[each] / total), 6)) for each in places)
