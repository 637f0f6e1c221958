"""Sequential patterns as a table, with what follows what, how often and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole, decimals, half_up, prefix_sums
from patron.intelligence.mining.patterns.events import Elements, Sequences, frequent_elements
from patron.intelligence.mining.patterns.gaps import Gaps, grow_within
from patron.intelligence.mining.patterns.prefixspan import grow
from patron.intelligence.mining.patterns.trie import MOST_PATTERNS, UNLIMITED, Trie, ranges
from patron.intelligence.mining.sentences import Piece, Template, sentences

REASON_CODES: Final = ("one_step", "steps", "two_steps")


@dataclass(frozen=True, slots=True)
class Patterns:
    """What was found: pattern i is pattern ``prefix[i]`` (−1: none) and one step more; ``steps`` has each whole path.

    ``steps`` has a row per pattern: the numbers of its elements, −1 after the last. Rows: most frequent first, then
    those with fewer items, with fewer steps, and by name.
    """

    sequences: Sequences
    elements: Elements
    gaps: Gaps
    prefix: Whole
    steps: Whole
    counts: Whole

    def __len__(self) -> int:
        return len(self.counts)


def sequential_patterns(
    sequences: Sequences,
    *,
    min_count: int,
    max_length: int = 0,
    max_step: int = 0,
    gaps: Gaps = Gaps(),  # noqa: B008 (frozen)
    most: int = MOST_PATTERNS,
) -> Patterns:
    """Every pattern that at least ``min_count`` sequences hold within ``gaps``, up to ``max_length`` items (0: any).

    ``max_step`` limits the items of one step (0: any number).

    A pattern is a list of steps; a step is a set of items of one event; a sequence holds it when it has events in that
    order that include the steps. Raises :class:`ParameterError` when there are more than ``most``.
    """
    largest = min(max_length or UNLIMITED, max_step or UNLIMITED)
    elements = frequent_elements(sequences, min_count=min_count, max_length=largest)
    if gaps.none:
        found = grow(sequences, elements, min_count=min_count, max_length=max_length, most=most)
    else:
        found = grow_within(sequences, elements, gaps, min_count=min_count, max_length=max_length, most=most)
    return in_order(sequences, elements, gaps, found)


def in_order(sequences: Sequences, elements: Elements, gaps: Gaps, found: Trie) -> Patterns:
    """What a search found, as patterns in their order."""
    prefix, step, count = found.arrays()
    steps, rank = _paths(prefix, step, len(elements))
    length = np.append(elements.lengths, 0)[steps].sum(axis=1)
    order = np.lexsort((rank, (steps >= 0).sum(axis=1), length, -count))
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    return Patterns(sequences, elements, gaps, place[prefix[order]], steps[order], count[order])


def patterns_table(patterns: Patterns, *, median_gap: Real | None = None) -> pa.Table:
    """One row per pattern.

    ``pattern`` (list of steps, each a list of names), ``length`` (its items), ``steps``, ``support``, ``count``; from
    two steps on ``confidence`` (of the sequences with all steps but the last, those that go on to it) and ``lift``
    (confidence ÷ support of the last step); for two steps ``median_gap`` (the typical time between them);
    ``reason_code``, ``reason``. ``median_gap`` stands in for :func:`median_gaps` where the events are not here.
    """
    size = max(patterns.sequences.size, 1)
    taken = (patterns.steps >= 0).sum(axis=1)
    length = np.append(patterns.elements.lengths, 0)[patterns.steps].sum(axis=1)
    confidence, lift = _strength(patterns, taken)
    gap = median_gaps(patterns) if median_gap is None else median_gap
    known = np.isfinite(gap)
    single = taken == 1
    code = np.where(single, 0, np.where(known, 2, 1)).astype(np.int8)
    return pa.table({
        "pattern": _pattern_lists(patterns, taken),
        "length": pa.array(length.astype(np.int32)),
        "steps": pa.array(taken.astype(np.int32)),
        "support": pa.array(patterns.counts / size),
        "confidence": pa.array(confidence, mask=single),
        "lift": pa.array(lift, mask=single),
        "median_gap": pa.array(gap, mask=~known),
        "count": pa.array(patterns.counts),
        "reason_code": pa.array(REASON_CODES).take(pa.array(code)),
        "reason": _reasons(patterns, code, confidence, gap),
    })  # fmt: skip


def _paths(prefix: Whole, step: Whole, elements: int) -> tuple[Whole, Whole]:
    """Each pattern's steps, and its rank among those with as many steps."""
    depth = np.ones(len(prefix), dtype=np.int64)
    rank = np.zeros(len(prefix), dtype=np.int64)
    levels = []
    nodes = np.flatnonzero(prefix < 0)
    above = np.zeros(len(nodes), dtype=np.int64)
    inside = np.zeros(len(prefix) + 1, dtype=np.bool_)
    while len(nodes):
        order = np.argsort(above * max(elements, 1) + step[nodes])
        rank[nodes[order]] = np.arange(len(nodes))
        levels.append(nodes)
        inside[:] = False
        inside[nodes] = True
        nodes = np.flatnonzero(inside[prefix])
        above = rank[prefix[nodes]]
        depth[nodes] = len(levels) + 1
    steps = np.full((len(prefix), max(len(levels), 1)), -1, dtype=np.int64)
    for level, nodes in enumerate(levels):
        if level:
            steps[nodes, :level] = steps[prefix[nodes], :level]
        steps[nodes, level] = step[nodes]
    return steps, rank


def _strength(patterns: Patterns, taken: Whole) -> tuple[Real, Real]:
    size = max(patterns.sequences.size, 1)
    counts = np.append(patterns.counts, size)
    last = patterns.steps[np.arange(len(patterns)), taken - 1]
    before = counts[patterns.prefix]
    confidence = patterns.counts / before
    lift = patterns.counts * size / (before * patterns.elements.counts[last])
    return confidence, lift


def median_gaps(patterns: Patterns) -> Real:
    """For patterns of two steps the median, over the sequences that hold it, of the time between them; else NaN.

    Counted from the first event with the first step that the second follows within the gaps, to the next such event.
    """
    gaps = np.full(len(patterns), np.nan)
    width = patterns.steps.shape[1]
    if width < 2:
        return gaps
    two = (patterns.steps[:, 1] >= 0) & (patterns.steps[:, 2] < 0 if width > 2 else True)
    times = _Times(patterns.sequences, patterns.elements, patterns.gaps)
    for place in np.flatnonzero(two):
        gaps[place] = np.median(times.between(int(patterns.steps[place, 0]), int(patterns.steps[place, 1])))
    return gaps


@dataclass(frozen=True, slots=True)
class _Times:
    sequences: Sequences
    elements: Elements
    gaps: Gaps

    def between(self, first: int, then: int) -> Real:
        """One time for each sequence that holds the two steps."""
        time, owner = self.sequences.time, self.sequences.owner
        starts, followers = self.elements.events_of(first), np.append(self.elements.events_of(then), len(time))
        if self.gaps.none:
            starts = starts[np.append(True, owner[starts[1:]] != owner[starts[:-1]])]
        at = np.searchsorted(followers, starts, side="right")
        ends = followers[at]
        owners = np.append(owner, -1)
        times = np.append(time, np.inf)
        if self.gaps.min_gap > 0:
            near = (owners[ends] == owner[starts]) & (times[ends] - time[starts] < self.gaps.min_gap)
            while near.any():
                at = at + near
                ends = followers[at]
                near = (owners[ends] == owner[starts]) & (times[ends] - time[starts] < self.gaps.min_gap)
        gap = times[ends] - time[starts]
        fits = (owners[ends] == owner[starts]) & (gap <= self.gaps.farthest)
        who, gap = owner[starts][fits], gap[fits]
        new = np.ones(len(who), dtype=np.bool_)
        new[1:] = who[1:] != who[:-1]
        each: Real = gap[new]
        return each


def _pattern_lists(patterns: Patterns, taken: Whole) -> pa.Array:
    elements = patterns.elements
    flat = patterns.steps[patterns.steps >= 0]
    lengths = elements.lengths[flat]
    items = elements.members[ranges(elements.member_starts[flat], lengths)]
    names = patterns.sequences.names.take(pa.array(items))
    inner = pa.ListArray.from_arrays(pa.array(prefix_sums(lengths).astype(np.int32)), names)
    return pa.ListArray.from_arrays(pa.array(prefix_sums(taken).astype(np.int32)), inner)


def _reasons(patterns: Patterns, code: np.ndarray, confidence: Real, gap: Real) -> pa.Array:
    size = patterns.sequences.size
    support = decimals(half_up(patterns.counts / max(size, 1) * 1000), scale=1)
    onward = decimals(half_up(confidence * 1000), scale=1)
    unit = " days." if patterns.sequences.dated else "."
    usually = decimals(half_up(np.nan_to_num(gap) * 10), scale=1)

    def start(rows: Whole) -> list[Piece]:
        where = pa.array(rows)
        return ["Found in ", pa.array(patterns.counts[rows]), f" of {size} sequences (", support.take(where), " %)"]

    def goes_on(rows: Whole) -> list[Piece]:
        return ["; of those with the steps before, ", onward.take(pa.array(rows)), " % go on to the last"]

    templates: dict[int, Template] = {
        0: lambda rows: [*start(rows), "."],
        1: lambda rows: [*start(rows), *goes_on(rows), "."],
        2: lambda rows: [*start(rows), *goes_on(rows), ", usually after ", usually.take(pa.array(rows)), unit],
    }
    return sentences(code, templates)
