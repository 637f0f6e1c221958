"""Features as bands: numbers cut into ranges, texts into their values, so that a scorecard can be read by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.errors import InputError

#: A sparse matrix of zeros and ones: rows × bands.
Design: TypeAlias = Any

UNKNOWN: Final = "not known"
OTHER: Final = "other"
#: Ranges of a number; a text keeps at most so many of its values.
_RANGES: Final = 5
_VALUES: Final = 20


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands of all features: band j is called ``names[j]`` and belongs to ``features[feature[j]]``."""

    features: tuple[str, ...]
    names: tuple[str, ...]
    feature: Whole

    def __len__(self) -> int:
        return len(self.names)


def banded(table: pa.Table, features: Sequence[str], learned: Flags, *, min_rows: int) -> tuple[Bands, Design]:
    """Bands from the rows ``learned``, and in which band of each feature every row is.

    A band with fewer than ``min_rows`` learned rows joins :data:`OTHER`. A feature with a single band is left out.
    Raises :class:`InputError` where none is left.
    """
    kept: list[str] = []
    names: list[str] = []
    feature: list[int] = []
    columns: list[Whole] = []
    for name in features:
        labels, codes = _bands_of(table[name].combine_chunks(), learned)
        labels, codes = _joined(labels, codes, learned, min_rows)
        if len(labels) < 2:
            continue
        columns.append(codes + len(names))
        names += labels
        feature += [len(kept)] * len(labels)
        kept.append(name)
    if not kept:
        raise InputError(
            f"None of the features ({', '.join(features)}) tells rows apart: each has one value only, or values with "
            f"fewer than {min_rows} rows."
        )
    places = np.stack(columns, axis=1)
    rows = np.arange(len(places) + 1) * len(kept)
    ones = np.ones(places.size)
    design = sparse.csr_matrix((ones, places.ravel(), rows), shape=(len(places), len(names)))
    return Bands(tuple(kept), tuple(names), np.array(feature, dtype=np.int64)), design


def _bands_of(column: pa.Array, learned: Flags) -> tuple[list[str], Whole]:
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "yes", "no")
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _ranges(pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False), learned)
    return _values(pc.fill_null(column.cast(pa.string()), ""), learned)


def _ranges(values: Real, learned: Flags) -> tuple[list[str], Whole]:
    known = np.isfinite(values)
    seen = values[known & learned]
    cuts = np.unique(np.quantile(seen, np.arange(1, _RANGES) / _RANGES, method="higher")) if len(seen) else np.zeros(0)
    cuts = cuts[cuts > seen.min()] if len(seen) else cuts
    codes = np.where(known, np.searchsorted(cuts, np.where(known, values, 0.0), side="right"), len(cuts) + 1)
    edges = [f"{cut:.4g}" for cut in cuts]
    if edges:
        middle = [f"{low} to under {high}" for low, high in pairwise(edges)]
        labels = [f"under {edges[0]}", *middle, f"{edges[-1]} or more", UNKNOWN]
    else:
        labels = ["any", UNKNOWN]
    return labels, codes.astype(np.int64)


def _values(column: pa.Array, learned: Flags) -> tuple[list[str], Whole]:
    seen = column.filter(pa.array(learned))
    counted = pc.value_counts(seen.filter(pc.not_equal(seen, "")))
    rows = sorted((-row["counts"], row["values"]) for row in counted.to_pylist())[:_VALUES]
    labels = sorted(value for _, value in rows)
    place = pc.index_in(column, pa.array(labels, pa.string()))
    empty = pc.equal(column, "").to_numpy(zero_copy_only=False)
    codes = pc.fill_null(place, len(labels)).to_numpy(zero_copy_only=False).astype(np.int64)
    return [*labels, OTHER, UNKNOWN], np.where(empty, len(labels) + 1, codes)


def _joined(labels: list[str], codes: Whole, learned: Flags, min_rows: int) -> tuple[list[str], Whole]:
    """Small bands become one; empty ones go."""
    size = np.bincount(codes[learned], minlength=len(labels))
    large = [place for place in range(len(labels)) if size[place] >= min_rows and labels[place] != OTHER]
    rest = [place for place in range(len(labels)) if place not in large]
    target = np.full(len(labels), len(large), dtype=np.int64)
    target[large] = np.arange(len(large))
    made = [labels[place] for place in large]
    if size[rest].sum() > 0:
        return [*made, OTHER], target[codes]
    # Nobody learned from is in the rest: whoever is scored there has the commonest band.
    target[rest] = int(np.argmax(size[large])) if large else 0
    return made, target[codes]
