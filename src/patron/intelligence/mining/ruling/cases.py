"""Cases to learn rules from: a class each, and features cut at round numbers, so that every rule can be read aloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.errors import InputError

#: Cut points are tried at so many quantiles of a feature.
_QUANTILES: Final = 24
#: Categories beyond the most frequent ones are one category together.
_CATEGORIES: Final = 20
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
#: Classes that rules can tell apart; a number with more values is cut into ranges.
MOST_CLASSES: Final = 12


@dataclass(frozen=True, slots=True)
class Numeric:
    """A feature of numbers, cut at ``cuts`` (ascending, round); unknown values count as ``usual``, the median."""

    name: str
    cuts: Real
    usual: float

    def codes(self, column: pa.ChunkedArray) -> Real:
        """How many cuts are at or below each value: 0 is below all of them."""
        values = _numbers(column)
        return np.searchsorted(self.cuts, np.where(np.isnan(values), self.usual, values), side="right").astype(float)


@dataclass(frozen=True, slots=True)
class Categorical:
    """A feature of texts: its ``categories``; rarer ones count as *other*, missing ones as *unknown*."""

    name: str
    categories: tuple[str, ...]

    def members(self, column: pa.ChunkedArray) -> Real:
        """A column of 0 and 1 per category."""
        texts = pc.fill_null(column.cast(pa.string()), UNKNOWN)
        places = pc.index_in(texts, value_set=pa.array(self.categories, pa.string()))
        other = self.categories.index(OTHER) if OTHER in self.categories else -1
        codes = pc.fill_null(places, other).to_numpy()
        members: Real = (codes[:, None] == np.arange(len(self.categories))[None, :]).astype(np.float64)
        return members


Feature = Numeric | Categorical


@dataclass(frozen=True, slots=True)
class Cases:
    """The features that can be learned from, the classes, and the rows with a known class.

    ``target`` has a place in ``classes`` per row; ``kept_back`` are the rows that only test.
    """

    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    rows: Whole
    target: Whole
    kept_back: Flags
    notes: tuple[str, ...]

    def matrix(self, table: pa.Table) -> npt.NDArray[np.float32]:
        """The coded features of ``table``: a column per number, a column per category."""
        columns = [
            feature.codes(table[feature.name])[:, None]
            if isinstance(feature, Numeric)
            else feature.members(table[feature.name])
            for feature in self.features
        ]
        return np.hstack(columns).astype(np.float32) if columns else np.zeros((table.num_rows, 0), np.float32)


def cases_of(
    table: pa.Table, names: Sequence[str], *, target_ranges: int, kept_share: float, least: int, seed: int
) -> Cases:
    """Read classes and features of ``table`` (column ``target``, perhaps ``holdout``, and ``names``).

    ``least``: a category or class needs so many rows. Raises :class:`InputError` when there is one class only, when
    there are too many, when no feature is left, or when there are too few rows.
    """
    known = np.flatnonzero(pc.is_valid(table["target"]).to_numpy(zero_copy_only=False))
    if len(known) < 4 * least:
        raise InputError(f"Rules need at least {4 * least} rows with a target; there are {len(known)}.")
    with_class = table.take(pa.array(known))
    classes, target = _classes(with_class["target"], target_ranges)
    notes = []
    if len(known) < table.num_rows:
        notes.append(f"Rows without a target are not learned from: {table.num_rows - len(known)}.")
    kept = _kept_back(with_class, target, kept_share, seed)
    features: list[Feature] = []
    for name in names:
        feature = _feature(name, with_class[name].filter(pa.array(~kept)), least)
        if feature is None:
            notes.append(f"{name} is left out: it has no values that differ.")
        else:
            features.append(feature)
            if missing := with_class[name].null_count:
                notes.append(f"{name} is unknown in {missing} rows; there {_stand_in(feature)}.")
    if not features:
        raise InputError("No feature is left to learn from: all of them are empty or always the same.")
    return Cases(tuple(features), classes, known, target, kept, tuple(notes))


def _stand_in(feature: Feature) -> str:
    return (
        f"its median {feature.usual:g} stands in" if isinstance(feature, Numeric) else "unknown is a value of its own"
    )


def _classes(column: pa.ChunkedArray, ranges: int) -> tuple[tuple[str, ...], Whole]:
    names = pc.cast(column, pa.string())
    distinct = sorted(pc.unique(names).to_pylist())
    if len(distinct) < 2:
        raise InputError(f"The target is always {distinct[0]}: rules need at least two different values.")
    if len(distinct) <= MOST_CLASSES:
        return tuple(distinct), pc.index_in(names, value_set=pa.array(distinct)).to_numpy().astype(np.int64)
    if not _is_number(column.type):
        raise InputError(
            f"The target has {len(distinct)} different texts; rules can tell at most {MOST_CLASSES} apart. "
            "Choose a target with fewer."
        )
    values = _numbers(column)
    cuts = _round_cuts(values, np.arange(1, ranges) / ranges)
    if not len(cuts):
        raise InputError("The target is nearly always the same: rules need at least two different values.")
    edges = [written(cut) for cut in cuts]
    named = [f"under {edges[0]}", *(f"{low} to {high}" for low, high in pairwise(edges))]
    return (*named, f"{edges[-1]} and more"), np.searchsorted(cuts, values, side="right").astype(np.int64)


def _kept_back(table: pa.Table, target: Whole, share: float, seed: int) -> Flags:
    """The rows marked by ``holdout``; without it a random share of every class."""
    if "holdout" in table.column_names:
        marked = pc.fill_null(table["holdout"].cast(pa.string()), "").to_pylist()
        kept = np.array([mark.strip().lower() in ("true", "yes", "1", "1.0") for mark in marked])
        if kept.all() or not kept.any():
            raise InputError("Mark some rows as holdout (yes, true or 1) and leave others, or leave the column out.")
        return kept
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(target))
    # Row by row within each class, in random order: the first share of each is kept back.
    within = np.empty(len(target))
    for place in np.unique(target):
        own = order[target[order] == place]
        within[own] = (np.arange(len(own)) + 0.5) / len(own)
    kept_back: Flags = within < share
    return kept_back


def _feature(name: str, column: pa.ChunkedArray, least: int) -> Feature | None:
    if column.null_count == len(column):
        return None
    if _is_number(column.type) or pa.types.is_boolean(column.type):
        values = _numbers(column)
        usual = float(np.nanmedian(values))
        cuts = _round_cuts(values[~np.isnan(values)], np.arange(1, _QUANTILES) / _QUANTILES)
        return Numeric(name, cuts, usual) if len(cuts) else None
    texts = pc.fill_null(column.cast(pa.string()), UNKNOWN)
    counted = sorted(((row["counts"], row["values"]) for row in pc.value_counts(texts).to_pylist()), reverse=True)
    frequent = [text for count, text in counted[:_CATEGORIES] if count >= least]
    if len(frequent) < len(counted):
        frequent.append(OTHER)
    return Categorical(name, tuple(sorted(set(frequent)))) if len(set(frequent)) > 1 else None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _numbers(column: pa.ChunkedArray) -> Real:
    numbers: Real = pc.fill_null(column.cast(pa.float64()), math.nan).to_numpy()
    return np.where(np.isfinite(numbers), numbers, math.nan)


def _round_cuts(values: Real, shares: Real) -> Real:
    """Distinct round numbers at those quantiles, each with values on both sides."""
    distinct = np.unique(values)
    if len(distinct) <= _QUANTILES:
        return distinct[1:]
    quantiles = np.unique(np.quantile(values, shares, method="inverted_cdf"))
    scale = float(np.quantile(np.abs(values), 0.9)) or 1.0
    cuts = np.unique([_rounded(float(each), scale) for each in quantiles])
    inside: Real = cuts[(cuts > distinct[0]) & (cuts <= distinct[-1])]
    return inside


def _rounded(value: float, scale: float) -> float:
    """To two figures, though never finer than a hundredth of the usual size of the values."""
    if value == 0:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    return round(value, min(digits, 2 - math.floor(math.log10(scale))))


def written(value: float) -> str:
    """A cut in words: whole numbers with commas, others with as many places as they need."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4f}".rstrip("0")
