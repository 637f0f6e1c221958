"""Whole-number arrays that the models compute with, and how they become Arrow columns."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Whole: TypeAlias = npt.NDArray[np.int64]
Whole32: TypeAlias = npt.NDArray[np.int32]
Real: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

EPOCH: Final = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """Whole days since 1970-01-01: dates as numbers make gaps and windows plain subtraction."""
    return (day - EPOCH).days


def prefix_sums(values: npt.NDArray[Any]) -> Whole:
    """``result[i]`` is the sum of the first i values; one longer than ``values``, so slices need no special case."""
    # Flags count as bytes: numpy adds up bytes several times as fast.
    numbers = values.view(np.int8) if values.dtype == np.bool_ else values
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(numbers, dtype=np.int64, out=sums[1:])
    return sums


def half_up(values: Real) -> Whole:
    """To the nearest whole number; a half goes up."""
    return np.floor(values + 0.5).astype(np.int64)


def decimals(units: Whole, *, scale: int) -> pa.Array:
    """``units`` as decimals with ``scale`` places: 12345 with scale 2 is 123.45. No copy per value, no rounding."""
    # A 128-bit decimal is two little-endian words: the value, then its sign carried on.
    words = np.empty((len(units), 2), dtype="<i8")
    words[:, 0] = units
    words[:, 1] = units >> 63
    return pa.Array.from_buffers(pa.decimal128(18, scale), len(units), [None, pa.py_buffer(words)])


def dates(days: Whole | Whole32, *, known: Flags | None = None) -> pa.Array:
    """Day numbers as dates; null where not ``known``."""
    mask = None if known is None else ~known
    return pa.array(days.astype(np.int32), mask=mask).cast(pa.date32())


def counts(values: Whole | Whole32, *, known: Flags | None = None) -> pa.Array:
    """Whole numbers as 32-bit integers; null where not ``known``."""
    mask = None if known is None else ~known
    return pa.array(values.astype(np.int32), mask=mask)


def labels(codes: npt.NDArray[np.int8], names: tuple[str, ...]) -> pa.DictionaryArray:
    """Codes 0, 1, … as names, each name kept once."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string()))
