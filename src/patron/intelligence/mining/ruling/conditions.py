"""Conditions of rules: what must hold of each feature, with the steps down a tree merged into one statement each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from patron.intelligence.mining.ruling.cases import written


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of one feature: at least ``low`` and under ``high``, or one of (none of) some texts."""

    feature: str
    low: float | None = None
    high: float | None = None
    among: tuple[str, ...] = ()
    not_among: tuple[str, ...] = ()

    def words(self) -> str:
        """In plain words, English."""
        if self.among:
            return f"{self.feature} is {self.among[0]}"
        if self.not_among:
            return f"{self.feature} is not {' or '.join(self.not_among)}"
        if self.low is not None and self.high is not None:
            return f"{written(self.low)} ≤ {self.feature} < {written(self.high)}"
        if self.low is not None:
            return f"{self.feature} ≥ {written(self.low)}"
        return f"{self.feature} < {written(self.high or 0.0)}"

    def facts(self) -> dict[str, object]:
        """As JSON holds it; what does not apply is left out."""
        values = {
            "low": self.low,
            "high": self.high,
            "among": list(self.among) or None,
            "not_among": list(self.not_among) or None,
        }
        return {"feature": self.feature, **{name: value for name, value in values.items() if value is not None}}


def joined(conditions: tuple[Condition, ...], step: Condition) -> tuple[Condition, ...]:
    """``conditions`` and one step more: what it says of a feature is merged with what was said of it before."""
    for place, known in enumerate(conditions):
        if known.feature == step.feature:
            return (*conditions[:place], _merged(known, step), *conditions[place + 1 :])
    return (*conditions, step)


def _merged(known: Condition, step: Condition) -> Condition:
    if known.among or step.among:
        # To be one of the texts says already that it is none of the others.
        return replace(known, among=known.among or step.among, not_among=())
    if known.not_among or step.not_among:
        return replace(known, not_among=tuple(sorted({*known.not_among, *step.not_among})))
    lows = [value for value in (known.low, step.low) if value is not None]
    highs = [value for value in (known.high, step.high) if value is not None]
    return replace(known, low=max(lows, default=None), high=min(highs, default=None))
