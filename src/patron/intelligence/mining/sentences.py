"""Reasons in words for a whole column at a time: no Python per row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Whole

Piece: TypeAlias = "str | pa.Array"
#: From the rows that share a reason to the pieces of their sentence: constant text, and columns of those rows.
Template: TypeAlias = Callable[[Whole], list[Piece]]


def sentences(codes: npt.NDArray[np.int8], templates: Mapping[int, Template]) -> pa.Array:
    """One sentence per row: the pieces that the template of its code gives, joined.

    Raises ``KeyError`` when a code has no template.
    """
    codes_by_template: dict[Template, list[int]] = {}
    for code in np.unique(codes):
        codes_by_template.setdefault(templates[int(code)], []).append(int(code))
    rows_by_template = [np.flatnonzero(np.isin(codes, shared)) for shared in codes_by_template.values()]
    parts = [
        _joined(template(rows), len(rows)) for template, rows in zip(codes_by_template, rows_by_template, strict=True)
    ]
    if not parts:
        return pa.array([], pa.string())
    if len(parts) == 1:
        return parts[0]
    places = np.empty(len(codes), dtype=np.int64)
    places[np.concatenate(rows_by_template)] = np.arange(len(codes))
    return pa.concat_arrays(parts).take(pa.array(places))


def _joined(pieces: list[Piece], count: int) -> pa.Array:
    columns = [piece if isinstance(piece, str) else piece.cast(pa.string()) for piece in pieces]
    if all(isinstance(column, str) for column in columns):
        return pa.repeat(pa.scalar("".join(str(column) for column in columns)), count)
    return pc.binary_join_element_wise(*columns, "")
