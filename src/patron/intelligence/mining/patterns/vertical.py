"""Frequent itemsets by vertical bitsets.

Eclat (M. J. Zaki, Scalable Algorithms for Association Mining, IEEE TKDE 12(3), 2000): the items in ascending
frequency; all pairs by one sparse product; then, for each item, only the baskets that hold it, one bit a basket, and
depth first. A prefix is intersected with all its extensions in one go, so that the loop in Python runs over prefixes
and not over itemsets. Bits are packed anew as soon as most baskets of a prefix have dropped out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Whole, prefix_sums
from patron.intelligence.mining.patterns.itemsets import Itemsets
from patron.intelligence.mining.patterns.transactions import Baskets
from patron.intelligence.mining.patterns.trie import MOST_PATTERNS, Trie, ranges

Bits: TypeAlias = npt.NDArray[np.uint64]

_BLOCK_WORDS: Final = 1 << 17


def frequent_itemsets(baskets: Baskets, *, min_count: int, max_length: int = 0, most: int = MOST_PATTERNS) -> Itemsets:
    """Every set of items that at least ``min_count`` baskets hold, up to ``max_length`` items (0: of any length).

    Raises :class:`ParameterError` when there are more than ``most``.
    """
    counts = baskets.counts
    frequent = np.flatnonzero(counts >= min_count)
    order = frequent[np.lexsort((frequent, counts[frequent]))]
    found = Trie(most)
    found.add(-1, np.arange(len(order)), counts[order])
    if max_length != 1 and len(order) > 1:
        _extend(_Table.of(baskets, order), found, min_count, max_length or len(order))
    return Itemsets.of_trie(baskets.names, baskets.size, *found.arrays(), labels=order)


@dataclass(frozen=True, slots=True)
class _Table:
    """The frequent items by place in ascending frequency: per basket, per item, and how often each pair is together."""

    row_starts: Whole
    row_items: npt.NDArray[np.int32]
    item_starts: Whole
    item_rows: npt.NDArray[np.int32]
    pair_starts: Whole
    pair_items: npt.NDArray[np.int32]
    pair_counts: Whole

    @classmethod
    def of(cls, baskets: Baskets, order: Whole) -> _Table:
        from scipy import sparse  # half a second to load: only when something is computed

        lengths = np.diff(baskets.starts)[order]
        starts = prefix_sums(lengths)
        rows = baskets.holders[ranges(baskets.starts[order], lengths)]
        shape = (baskets.size, len(order))
        by_item = sparse.csc_array((np.ones(len(rows), dtype=np.int32), rows, starts), shape=shape)
        by_basket = by_item.tocsr()
        pairs = (by_basket.T @ by_basket).tocsr()
        pairs.sort_indices()
        return cls(by_basket.indptr, by_basket.indices, starts, rows, pairs.indptr, pairs.indices, pairs.data)

    def partners(self, item: int, min_count: int) -> tuple[Whole, Whole]:
        """The later items that are together with ``item`` often enough, and how often."""
        here = slice(self.pair_starts[item], self.pair_starts[item + 1])
        others, counts = self.pair_items[here], self.pair_counts[here]
        kept = (others > item) & (counts >= min_count)
        return others[kept].astype(np.int64), counts[kept].astype(np.int64)

    def bits(self, item: int, others: Whole) -> Bits:
        """One row for each of ``others``, one bit for each basket that holds ``item``."""
        rows = self.item_rows[self.item_starts[item] : self.item_starts[item + 1]]
        lengths = self.row_starts[rows + 1] - self.row_starts[rows]
        items = self.row_items[ranges(self.row_starts[rows], lengths)]
        place = np.full(len(self.item_starts), -1, dtype=np.int32)
        place[others] = np.arange(len(others))
        place = place[items]
        held = place >= 0
        flags = np.zeros((len(others), -(-len(rows) // 64) * 64), dtype=np.bool_)
        flags[place[held], np.repeat(np.arange(len(rows)), lengths)[held]] = True
        return np.packbits(flags, axis=1).view(np.uint64)


def _extend(table: _Table, found: Trie, min_count: int, max_length: int) -> None:
    for item in range(len(table.item_starts) - 1):
        others, counts = table.partners(item, min_count)
        if not len(others):
            continue
        first = found.add(item, others, counts)
        if len(others) > 1 and max_length > 2:
            _Search(found, min_count, max_length).below(first, others, counts, table.bits(item, others), 2)


@dataclass(slots=True)
class _Search:
    found: Trie
    min_count: int
    max_length: int

    def below(self, first: int, items: Whole, counts: Whole, bits: Bits, length: int) -> None:
        """Everything that begins with one of a prefix's extensions.

        They are the itemsets ``first``, ``first`` + 1, … of ``length`` items; ``bits`` are their baskets.
        """
        for place, later, together in self._pairs(bits):
            node = self.found.add(first + place, items[later], together)
            if len(later) > 1 and length + 1 < self.max_length:
                deeper = _narrowed(bits[later] & bits[place], bits[place], int(counts[place]))
                self.below(node, items[later], together, deeper, length + 1)

    def _pairs(self, bits: Bits) -> Iterator[tuple[int, Whole, Whole]]:
        """For each extension the later ones that are together with it often enough, and how often."""
        extensions, words = bits.shape
        block = max(1, _BLOCK_WORDS // (extensions * words))
        for start in range(0, extensions - 1, block):
            stop = min(start + block, extensions - 1)
            rest = bits[start + 1 :]
            together = np.bitwise_count(bits[start:stop, None, :] & rest[None, :, :]).sum(axis=2, dtype=np.int64)
            enough = together >= self.min_count
            for place in range(start, stop):
                row = place - start
                later = np.flatnonzero(enough[row, row:]) + row
                if len(later):
                    yield place, later + start + 1, together[row, later]


def _narrowed(bits: Bits, holders: Bits, count: int) -> Bits:
    """The same sets over the ``count`` baskets of ``holders`` alone, where that is worth the copying."""
    rows, words = bits.shape
    needed = -(-count // 64)
    if needed * 4 > words or words * rows < 64:
        return bits
    kept = np.flatnonzero(np.unpackbits(holders.view(np.uint8)))
    flags = np.zeros((rows, needed * 64), dtype=np.uint8)
    flags[:, : len(kept)] = np.unpackbits(bits.view(np.uint8), axis=1)[:, kept]
    return np.packbits(flags, axis=1).view(np.uint64)
