"""From columns of any unit to a matrix whose columns weigh the same.

Each feature goes through four steps, in this order: a missing value takes the median; values beyond the outer quantiles
are pulled in to them (winsorising, so that one wholesaler does not make a group of his own); a skewed feature is
replaced by its logarithm, sign(x)·ln(1 + |x|); and what is left is standardised. What was fitted on one table can be
applied to another: that is how yesterday's customers are put into today's groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real

Standard: TypeAlias = Literal["z", "range", "none"]
Logs: TypeAlias = Literal["auto", "none", "all"]

#: A spread below this part of the values' size is rounding, not a difference between customers.
_NO_SPREAD: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Treatment:
    """How features are made comparable.

    ``winsorise``: the share of values at each end that is pulled in; ``logs``: which features are replaced by their
    logarithm, ``auto`` those whose skewness is above ``skewness``; ``standard``: ``z`` subtracts the mean and divides
    by the standard deviation, ``range`` maps to 0…1, ``none`` leaves the units.
    """

    winsorise: float = 0.01
    logs: Logs = "auto"
    skewness: float = 1.0
    standard: Standard = "z"


@dataclass(frozen=True, slots=True)
class Scale:
    """The steps for one feature, as fitted."""

    name: str
    fill: float
    low: float
    high: float
    logged: bool
    centre: float
    spread: float

    def apply(self, values: Real) -> Real:
        """One column of the matrix; missing values are not a number."""
        filled = np.where(np.isfinite(values), values, self.fill)
        return (_shaped(np.clip(filled, self.low, self.high), logged=self.logged) - self.centre) / self.spread


@dataclass(frozen=True, slots=True)
class Preparation:
    """All features, as fitted; ``empty`` and ``constant`` name those left out because they tell nobody apart."""

    scales: tuple[Scale, ...]
    empty: tuple[str, ...]
    constant: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features that are used, in the order of the matrix."""
        return tuple(scale.name for scale in self.scales)

    def apply(self, features: Mapping[str, Real]) -> Real:
        """Rows × features. The arrays hold one value for each row, not a number where it is missing."""
        rows = len(next(iter(features.values()))) if features else 0
        matrix = np.empty((rows, len(self.scales)))
        for place, scale in enumerate(self.scales):
            matrix[:, place] = scale.apply(features[scale.name])
        return matrix


def prepare_features(features: Mapping[str, Real], treatment: Treatment) -> Preparation:
    """Fit the steps on a table: feature → one value for each row, not a number where it is missing."""
    scales: list[Scale] = []
    empty: list[str] = []
    constant: list[str] = []
    for name, values in features.items():
        known = values[np.isfinite(values)]
        if not len(known):
            empty.append(name)
            continue
        scale = _fitted(name, values, known, treatment)
        if scale is None:
            constant.append(name)
        else:
            scales.append(scale)
    return Preparation(tuple(scales), tuple(empty), tuple(constant))


def complete_rows(features: Sequence[Real]) -> Flags:
    """The rows in which no feature is missing."""
    complete = np.ones(len(features[0]), dtype=np.bool_)
    for values in features:
        complete &= np.isfinite(values)
    return complete


def _fitted(name: str, values: Real, known: Real, treatment: Treatment) -> Scale | None:
    fill = float(np.median(known))
    low, high = float(known.min()), float(known.max())
    if treatment.winsorise:
        inner = np.quantile(known, (treatment.winsorise, 1 - treatment.winsorise))
        # A feature that nearly everybody shares (a flag of one in a thousand) would lose all its meaning.
        if inner[1] > inner[0]:
            low, high = float(inner[0]), float(inner[1])
    clipped = np.clip(np.where(np.isfinite(values), values, fill), low, high)
    logged = treatment.logs == "all" or (treatment.logs == "auto" and _skewness(clipped) > treatment.skewness)
    shaped = _shaped(clipped, logged=logged)
    if float(np.ptp(shaped)) <= _NO_SPREAD * max(1.0, float(np.abs(shaped).max())):
        return None
    centre, spread = 0.0, 1.0
    if treatment.standard == "z":
        centre, spread = float(shaped.mean()), float(shaped.std())
    elif treatment.standard == "range":
        centre, spread = float(shaped.min()), float(np.ptp(shaped))
    return Scale(name=name, fill=fill, low=low, high=high, logged=logged, centre=centre, spread=spread)


def _shaped(values: Real, *, logged: bool) -> Real:
    return np.sign(values) * np.log1p(np.abs(values)) if logged else values


def _skewness(values: Real) -> float:
    """The third standardised moment; 0 for values without a spread."""
    spread = float(values.std())
    if spread <= _NO_SPREAD * max(1.0, float(np.abs(values).max())):
        return 0.0
    return float((((values - values.mean()) / spread) ** 3).mean())
