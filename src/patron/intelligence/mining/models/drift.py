"""Drift: do today's data still look like those that a model learnt from?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.watching.drifting import Shift

SAMPLE: Final = Role(
    "sample", "which sample a row belongs to: the reference, or the current one", required=True, kind="text"
)
FEATURES: Final = Role("features", "what is compared: numbers, or categories as text", required=True, many=True)

_TYPES: Final = {
    "feature": pa.string(), "kind": pa.string(), "reference_n": pa.int64(), "current_n": pa.int64(),
    "reference_missing": pa.float64(), "current_missing": pa.float64(),
    "reference_mean": pa.float64(), "current_mean": pa.float64(),
    "psi": pa.float64(), "psi_limit": pa.float64(), "statistic": pa.float64(), "p_value": pa.float64(),
    "level": pa.string(), "moved": pa.string(), "moved_before": pa.float64(), "moved_after": pa.float64(),
    "confidence": pa.float64(), "reason_code": pa.string(), "reason": pa.string(),
}  # fmt: skip


@dataclass(frozen=True)
class DriftParameters(Parameters):
    """Which samples, and what counts as drift."""

    reference: str = parameter("reference", "name of the sample to compare with")
    current: str = parameter("current", "name of the sample of today")
    bins: int = parameter(10, "numbers are compared in so many bins of equal size", minimum=2, maximum=100)
    watch_psi: float = parameter(0.1, "stability index from which a feature is to be watched", minimum=0)
    shifted_psi: float = parameter(0.25, "stability index from which a feature has shifted", minimum=0)
    level: float = parameter(0.001, "chance of a false alarm over all features", minimum=1e-9, maximum=0.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.watch_psi > self.shifted_psi:
            raise ParameterError(f"watch_psi is {self.watch_psi}; it must be at most shifted_psi ({self.shifted_psi}).")


def compute(rows: Rows, _as_of: dt.date, parameters: DriftParameters) -> Outcome:
    """One row per feature, the largest index first; formulas and worked numbers: ``docs/algorithms/drift.md``."""
    features = rows.columns_of(FEATURES.name)
    table = rows.arrow(SAMPLE.name, *features)
    reference, current = (_sample(table, name) for name in (parameters.reference, parameters.current))
    alpha = parameters.level / len(features)
    shifts = {name: _shift(reference[name], current[name], parameters, alpha) for name in features}
    ordered = sorted(shifts.items(), key=lambda each: (-each[1].psi, each[0]))
    found = [feature_row(name, shift, parameters) for name, shift in ordered]
    levels = [row["level"] for row in found]
    return Outcome(
        table=pa.Table.from_pylist(found, schema=pa.schema(_TYPES.items())),
        metrics={
            "features": len(found),
            "shifted": levels.count("shifted"),
            "watch": levels.count("watch"),
            "reference_rows": reference.num_rows,
            "current_rows": current.num_rows,
        },
    )


def feature_row(name: str, shift: Shift, parameters: DriftParameters) -> dict[str, object]:
    """The row of the result for one feature."""
    level = shift.level(watch=parameters.watch_psi, shifted=parameters.shifted_psi)
    moved, before, after = shift.moved_most
    return {
        "feature": name, "kind": shift.kind, "reference_n": shift.reference_n, "current_n": shift.current_n,
        "reference_missing": shift.reference_missing, "current_missing": shift.current_missing,
        "reference_mean": shift.reference_mean, "current_mean": shift.current_mean,
        "psi": shift.psi, "psi_limit": shift.limit, "statistic": shift.statistic, "p_value": shift.p_value,
        "level": level, "moved": moved, "moved_before": before, "moved_after": after,
        "confidence": 1 - shift.p_value, "reason_code": level, "reason": _reason(name, shift, level),
    }  # fmt: skip


def _reason(name: str, shift: Shift, level: str) -> str:
    moved, before, after = shift.moved_most
    share = f"{moved}: {before:.1%} before, {after:.1%} now (index {shift.psi:.2f})"
    if level == "stable":
        return f"{name} looks as before; most moved {share}."
    return f"{name} {'has shifted' if level == 'shifted' else 'is moving'}; most moved {share}."


def _sample(table: pa.Table, name: str) -> pa.Table:
    chosen = table.filter(pc.equal(table[SAMPLE.name].cast(pa.string()), name))
    if not chosen.num_rows:
        there = ", ".join(sorted({str(each) for each in table[SAMPLE.name].unique().to_pylist()})) or "none"
        raise InputError(
            f"There is no row of the sample {name!r}; the samples are: {there}. Two are needed to compare."
        )
    return chosen


def _shift(reference: pa.ChunkedArray, current: pa.ChunkedArray, parameters: DriftParameters, alpha: float) -> Shift:
    from patron.intelligence.mining.watching.drifting import MISSING, categories_shift, numbers_shift

    kind = reference.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        sides = [side.cast(pa.float64()).to_numpy().astype(np.float64) for side in (reference, current)]
        return numbers_shift(*sides, bins=parameters.bins, alpha=alpha)
    named = [side.cast(pa.string()).fill_null(MISSING) for side in (reference, current)]
    counted = [{each["values"]: each["counts"] for each in side.value_counts().to_pylist()} for side in named]
    labels = sorted(counted[0].keys() | counted[1].keys())
    before, after = (np.array([side.get(label, 0) for label in labels], dtype=np.int64) for side in counted)
    return categories_shift(labels, before, after, alpha=alpha)


MODEL: Final = Model(
    card=ModelCard(
        name="drift",
        title="Drift",
        question="Do today's data still look like those that a model learnt from?",
        roles=(SAMPLE, FEATURES),
        method=(
            "Compares every feature of two samples: the population stability index over bins of equal size (numbers) "
            "or categories, and a test. A feature is watched or shifted only where the index is large and luck does "
            "not explain it. confidence: 1 less the p-value of the test."
        ),
        source=(
            "N. Siddiqi, Credit Risk Scorecards (2006); B. Yurdakul, Statistical Properties of Population Stability "
            "Index (2018); A. N. Kolmogorov and N. V. Smirnov's two-sample test; Pearson's chi-square test."
        ),
        limits=(
            "A season is a change too: compare with the same season, or expect it.",
            "Features are looked at one by one; two that only moved against each other look as before.",
            "Rows of one customer are not independent, so p-values are too small: the index decides.",
        ),
        reads="table",
        key=("feature",),
    ),
    parameters=DriftParameters,
    compute=compute,
)
