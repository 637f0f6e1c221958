"""Sequential patterns: prefix growth over places instead of copies.

PrefixSpan (J. Pei, J. Han et al., Mining Sequential Patterns by Pattern-Growth: The PrefixSpan Approach, IEEE TKDE
16(11), 2004), its pseudo-projection in arrays. First the frequent *elements* are found, the sets of items of one event
(as in R. Agrawal and R. Srikant, Mining Sequential Patterns, ICDE 1995); a pattern is then a path of elements, and a
prefix is known by the place in each sequence where its first occurrence ends. It can be continued by element x in the
sequences in which x happens last after that place: one comparison of two rows of bytes for all sequences at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Whole, prefix_sums
from patron.intelligence.mining.patterns.events import Elements, Sequences
from patron.intelligence.mining.patterns.trie import MOST_PATTERNS, UNLIMITED, Trie

Places: TypeAlias = npt.NDArray[Any]

TABLE_BYTES: Final = 256 << 20
_BLOCK_BYTES: Final = 1 << 19


def grow(
    sequences: Sequences,
    elements: Elements,
    *,
    min_count: int,
    max_length: int = 0,
    most: int = MOST_PATTERNS,
    table_bytes: int = TABLE_BYTES,
) -> Trie:
    """All patterns that at least ``min_count`` sequences hold, as paths of ``elements``; whatever time lies between.

    ``max_length`` limits their items (0: any number). ``table_bytes`` is the memory spent on looking up where an
    element happens next.
    """
    found = Trie(most)
    if not len(elements):
        return found
    search = _Search(found, _Follow.of(sequences, elements, table_bytes), elements.lengths, min_count)
    everyone = np.arange(sequences.size)
    last = search.follow.last()
    first = found.add(-1, np.arange(len(elements)), elements.counts)
    start = np.zeros(sequences.size, dtype=last.dtype)
    search.below(first, np.arange(len(elements)), everyone, start, last, max_length or UNLIMITED)
    return found


def following(sequences: Sequences, elements: Elements) -> Whole:
    """[element, element] → in how many sequences the second happens some time after the first."""
    follow = _Follow.of(sequences, elements, table_bytes=0)
    every, everyone = np.arange(len(elements)), np.arange(sequences.size)
    first = follow.next(every, everyone, np.zeros(sequences.size, dtype=follow.kind))
    return _supports(first, follow.last())


@dataclass(frozen=True, slots=True)
class _Search:
    found: Trie
    follow: _Follow
    lengths: Whole
    min_count: int

    def below(self, node: int, steps: Whole, who: Whole, ends: Places, last: Places, left: int) -> None:
        """Everything that begins with a prefix and one of its continuations.

        The prefix ends at ``ends`` in the sequences ``who``; the patterns ``node``, ``node`` + 1, … continue it by
        ``steps``, which happen last at ``last`` [step, sequence]. ``left`` items more are allowed.
        """
        after = self.follow.next(steps, who, ends)
        room = left - self.lengths[steps]
        supports = _supports(after, last)
        enough = (supports >= self.min_count) & (self.lengths[steps][None, :] <= room[:, None])
        places, next_steps = np.nonzero(enough)
        if not len(places):
            return
        first = self.found.add(node + places, steps[next_steps], supports[places, next_steps])
        begins = np.searchsorted(places, np.arange(len(steps) + 1))
        shortest = int(self.lengths[steps].min())
        for place in np.unique(places):
            chosen = next_steps[begins[place] : begins[place + 1]]
            if room[place] < 2 * shortest:
                continue  # nothing can follow those
            mine, deeper = after[place], (first + int(begins[place]), steps[chosen])
            still = np.flatnonzero(mine != self.follow.never)
            if len(still) * 4 < len(who) * 3:
                self.below(*deeper, who[still], mine[still], last[np.ix_(chosen, still)], int(room[place]))
            else:
                self.below(*deeper, who, mine, last[chosen], int(room[place]))


def _supports(after: Places, last: Places) -> Whole:
    """[continuation, next continuation] → in how many sequences the next one happens after it."""
    steps, who = last.shape
    supports = np.empty((steps, steps), dtype=np.int64)
    block = max(1, _BLOCK_BYTES // max(steps * who, 1))
    for start in range(0, steps, block):
        later = last[None, :, :] > after[start : start + block, None, :]
        packed = np.packbits(later, axis=2)
        supports[start : start + block] = np.bitwise_count(packed).sum(axis=2, dtype=np.int64)
    return supports


@dataclass(frozen=True, slots=True)
class _Follow:
    """Where an element happens next after a place of a sequence; places count from 1, 0 is before the first.

    ``slots[s]`` is the slot of place 0 of sequence s; ``table`` [element, slot], where it fits into the memory allowed,
    holds the place of the next event with the element, or ``never``.
    """

    sequences: Sequences
    elements: Elements
    place: Whole
    slots: Whole
    never: int
    table: Places | None

    @classmethod
    def of(cls, sequences: Sequences, elements: Elements, table_bytes: int) -> _Follow:
        longest = int(np.diff(sequences.starts).max(initial=0))
        kind = np.min_scalar_type(longest + 1)
        never = int(np.iinfo(kind).max)
        slots = sequences.starts[:-1] + np.arange(sequences.size)
        width = len(sequences.owner) + sequences.size + 1
        fits = len(elements) * width * kind.itemsize <= table_bytes
        bare = cls(sequences, elements, sequences.place, slots, never, None)
        table = None
        if fits:
            table = np.empty((len(elements), width), dtype=kind)
            for element in range(len(elements)):
                bare._fill(table[element], element)
        return cls(sequences, elements, bare.place, slots, never, table)

    @property
    def kind(self) -> np.dtype[Any]:
        """The narrowest type that holds every place and ``never``: narrow rows compare fast."""
        return np.min_scalar_type(self.never)

    def last(self) -> Places:
        """[element, sequence] → the place where it happens last, 0 where it does not."""
        last = np.zeros((len(self.elements), self.sequences.size), dtype=self.kind)
        of = np.repeat(np.arange(len(self.elements)), np.diff(self.elements.starts))
        # Events ascend within an element, so that of several assignments the last one stays.
        last[of, self.sequences.owner[self.elements.events]] = self.place[self.elements.events]
        return last

    def next(self, elements: Whole, who: Whole, after: Places) -> Places:
        """[element, sequence] → the next place with the element after ``after``, else ``never``."""
        found = np.empty((len(elements), len(who)), dtype=self.kind)
        if self.table is not None:
            # Who does not hold the prefix looks into the last slot, which leads nowhere.
            slots = np.where(after == self.never, self.table.shape[1] - 1, self.slots[who] + after)
            for row, element in enumerate(elements):
                np.take(self.table[element], slots, out=found[row], mode="clip")
            return found
        starts, ends = self.sequences.starts[who], self.sequences.starts[who + 1]
        for row, element in enumerate(elements):
            events = self.elements.events_of(element)
            # Place p is event start + p − 1, so the events after it begin at start + p.
            at = np.searchsorted(events, starts + after)
            event = np.append(events, len(self.place))[at]
            found[row] = np.where(event < ends, event - starts + 1, self.never)
        return found

    def _fill(self, row: Places, element: int) -> None:
        """The slots before each event of the element lead to it; those after its last one in a sequence to nothing."""
        events = self.elements.events_of(element)
        owner, place = self.sequences.owner[events], self.place[events]
        row[:] = self.never
        new = np.ones(len(events), dtype=np.bool_)
        new[1:] = owner[1:] != owner[:-1]
        before = np.where(new, 0, np.append(0, place[:-1]))
        lengths = place - before
        starts = self.slots[owner] + before
        total = prefix_sums(lengths)
        slots = np.arange(total[-1]) + np.repeat(starts - total[:-1], lengths)
        row[slots] = np.repeat(place, lengths)
