"""Ward's method on points that weigh differently.

At each step the two groups are joined whose union adds least to the sum of squares within groups,
n·m ÷ (n + m) · |x̄ − ȳ|² (J. Ward, JASA 58, 1963). The chain of nearest neighbours finds the same joins in any order of
work and in m² time (F. Murtagh and P. Legendre, Journal of Classification 31, 2014): a chain is followed until two
groups are each other's nearest, and they are joined. Joins are then taken by height until k groups are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole


@dataclass(frozen=True, slots=True)
class Join:
    """Groups ``left`` and ``right`` (each named by its first point) became one, at the cost of ``height``."""

    left: int
    right: int
    height: float


def ward_groups(points: Real, weights: Real, k: int) -> Whole:
    """The group, 0 to k − 1, of each of ``points`` (points × features) with its weight above zero.

    Groups are numbered by their first point. ``k`` is between 1 and the number of points.
    """
    return cut(ward_joins(points, weights), len(points), k)


def cut(joins: Sequence[Join], count: int, k: int) -> Whole:
    """The groups of ``count`` points when ``k`` are left; see :func:`ward_groups`."""
    leader = np.arange(count)
    for join in sorted(joins, key=lambda join: join.height)[: count - k]:
        leader[leader == leader[join.right]] = leader[join.left]
    _, first, group = np.unique(leader, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    numbered: Whole = place[group]
    return numbered


def ward_joins(points: Real, weights: Real) -> list[Join]:
    """The len(points) − 1 joins, in the order in which the chain finds them."""
    centres, mass = points.astype(np.float64).copy(), weights.astype(np.float64).copy()
    alive = np.ones(len(points), dtype=np.bool_)
    joins: list[Join] = []
    chain: list[int] = []
    while len(joins) < len(points) - 1:
        if not chain:
            chain.append(int(np.argmax(alive)))
        here = chain[-1]
        costs = _costs(centres, mass, alive, here)
        nearest = int(np.argmin(costs))
        if len(chain) > 1 and costs[chain[-2]] <= costs[nearest]:
            nearest = chain[-2]  # of equally near ones the former: else the chain could go round for ever
            chain = chain[:-2]
            joins.append(Join(min(here, nearest), max(here, nearest), float(costs[nearest])))
            _join(centres, mass, alive, min(here, nearest), max(here, nearest))
        else:
            chain.append(nearest)
    return joins


def _costs(centres: Real, mass: Real, alive: np.ndarray, here: int) -> Real:
    apart = centres - centres[here]
    costs: Real = np.einsum("ij,ij->i", apart, apart) * (mass * mass[here] / (mass + mass[here]))
    costs[~alive] = np.inf
    costs[here] = np.inf
    return costs


def _join(centres: Real, mass: Real, alive: np.ndarray, left: int, right: int) -> None:
    together = mass[left] + mass[right]
    centres[left] = (centres[left] * mass[left] + centres[right] * mass[right]) / together
    mass[left] = together
    alive[right] = False
