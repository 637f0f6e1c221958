"""Is one group of customers worth more than the others, or does it only look so?

Money has heavy tails: one wholesaler moves the mean of a hundred households. Groups are therefore compared by trimmed
means, which leave out a share of the smallest and of the largest values, with unequal variances:

* one group and the rest: K. Yuen, Biometrika 61 (1974), the t statistic of trimmed means with winsorised variances;
* all groups at once: B. Welch, Biometrika 38 (1951), on trimmed means;
* the ratio of two means and its interval: E. Fieller, JRSS B 16 (1954);
* several groups of one question: p values after S. Holm, Scand. J. Statist. 6 (1979).

The share of all value that a group brings is a ratio of sums; its interval comes from the linearised variance
(W. Cochran, Sampling Techniques, 3rd ed. 1977, section 6.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole

Verdict: TypeAlias = Literal["more", "less", "unproven", "too_few"]
VERDICTS: Final[tuple[Verdict, ...]] = ("more", "less", "unproven", "too_few")


@dataclass(frozen=True, slots=True)
class Comparing:
    """``trim``: share left out at each end; ``level``: of the intervals; ``fewest``: customers a group must have."""

    trim: float = 0.1
    level: float = 0.95
    fewest: int = 20


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A trimmed mean, its squared standard error, and how many values it rests on."""

    mean: float
    variance: float
    kept: int


@dataclass(frozen=True, slots=True)
class GroupValue:
    """One group beside the rest of those who are in a group.

    Shares are of everybody in a group. ``typical`` is the trimmed mean, ``ratio`` that of the group ÷ that of the rest,
    with its interval; None where it cannot be told. ``p`` is adjusted for the number of groups that were asked about.
    """

    group: int
    customers: int
    customer_share: float
    value: float
    value_share: float
    share_low: float
    share_high: float
    leverage: float | None
    mean: float
    median: float
    typical: float
    rest_typical: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """All groups of one question, in the order of their numbers; ``p`` says whether they differ at all."""

    groups: tuple[GroupValue, ...]
    p: float | None


def compare_groups(values: Real, group: Whole, count: int, how: Comparing = Comparing()) -> Comparison:
    """Compare the groups 0 to ``count`` − 1 by ``values``, one for each customer; −1 is nobody's group.

    Groups without a customer are left out. Values are finite.
    """
    inside = group >= 0
    order = np.argsort(values[inside], kind="stable")
    ordered, of = values[inside][order], group[inside][order]
    sizes = np.bincount(of, minlength=count)
    large = sizes >= how.fewest
    trimmed = {place: trimmed_mean(ordered[of == place], how.trim) for place in np.flatnonzero(large)}
    rests = {place: _rest(ordered, of != place, how) for place in trimmed}
    raw = {place: _p(trimmed[place], rest) for place, rest in rests.items() if rest is not None}
    adjusted = dict(zip(raw, _asked_once(list(raw.values()), int(np.count_nonzero(sizes))), strict=True))
    rows = [
        _group_value(int(place), ordered, of == place, rests.get(place), trimmed.get(place), adjusted.get(place), how)
        for place in np.flatnonzero(sizes)
    ]
    return Comparison(tuple(rows), welch_anova(list(trimmed.values())))


def trimmed_mean(ascending: Real, trim: float) -> Trimmed:
    """Of values that ascend, at least one."""
    count = len(ascending)
    cut = math.floor(trim * count)
    kept = count - 2 * cut
    mean = float(ascending[cut : count - cut].mean())
    if kept < 2:
        return Trimmed(mean, math.inf, kept)
    winsorised = ascending.copy()
    winsorised[:cut], winsorised[count - cut :] = ascending[cut], ascending[count - cut - 1]
    variance = float(winsorised.var(ddof=1)) * (count - 1) / (kept * (kept - 1))
    return Trimmed(mean, variance, kept)


def yuen(left: Trimmed, right: Trimmed) -> tuple[float, float]:
    """The t statistic of two trimmed means and its degrees of freedom; with no spread at all 0 or infinity."""
    variance = left.variance + right.variance
    if variance <= 0:
        return (0.0 if left.mean == right.mean else math.copysign(math.inf, left.mean - right.mean)), 1.0
    parts = left.variance**2 / max(left.kept - 1, 1) + right.variance**2 / max(right.kept - 1, 1)
    return (left.mean - right.mean) / math.sqrt(variance), variance**2 / parts


def fieller(left: Trimmed, right: Trimmed, level: float) -> tuple[float, float] | None:
    """The interval of left ÷ right; None where the right one is not clearly away from zero, or not above it."""
    from scipy.special import stdtrit

    _, freedom = yuen(left, right)
    limit = float(stdtrit(freedom, (1 + level) / 2)) ** 2
    below = right.mean**2 - limit * right.variance
    if right.mean <= 0 or below <= 0 or not math.isfinite(limit):
        return None
    middle = left.mean * right.mean
    inside = middle**2 - (left.mean**2 - limit * left.variance) * below
    root = math.sqrt(max(inside, 0.0))
    return (middle - root) / below, (middle + root) / below


def welch_anova(groups: Sequence[Trimmed]) -> float | None:
    """p that all groups have the same (trimmed) mean; None for fewer than two, or where one has no spread."""
    from scipy.special import fdtrc

    if len(groups) < 2 or any(not 0 < each.variance < math.inf for each in groups):
        return None
    weights = np.array([1 / each.variance for each in groups])
    means = np.array([each.mean for each in groups])
    freedom = np.array([each.kept - 1 for each in groups])
    k, total = len(groups), float(weights.sum())
    grand = float((weights * means).sum() / total)
    between = float((weights * (means - grand) ** 2).sum()) / (k - 1)
    spread = float(((1 - weights / total) ** 2 / freedom).sum())
    statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    return float(fdtrc(k - 1, (k**2 - 1) / (3 * spread), statistic))


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p as if it were the only one asked for."""
    count, worst = len(p_values), 0.0
    adjusted = [0.0] * count
    for rank, place in enumerate(sorted(range(count), key=lambda each: p_values[each])):
        worst = max(worst, min((count - rank) * p_values[place], 1.0))
        adjusted[place] = worst
    return adjusted


def _asked_once(p_values: list[float], groups: int) -> list[float]:
    # Of two groups the first beside the rest is the second beside the rest: one question.
    return p_values if groups == 2 else holm(p_values)


def _rest(ordered: Real, others: Flags, how: Comparing) -> Trimmed | None:
    if int(np.count_nonzero(others)) < how.fewest:
        return None
    return trimmed_mean(ordered[others], how.trim)


def _p(left: Trimmed, right: Trimmed | None) -> float:
    from scipy.special import stdtr

    if right is None:
        return 1.0
    statistic, freedom = yuen(left, right)
    return float(2 * stdtr(freedom, -abs(statistic)))


def _group_value(
    place: int,
    ordered: Real,
    mine: Flags,
    rest: Trimmed | None,
    own: Trimmed | None,
    p: float | None,
    how: Comparing,
) -> GroupValue:
    values = ordered[mine]
    share, low, high = share_interval(ordered, mine, how.level)
    customer_share = len(values) / len(ordered)
    typical = own if own is not None else trimmed_mean(values, how.trim)
    ratio = interval = None
    if own is not None and rest is not None and rest.mean > 0:
        ratio, interval = own.mean / rest.mean, fieller(own, rest, how.level)
    verdict: Verdict = "too_few"
    if p is not None and rest is not None:
        verdict = "unproven" if p > 1 - how.level else ("more" if typical.mean > rest.mean else "less")
    return GroupValue(
        group=place,
        customers=len(values),
        customer_share=customer_share,
        value=float(values.sum()),
        value_share=share,
        share_low=low,
        share_high=high,
        leverage=share / customer_share if float(ordered.sum()) > 0 else None,
        mean=float(values.mean()),
        median=float(np.median(values)),
        typical=typical.mean,
        rest_typical=None if rest is None else rest.mean,
        ratio=ratio,
        ratio_low=None if interval is None else interval[0],
        ratio_high=None if interval is None else interval[1],
        p=p,
        verdict=verdict,
    )


def share_interval(values: Real, mine: Flags, level: float) -> tuple[float, float, float]:
    """The share of all value that those of ``mine`` bring, and its interval; 0 where there is no value above zero."""
    from scipy.special import ndtri

    total = float(values.sum())
    if total <= 0:
        return 0.0, 0.0, 0.0
    share = float(values[mine].sum()) / total
    influence = values * (mine - share)
    error = math.sqrt(float(np.square(influence).sum())) / total
    width = float(ndtri((1 + level) / 2)) * error
    return share, max(share - width, 0.0), min(share + width, 1.0)
