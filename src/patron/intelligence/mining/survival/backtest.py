"""How well the chances foretold who came back, on days they had not seen.

On each of several past days the chances are worked out from what was known then, and asked for every newcomer who was
waiting; then it is looked up who came. The baseline knows as much but for how long each has been waiting: the share
of the waiting who came within as many days, on all earlier days known then. Brier score: G. W. Brier, Monthly Weather
Review 78 (1950), 1-3; both are means over all those asked, lower is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.survival.chances import chances
from patron.intelligence.mining.survival.newcomers import Newcomers
from patron.intelligence.mining.survival.settings import NewcomersParameters

#: With fewer returns known on the day, or fewer asked in all, nothing is tested.
LEAST_RETURNS: Final = 10
LEAST_ASKED: Final = 20
#: First days of silence of the bands that are compared.
BANDS: Final = (0, 8, 15, 29, 57, 91)
_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Band:
    """Those asked after a silence of ``first`` to ``last`` days: how many, the mean chance, how many came."""

    first: int
    last: int
    asked: int
    foretold: float
    came: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Scores of the chances and of the baseline over ``asked`` in ``windows``; ``rate``: the baseline's mean."""

    windows: int
    first_day: int
    last_day: int
    asked: int
    came: int
    foretold: float
    rate: float
    brier: float
    baseline_brier: float
    log_loss: float
    baseline_log_loss: float
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    silence: Whole
    came: Flags


def trial(found: Newcomers, parameters: NewcomersParameters) -> Trial | None:
    """None where the history is too short, or too few wait."""
    soon, horizon = parameters.soon_days, parameters.horizon_days
    asked = _asked(found, soon, horizon)
    silence, chance, rate, came, days = [], [], [], [], []
    for back, now in enumerate(asked[: parameters.test_windows], 1):
        earlier = asked[back:]
        waited = sum(len(each.came) for each in earlier)
        day = found.until - back * soon
        known = found.select(found.first <= day)
        duration, returned = known.returns(day)
        told = chances(duration, returned, horizon=horizon, soon=soon, prior=parameters.prior_newcomers)
        if not len(now.came) or not waited or told is None or int(returned.sum()) < LEAST_RETURNS:
            continue
        silence.append(now.silence)
        came.append(now.came)
        chance.append(told.of(now.silence))
        rate.append(np.full(len(now.came), sum(int(each.came.sum()) for each in earlier) / waited))
        days.append(day)
    if sum(len(each) for each in came) < LEAST_ASKED:
        return None
    truth = np.concatenate(came)
    foretold, baseline = np.concatenate(chance), np.concatenate(rate)
    return Trial(
        windows=len(days),
        first_day=min(days) + 1,
        last_day=max(days) + soon,
        asked=len(truth),
        came=int(truth.sum()),
        foretold=float(foretold.mean()),
        rate=float(baseline.mean()),
        brier=_brier(foretold, truth),
        baseline_brier=_brier(baseline, truth),
        log_loss=_log_loss(foretold, truth),
        baseline_log_loss=_log_loss(baseline, truth),
        bands=_bands(np.concatenate(silence), foretold, truth, horizon),
    )


def _asked(found: Newcomers, soon: int, horizon: int) -> list[_Asked]:
    """Those waiting one, two, … windows before the end, for as long as there is anybody, and who of them came."""
    if not len(found.first):
        return []
    asked = []
    for back in range(1, (found.until - int(found.first.min())) // soon + 1):
        day = found.until - back * soon
        waiting = (found.first <= day) & (found.second > day) & (day - found.first <= horizon)
        asked.append(_Asked(day - found.first[waiting], found.second[waiting] <= day + soon))
    return asked


def _brier(chance: Real, came: Flags) -> float:
    return float(np.mean((chance - came) ** 2))


def _log_loss(chance: Real, came: Flags) -> float:
    kept = np.clip(chance, _TINY, 1 - _TINY)
    return float(-np.mean(np.where(came, np.log(kept), np.log1p(-kept))))


def _bands(silence: Whole, chance: Real, came: Flags, horizon: int) -> tuple[Band, ...]:
    edges = [each for each in BANDS if each <= horizon]
    place = np.searchsorted(edges, silence, side="right") - 1
    bands = []
    for number, first in enumerate(edges):
        inside = place == number
        if inside.any():
            last = edges[number + 1] - 1 if number + 1 < len(edges) else horizon
            bands.append(Band(first, last, int(inside.sum()), float(chance[inside].mean()), int(came[inside].sum())))
    return tuple(bands)
