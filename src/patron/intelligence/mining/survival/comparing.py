"""Do groups of newcomers differ? One log-rank test for each way of dividing them, corrected for their number.

Five questions asked of the same newcomers find something by chance in one house of four; p values are therefore those
of S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Flags, Whole
from patron.intelligence.mining.profiles.comparison import holm
from patron.intelligence.mining.survival.kaplan_meier import LogRank, log_rank


@dataclass(frozen=True, slots=True)
class Division:
    """A way of dividing: the group of each newcomer (a place in ``names``), in the order in which they are shown."""

    group: Whole
    names: tuple[str, ...]

    def of(self, rows: Flags) -> Division:
        """Of only those newcomers."""
        return Division(self.group[rows], self.names)


@dataclass(frozen=True, slots=True)
class Compared:
    """One division tested: how many groups were compared, and p as if it had been the only one (``adjusted``)."""

    groups: int
    tested: LogRank | None
    adjusted: float | None


def divided(
    values: pa.Array, *, least: int, most: int, other: str, by_name: bool = False, unknown: str = ""
) -> Division:
    """Groups by their value (texts, none of them null).

    Those of fewer than ``least``, and all but the ``most`` largest, join ``other``, the last. Ordered by size, the
    largest first, then by name, or ``by_name`` alone. Who has the value ``unknown`` belongs to ``other`` too: not known
    is no group to be compared.
    """
    coded = values.dictionary_encode()
    names, place = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
    size = np.bincount(place, minlength=len(names)).tolist()
    order = sorted(range(len(names)), key=lambda each: (-size[each], names[each]))
    kept = [each for each in order if size[each] >= least and names[each] not in {other, unknown}][:most]
    kept = sorted(kept, key=lambda each: names[each]) if by_name else kept
    number = np.full(len(names), len(kept), dtype=np.int64)
    number[kept] = np.arange(len(kept))
    rest = [other] * (len(names) > len(kept))
    return Division(number[place], (*(names[each] for each in kept), *rest))


def compare(duration: Whole, ended: Flags, divisions: Mapping[str, Division]) -> dict[str, Compared]:
    """Every division tested; None where it has fewer than two groups, or nothing happened."""
    tested = {
        name: log_rank(duration, ended, each.group, len(each.names)) if len(duration) and len(each.names) > 1 else None
        for name, each in divisions.items()
    }
    found = [name for name, each in tested.items() if each is not None]
    adjusted = dict(zip(found, holm([each.p_value for each in tested.values() if each is not None]), strict=True))
    return {
        name: Compared(
            groups=each.freedom + 1 if each is not None else len(np.unique(divisions[name].group)),
            tested=each,
            adjusted=adjusted.get(name),
        )
        for name, each in tested.items()
    }
