"""How long customers stay, when some are still here: the Kaplan–Meier curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real


@dataclass(frozen=True, slots=True)
class Survival:
    """``share`` still here after ``times`` (ascending, those at which somebody left), with Greenwood's error."""

    times: Real
    share: Real
    error: Real

    def at(self, time: float) -> tuple[float, float]:
        """Share still here after ``time``, and its standard error."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        return (float(self.share[place]), float(self.error[place])) if place >= 0 else (1.0, 0.0)

    @property
    def median(self) -> float | None:
        """The time after which half are gone; None while more than half are still here."""
        gone = np.flatnonzero(self.share <= 0.5)
        return float(self.times[gone[0]]) if len(gone) else None


def kaplan_meier(times: Real, left: Flags) -> Survival:
    """The share still here by time since the first purchase.

    ``times``: from the first purchase to leaving, or to the end of the data for those who have not ``left``. Source:
    E. L. Kaplan, P. Meier, Nonparametric estimation from incomplete observations, Journal of the American Statistical
    Association 53 (1958) 457–481; error by M. Greenwood (1926).
    """
    moments, numbers = np.unique(times, return_counts=True)
    gone = np.zeros(len(moments))
    np.add.at(gone, np.searchsorted(moments, times[left]), 1)
    at_risk = len(times) - np.concatenate([[0], np.cumsum(numbers)[:-1]]) if len(times) else np.zeros(0)
    some = gone > 0
    moments, gone, at_risk = moments[some].astype(float), gone[some], np.asarray(at_risk, dtype=float)[some]
    share: Real = np.cumprod(1 - gone / at_risk).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.cumsum(np.where(at_risk > gone, gone / (at_risk * (at_risk - gone)), 0.0))
    error: Real = (share * np.sqrt(hazard)).astype(float)
    return Survival(moments, share, error)
