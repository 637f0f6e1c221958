"""What sets a group apart, in words: which of its features are high or low beside everybody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, Whole32

Level: TypeAlias = Literal["very_low", "low", "usual", "high", "very_high"]
LEVEL_WORDS: Final[dict[Level, str]] = {
    "very_low": "very low",
    "low": "low",
    "usual": "usual",
    "high": "high",
    "very_high": "very high",
}

#: Standard deviations from everybody's mean: from here on a feature is high (low), and very high (very low).
NOTABLE: Final = 0.5
STRONG: Final = 1.5
#: A name has at most so many traits.
TRAITS_IN_NAME: Final = 2


@dataclass(frozen=True, slots=True)
class Trait:
    """One feature of one group.

    ``mean`` and ``overall`` are in the feature's own unit; ``ratio`` is their quotient, None where it says nothing;
    ``z`` is the distance of the group's mean from everybody's in standard deviations of the feature as it was compared
    (winsorised, in logarithms if skewed).
    """

    feature: str
    mean: float
    overall: float
    ratio: float | None
    z: float

    @property
    def level(self) -> Level:
        """The distance as a word."""
        if abs(self.z) < NOTABLE:
            return "usual"
        if self.z > 0:
            return "very_high" if self.z >= STRONG else "high"
        return "very_low" if self.z <= -STRONG else "low"

    @property
    def words(self) -> str:
        """``high spend``."""
        return f"{LEVEL_WORDS[self.level]} {readable(self.feature)}"


@dataclass(frozen=True, slots=True)
class Portrait:
    """One group: its name, its traits by how much they set it apart, and both in a sentence."""

    cluster: int
    name: str
    traits: tuple[Trait, ...]
    sentence: str


def readable(feature: str) -> str:
    """``days_since_last`` → ``days since last``."""
    return feature.replace("_", " ").strip()


def portraits(
    cluster: Whole32 | Whole, k: int, features: Mapping[str, Real], matrix: Real, names: Sequence[str]
) -> tuple[Portrait, ...]:
    """A portrait for each of the groups 0 to k − 1 (named 1 to k).

    ``features``: the values as they came; ``matrix``: the same as compared, rows × ``names``. Groups without a row have
    no portrait; names are different from each other.
    """
    sizes = np.bincount(cluster, minlength=k)
    z = _group_means(cluster, k, matrix, sizes)
    spread, centre = matrix.std(axis=0), matrix.mean(axis=0)
    means = np.column_stack([_known_means(cluster, k, features[name]) for name in names]) if names else np.zeros((k, 0))
    overall = [_mean(features[name]) for name in names]
    found: list[Portrait] = []
    for place in np.flatnonzero(sizes):
        traits = [
            Trait(
                feature=name,
                mean=float(means[place, column]),
                overall=overall[column],
                ratio=_ratio(float(means[place, column]), overall[column]),
                z=float((z[place, column] - centre[column]) / spread[column]) if spread[column] > 0 else 0.0,
            )
            for column, name in enumerate(names)
        ]
        traits.sort(key=lambda trait: -round(abs(trait.z), 9))
        name = _name(traits, {each.name for each in found})
        found.append(Portrait(int(place) + 1, name, tuple(traits), _sentence(traits)))
    return tuple(found)


def _name(traits: Sequence[Trait], taken: set[str]) -> str:
    notable = [trait.words for trait in traits if trait.level != "usual"]
    for length in range(min(TRAITS_IN_NAME, len(notable)), len(notable) + 1):
        name = ", ".join(notable[:length]) or "close to everybody's average"
        if name not in taken:
            return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _sentence(traits: Sequence[Trait]) -> str:
    notable = [trait for trait in traits if trait.level != "usual"]
    if not notable:
        return "Close to everybody's average in every feature."
    parts = [f"{trait.words} ({number(trait.mean)}, {_compared(trait)})" for trait in notable]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _compared(trait: Trait) -> str:
    if trait.ratio is not None and (trait.ratio > 1) == (trait.z > 0):
        return f"{trait.ratio:.2f} times everybody's {number(trait.overall)}"
    side = "above" if trait.z > 0 else "below"
    return f"{abs(trait.z):.1f} standard deviations {side} everybody's {number(trait.overall)}"


def number(value: float) -> str:
    """A number for a sentence: at least three digits, no digits that mean nothing."""
    if not np.isfinite(value):
        return "unknown"
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{places}f}"


def _ratio(mean: float, overall: float) -> float | None:
    return mean / overall if overall > 0 and mean >= 0 else None


def _group_means(cluster: Whole32 | Whole, k: int, matrix: Real, sizes: Whole) -> Real:
    sums = [np.bincount(cluster, weights=matrix[:, column], minlength=k) for column in range(matrix.shape[1])]
    means: Real = np.array(sums).reshape(matrix.shape[1], k).T / np.maximum(sizes, 1)[:, None]
    return means


def _known_means(cluster: Whole32 | Whole, k: int, values: Real) -> Real:
    known = np.isfinite(values)
    counts = np.bincount(cluster[known], minlength=k)
    sums = np.bincount(cluster[known], weights=values[known], minlength=k)
    means: Real = np.divide(sums, counts, out=np.full(k, np.nan), where=counts > 0)
    return means


def _mean(values: Real) -> float:
    return float(values[np.isfinite(values)].mean())
