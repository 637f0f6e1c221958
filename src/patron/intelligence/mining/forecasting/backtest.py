"""The back-test: forecasts made at past dates, the choice of methods by them, and the honest proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Flags, Real
from patron.intelligence.mining.forecasting.intervals import SHARES, Spread, spread_of
from patron.intelligence.mining.forecasting.methods import AVERAGE, NAIVE
from patron.intelligence.mining.forecasting.panel import Panel

REGULAR: Final = 0
SPARSE: Final = 1
NEW: Final = 2
CLOSED: Final = 3
EMPTY: Final = 4
KINDS: Final = ("regular", "sparse", "new", "closed", "empty")

#: The factors that widen intervals stay within this.
_WIDEST: Final = 3.0


@dataclass(frozen=True, slots=True)
class BackTest:
    """Forecasts made at past dates, and what came.

    ``predicted`` (methods, origins, series, steps); a method that does not serve a series is "not a number" there, as
    is a series that had not begun four weeks before the origin. ``actual`` (origins, series, steps). ``origins`` are
    columns, the oldest first. ``scale`` is the mean change from one week (or weekday) to the next: the unit of MASE.
    ``horizon`` is in days.
    """

    methods: tuple[str, ...]
    origins: npt.NDArray[np.int64]
    predicted: Real
    actual: Real
    scale: Real
    horizon: int

    def of(self, chosen: npt.NDArray[np.int8]) -> Real:
        """(origins, series, steps) of each series' chosen method."""
        rows = np.arange(self.actual.shape[1])
        taken: Real = self.predicted[chosen, :, rows].transpose(1, 0, 2)
        return taken

    def over_before(self) -> list[int]:
        """For each origin the number of earlier origins whose horizon was over by then."""
        return [int((self.origins + self.horizon <= origin).sum()) for origin in self.origins]

    def mae(self, origins: slice = slice(None)) -> Real:
        """(methods, series): mean absolute error; "not a number" where there is no test."""
        return _mean(np.abs(self.predicted[:, origins] - self.actual[None, origins]), (1, 3))

    def wape(self, predicted: Real, origins: slice = slice(None)) -> Real:
        """(series): sum of absolute errors ÷ sum of what came; "not a number" where nothing came or was tested."""
        error = np.abs(predicted[origins] - self.actual[origins])
        tested = np.isfinite(error)
        came = np.where(tested, np.abs(self.actual[origins]), 0).sum(axis=(0, 2))
        missed = np.where(tested, error, 0).sum(axis=(0, 2))
        share: Real = np.where(came > 0, missed / np.where(came > 0, came, 1), np.nan)
        return share


def choose(mae: Real, methods: tuple[str, ...], kind: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The method with the smallest error (methods, series), the simpler where equal; else the average.

    Of a series that sells only now and then the absolute error would prefer "nothing": such a series gets the average,
    which is right in the long run, as does one where nothing could be tested.
    """
    filled = np.where(np.isfinite(mae), mae, np.inf)
    best = filled.argmin(axis=0)
    untested = ~np.isfinite(filled.min(axis=0, initial=np.inf))
    return np.where(untested | (kind != REGULAR), methods.index(AVERAGE), best).astype(np.int8)


def _mean(values: Real, axes: tuple[int, ...]) -> Real:
    known: Flags = np.isfinite(values)
    number = known.sum(axis=axes)
    mean: Real = np.where(number > 0, np.where(known, values, 0).sum(axis=axes) / np.maximum(number, 1), np.nan)
    return mean


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The whole procedure at a past origin, with what was known then: (series, steps) predicted, and its spread."""

    place: int
    predicted: Real
    spread: Spread


def rehearsals(test: BackTest, kind: npt.NDArray[np.int8]) -> Iterator[Rehearsal]:
    """At every origin with two earlier ones whose horizon was over by then: method and intervals from those alone."""
    for place, before in enumerate(test.over_before()):
        if before < 2:
            continue
        older = slice(0, before)
        predicted = test.of(choose(test.mae(older), test.methods, kind))
        level = np.nan_to_num(np.abs(predicted[place]).mean(axis=1))
        spread = spread_of(predicted[older], test.actual[older], kind=kind, level=level, scale=test.scale)
        yield Rehearsal(place, predicted[place], spread)


def widening(panel: Panel, test: BackTest, kind: npt.NDArray[np.int8]) -> dict[tuple[int, float], float]:
    """(kind, share) → the factor, 1 to 3, by which intervals must be wider to have held that share in rehearsals.

    Choosing a method by its errors makes those errors look smaller than the next ones will be; this puts it right.
    """
    needed: dict[tuple[int, float], list[Real]] = {}
    for each in rehearsals(test, kind):
        came = test.actual[each.place]
        for share in SHARES:
            low, high = each.spread.bounds(panel, each.predicted, share)
            gap = came - each.predicted
            room = np.where(gap >= 0, high - each.predicted, each.predicted - low)
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = np.where(room > 0, np.abs(gap) / np.where(room > 0, room, 1), np.where(gap == 0, 0, _WIDEST))
            # A lower bound cut off at zero holds whatever is not negative.
            factor = np.where((gap < 0) & (low <= 0) & (came >= 0), np.minimum(factor, 1.0), factor)
            for one in (REGULAR, SPARSE):
                rows = (kind == one)[:, None] & np.isfinite(each.predicted)
                needed.setdefault((one, share), []).append(factor[rows])
    return {
        (one, share): float(np.clip(np.quantile(np.concatenate(factors), share), 1.0, _WIDEST))
        for (one, share), factors in needed.items()
        if sum(len(factor) for factor in factors)
    }


@dataclass(frozen=True, slots=True)
class Proof:
    """How the whole procedure would have done at past origins, choosing and calibrating only on what was known then.

    ``wape`` and ``naive_wape`` are over all series and steps together; coverages are shares of what came inside.
    ``origins`` counts the tests, ``points`` the figures compared.
    """

    origins: int
    points: int
    wape: float
    naive_wape: float
    mase: float
    coverage_80: float
    coverage_95: float


def prove(
    panel: Panel,
    test: BackTest,
    kind: npt.NDArray[np.int8],
    wider: dict[tuple[int, float], float],
    rows: Flags | None = None,
) -> Proof | None:
    """The proof over regular and sparse series, of ``rows`` where given; None where the data are too short for one.

    Series that have closed or only begun have no rehearsals that speak for them.
    """
    naive_all = test.predicted[test.methods.index(NAIVE)]
    picked = (kind <= SPARSE) if rows is None else (kind <= SPARSE) & rows
    unit = test.scale[picked][:, None]
    sums, origins = np.zeros(8), 0
    for each in rehearsals(test, kind):
        mine, naive, came = each.predicted[picked], naive_all[each.place][picked], test.actual[each.place][picked]
        tested: Flags = np.isfinite(mine) & np.isfinite(naive)
        usable = tested & (unit > 0)
        error = np.where(tested, np.abs(mine - came), 0)
        spread = replace(each.spread, wider=wider)
        inside = []
        for share in SHARES:
            low, high = spread.bounds(panel, each.predicted, share)
            inside.append(int(((came >= low[picked]) & (came <= high[picked]) & tested).sum()))
        scaled = np.where(usable, error / np.where(unit > 0, unit, 1), 0).sum()
        sums += (
            tested.sum(), error.sum(), np.where(tested, np.abs(naive - came), 0).sum(),
            np.where(tested, np.abs(came), 0).sum(), scaled, usable.sum(), *inside,
        )  # fmt: skip
        origins += bool(tested.any())
    points, missed, missed_naive, came_in_all, scaled, usable_points, in_80, in_95 = (float(each) for each in sums)
    if not points:
        return None
    return Proof(
        origins=origins,
        points=int(points),
        wape=missed / came_in_all if came_in_all else 0.0,
        naive_wape=missed_naive / came_in_all if came_in_all else 0.0,
        mase=scaled / usable_points if usable_points else 0.0,
        coverage_80=in_80 / points,
        coverage_95=in_95 / points,
    )
