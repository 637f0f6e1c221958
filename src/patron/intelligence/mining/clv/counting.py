"""What every model of purchases over time offers, whichever way it lets customers stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.clv.fitting import Fit, fit
from patron.intelligence.mining.clv.summaries import Cells

#: From parameters to log-likelihood and gradient, for cells that were prepared once.
Prepared: TypeAlias = Callable[[Real], tuple[float, Real]]

#: The search for the maximum begins on about this many customers.
REHEARSAL = 20_000


#: Cells are worked through in slices that stay in the processor's cache, and that are too short for the linear algebra
#: library to start threads of its own: these wait for each other at full speed, which costs more than they bring.
SLICE = 8_192


def summed(part: Callable[[slice], tuple[float, Real]], length: int) -> tuple[float, Real]:
    """The sum of ``part`` over slices of 0 to ``length``."""
    parts = [part(slice(first, first + SLICE)) for first in range(0, max(length, 1), SLICE)]
    return sum(height for height, _ in parts), np.sum([slope for _, slope in parts], axis=0)


class CountModel(Protocol):
    """A model of repeat purchases. ``values`` are always in the order of ``symbols``; times in one unit throughout.

    ``timed`` names the parameters that are measured in time.
    """

    @property
    def name(self) -> str: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def timed(self) -> tuple[str, ...]: ...

    def starts(self, cells: Cells) -> list[Real]: ...
    def prepared(self, cells: Cells) -> Prepared: ...
    def p_alive(self, values: Real, x: Real, tx: Real, age: Real) -> Real: ...
    def rate(self, values: Real, x: Real, age: Real, after: Real) -> Real: ...
    def pairs(self, values: Real, x: Real, age: Real, after: Real) -> Real: ...
    def expected_if_alive(self, values: Real, x: Real, age: Real, horizon: float | Real) -> Real: ...
    def expected_since_first(self, values: Real, times: Real) -> Real: ...


def fit_counts(model: CountModel, cells: Cells, *, penalizer: float = 0.0) -> Fit:
    """Maximum-likelihood estimates. Needs a customer with a repeat purchase.

    Raises :class:`ValueError` without a repeat purchase.
    """
    if not (cells.x > 0).any():
        raise ValueError("no customer has a repeat purchase")
    middle = cells.mean_age
    sample = cells.sample(REHEARSAL)
    return fit(
        model.symbols,
        model.prepared(cells),
        customers=cells.customers,
        scale=dict.fromkeys(model.timed, max(middle, 1e-6)),
        starts=model.starts(sample),
        rehearsal=None if sample is cells else model.prepared(sample),
        rehearsal_customers=sample.customers,
        penalizer=penalizer,
    )
