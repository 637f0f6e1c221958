"""Sequential patterns with limits of time, found by an engine in joins of lists of occurrences.

SPADE's vertical id-lists (M. J. Zaki, SPADE: An Efficient Algorithm for Mining Frequent Sequences, Machine Learning
42, 2001) are tables (pattern, customer, day), and its temporal join is a join: a pattern is continued in the customers
who have the next step later. With limits of time every day on which it can end is kept, with the latest day on which
it can have begun (as in `mining.patterns.gaps`); without them the first end suffices. Each length is one round of
queries, and only what is frequent comes back. The patterns, their order and figures are those of
:func:`~patron.intelligence.mining.patterns.sequential.sequential_patterns`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.shopping_on_engine import EngineShopping, wanted
from patron.intelligence.mining.arrays import Whole, prefix_sums
from patron.intelligence.mining.patterns.events import Elements, Sequences
from patron.intelligence.mining.patterns.gaps import Gaps
from patron.intelligence.mining.patterns.sequential import in_order, patterns_table
from patron.intelligence.mining.patterns.trie import UNLIMITED, Trie

_FAR = 1 << 20  # more days than there are between two visits
_NO_EVENTS: Whole = np.empty(0, dtype=np.int64)


def paths_on_engine(
    shopping: EngineShopping, level: str, *, size: int, min_count: int, max_length: int, max_step: int, gaps: Gaps
) -> pa.Table:
    """The table of every pattern that at least ``min_count`` of ``size`` customers hold within ``gaps``.

    ``max_length`` limits its items and ``max_step`` those of one step (0: any number). Raises ParameterError when
    there are too many.
    """
    search = _Search(shopping, level, min_count=min_count, max_length=max_length or UNLIMITED, gaps=gaps)
    try:
        elements = search.elements(size, min(max_length or UNLIMITED, max_step or UNLIMITED))
        found = search.grown(elements)
        patterns = in_order(_sequences(shopping, level, size), elements, gaps, found)
        pairs = patterns.steps[:, :2] if patterns.steps.shape[1] > 1 else np.empty((0, 2), dtype=np.int64)
        return patterns_table(patterns, median_gap=search.median_gaps(pairs, taken=(patterns.steps >= 0).sum(axis=1)))
    finally:
        search.close()


class _Search:
    """Steps are kept as ``path_steps`` (element, customer, day), ends of patterns as (node, customer, began, ended)."""

    def __init__(self, shopping: EngineShopping, level: str, *, min_count: int, max_length: int, gaps: Gaps) -> None:
        self._shopping = shopping
        self._engine = shopping.engine
        self._level = level
        self._min_count = min_count
        self._max_length = max_length
        self._gaps = gaps
        self._kept: list[str] = []

    def close(self) -> None:
        """Let go of what is still kept."""
        for name in reversed(self._kept):
            self._engine.unregister(name)
        self._kept.clear()

    def elements(self, size: int, largest: int) -> Elements:
        """The sets of items that enough customers have in one visit, ascending; a set grows by a later item."""
        items = self._shopping.items(self._level)
        self._keep("path_visits", f"SELECT DISTINCT customer, day, item FROM {items}")  # noqa: S608
        found: list[tuple[int, ...]] = []
        counts: list[int] = []
        rounds: list[str] = []
        candidates = "SELECT -1 AS step, item, customer, day FROM path_visits"
        while len(rounds) < min(largest, size):
            before, item, n = self._frequent("step", "item", candidates)
            if not len(n):
                break
            first = len(found)
            pairs = zip(before.tolist(), item.tolist(), strict=True)
            found += [(*(found[step] if step >= 0 else ()), new) for step, new in pairs]
            counts += n.tolist()
            self._register("path_known", {"step": before, "item": item, "number": first + np.arange(len(n))})
            rounds.append(f"path_sets_{len(rounds)}")
            self._keep(
                rounds[-1],
                f"SELECT k.number AS step, k.item, c.customer, c.day FROM ({candidates}) c "  # noqa: S608
                "JOIN path_known k ON k.step = c.step AND k.item = c.item",
            )
            self._forget("path_known")
            candidates = (
                f"SELECT s.step, v.item, v.customer, v.day FROM {rounds[-1]} s "  # noqa: S608
                "JOIN path_visits v ON v.customer = s.customer AND v.day = s.day AND v.item > s.item"
            )
        ascending = sorted(range(len(found)), key=found.__getitem__)
        self._register("path_numbers", {"element": range(len(found)), "step": ascending})
        every = " UNION ALL ".join(f"SELECT step, customer, day FROM {name}" for name in rounds)  # noqa: S608
        every = every or "SELECT -1 AS step, customer, day FROM path_visits WHERE false"
        self._keep(
            "path_steps",
            f"SELECT n.element, s.customer, s.day FROM ({every}) s JOIN path_numbers n ON n.step = s.step",  # noqa: S608
        )
        members = [found[step] for step in ascending]
        return Elements(
            members=np.array([item for each in members for item in each], dtype=np.int64),
            member_starts=prefix_sums(np.array([len(each) for each in members], dtype=np.int64)),
            starts=np.zeros(len(found) + 1, dtype=np.int64),
            events=_NO_EVENTS,
            counts=np.array([counts[step] for step in ascending], dtype=np.int64),
        )

    def grown(self, elements: Elements) -> Trie:
        """All patterns as paths of elements, shorter ones first."""
        found, lengths = Trie(), elements.lengths
        node = found.add(-1, np.arange(len(elements)), elements.counts) + np.arange(len(elements))
        room = self._max_length - lengths
        day = "min(day)" if self._gaps.none else "day"
        by = "GROUP BY element, customer" if self._gaps.none else ""
        begun = f"SELECT element AS node, customer, {day} AS began, {day} AS ended FROM path_steps {by}"  # noqa: S608
        self._keep("path_ends_0", begun)
        self._register("path_lengths", {"element": range(len(elements)), "length": lengths})
        ends = "path_ends_0"
        for turn in range(1, self._max_length):
            if not (len(node) and room.max() >= lengths.min()):
                break
            self._register("path_room", {"node": node, "room": room})
            self._keep("path_grown", self._continued(ends))
            before, element, n = self._frequent("node", "element", "SELECT * FROM path_grown")
            new = found.add(before, element, n) + np.arange(len(n))
            room = room[np.searchsorted(node, before)] - lengths[element]
            self._register("path_known", {"before": before, "element": element, "node": new})
            following = f"path_ends_{turn}"
            self._keep(
                following,
                "SELECT k.node, g.customer, g.began, g.ended FROM path_grown g "
                "JOIN path_known k ON k.before = g.node AND k.element = g.element",
            )
            self._settle(following)
            for name in ("path_known", "path_grown", "path_room", ends):
                self._forget(name)
            node, ends = new, following
        return found

    def median_gaps(self, pairs: Whole, *, taken: Whole) -> np.ndarray:
        """For patterns of two steps the median, over the customers that hold it, of the days between them; else NaN.

        From the first visit with the first step that the second follows within the limits to the next such visit.
        """
        from patron.intelligence.insights.sequences_on_engine import medians

        found = np.full(len(taken), np.nan)
        two = np.flatnonzero(taken == 2)
        if not len(two):
            return found
        self._register("path_pairs", {"place": range(len(two)), "one": pairs[two, 0], "other": pairs[two, 1]})
        limits = self._limits("b.day", "a.day", "a.day")
        times = self._shopping.figures(
            f"""
            SELECT place, nearest % {_FAR} AS gap, count(*) AS n FROM (
                SELECT k.place, a.customer, min(a.day * {_FAR} + (b.day - a.day)) AS nearest
                FROM path_pairs k JOIN path_steps a ON a.element = k.one
                JOIN path_steps b ON b.element = k.other AND b.customer = a.customer AND {limits}
                GROUP BY k.place, a.customer
            ) times GROUP BY place, gap
            """  # noqa: S608
        )
        found[two] = medians(*times, size=len(two))
        return found

    def _continued(self, ends: str) -> str:
        if self._gaps.none:
            kept, by = "min(p.began) AS began, min(s.day) AS ended", "p.node, s.element, p.customer"
        else:
            kept, by = "max(p.began) AS began, s.day AS ended", "p.node, s.element, p.customer, s.day"
        return (
            f"SELECT p.node, s.element, p.customer, {kept} FROM {ends} p "  # noqa: S608
            "JOIN path_room r ON r.node = p.node "
            f"JOIN path_steps s ON s.customer = p.customer AND {self._limits('s.day', 'p.ended', 'p.began')} "
            f"JOIN path_lengths l ON l.element = s.element AND l.length <= r.room GROUP BY {by}"
        )

    def _limits(self, day: str, ended: str, began: str) -> str:
        gaps = self._gaps
        limits = [f"{day} > {ended}"]
        if gaps.min_gap > 0:
            limits.append(f"{day} - {ended} >= {gaps.min_gap!r}")
        if gaps.max_gap > 0:
            limits.append(f"{day} - {ended} <= {gaps.max_gap!r}")
        if gaps.within > 0:
            limits.append(f"{day} - {began} <= {gaps.within!r}")
        return " AND ".join(limits)

    def _frequent(self, before: str, new: str, candidates: str) -> list[Whole]:
        return self._shopping.figures(
            f"SELECT {before}, {new}, count(DISTINCT customer) AS n FROM ({candidates}) c GROUP BY {before}, {new} "  # noqa: S608
            f"HAVING count(DISTINCT customer) >= {self._min_count} ORDER BY {before}, {new}"
        )

    def _keep(self, name: str, query: str) -> None:
        self._engine.keep(name, query)
        self._kept.append(name)

    def _register(self, name: str, columns: dict[str, range | list[int] | Whole]) -> None:
        self._engine.register(name, wanted(columns))
        self._kept.append(name)

    def _forget(self, name: str) -> None:
        self._engine.unregister(name)
        self._kept.remove(name)

    def _settle(self, name: str) -> None:
        """Have a kept table worked out before those that it is made of are let go."""
        self._engine.rows(f"SELECT count(*) FROM {name}")  # noqa: S608


def _sequences(shopping: EngineShopping, level: str, size: int) -> Sequences:
    """The names and the number of the sequences; their events stay with the engine."""
    nothing = np.zeros(len(shopping.levels[level].names) + 1, dtype=np.int64)
    return Sequences(
        names=shopping.levels[level].names,
        starts=np.zeros(size + 1, dtype=np.int64),
        owner=_NO_EVENTS,
        time=np.empty(0),
        item_starts=nothing,
        events=_NO_EVENTS,
        dated=True,
    )
