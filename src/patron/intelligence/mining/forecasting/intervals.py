"""Intervals from the errors of the back-test: no distribution is assumed.

Errors are measured in the usual error of their series, then pooled over all series of a kind, by step ahead::

    sigma_s  = (Σ |error| + k · rho · level_s) / (n + k)          rho = usual error ÷ level of the kind, k = 5
    interval = forecast + sigma_s · (quantile (1−p)/2 … quantile (1+p)/2 of error ÷ sigma)

Source: normalised split conformal prediction, J. Lei and others, Distribution-free predictive inference for regression,
Journal of the American Statistical Association 113 (2018) 1094–1111, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.forecasting.panel import Panel

#: Shares of what comes that the intervals are to hold.
SHARES: Final = (0.80, 0.95)
_PRIOR_ERRORS: Final = 5.0
#: With fewer errors than this at a step ahead, the errors of all steps serve for it.
_LEAST: Final = 80
#: Where nothing could be tested: as wide as if errors were normal with a usual error of this share of the level.
_UNTESTED_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Spread:
    """``sigma`` (series): usual absolute error. ``errors[kind][step]``: sorted errors ÷ sigma of that kind.

    ``wider[kind, share]`` widens the interval of that share; see :func:`~.backtest.widening`.
    """

    sigma: Real
    kind: npt.NDArray[np.int8]
    errors: dict[int, list[Real]]
    wider: dict[tuple[int, float], float] = field(default_factory=dict)

    def around(self, mean: Real, share: float) -> tuple[Real, Real]:
        """Low and high around ``mean`` (series, steps) that hold about ``share`` of what comes."""
        below, above = np.zeros_like(mean), np.zeros_like(mean)
        for kind, by_step in self.errors.items():
            rows = self.kind == kind
            factor = self.wider.get((kind, share), 1.0)
            for step, errors in enumerate(by_step):
                below[rows, step] = factor * min(_quantile(errors, (1 - share) / 2), 0.0)
                above[rows, step] = factor * max(_quantile(errors, (1 + share) / 2), 0.0)
        return mean + self.sigma[:, None] * below, mean + self.sigma[:, None] * above

    def bounds(self, panel: Panel, mean: Real, share: float) -> tuple[Real, Real]:
        """The same, not below zero for a series that never was."""
        low, high = self.around(mean, share)
        sometimes_below = (panel.values < 0).any(axis=1, keepdims=True)
        return np.where(sometimes_below, low, np.maximum(low, 0)), high


def spread_of(predicted: Real, actual: Real, *, kind: npt.NDArray[np.int8], level: Real, scale: Real) -> Spread:
    """The spread of errors (origins, series, steps). ``level``: a usual step; ``scale``: its usual change."""
    errors = actual - predicted
    tested = np.isfinite(errors)
    number = tested.sum(axis=(0, 2))
    total = np.where(tested, np.abs(errors), 0).sum(axis=(0, 2))
    sigma = np.zeros(len(kind))
    pools: dict[int, list[Real]] = {}
    for each in np.unique(kind):
        rows = np.flatnonzero(kind == each)
        some = rows[number[rows] > 0]
        usual = float(np.median(total[some] / number[some] / np.maximum(level[some], 1e-9))) if len(some) else None
        share = _UNTESTED_SHARE if usual is None else min(usual, 2.0)
        prior = np.maximum(share * level[rows], 0.0)
        if usual is None:
            prior = np.maximum(prior, np.nan_to_num(scale[rows]))
        sigma[rows] = (total[rows] + _PRIOR_ERRORS * prior) / (number[rows] + _PRIOR_ERRORS)
        pools[int(each)] = _pooled(errors[:, rows], tested[:, rows], sigma[rows])
    return Spread(sigma, kind, pools)


def _pooled(errors: Real, tested: npt.NDArray[np.bool_], sigma: Real) -> list[Real]:
    usable = tested & (sigma > 0)[None, :, None]
    shares = errors / np.where(sigma > 0, sigma, 1.0)[None, :, None]
    together = np.sort(shares[usable])
    steps = []
    for step in range(errors.shape[2]):
        own = np.sort(shares[:, :, step][usable[:, :, step]])
        steps.append(own if len(own) >= _LEAST else together)
    return steps


def _quantile(errors: Real, share: float) -> float:
    """The quantile, one rank further out than the middle of the sample's, as conformal prediction asks.

    Without errors that of a normal distribution whose mean absolute value is 1.
    """
    number = len(errors)
    if not number:
        from statistics import NormalDist

        return NormalDist(0, 1.2533).inv_cdf(share)
    if share > 0.5:
        return float(errors[min(int(np.ceil((number + 1) * share)) - 1, number - 1)])
    return float(errors[max(int(np.floor((number + 1) * share)) - 1, 0)])
