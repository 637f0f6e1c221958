"""A, then B within n days: counted by occasion, beside any occasion, and beside the same people's other occasions.

An *occasion* is an event of a sequence that is at least n before the end of what is known (what follows a later one is
not known yet). For items A ≠ B::

    occasions  = occasions with A
    followed   = those of them with B in an event of the same sequence later, and at most n later
    confidence = followed / occasions
    usual      = share of all occasions, whatever they held, that B follows so
    lift       = confidence / usual
    expected   = Σ over those with A of the sequence's own share of occasions that B follows so
    own_lift   = followed / expected

The two lifts answer two questions. ``lift``: is whoever has just bought A a better person to tell of B than anybody
else? ``own_lift``: is it the moment, or the person? Where it is 1, the buyers of A like B and buy it as often at any
other time; where it is above 1, A itself goes before B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole
from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.trie import ranges

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BLOCK: Final = 4096


@dataclass(frozen=True, slots=True)
class Following:
    """One row per pair: codes of ``first`` and ``then``, and the figures of the formula above.

    ``sequences`` is how many sequences have such an occasion that was followed.
    """

    first: Whole
    then: Whole
    occasions: Whole
    followed: Whole
    usual: Real
    expected: Real
    sequences: Whole

    @property
    def confidence(self) -> Real:
        """Of the occasions with the first item, the share that the second one follows."""
        each: Real = self.followed / self.occasions
        return each

    @property
    def lift(self) -> Real:
        """How many times as often as after any occasion of anybody."""
        each: Real = self.confidence / self.usual
        return each

    @property
    def own_lift(self) -> Real:
        """How many times as often as after any occasion of the same sequences."""
        each: Real = self.followed / self.expected
        return each


def following(data: Sequences, *, within: float, until: float, min_sequences: int) -> Following:
    """Every pair that at least ``min_sequences`` sequences hold within ``within``; by first, then by second item.

    ``until`` is the last position that is known; occasions after ``until`` − ``within`` are left out.
    """
    from scipy import sparse

    events, items = len(data.owner), len(data.names)
    item = np.repeat(np.arange(items), np.diff(data.item_starts))
    holds = sparse.csr_array((np.ones(len(item), dtype=np.int32), (data.events, item)), shape=(events, items))
    occasions = np.flatnonzero(data.time <= until - within)
    then = (_later(data, occasions, within) @ holds).tocsr()
    then.data[:] = 1
    first, owner = holds[occasions], data.owner[occasions]
    together = (first.T @ then).tocoo()
    chosen = (together.row != together.col) & (together.data >= min_sequences)
    a, b, followed = (each[chosen].astype(np.int64) for each in (together.row, together.col, together.data))
    sequences = _sequences(first, then, owner, a, b)
    rows = np.flatnonzero(sequences >= min_sequences)
    rows = rows[np.lexsort((b[rows], a[rows]))]
    return Following(
        first=a[rows],
        then=b[rows],
        occasions=np.asarray(first.sum(axis=0), dtype=np.int64)[a[rows]],
        followed=followed[rows],
        usual=np.asarray(then.sum(axis=0), dtype=np.float64)[b[rows]] / max(len(occasions), 1),
        expected=_expected(first, then, owner, data.size)[a[rows], b[rows]],
        sequences=sequences[rows],
    )


def median_gap(data: Sequences, first: int, then: int, *, within: float, until: float) -> float:
    """The median time, over the occasions with ``first`` that ``then`` follows, to the next event with it."""
    starts = data.events[data.item_starts[first] : data.item_starts[first + 1]]
    starts = starts[data.time[starts] <= until - within]
    followers = data.events[data.item_starts[then] : data.item_starts[then + 1]]
    at = np.searchsorted(followers, starts, side="right")
    starts, at = starts[at < len(followers)], at[at < len(followers)]
    ends = followers[at]
    gap = data.time[ends] - data.time[starts]
    fits = (data.owner[ends] == data.owner[starts]) & (gap <= within)
    return float(np.median(gap[fits])) if fits.any() else float("nan")


def _later(data: Sequences, occasions: Whole, within: float) -> csr_array:
    """[occasion, event] → 1 for the later events of its sequence that are at most ``within`` later."""
    from scipy import sparse

    ends = data.starts[1:][data.owner[occasions]]
    low, high = occasions + 1, ends
    while (open_ := low < high).any():
        middle = np.minimum((low + high) // 2, len(data.time) - 1)
        near = data.time[middle] - data.time[occasions] <= within
        low = np.where(open_ & near, middle + 1, low)
        high = np.where(open_ & ~near, middle, high)
    lengths = low - occasions - 1
    starts = np.concatenate(([0], np.cumsum(lengths)))
    events = ranges(occasions + 1, lengths)
    shape = (len(occasions), len(data.time))
    return sparse.csr_array((np.ones(len(events), dtype=np.int32), events, starts), shape=shape)


def _sequences(first: csr_array, then: csr_array, owner: Whole, a: Whole, b: Whole) -> Whole:
    """For each pair, in how many sequences an occasion with a was followed by b."""
    from scipy import sparse

    columns = first.tocsc()
    counts = np.zeros(len(a), dtype=np.int64)
    order = np.argsort(a, kind="stable")
    bounds = np.searchsorted(a[order], np.arange(first.shape[1] + 1))
    for item in np.unique(a):
        rows = np.sort(columns.indices[columns.indptr[item] : columns.indptr[item + 1]])
        who = owner[rows]
        new = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
        group = sparse.csr_array(
            (np.ones(len(rows), dtype=np.int32), np.arange(len(rows)), np.append(new, len(rows))),
            shape=(len(new), len(rows)),
        )
        each = np.bincount((group @ then[rows]).indices, minlength=first.shape[1])
        pairs = order[bounds[item] : bounds[item + 1]]
        counts[pairs] = each[b[pairs]]
    return counts


def _expected(first: csr_array, then: csr_array, owner: Whole, size: int) -> Real:
    """[A, B] → how often B would follow A if it followed every occasion of a sequence as often as those with A."""
    from scipy import sparse

    items = first.shape[1]
    expected = np.zeros((items, items))
    group = sparse.csr_array((np.ones(len(owner), dtype=np.int32), (owner, np.arange(len(owner)))), (size, len(owner)))
    occasions = np.maximum(np.bincount(owner, minlength=size), 1)
    counts, rates = (group @ first).tocsr(), (group @ then).tocsr()
    for start in range(0, size, _BLOCK):
        block = slice(start, start + _BLOCK)
        rate = rates[block].toarray() / occasions[block, None]
        expected += counts[block].toarray().astype(np.float64).T @ rate
    return expected
