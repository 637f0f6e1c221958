"""Baskets as the pattern miners see them: sorted item names, and for each item the baskets that hold it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Whole, Whole32, prefix_sums
from patron.intelligence.mining.errors import ParameterError

_SUPPORT = re.compile(r"(?P<number>\d+|\d*\.\d+|\d+\.|\d+(?:\.\d*)?[eE]-?\d+)\s*(?P<percent>%?)")


@dataclass(frozen=True, slots=True)
class Baskets:
    """Sets of items. ``names`` are the items, distinct and ascending as text; an item's code is its place there.

    ``holders`` are the baskets (0 to ``size`` − 1, ascending) that hold item 0, then those that hold item 1, …; those
    of item i are ``holders[starts[i]:starts[i + 1]]``. ``dropped`` rows had no basket or no item.
    """

    names: pa.Array
    starts: Whole
    holders: Whole32
    size: int
    dropped: int = 0

    @classmethod
    def of(cls, basket: pa.Array | pa.ChunkedArray, item: pa.Array | pa.ChunkedArray) -> Baskets:
        """From one row per basket and item: an item counts once a basket, rows with a null are left out."""
        known = pc.and_(pc.is_valid(basket), pc.is_valid(item))
        rows = len(basket)
        if not pc.all(known, min_count=0).as_py():
            basket, item = basket.filter(known), item.filter(known)
        _, holder = codes(basket)
        names, code = in_text_order(*codes(item))
        return cls.of_codes(names, holder, code, int(holder.max(initial=-1)) + 1, dropped=rows - len(basket))

    @classmethod
    def of_codes(cls, names: pa.Array, holder: Whole, code: Whole, size: int, *, dropped: int = 0) -> Baskets:
        """From numbered baskets and items: row i says that basket ``holder[i]`` holds item ``code[i]``."""
        pairs = distinct(code * np.int64(max(size, 1)) + holder)
        held, holders = np.divmod(pairs, max(size, 1))
        starts = np.searchsorted(held, np.arange(len(names) + 1))
        return cls(names, starts, holders.astype(np.int32), size, dropped)

    def where(self, chosen: Flags) -> Baskets:
        """The chosen baskets alone, numbered anew; the names stay."""
        kept = chosen[self.holders]
        place = prefix_sums(chosen)[:-1]
        return Baskets(
            self.names,
            prefix_sums(kept)[self.starts],
            place[self.holders[kept]].astype(np.int32),
            int(np.count_nonzero(chosen)),
        )

    @property
    def counts(self) -> Whole:
        """In how many baskets each item is."""
        each: Whole = np.diff(self.starts)
        return each


def codes(values: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, Whole]:
    """The distinct values in the order in which they come, and for each value its place among them."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = whole if isinstance(whole, pa.DictionaryArray) else whole.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def in_text_order(names: pa.Array, code: Whole) -> tuple[pa.Array, Whole]:
    """Names as text, ascending and distinct, and the codes renumbered."""
    text = names.cast(pa.string())
    ordered = pc.unique(text).sort()
    return ordered, pc.index_in(text, ordered).to_numpy(zero_copy_only=False).astype(np.int64)[code]


def distinct(values: Whole) -> Whole:
    """Ascending, each once. (``np.unique`` hashes integers, which takes several times as long.)"""
    ordered = np.sort(values)
    kept: Whole = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return kept


def least_count(support: str, size: int) -> int:
    """The smallest count that reaches ``support`` among ``size`` baskets or sequences; at least 1.

    A number with a decimal point, an exponent or a ``%`` is a share (``0.001``, ``1%``, ``1.0`` for all); a whole
    number is a count. Raises :class:`ParameterError` for anything else, and for a share above 1.
    """
    found = _SUPPORT.fullmatch(support.strip())
    if found is None:
        raise ParameterError(
            f"min_support is {support!r}; write a share such as 0.001 or 1%, or a count of baskets such as 50."
        )
    number, percent = found["number"], found["percent"]
    if not percent and number.isdigit():
        return max(1, int(number))
    share = Fraction(Decimal(number)) / (100 if percent else 1)
    if share > 1:
        raise ParameterError(f"min_support is {support}: more than all. A share is at most 1.0 or 100%.")
    return max(1, math.ceil(share * size))
