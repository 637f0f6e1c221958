"""Why a product is offered: the strongest single sign, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, Whole32, counts, half_up
from patron.intelligence.mining.recommending.history import Known, Real32, among
from patron.intelligence.mining.sentences import Piece, sentences

DUE, HABIT, ONCE, TOGETHER, POPULAR = CODES = ("due", "habit", "once", "together", "popular")

#: A lift below this is not worth telling.
TELLING_LIFT: Final = 1.2
#: Silence from this share of the usual gap on counts as due.
DUE_FROM: Final = 0.8
_CHUNK: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """One element per offer: the customer's and the product's place, and where the customer bought it before."""

    customer: Whole
    product: Whole
    element: Whole
    """Place in ``Known``; -1 for a product that is new to the customer."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """For each offer that is new: the product of the customer with the highest lift towards it (-1: none)."""

    product: Whole32
    lift: Real32


def place_offers(known: Known, customer: Whole, product: Whole) -> Offer:
    """Find the offers among what was bought before."""
    wanted = customer * known.products + product
    place = np.searchsorted(known.pairs, wanted)
    return Offer(customer, product, np.where(among(wanted, known.pairs), place, -1))


def anchors(known: Known, offer: Offer, lift: Real32) -> Anchor:
    """The strongest sign for each new product; ties go to the product that comes first."""
    product = np.full(len(offer.product), -1, dtype=np.int32)
    strongest = np.ones(len(offer.product), dtype=np.float32)
    held = np.diff(known.starts)[offer.customer]
    asked = np.flatnonzero((offer.element < 0) & (held > 0))
    ends = np.cumsum(held[asked])
    for first, end in _chunks(ends):
        rows = asked[first:end]
        size = held[rows]
        begins = np.cumsum(size) - size
        within = np.arange(int(size.sum())) - np.repeat(begins, size)
        bought = known.product[np.repeat(known.starts[offer.customer[rows]], size) + within]
        values = lift[bought, np.repeat(offer.product[rows], size)]
        best = np.maximum.reduceat(values, begins)
        hits = np.flatnonzero(values == np.repeat(best, size))
        _, where = np.unique(np.repeat(np.arange(len(rows)), size)[hits], return_index=True)
        product[rows], strongest[rows] = bought[hits[where]], best
    return Anchor(product, strongest)


def _chunks(ends: Whole) -> list[tuple[int, int]]:
    if not len(ends):
        return []
    cuts = np.searchsorted(ends, np.arange(_CHUNK, int(ends[-1]), _CHUNK))
    edges = np.unique(np.concatenate(([0], cuts, [len(ends)])))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def codes_of(known: Known, offer: Offer, anchor: Anchor) -> Whole:
    """The code (a place in :data:`CODES`) of each offer."""
    again, gap, silence = _own(known, offer)
    due = silence >= DUE_FROM * gap
    times = np.where(again, known.times[offer.element], 0) if len(known.times) else np.zeros(len(again))
    told = (anchor.product >= 0) & (anchor.lift >= TELLING_LIFT)
    code = np.where(again, np.where(times < 2, 2, np.where(due, 0, 1)), np.where(told, 3, 4))
    return code.astype(np.int8).astype(np.int64)


def _own(known: Known, offer: Offer) -> tuple[Flags, Real, Whole]:
    again = offer.element >= 0
    if not len(known.times):
        return again, np.ones(len(again)), np.zeros(len(again), dtype=np.int64)
    element = np.maximum(offer.element, 0)
    gap = (known.last[element] - known.first[element]) / np.maximum(known.times[element] - 1, 1)
    return again, np.maximum(gap, 1), (known.origin - known.last[element]).astype(np.int64)


def reasons(
    known: Known, offer: Offer, anchor: Anchor, codes: Whole, *, products: pa.Array, popularity: Real32
) -> pa.Array:
    """One sentence per offer."""
    _, gap, silence = _own(known, offer)
    element = np.maximum(offer.element, 0)

    def times(rows: Whole) -> pa.Array:
        return counts(known.times[element[rows]])

    def regular(rows: Whole) -> list[Piece]:
        usual = half_up(gap[rows])
        return ["Bought ", times(rows), " times, about every ", counts(usual), " days; last ", *ago(rows)]

    def ago(rows: Whole) -> list[Piece]:
        return [counts(silence[rows]), " days ago"]

    def together(rows: Whole) -> list[Piece]:
        return [
            "Bought ",
            products.take(pa.array(anchor.product[rows])),
            "; those who do buy ",
            products.take(pa.array(offer.product[rows])),
            " ",
            _tenths(anchor.lift[rows]),
            " times as often as others.",
        ]

    def popular(rows: Whole) -> list[Piece]:
        share = counts(half_up(100 * popularity[offer.product[rows]].astype(np.float64)))
        return ["Bought by ", share, " % of customers; nothing more telling is known."]

    return sentences(
        codes.astype(np.int8),
        {
            0: lambda rows: [*regular(rows), ", so it is due."],
            1: lambda rows: [*regular(rows), "."],
            2: lambda rows: ["Bought once, ", *ago(rows), "."],
            3: together,
            4: popular,
        },
    )


def _tenths(values: Real32) -> pa.Array:
    return pc.cast(pa.array(half_up(values.astype(np.float64) * 10) / 10), pa.string())
