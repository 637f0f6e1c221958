"""Kaplan-Meier curves with Greenwood's variance, and the log-rank test.

E. L. Kaplan & P. Meier (1958), "Nonparametric estimation from incomplete observations", JASA 53, 457-481; M. Greenwood
(1926); intervals on the log(-log) scale keep within 0 and 1 (J. D. Kalbfleisch & R. L. Prentice, The Statistical
Analysis of Failure Time Data, 2nd ed. 2002, section 1.4). Log-rank: N. Mantel (1966); R. Peto & J. Peto (1972).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from patron.intelligence.mining.arrays import Flags, Real, Whole, Whole32


@dataclass(frozen=True, slots=True)
class Curve:
    """The share still there just after each time at which somebody left; ``error`` is Greenwood's standard error.

    ``until`` is the longest that anybody was followed: the curve says nothing of what comes after.
    """

    time: Whole
    at_risk: Whole
    left: Whole
    survival: Real
    error: Real
    low: Real
    high: Real
    until: int

    def at(self, time: float) -> float:
        """The share still there at ``time``."""
        place = int(np.searchsorted(self.time, time, side="right"))
        return float(self.survival[place - 1]) if place else 1.0

    def error_at(self, time: float) -> float:
        """Its standard error; 0 before anybody left."""
        place = int(np.searchsorted(self.time, time, side="right"))
        return float(self.error[place - 1]) if place else 0.0

    @property
    def median(self) -> float | None:
        """The first time at which half or fewer are left; None while more are."""
        below = np.flatnonzero(self.survival <= 0.5 + 1e-12)
        return float(self.time[below[0]]) if len(below) else None

    @property
    def median_interval(self) -> tuple[float | None, float | None]:
        """From the first time at which the lower limit is half or less to the first at which the upper one is.

        R. Brookmeyer & J. Crowley, Biometrics 38 (1982), 29-41, with the limits of the curve; None where a limit stays
        above a half.
        """
        low, high = (np.flatnonzero(limit <= 0.5 + 1e-12) for limit in (self.low, self.high))
        return (
            float(self.time[low[0]]) if len(low) else None,
            float(self.time[high[0]]) if len(high) else None,
        )

    def by_day(self, last: int) -> tuple[Real, Real, Real]:
        """The share still there on the days 0 to ``last``, and its limits; 1 before the first time."""
        place = np.searchsorted(self.time, np.arange(last + 1), side="right")
        share, low, high = (np.concatenate(([1.0], values))[place] for values in (self.survival, self.low, self.high))
        return share, low, high


def kaplan_meier(duration: Whole, ended: Flags, *, confidence: float = 0.95) -> Curve:
    """The curve of those who were seen for ``duration`` and had ``ended`` then (else they are still there).

    Who is last seen at the very time when another leaves counts as at risk then.
    """
    times, place = np.unique(duration, return_inverse=True)
    seen = np.bincount(place, minlength=len(times))
    left = np.bincount(place, ended, len(times)).astype(np.int64)
    at_risk = seen[::-1].cumsum()[::-1]
    some = left > 0
    times, left, at_risk = times[some], left[some], at_risk[some]
    survival = np.cumprod(1 - left / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(left / (at_risk * (at_risk - left)))
        error = survival * np.sqrt(greenwood)
        # Where nobody is left the variance has no estimate: the curve ends at 0 without an interval.
        spread = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(spread), survival ** np.exp(-spread)
    known = survival > 0
    return Curve(
        time=times,
        at_risk=at_risk,
        left=left,
        survival=survival,
        error=np.where(known, error, 0.0),
        low=np.where(known, low, 0.0),
        high=np.where(known, high, 0.0),
        until=int(duration.max(initial=0)),
    )


@dataclass(frozen=True, slots=True)
class LogRank:
    """Chi-squared on ``freedom`` degrees; ``observed`` and ``expected`` leavers of each group."""

    statistic: float
    freedom: int
    p_value: float
    observed: tuple[int, ...]
    expected: tuple[float, ...]


def log_rank(duration: Whole, ended: Flags, group: Whole | Whole32, groups: int) -> LogRank | None:
    """Do the groups 0 to ``groups`` leave at the same pace? None where there is nothing to compare."""
    times, place = np.unique(duration, return_inverse=True)
    cell = place * groups + group
    shape = (len(times), groups)
    seen = np.bincount(cell, minlength=len(times) * groups).reshape(shape)
    left = np.bincount(cell, ended, len(times) * groups).reshape(shape)
    at_risk = seen[::-1].cumsum(axis=0)[::-1]
    left_all, risk_all = left.sum(axis=1), at_risk.sum(axis=1)
    some = left_all > 0
    left_all, risk_all, at_risk = left_all[some], risk_all[some], at_risk[some]
    share = at_risk / risk_all[:, None]
    expected, observed = (share * left_all[:, None]).sum(axis=0), left.sum(axis=0)
    factor = left_all * (risk_all - left_all) / np.maximum(risk_all - 1, 1)
    variance = np.diag((factor[:, None] * share).sum(axis=0)) - (factor[:, None] * share).T @ share
    used = expected > 0
    if used.sum() < 2 or not factor.any():
        return None
    difference = (observed - expected)[used][:-1]
    inner = variance[np.ix_(used, used)][:-1, :-1]
    if np.linalg.matrix_rank(inner) < len(inner):
        return None
    statistic = float(difference @ np.linalg.solve(inner, difference))
    freedom = int(used.sum()) - 1
    return LogRank(
        statistic=statistic,
        freedom=freedom,
        p_value=float(stats.chi2.sf(statistic, freedom)),
        observed=tuple(int(each) for each in observed),
        expected=tuple(float(each) for each in expected),
    )


def as_points(time: Sequence[float] | Whole | Real, value: Real, *, scale: float) -> tuple[tuple[float, float], ...]:
    """(time ÷ scale, value) for a report, from (0, 1) on."""
    pairs = zip((np.asarray(time) / scale).tolist(), value.tolist(), strict=True)
    return ((0.0, 1.0), *pairs)
