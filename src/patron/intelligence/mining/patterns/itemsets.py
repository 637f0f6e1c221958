"""Frequent itemsets as arrays: looked up exactly, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Whole, prefix_sums


@dataclass(frozen=True, slots=True)
class Level:
    """The itemsets of one length k. ``members`` has a row of k ascending codes each, the rows ascending.

    ``keys`` find an itemset: place of its first k − 1 items in the level below × number of names + its last item.
    """

    members: Whole
    counts: Whole
    keys: Whole

    @property
    def length(self) -> int:
        """How many items each has."""
        return int(self.members.shape[1])


@dataclass(frozen=True, slots=True)
class Itemsets:
    """Every frequent itemset of ``size`` baskets, by length; ``names`` are the items, ascending, a code is a place."""

    names: pa.Array
    size: int
    levels: tuple[Level, ...]

    def __len__(self) -> int:
        return sum(len(level.counts) for level in self.levels)

    @classmethod
    def of_trie(
        cls, names: pa.Array, size: int, prefix: Whole, item: Whole, count: Whole, *, labels: Whole
    ) -> Itemsets:
        """From a prefix tree: itemset i is itemset ``prefix[i]`` (−1: the empty one) and one item more.

        ``labels`` are the codes of the tree's items.
        """
        levels = []
        nodes, members = np.flatnonzero(prefix < 0), np.empty((0, 0), dtype=np.int64)
        members = labels[item[nodes]][:, None]
        place = np.full(len(prefix), -1, dtype=np.int64)
        while len(nodes):
            levels.append((members, count[nodes]))
            place[nodes] = np.arange(len(nodes))
            deeper = np.flatnonzero((prefix >= 0) & (place[np.maximum(prefix, 0)] >= 0))
            members = np.column_stack((members[place[prefix[deeper]]], labels[item[deeper]]))
            place[nodes] = -1
            nodes = deeper
        return cls(names, size, _levels(len(names), levels))

    @classmethod
    def of_codes(cls, names: pa.Array, size: int, found: Sequence[tuple[Whole, Whole]]) -> Itemsets:
        """From the itemsets of each length, one item first: rows of codes, and their counts.

        Nothing follows a length without any.
        """
        there = [len(counts) for _, counts in found]
        return cls(names, size, _levels(len(names), found[: there.index(0) if 0 in there else len(there)]))

    @classmethod
    def of_lists(cls, items: Sequence[Sequence[str]], counts: Sequence[int], size: int) -> Itemsets:
        """From itemsets as lists of names, whoever found them. With each set its subsets must be there too."""
        flat = pa.array([name for each in items for name in each], pa.string())
        names = pc.unique(flat).sort()
        code = pc.index_in(flat, names).to_numpy(zero_copy_only=False).astype(np.int64)
        lengths = np.fromiter((len(each) for each in items), np.int64, len(items))
        starts, count = prefix_sums(lengths)[:-1], np.asarray(counts, dtype=np.int64)
        levels = []
        for length in range(1, int(lengths.max(initial=0)) + 1):
            here = np.flatnonzero(lengths == length)
            levels.append((code[starts[here][:, None] + np.arange(length)], count[here]))
        return cls(names, size, _levels(len(names), levels))

    def table(self) -> pa.Table:
        """``items`` (list of names), ``length``, ``support``, ``count``: the most frequent first, then by name."""
        lengths = np.concatenate([np.full(len(level.counts), level.length) for level in self.levels] or [_NONE])
        counts = np.concatenate([level.counts for level in self.levels] or [_NONE])
        flat = np.concatenate([level.members.ravel() for level in self.levels] or [_NONE])
        order = np.lexsort((np.arange(len(counts)), lengths, -counts))
        items = lists(self.names, flat, lengths).take(pa.array(order))
        support = counts[order] / max(self.size, 1)
        return pa.table({
            "items": items, "length": pa.array(lengths[order].astype(np.int32)),
            "support": pa.array(support, pa.float64()), "count": pa.array(counts[order]),
        })  # fmt: skip

    def without(self, level: int, position: int) -> Whole:
        """For each itemset of ``levels[level]`` the place in the level below of the set without that item.

        ``position`` counts its items from 0. Raises ``KeyError`` when a subset of a frequent itemset is not there.
        """
        members = self.levels[level].members
        rest = [place for place in range(members.shape[1]) if place != position]
        return self.places(members[:, rest])

    def places(self, members: Whole) -> Whole:
        """Where the itemsets (rows of ascending codes) stand in the level of their length."""
        found = np.zeros(len(members), dtype=np.int64)
        for depth in range(members.shape[1]):
            keys = self.levels[depth].keys
            wanted = found * len(self.names) + members[:, depth]
            found = np.searchsorted(keys, wanted)
            if len(wanted) and not np.array_equal(keys[np.minimum(found, len(keys) - 1)], wanted):
                raise KeyError("a subset of a frequent itemset is missing")
        return found


_NONE: Whole = np.empty(0, dtype=np.int64)


def _levels(names: int, found: Sequence[tuple[Whole, Whole]]) -> tuple[Level, ...]:
    levels: list[Level] = []
    for members, counts in found:
        rows = np.sort(members, axis=1)
        order = np.lexsort(rows.T[::-1])
        rows, count = rows[order], counts[order]
        below = Itemsets(pa.nulls(names), 0, tuple(levels)).places(rows[:, :-1])
        levels.append(Level(rows, count, below * names + rows[:, -1]))
    return tuple(levels)


def lists(names: pa.Array, codes: npt.NDArray[np.int64], lengths: Whole) -> pa.Array:
    """Lists of names: the first ``lengths[0]`` codes make the first, and so on."""
    offsets = pa.array(prefix_sums(lengths).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, names.take(pa.array(codes)))
