"""The purchase cycle: how regular a customer's gaps are, and whether they are getting longer.

A visit is a day with a purchase; a gap is the days between two visits. ``docs/algorithms/loyalty_analysis.md`` has
worked numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.rhythm import Visits, population_log, typical_gap

PERIOD_DAYS: Final = 28
#: Fewer gaps say nothing about regularity.
LEAST_GAPS: Final = 3
_LEAST_RECENT: Final = 2
_PRIOR_GAPS: Final = 2.0
#: Degrees of freedom that everybody's variance weighs in the variance of one customer's gaps.
_PRIOR_FREEDOM: Final = 4.0


@dataclass(frozen=True, slots=True)
class Cycles:
    """Per customer; "not a number" where there is too little. Days are day numbers, gaps are days.

    ``cv``: standard deviation of the gaps ÷ their mean. ``evenness``: entropy of the visits over periods of 28 days ÷
    the most it can be. ``ratio``: geometric mean of recent gaps ÷ of earlier ones, with its 95 % interval and ``p``.
    ``active`` of ``possible`` periods since the first visit (in the window) have a visit.
    """

    first: Whole
    last: Whole
    visits: Whole
    gaps: Whole
    typical: Real
    cv: Real
    evenness: Real
    active: Whole
    possible: Whole
    earlier_gap: Real
    recent_gap: Real
    ratio: Real
    ratio_low: Real
    ratio_high: Real
    p: Real


def cycles_of(visits: Visits, customers: int, *, as_of: int, window_days: int, recent_days: int) -> Cycles:
    """The cycles of all customers in the ``window_days`` up to ``as_of``; customers without a visit have zeros."""
    owner, day = visits.owner, visits.day
    start = as_of - window_days
    here = day > start
    gap = visits.gap.astype(float)
    measured = here & (visits.number > 1) & (day - visits.gap > start)
    logs = np.log(np.maximum(gap, 1.0))

    def total(values: Real, rows: Flags) -> Real:
        sums: Real = np.bincount(owner[rows], weights=values[rows], minlength=customers).astype(float)
        return sums

    ones = np.ones(len(owner))
    number = total(ones, measured)
    has = visits.starts[1:] > visits.starts[:-1]
    place = np.minimum(visits.starts[:-1], max(len(day) - 1, 0))
    end = np.maximum(visits.starts[1:] - 1, 0)
    first = np.where(has, day[place], as_of) if len(day) else np.full(customers, as_of)
    last = np.where(has, day[end], as_of) if len(day) else np.full(customers, as_of)
    log_sum = np.rint(total(logs, measured) * 1e6).astype(np.int64)
    typical = typical_gap(
        log_sum, number.astype(np.int64), population_log(log_sum, number.astype(np.int64), fallback_days=30.0),
        prior_gaps=_PRIOR_GAPS,
    )  # fmt: skip
    drift = _drift(total, logs, measured, day > as_of - recent_days, silence=(as_of - last).astype(float))
    seen = np.clip(as_of - first, 0, window_days - 1) // PERIOD_DAYS + 1
    periods = -(-window_days // PERIOD_DAYS)
    table = np.bincount(
        owner[here] * periods + (as_of - day[here]) // PERIOD_DAYS, minlength=customers * periods
    ).reshape(customers, periods)
    return Cycles(
        first=first.astype(np.int64),
        last=last.astype(np.int64),
        visits=table.sum(axis=1),
        gaps=number.astype(np.int64),
        typical=typical,
        cv=_variation(number, total(gap, measured), total(gap * gap, measured)),
        evenness=evenness_of(table, seen),
        active=(table > 0).sum(axis=1),
        possible=seen.astype(np.int64),
        **drift,
    )


def _variation(number: Real, total: Real, squares: Real) -> Real:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / number
        variance = np.maximum(squares - number * mean * mean, 0) / (number - 1)
        cv: Real = np.where(number >= LEAST_GAPS, np.sqrt(variance) / mean, np.nan)
    return cv


def evenness_of(table: Whole, possible: Whole) -> Real:
    """Entropy of each row's counts ÷ ln min(visits, possible periods); "not a number" where that is ln 1.

    1 when visits are spread evenly over the periods, 0 when all are in one. Source: E. C. Pielou, The measurement of
    diversity in different types of biological collections, Journal of Theoretical Biology 13 (1966) 131–144.
    """
    number = table.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = table / np.maximum(number, 1)[:, None]
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
        most = np.log(np.minimum(number, possible))
        evenness: Real = np.where(most > 0, np.minimum(entropy / most, 1.0), np.nan)
    return evenness


def _drift(
    add: Callable[[Real, Flags], Real], logs: Real, measured: Flags, recent: Flags, *, silence: Real
) -> dict[str, Real]:
    """Recent against earlier gaps by a moderated t test on logarithms.

    ``add`` sums values over the rows of each customer. The silence until today counts as one more recent gap once it
    is longer than the recent gaps usually are (it will be at least that long). Variances are drawn towards everybody's.
    Source: G. K. Smyth, Linear models and empirical Bayes methods, Statistical Applications in Genetics and Molecular
    Biology 3 (2004) article 3, section 4.
    """
    from scipy import stats

    ones = np.ones(len(logs))
    n1, n0 = add(ones, measured & recent), add(ones, measured & ~recent)
    s1, s0 = add(logs, measured & recent), add(logs, measured & ~recent)
    q1, q0 = add(logs * logs, measured & recent), add(logs * logs, measured & ~recent)
    with np.errstate(divide="ignore", invalid="ignore"):
        open_log = np.log(np.maximum(silence, 1.0))
        usual = np.where(n1 > 0, s1 / n1, s0 / n0)
        counted = np.isfinite(usual) & (open_log > usual)
        n1, s1, q1 = n1 + counted, s1 + counted * open_log, q1 + counted * open_log**2
        m1, m0 = s1 / n1, s0 / n0
        freedom = n1 + n0 - 2
        variance = np.maximum(q1 - n1 * m1**2, 0) + np.maximum(q0 - n0 * m0**2, 0)
        tested = (n1 >= _LEAST_RECENT) & (n0 >= LEAST_GAPS)
        own = variance / freedom
        everybody = float(np.median(own[tested])) if tested.any() else 0.0
        moderated = (_PRIOR_FREEDOM * everybody + variance) / (_PRIOR_FREEDOM + freedom)
        # A customer whose gaps never vary, among such customers, has no error at all: keep it from being zero.
        error = np.sqrt(np.maximum(moderated, 1e-4) * (1 / n1 + 1 / n0))
        change = m1 - m0
        t = change / error
        p = 2 * stats.t.sf(np.abs(t), _PRIOR_FREEDOM + freedom)
        reach = stats.t.isf(0.025, _PRIOR_FREEDOM + freedom) * error
    unknown = np.nan

    def where(values: Real) -> Real:
        return np.where(tested, values, unknown)

    return {
        "earlier_gap": where(np.exp(m0)),
        "recent_gap": where(np.exp(m1)),
        "ratio": where(np.exp(change)),
        "ratio_low": where(np.exp(change - reach)),
        "ratio_high": where(np.exp(change + reach)),
        "p": where(p),
    }


def significant(p: Real, false_share: float) -> Flags:
    """Which tests stand when at most ``false_share`` of those that stand may be false, in expectation.

    Source: Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, Journal of the Royal Statistical Society
    B 57 (1995) 289–300. "Not a number" never stands.
    """
    known = np.isfinite(p)
    ordered = np.sort(p[known])
    limit = false_share * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    passed = np.flatnonzero(ordered <= limit)
    result: Flags = known & (p <= ordered[passed[-1]]) if len(passed) else np.zeros(len(p), dtype=np.bool_)
    return result
