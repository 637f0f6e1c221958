"""How often what is bought together, by part of the baskets: counted in arrays, or by the engine that holds the lines.

Both give whole numbers, and the same ones. What becomes of them (rules, lift, who lacks what) is reckoned from the
numbers in one place, so that the figures do not depend on who counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from patron.intelligence.insights.shopping import Level, Shopping
from patron.intelligence.mining.arrays import EPOCH, Flags, Whole
from patron.intelligence.mining.patterns.itemsets import Itemsets
from patron.intelligence.mining.patterns.transactions import Baskets
from patron.intelligence.warehouse.reader import Warehouse

BRANCHES: Final = 6
CLASSES: Final = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the baskets: all, those of a value class (``value``), of a ``branch``, of a quarter (``season``).

    ``days`` are its first and last day. ``baskets`` and ``customers`` are how many it has.
    """

    part: str
    key: str
    baskets: int
    customers: int
    days: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """The itemsets of a part that are frequent enough, and in how many of its baskets each item of the level is."""

    itemsets: Itemsets
    counts: Whole


@dataclass(frozen=True, slots=True)
class Sides:
    """Rules by the codes of their items: who has bought ``one`` and ``two`` (−1: no second), and what of ``then``?"""

    one: Whole
    two: Whole
    then: Whole


@dataclass(frozen=True, slots=True)
class Bought:
    """For each item its customers; for each rule the customers with all of the left side, and those without the right.

    In whatever baskets of the part.
    """

    counts: Whole
    left: Whole
    missing: Whole


class Counting(Protocol):
    """Counts over the sales of a window."""

    @property
    def levels(self) -> Mapping[str, Level]:
        """The levels of the catalogue, finest first."""

    @property
    def size(self) -> int:
        """How many baskets."""

    @property
    def customer_count(self) -> int:
        """How many customers."""

    @property
    def days(self) -> tuple[int, int]:
        """The first and the last day with a basket."""

    def parts(self) -> list[Part]:
        """All baskets, then the other parts, in the order of the page."""

    def within(self, first: int, last: int) -> Part:
        """The baskets of some days."""

    def counted(
        self, level: str, parts: Sequence[Part], *, least: Sequence[int], longest: Sequence[int]
    ) -> list[Counted]:
        """For each part the itemsets that ``least`` of its baskets hold, of up to ``longest`` items (0: any)."""

    def together(self, level: str, part: Part, one: Whole, other: Whole) -> tuple[Whole, Whole]:
        """In how many baskets of the part each pair is; and each item of the level."""

    def bought(self, level: str, parts: Sequence[Part], sides: Sequence[Sides]) -> list[Bought]:
        """Who bought what in each part."""


class ArrayCounting:
    """In this process: vertical bitsets over :class:`Shopping`."""

    def __init__(self, shopping: Shopping, warehouse: Warehouse) -> None:
        self._shopping = shopping
        self._warehouse = warehouse
        self._flags: dict[tuple[str, str, tuple[int, int]], Flags] = {}
        self._made: tuple[str, Baskets] | None = None

    @property
    def levels(self) -> Mapping[str, Level]:
        return self._shopping.levels

    @property
    def size(self) -> int:
        return self._shopping.size

    @property
    def customer_count(self) -> int:
        return len(self._shopping.customers)

    @property
    def days(self) -> tuple[int, int]:
        day = self._shopping.day
        return int(day.min()), int(day.max())

    def parts(self) -> list[Part]:
        bought, days = self._shopping, self.days
        made = [self._part("all", "", days, np.ones(bought.size, dtype=np.bool_))]
        if "customer_value" in self._warehouse.names:
            value = dict(self._warehouse.rows("SELECT customer_id, value_class FROM customer_value"))
            of_customer = np.array([value.get(customer) or "" for customer in bought.customers.tolist()], dtype="U1")
            made += [self._part("value", each, days, (of_customer == each)[bought.customer]) for each in CLASSES]
        branches, counts = np.unique(bought.branch[bought.branch >= 0], return_counts=True)
        made += [self._part("branch", str(each), days, bought.branch == each) for each in busiest(branches, counts)]
        for name, (first, last) in quarters(*days).items():
            made.append(self._part("season", name, (first, last), (bought.day >= first) & (bought.day <= last)))
        return made

    def within(self, first: int, last: int) -> Part:
        day = self._shopping.day
        return self._part("days", "", (first, last), (day >= first) & (day <= last))

    def counted(
        self, level: str, parts: Sequence[Part], *, least: Sequence[int], longest: Sequence[int]
    ) -> list[Counted]:
        from patron.intelligence.mining.patterns.vertical import frequent_itemsets

        made = []
        for part, min_count, max_length in zip(parts, least, longest, strict=True):
            baskets = self._baskets(level, part)
            itemsets = frequent_itemsets(baskets, min_count=min_count, max_length=max_length)
            made.append(Counted(itemsets, baskets.counts))
        return made

    def together(self, level: str, part: Part, one: Whole, other: Whole) -> tuple[Whole, Whole]:
        baskets = self._baskets(level, part)
        held = [baskets.holders[baskets.starts[item] : baskets.starts[item + 1]] for item in range(len(baskets.names))]
        both = [len(np.intersect1d(held[a], held[b], assume_unique=True)) for a, b in zip(one, other, strict=True)]
        return np.array(both, dtype=np.int64), baskets.counts

    def bought(self, level: str, parts: Sequence[Part], sides: Sequence[Sides]) -> list[Bought]:
        made = []
        for part, asked in zip(parts, sides, strict=True):
            buyers = self._shopping.buyers(level, None if part.part == "all" else self._chosen(part))
            made.append(Bought(buyers.counts, *_lacking(buyers, asked)))
        return made

    def _part(self, part: str, key: str, days: tuple[int, int], chosen: Flags) -> Part:
        self._flags[part, key, days] = chosen
        customers = len(np.unique(self._shopping.customer[chosen]))
        return Part(part, key, int(chosen.sum()), customers, days)

    def _chosen(self, part: Part) -> Flags:
        return self._flags[part.part, part.key, part.days]

    def _baskets(self, level: str, part: Part) -> Baskets:
        if self._made is None or self._made[0] != level:
            self._made = level, self._shopping.baskets(level)
        every = self._made[1]
        return every if part.part == "all" else every.where(self._chosen(part))


def _lacking(buyers: Baskets, sides: Sides) -> tuple[Whole, Whole]:
    """For each rule, how many customers bought the left side, and how many of them never the right one."""
    one, then = sides.one, sides.then
    two = np.where(sides.two < 0, one, sides.two)
    used, places = np.unique(np.concatenate((one, two, then)), return_inverse=True)
    held = np.zeros((len(used), -(-max(buyers.size, 1) // 64) * 64), dtype=np.bool_)
    for row, item in enumerate(used):
        held[row, buyers.holders[buyers.starts[item] : buyers.starts[item + 1]]] = True
    bits = np.packbits(held, axis=1).view(np.uint64)
    one, two, then = np.split(places, 3)
    left = np.zeros(len(one), dtype=np.int64)
    missing = np.zeros(len(one), dtype=np.int64)
    for row in range(len(one)):
        both = bits[one[row]] & bits[two[row]]
        left[row] = np.bitwise_count(both).sum()
        missing[row] = np.bitwise_count(both & ~bits[then[row]]).sum()
    return left, missing


def busiest(branches: Whole, counts: Whole) -> list[int]:
    """The branches with the most baskets; none where there is only one."""
    if len(branches) < 2:
        return []
    return [int(each) for each in branches[np.lexsort((branches, -counts))][:BRANCHES]]


def quarters(first: int, last: int) -> dict[str, tuple[int, int]]:
    """The quarters from the first day to the last, with their days."""
    found: dict[str, tuple[int, int]] = {}
    for day in range(first, last + 1):
        date = EPOCH + dt.timedelta(days=day)
        name = f"{date.year}-Q{(date.month + 2) // 3}"
        found[name] = found.get(name, (day, day))[0], day
    return found
