"""Rows of customers with an outcome and features: read, put in order, and told apart into learned and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.rows import Rows

_YES = ("1", "1.0", "true", "yes", "y", "won", "responded", "member")
_NO = ("0", "0.0", "false", "no", "n", "lost", "none", "non-member")


@dataclass(frozen=True, slots=True)
class Cases:
    """``table`` sorted by its key; ``known`` where the outcome is; ``outcome`` is false where it is not known."""

    table: pa.Table
    known: Flags
    outcome: Flags
    features: tuple[str, ...]


def read_cases(rows: Rows, *, key: str, outcome: str, extra: Sequence[str] = ()) -> Cases:
    """Raises :class:`InputError` where a column lacks, a key comes twice, or an outcome is neither yes nor no."""
    features = rows.columns_of("features")
    if not features:
        raise InputError("Name the columns that describe the rows: --features age,district,….")
    there = [name for name in extra if rows.has(name)]
    table = rows.arrow(key, outcome, *there, *(name for name in features if name not in (key, outcome, *there)))
    table = table.filter(table[key].is_valid()).sort_by(key).combine_chunks()
    if pc.count_distinct(table[key]).as_py() < table.num_rows:
        raise InputError(f"A {key} comes in more than one row; give each one row.")
    known, yes = yes_or_no(table[outcome], outcome)
    return Cases(table, known, yes, features)


def yes_or_no(column: pa.ChunkedArray, name: str) -> tuple[Flags, Flags]:
    """Where a flag is known, and where it says yes; empty text is not known."""
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), "")))
    yes = pc.is_in(text, pa.array(_YES)).to_numpy(zero_copy_only=False)
    no = pc.is_in(text, pa.array(_NO)).to_numpy(zero_copy_only=False)
    empty = pc.equal(text, "").to_numpy(zero_copy_only=False)
    strange = np.flatnonzero(~(yes | no | empty))
    if len(strange):
        raise InputError(
            f"The column {name} must say yes or no (1 and 0, won and lost); it says {text[int(strange[0])].as_py()!r}."
        )
    return ~empty, yes
