"""Parts that add up to the whole: forecasts of branches and of the total, made to agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.forecasting.engine import Forecasts

#: How much better, as share of its error, the sum of the parts must have been to replace the total's own forecast.
_MARGIN = 0.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which forecast of the total is used, and the back-tested errors (WAPE) of both ways.

    ``way`` is ``own`` (the total's own; parts are scaled to it) or ``parts`` (the sum of the parts). Errors are "not a
    number" without back-test.
    """

    way: str
    own_wape: float
    parts_wape: float


def agree(result: Forecasts, *, total: int, parts: tuple[npt.NDArray[np.int64], ...]) -> tuple[Forecasts, Agreement]:
    """The same forecasts, with each list of ``parts`` adding up to the row ``total`` in every step.

    The way of the first list decides between the sum of the parts and the total's own forecast by their back-test; then
    every part is scaled by the same factor per step, and its interval moves with it. A step where the parts sum to
    nothing stays.
    """
    test = result.backtest
    predicted = test.of(result.chosen)
    parts_wape = own_wape = float("nan")
    if len(test.origins) and len(parts):
        summed = np.nansum(predicted[:, parts[0]], axis=1)
        came = test.actual[:, total]
        weight = np.abs(came).sum()
        if weight > 0 and np.isfinite(predicted[:, total]).all():
            parts_wape = float(np.abs(summed - came).sum() / weight)
            own_wape = float(np.abs(predicted[:, total] - came).sum() / weight)
    mean = result.mean.copy()
    way = "parts" if parts_wape < own_wape * (1 - _MARGIN) else "own"
    if way == "parts":
        mean[total] = mean[parts[0]].sum(axis=0)
    for rows in parts:
        summed = mean[rows].sum(axis=0)
        factor = np.where(np.abs(summed) > 1e-9, mean[total] / np.where(np.abs(summed) > 1e-9, summed, 1.0), 1.0)
        mean[rows] = mean[rows] * factor
    return replace(result, mean=mean), Agreement(way, own_wape, parts_wape)
