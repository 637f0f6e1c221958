"""Maximum likelihood in the logarithms of the parameters, with standard errors.

All parameters of the lifetime models are positive, so their logarithms are free and better behaved (closer to normal).
A quasi-Newton search on a sample finds the neighbourhood; Newton steps with the sample's Hessian lead from there to the
maximum for all customers, each of them a pass over the data.
The Hessian is the numerical derivative of the analytic gradient; standard errors of the parameters follow from those of
their logarithms by the delta method: se(θ) = θ · se(ln θ).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from scipy import optimize
from threadpoolctl import threadpool_limits

from patron.intelligence.mining.arrays import Flags, Real

#: From the parameters to the log-likelihood and its derivative by each parameter.
Likelihood: TypeAlias = Callable[[Real], tuple[float, Real]]

#: A logarithm further than this from its natural scale means that the data do not settle the parameter.
REACH: Final = 9.0
_STEP: Final = 1e-4
_SETTLED: Final = 1e-9
_MOST_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Fit:
    """Estimates by symbol, their standard errors (None where the data do not settle them), and the log-likelihood.

    ``loose`` names parameters that ran to the edge of what was searched: the data ask for an extreme.
    """

    symbols: tuple[str, ...]
    values: Real
    errors: tuple[float | None, ...]
    log_likelihood: float
    loose: tuple[str, ...]

    def as_dict(self) -> dict[str, float]:
        """Symbol → estimate."""
        return dict(zip(self.symbols, self.values.tolist(), strict=True))

    def errors_as_dict(self) -> dict[str, float | None]:
        """``se_`` + symbol → standard error."""
        return {f"se_{symbol}": error for symbol, error in zip(self.symbols, self.errors, strict=True)}


def fit(
    symbols: tuple[str, ...],
    likelihood: Likelihood,
    *,
    customers: float,
    scale: Mapping[str, float],
    starts: Sequence[Real],
    rehearsal: Likelihood | None = None,
    rehearsal_customers: float = 1.0,
    penalizer: float = 0.0,
) -> Fit:
    """The maximum of ``likelihood`` less ``penalizer`` · Σ parameter² per customer.

    ``starts`` are parameters to begin from (the best end counts); ``scale`` gives the natural size of a parameter that
    has a unit (1 if absent); ``rehearsal`` is the likelihood of a sample, where the search begins.
    """
    middle = np.log([scale.get(symbol, 1.0) for symbol in symbols])
    bounds = [(each - REACH, each + REACH) for each in middle]

    def loss(of: Likelihood, number: float) -> Likelihood:
        def mean_loss(logs: Real) -> tuple[float, Real]:
            values = np.exp(logs)
            height, slope = of(values)
            penalty = penalizer * float(values @ values)
            return penalty - height / number, (2 * penalizer * values - slope / number) * values

        return mean_loss

    final = loss(likelihood, customers)
    first = final if rehearsal is None else loss(rehearsal, rehearsal_customers)
    # For vectors of four numbers the threads of the linear algebra library cost more than they bring.
    with threadpool_limits(limits=1, user_api="blas"):
        logs = min((_search(first, np.log(start), bounds) for start in starts), key=lambda end: end[1])[0]
        logs, hessian = _polish(final, logs, bounds, _hessian(first, logs))
    values = np.exp(logs)
    edge = [symbol for symbol, each, (low, high) in zip(symbols, logs, bounds, strict=True)
            if min(each - low, high - each) < 1e-6]  # fmt: skip
    return Fit(
        symbols=symbols,
        values=values,
        errors=_errors(values, hessian * customers, np.array([symbol not in edge for symbol in symbols])),
        log_likelihood=likelihood(values)[0],
        loose=tuple(edge),
    )


def _search(loss: Likelihood, logs: Real, bounds: list[tuple[float, float]]) -> tuple[Real, float]:
    found = optimize.minimize(
        loss, logs, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8}
    )
    return np.asarray(found.x, dtype=np.float64), float(found.fun)


def _polish(loss: Likelihood, logs: Real, bounds: list[tuple[float, float]], shape: Real) -> tuple[Real, Real]:
    """Newton steps with the Hessian ``shape`` of the rehearsal while they help, a full search where they do not.

    The place where they end, and the Hessian there.
    """
    low, high = np.array(bounds).T
    height, slope = loss(logs)
    for _ in range(_MOST_STEPS):
        free = ((logs > low + 1e-6) | (slope < 0)) & ((logs < high - 1e-6) | (slope > 0))
        if np.abs(slope[free]).max(initial=0.0) < _SETTLED:
            return logs, _hessian(loss, logs)
        if not _positive(shape[np.ix_(free, free)]):
            break
        step = np.zeros_like(logs)
        step[free] = np.linalg.solve(shape[np.ix_(free, free)], slope[free])
        there = np.clip(logs - step, low, high)
        new_height, new_slope = loss(there)
        if np.abs(step).max() > 1 or not new_height <= height + 1e-13 * abs(height):
            break
        logs, height, slope = there, new_height, new_slope
    logs = _search(loss, logs, bounds)[0]
    return logs, _hessian(loss, logs)


def _hessian(loss: Likelihood, logs: Real) -> Real:
    columns = []
    for place in range(len(logs)):
        step = np.zeros_like(logs)
        step[place] = _STEP
        columns.append((loss(logs + step)[1] - loss(logs - step)[1]) / (2 * _STEP))
    hessian = np.array(columns)
    symmetric: Real = (hessian + hessian.T) / 2
    return symmetric


def _positive(matrix: Real) -> bool:
    if not np.isfinite(matrix).all():
        return False
    size = np.linalg.eigvalsh(matrix) if len(matrix) else np.ones(1)
    return bool(size.min() > 1e-10 * max(1e-12, size.max()))


def _errors(values: Real, information: Real, settled: Flags) -> tuple[float | None, ...]:
    """Of the settled ones, with the others held where they are; None for the others."""
    own = information[np.ix_(settled, settled)]
    if not _positive(own):
        return (None,) * len(values)
    found = iter(values[settled] * np.sqrt(np.diag(np.linalg.inv(own))))
    return tuple(float(next(found)) if each else None for each in settled)
