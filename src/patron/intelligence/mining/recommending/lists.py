"""The best few products of each customer, from scores: those new to the customer, or any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Whole, Whole32
from patron.intelligence.mining.recommending.history import Known, Real32
from patron.intelligence.mining.recommending.methods import Scorer

#: Not bought before (cross-selling), or whatever is likeliest (with refills).
NEW: Final = "new"
ANY: Final = "any"
LISTS: Final = (NEW, ANY)

#: Cells of a block of scores: 64 MB.
_CELLS: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Offers:
    """One row per customer of the ``Known`` they were made from, best first; ``product`` is -1 where none is left."""

    product: Whole32
    score: Real32

    @property
    def length(self) -> int:
        return int(self.product.shape[1])

    def keys(self, products: int) -> Whole:
        """Customer · products + product, shaped as the offers; -1 for none."""
        customer = np.arange(len(self.product), dtype=np.int64)[:, np.newaxis]
        return np.where(self.product >= 0, customer * products + self.product, -1)


def best_offers(scorer: Scorer, known: Known, *, length: int, lists: tuple[str, ...] = LISTS) -> dict[str, Offers]:
    """The ``length`` best products of each customer, for each of ``lists``."""
    width = min(length, known.products)
    found = {
        name: Offers(
            product=np.full((known.customers, width), -1, dtype=np.int32),
            score=np.full((known.customers, width), -np.inf, dtype=np.float32),
        )
        for name in lists
    }
    if not width:
        return found
    block = scorer.over(known)
    for rows in blocks(known):
        scores = block(rows)
        if ANY in found:
            _keep_best(found[ANY], rows, scores)
        if NEW in found:
            part = known.part(rows)
            scores[known.owner[part] - rows.start, known.product[part]] = -np.inf
            _keep_best(found[NEW], rows, scores)
    return found


def blocks(known: Known) -> Iterator[slice]:
    """Slices of customers whose scores fit into memory."""
    size = max(_CELLS // max(known.products, 1), 1)
    for first in range(0, known.customers, size):
        yield slice(first, min(first + size, known.customers))


def _keep_best(offers: Offers, rows: slice, scores: Real32) -> None:
    """Into ``offers`` the highest scores of each row of ``scores``; of equal ones the product that comes first."""
    places = np.arange(len(scores))
    taken: list[tuple[Whole, Real32]] = []
    # A few looks for the highest take a third of the time of putting all scores in order.
    for _ in range(offers.length):
        product = scores.argmax(axis=1)
        taken.append((product, scores[places, product]))
        scores[places, product] = -np.inf
    for place, (product, score) in enumerate(taken):
        offers.product[rows, place] = np.where(np.isneginf(score), -1, product)
        offers.score[rows, place] = score
    for product, score in reversed(taken):
        scores[places, product] = score
