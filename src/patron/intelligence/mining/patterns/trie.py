"""What depth-first search finds, as arrays: every pattern is its prefix and one thing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Whole
from patron.intelligence.mining.errors import ParameterError

#: More than this would fill the memory of a small machine, and nobody reads them.
MOST_PATTERNS: Final = 10_000_000
#: Items in a pattern of any length.
UNLIMITED: Final = 1 << 30


@dataclass(slots=True)
class Trie:
    """The patterns found so far, each as the number of its prefix (−1: none), the thing added, and its count."""

    most: int = MOST_PATTERNS
    size: int = 0
    parts: list[tuple[Whole, Whole, Whole]] = field(default_factory=list)

    def add(self, prefix: int | Whole, things: Whole, counts: Whole) -> int:
        """Add prefix + thing for each of ``things``; the number of the first, the others follow.

        ``prefix`` is the same for all, or one for each.
        Raises :class:`ParameterError` when there are more than ``most``.
        """
        first = self.size
        self.size += len(things)
        if self.size > self.most:
            raise ParameterError(
                f"There are more than {self.most:,} frequent patterns. Raise min_support, or set max_length."
            )
        self.parts.append((np.broadcast_to(np.asarray(prefix, dtype=np.int64), len(things)), things, counts))
        return first

    def arrays(self) -> tuple[Whole, Whole, Whole]:
        """Prefix, thing and count of each pattern; a prefix comes before what begins with it."""
        prefix, thing, count = (
            np.concatenate([np.empty(0, dtype=np.int64), *(part[place] for part in self.parts)]) for place in range(3)
        )
        return prefix, thing, count


def ranges(starts: Whole, lengths: Whole) -> Whole:
    """The whole numbers start, start + 1, … (length of them) for each pair, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    every: Whole = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return every
