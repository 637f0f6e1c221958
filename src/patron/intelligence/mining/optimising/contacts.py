"""The contact plan: who, by which channel, on which day, so that the whole brings most.

Each customer gets at most one contact; each channel takes so many a day (or any number). With g the expected gain of a
contact, k its cost and d the share of the gain that a day of waiting loses, contact of customer i by channel c on day t
brings  g[i,c]·(1-d)^t - k[c].  This is a transportation problem: its optimum in whole contacts is found exactly as a
minimum-cost flow (R. K. Ahuja, T. L. Magnanti & J. B. Orlin, Network Flows, 1993, chapters 9-10; solver of OR-Tools, by
cost scaling). Gains are rounded to a ten-thousandth of the money's unit for the solver's whole numbers.

Only customers who could be in the optimum enter: with S places in all, a customer outside the best S of a place (by
what the place brings beyond the channels without limit) can be swapped for one inside who got none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Real, Whole

_UNITS: Final = 10_000
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Channel:
    """A way of contacting: `cost` of one contact, `daily` contacts a day (None: as many as wished)."""

    name: str
    cost: float
    daily: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Per customer: the place of the channel (`NOBODY` for no contact), the day (0 is the first), and what it brings,
    cost taken off."""

    channel: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    net: Real

    @property
    def contacts(self) -> int:
        """How many are contacted."""
        return int((self.channel != NOBODY).sum())

    @property
    def total(self) -> float:
        """What the plan brings in all."""
        return float(self.net.sum())


def contact_plan(gain: Real, channels: tuple[Channel, ...], *, days: int, decay: float) -> Plan:
    """The best plan. ``gain``: customers x channels, money; not a number or below 0: no contact by that channel."""
    worth = np.where(np.isfinite(gain), gain, 0.0)
    customers = len(worth)
    free = [place for place, channel in enumerate(channels) if channel.daily is None]
    best_channel, best_net = np.full(customers, NOBODY), np.zeros(customers)
    for place in free:
        net = worth[:, place] - channels[place].cost
        better = net > best_net
        best_channel[better], best_net[better] = place, net[better]
    places = [
        (place, day, channel.daily)
        for place, channel in enumerate(channels)
        if channel.daily is not None and channel.daily > 0
        for day in range(days)
    ]
    day = np.where(best_channel == NOBODY, NOBODY, 0)
    if not places or not customers:
        return Plan(best_channel, day, best_net)
    nets = np.stack([worth[:, place] * (1 - decay) ** at - channels[place].cost for place, at, _ in places], axis=1)
    who, slot = _flow(nets - best_net[:, None], [daily for _, _, daily in places])
    best_channel[who] = np.array([place for place, _, _ in places])[slot]
    day[who] = np.array([at for _, at, _ in places])[slot]
    best_net[who] = nets[who, slot]
    return Plan(best_channel, day, best_net)


def _flow(margin: Real, capacity: list[int]) -> tuple[Whole, Whole]:
    """Customers and the places given to them, most margin in all; nobody is placed at a loss."""
    from ortools.graph.python import min_cost_flow

    customers, slots = margin.shape
    total = min(sum(capacity), customers)
    cost = np.rint(margin * _UNITS).astype(np.int64)
    rows, columns = [], []
    for slot in range(slots):
        able = np.flatnonzero(cost[:, slot] > 0)
        if len(able) > total:
            able = np.sort(able[np.argpartition(-cost[able, slot], total - 1)[:total]])
        rows.append(able)
        columns.append(np.full(len(able), slot))
    row, column = np.concatenate(rows), np.concatenate(columns)
    if not len(row):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    used, node = np.unique(row, return_inverse=True)
    count = len(used)
    sink = count + slots
    people, boxes = np.arange(count), np.arange(slots)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        node, count + column, np.ones(len(row), dtype=np.int64), -cost[row, column]
    )
    solver.add_arcs_with_capacity_and_unit_cost(
        count + boxes, np.full(slots, sink), np.array(capacity, dtype=np.int64), np.zeros(slots, dtype=np.int64)
    )
    solver.add_arcs_with_capacity_and_unit_cost(
        people, np.full(count, sink), np.ones(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    )
    supply = np.append(np.ones(count + slots, dtype=np.int64), -count)
    supply[count : count + slots] = 0
    solver.set_nodes_supplies(np.arange(count + slots + 1), supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise ArithmeticError(f"the flow of the contact plan ended as {status}")
    taken = solver.flows(arcs) > 0
    return row[taken], column[taken]


def dealt(plan: Plan, channels: tuple[Channel, ...], *, reps: int) -> Whole:
    """Which of the ``reps`` (from 0) makes each contact: dealt out in turn within a channel and day, best first.

    ``NOBODY`` for contacts by a channel without limit, which no person makes, and for no contact.
    """
    rep = np.full(len(plan.channel), NOBODY)
    for place, channel in enumerate(channels):
        if channel.daily is None:
            continue
        who = np.flatnonzero(plan.channel == place)
        order = who[np.lexsort((who, -plan.net[who], plan.day[who]))]
        start = np.searchsorted(plan.day[order], plan.day[order], side="left")
        rep[order] = (np.arange(len(order)) - start) % max(reps, 1)
    return rep
