"""Sequential patterns whose steps must not lie too near together or too far apart.

GSP's time constraints (R. Srikant and R. Agrawal, Mining Sequential Patterns: Generalizations and Performance
Improvements, EDBT 1996): at least ``min_gap`` and at most ``max_gap`` from one step to the next, all steps ``within``
so much time from first to last. With them the first occurrence of a prefix is not enough, because only a later one may
be near enough to what follows; so every event at which the prefix can end is kept, with the latest start from which it
can be reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole, prefix_sums
from patron.intelligence.mining.patterns.events import Elements, Sequences, sequences_of_each
from patron.intelligence.mining.patterns.prefixspan import following
from patron.intelligence.mining.patterns.trie import MOST_PATTERNS, UNLIMITED, Trie


@dataclass(frozen=True, slots=True)
class Gaps:
    """Limits of time, in the unit of the positions (days for dates); 0 is no limit."""

    min_gap: float = 0.0
    max_gap: float = 0.0
    within: float = 0.0

    @property
    def none(self) -> bool:
        """Whether any later event will do."""
        return not (self.min_gap > 0 or self.max_gap > 0 or self.within > 0)

    @property
    def farthest(self) -> float:
        """No two steps that follow each other are farther apart."""
        return min(self.max_gap or np.inf, self.within or np.inf)


def grow_within(
    sequences: Sequences,
    elements: Elements,
    gaps: Gaps,
    *,
    min_count: int,
    max_length: int = 0,
    most: int = MOST_PATTERNS,
) -> Trie:
    """All patterns that at least ``min_count`` sequences hold within ``gaps``, as paths of ``elements``."""
    found = Trie(most)
    search = _Search(found, sequences, elements, gaps, windows(sequences, gaps), min_count)
    steps = np.arange(len(elements))
    first = found.add(-1, steps, elements.counts)
    # What does not follow often enough in any time does not follow within the gaps.
    follows = following(sequences, elements) >= min_count
    begun = []
    for step in range(len(elements)):
        ends = elements.events_of(step)
        room = (max_length or UNLIMITED) - int(elements.lengths[step])
        grown = search.continued(_Prefix(first + step, ends, sequences.time[ends], room), np.flatnonzero(follows[step]))
        begun.append(grown)
    # What follows an element at the end of a long pattern also follows it in the pattern of those two alone.
    partners = [grown.steps for grown in begun]
    for grown in begun:
        search.below(grown, partners)
    return found


def windows(sequences: Sequences, gaps: Gaps) -> tuple[Whole, Whole]:
    """For each event the first and the last + 1 of the earlier events that may be the step before it."""
    time, place = sequences.time, np.arange(len(sequences.owner))
    starts = sequences.starts[:-1][sequences.owner]
    first = starts
    if np.isfinite(gaps.farthest):
        first = _first_where(starts, place, lambda earlier, event: time[event] - time[earlier] <= gaps.farthest)
    until = place
    if gaps.min_gap > 0:
        until = _first_where(starts, place, lambda earlier, event: time[event] - time[earlier] < gaps.min_gap)
    return first, until


def _first_where(low: Whole, high: Whole, holds: Callable[[Whole, Whole], Flags]) -> Whole:
    """For each event the first of ``low`` to ``high`` − 1 for which ``holds`` (and then for all later), else ``high``.

    Halving for all events at once; differences of times are compared as they are, without rounding.
    """
    event = np.arange(len(high))
    low, high = low.copy(), high.copy()
    while (open_ := low < high).any():
        middle = (low + high) // 2
        yes = holds(middle, event)
        high = np.where(open_ & yes, middle, high)
        low = np.where(open_ & ~yes, middle + 1, low)
    return low


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A pattern, the events at which it can end, the latest start for each, and how many items may follow."""

    node: int
    ends: Whole
    began: Real
    room: int


@dataclass(frozen=True, slots=True)
class _Grown:
    """A prefix's frequent continuations: the steps, and the prefixes that they make."""

    steps: Whole
    prefixes: list[_Prefix]


@dataclass(frozen=True, slots=True)
class _Search:
    found: Trie
    sequences: Sequences
    elements: Elements
    gaps: Gaps
    earlier: tuple[Whole, Whole]
    min_count: int

    def below(self, grown: _Grown, partners: list[Whole]) -> None:
        """Everything that begins with one of these continuations."""
        for step, prefix in zip(grown.steps, grown.prefixes, strict=True):
            if len(partners[step]) and prefix.room:
                self.below(self.continued(prefix, partners[step]), partners)

    def continued(self, prefix: _Prefix, candidates: Whole) -> _Grown:
        """The candidates that follow often enough; they are added to what was found."""
        lengths = self.elements.lengths
        candidates = candidates[lengths[candidates] <= prefix.room]
        reached, began = self._reached(prefix)
        held = [self.elements.events_of(candidate) for candidate in candidates]
        held = [events[reached[events]] for events in held]
        events = np.concatenate([np.empty(0, dtype=np.int64), *held])
        of = np.repeat(np.arange(len(held)), [len(each) for each in held])
        counts = sequences_of_each(of, events, self.sequences.owner, len(candidates))
        enough = np.flatnonzero(counts >= self.min_count)
        first = self.found.add(prefix.node, candidates[enough], counts[enough])
        bounds = np.searchsorted(of, enough), np.searchsorted(of, enough, side="right")
        prefixes = []
        for place, (begin, end) in enumerate(zip(*bounds, strict=True)):
            ends = events[begin:end]
            room = prefix.room - int(lengths[candidates[enough[place]]])
            prefixes.append(_Prefix(first + place, ends, began[ends], room))
        return _Grown(candidates[enough], prefixes)

    def _reached(self, prefix: _Prefix) -> tuple[Flags, Real]:
        """For each event whether the prefix can be continued there, and the latest start that leads to it."""
        time = self.sequences.time
        mark = np.zeros(len(time), dtype=np.bool_)
        mark[prefix.ends] = True
        before = prefix_sums(mark)
        low, high = before[self.earlier[0]], before[self.earlier[1]]
        reached = high > low
        began = time
        if self.gaps.within > 0:
            began = np.full(len(time), -np.inf)
            began[reached] = _highest(prefix.began, low[reached], high[reached])
            reached &= time - began <= self.gaps.within
        return reached, began


def _highest(values: Real, low: Whole, high: Whole) -> Real:
    """The highest of ``values[low:high]`` for each pair with low < high: two overlapping powers of two cover it."""
    power = np.frexp(high - low)[1] - 1
    table = [values]
    for step in range(int(power.max(initial=0))):
        longer = table[-1].copy()
        longer[: -(1 << step)] = np.maximum(longer[: -(1 << step)], table[-1][1 << step :])
        table.append(longer)
    levels = np.stack(table)
    highest: Real = np.maximum(levels[power, low], levels[power, high - (1 << power.astype(np.int64))])
    return highest
