"""Persistence, firmness and stability of every customer, as indices of 0 to 100, and what they are made of.

``docs/algorithms/loyalty_analysis.md`` has the formulas and worked numbers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Flags, Real, Whole, day_number
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.transactions import MONEY_UNITS, Days, Purchases
from patron.intelligence.mining.trends.choices import (
    Branches,
    branch_loyalty,
    brand_loyalty,
    breadth,
    wallet_share,
)
from patron.intelligence.mining.trends.cycles import PERIOD_DAYS, Cycles, cycles_of, significant
from patron.intelligence.mining.trends.decomposition import LightParts, explained_share, light_decomposition
from patron.intelligence.mining.trends.expected import BackTest, Expected, back_test, expected
from patron.intelligence.mining.trends.prices import Prices, price_sensitivity
from patron.intelligence.mining.trends.settings import LoyaltyParameters

WEEK: Final = 7
#: What a customer is called, by code.
LABELS: Final = ("firm", "steady", "wavering", "drifting", "gone", "unproven")
FIRM, STEADY, WAVERING, DRIFTING, GONE, UNPROVEN = range(6)
_PRIOR_PERIODS: Final = 2.0
#: With fewer customers what moves everybody is mostly the customer in question.
_CROWD: Final = 30
_CONFIDENT_GAPS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Loyalty:
    """Everything measured, one entry per customer of ``days.customers``; "not a number" where there is too little.

    Indices are 0 to 100, shares 0 to 1. ``label`` numbers LABELS; ``cycle`` is 1 where the gaps grow longer, −1 where
    they shorten, else 0. ``confidence``: gaps ÷ (gaps + 6). ``gone`` are those silent for more than ``lost_days``.
    Parts that the input has no columns for are None.
    """

    days: Days
    cycles: Cycles
    loyalty: Real
    persistence: Real
    firmness: Real
    stability: Real
    label: npt.NDArray[np.int8]
    cycle: npt.NDArray[np.int8]
    confidence: Real
    gone: Flags
    lost_days: Real
    parts: LightParts
    explained: Real
    expected: Expected
    back_test: BackTest | None
    prices: Prices | None
    branches: Branches | None
    brand_share: Real | None
    kinds: Real | None
    everyday_kinds: int

    def wallet(self, peers: Whole, groups: int) -> Real:
        """Share-of-wallet proxy among ``peers`` (:func:`~.choices.wallet_share`); only with half a year behind them."""
        if self.kinds is None:
            return np.full(len(self.loyalty), np.nan)
        known = self.cycles.possible * PERIOD_DAYS >= 26 * WEEK
        share = wallet_share(self.kinds, np.where(known, peers, -1), groups)
        return np.where(known, share, np.nan)


def measure(purchases: Purchases, as_of: dt.date, parameters: LoyaltyParameters) -> Loyalty:
    """Measure all customers as of the end of the day ``as_of``, without a loop over customers."""
    days, end = purchases.days, day_number(as_of)
    window = parameters.window_weeks * WEEK
    number = len(days.customers)
    visits = visits_of(days)
    cycles = cycles_of(visits, number, as_of=end, window_days=window, recent_days=parameters.recent_days)
    came = days.purchases > 0
    told = (visits.owner, visits.day, days.amount[came] / MONEY_UNITS, cycles.first, number)
    has = visits.starts[1:] > visits.starts[:-1]

    recent = purchases.lines.filter(purchases.lines.date > as_of - dt.timedelta(window))
    there = set(recent.columns)
    prices = price_sensitivity(recent, days.customers) if "discount" in there else None
    branches = branch_loyalty(recent, days.customers) if "branch" in there else None
    brand_share = brand_loyalty(recent, days.customers) if "brand" in there else None
    kinds, everyday = breadth(recent, days.customers) if "category" in there else (None, 0)

    weekly = spent_by(days, end, parameters.window_weeks, WEEK)
    seen_weeks = np.clip(end - cycles.first, 0, window - 1) // WEEK + 1
    factors = _factors(purchases, weekly, end, parameters.window_weeks)
    explained = explained_share(weekly, seen_weeks, factors) if number >= _CROWD else np.full(number, np.nan)
    periods = -(-window // PERIOD_DAYS)
    parts = light_decomposition(spent_by(days, end, periods, PERIOD_DAYS), np.where(has, cycles.possible, 0))

    silence = (end - cycles.last).astype(float)
    lost_days = np.maximum(parameters.lost_gaps * cycles.typical, parameters.lost_min_days)
    gone = has & (silence > lost_days)
    persistence = np.where(has, _persistence(cycles, silence, end, parameters), np.nan)
    firmness = np.where(has, _firmness(explained, prices, branches, brand_share), np.nan)
    stability = _stability(cycles)
    known = np.isfinite(stability)
    with np.errstate(invalid="ignore"):
        loyalty = np.where(known, _mean_of([persistence, firmness, stability]), np.nan)
    tested = back_test(visits.owner, visits.day, cycles.first, number, as_of=end)
    stands = significant(cycles.p, parameters.false_share)
    cycle = np.where(stands, np.sign(np.nan_to_num(np.log(np.where(stands, cycles.ratio, 1)))), 0).astype(np.int8)
    return Loyalty(
        days=days,
        cycles=cycles,
        loyalty=loyalty,
        persistence=persistence,
        firmness=firmness,
        stability=stability,
        label=_labels(loyalty, cycle, gone, parameters),
        cycle=cycle,
        confidence=cycles.gaps / (cycles.gaps + _CONFIDENT_GAPS),
        gone=gone,
        lost_days=lost_days,
        parts=parts,
        explained=explained,
        expected=expected(*told, as_of=end, half_life=tested.half_life, tail=tested.tail)
        if tested
        else expected(*told, as_of=end),
        back_test=tested,
        prices=prices,
        branches=branches,
        brand_share=brand_share,
        kinds=kinds,
        everyday_kinds=everyday,
    )


def spent_by(days: Days, end: int, steps: int, length: int) -> Real:
    """Money spent (net, not below zero) per customer and step of ``length`` days up to ``end``, the oldest first."""
    number = len(days.customers)
    step = steps - 1 - (end - days.day) // length
    rows = step >= 0
    flat = np.bincount(
        days.owner[rows].astype(np.int64) * steps + step[rows],
        weights=days.amount[rows] / MONEY_UNITS,
        minlength=number * steps,
    ).astype(float)
    spent: Real = np.maximum(flat.reshape(number, steps), 0.0)
    return spent


def _factors(purchases: Purchases, weekly: Real, end: int, weeks: int) -> Real:
    """What moves everybody, by week: all customers' spending, and the share of it that was taken off in price cuts."""
    total = weekly.sum(axis=0)
    lines = purchases.lines
    if "discount" not in lines.columns:
        alone: Real = total.reshape(-1, 1)
        return alone
    told = lines.filter(lines.amount >= 0)
    found = told.group_by("date").agg(
        discount=told.discount.sum().cast("float64"), amount=told.amount.sum().cast("float64")
    ).order_by("date").to_pyarrow()  # fmt: skip
    day = found["date"].cast("date32").cast("int32").to_numpy().astype(np.int64)
    step = weeks - 1 - (end - day) // WEEK
    rows = step >= 0
    discount = np.bincount(step[rows], weights=np.nan_to_num(found["discount"].to_numpy())[rows], minlength=weeks)
    amount = np.bincount(step[rows], weights=np.nan_to_num(found["amount"].to_numpy())[rows], minlength=weeks)
    gross = discount + amount
    cut = np.where(gross > 0, discount / np.where(gross > 0, gross, 1), 0.0)
    factors: Real = np.column_stack([total, cut])
    return factors


def _persistence(cycles: Cycles, silence: Real, end: int, parameters: LoyaltyParameters) -> Real:
    """100 · (½ · active share + ¼ · tenure + ¼ · still here)."""
    everybody = float(cycles.active.sum()) / max(float(cycles.possible[cycles.visits > 0].sum()), 1.0)
    active = (cycles.active + _PRIOR_PERIODS * everybody) / (cycles.possible + _PRIOR_PERIODS)
    tenure = np.minimum((end - cycles.first) / parameters.long_days, 1.0)
    half = parameters.lost_gaps / 2
    still = np.minimum(half * cycles.typical / np.maximum(silence, 1.0), 1.0)
    index: Real = 100 * (0.5 * np.minimum(active, 1.0) + 0.25 * tenure + 0.25 * still)
    return index


def _firmness(explained: Real, prices: Prices | None, branches: Branches | None, brand_share: Real | None) -> Real:
    """100 · the mean of those known: 1 − explained, 1 − share at cut prices, main branch's and main brands' share."""
    known = [1 - explained]
    if prices is not None:
        known.append(1 - prices.cut_share)
    if branches is not None:
        known.append(branches.main_share)
    if brand_share is not None:
        known.append(brand_share)
    return 100 * _mean_of(known)


def _stability(cycles: Cycles) -> Real:
    """100 · (½ · 1 ÷ (1 + cv²) + ¼ · evenness + ¼ · exp(−|ln ratio|)); parts not known leave theirs to the others."""
    regular = 1 / (1 + cycles.cv**2)
    with np.errstate(invalid="ignore"):
        kept = np.exp(-np.abs(np.log(cycles.ratio)))
    values = np.stack([regular, cycles.evenness, kept])
    weights = np.array([0.5, 0.25, 0.25])[:, None] * np.isfinite(values)
    index = (np.nan_to_num(values) * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-9)
    stability: Real = np.where(np.isfinite(regular), 100 * index, np.nan)
    return stability


def _mean_of(values: list[Real]) -> Real:
    stacked = np.stack(values)
    known = np.isfinite(stacked)
    number = known.sum(axis=0)
    mean: Real = np.where(number > 0, np.where(known, stacked, 0).sum(axis=0) / np.maximum(number, 1), np.nan)
    return mean


def _labels(
    loyalty: Real, cycle: npt.NDArray[np.int8], gone: Flags, parameters: LoyaltyParameters
) -> npt.NDArray[np.int8]:
    """The first that holds: gone, unproven (no index), drifting (gaps grow longer), firm, steady, else wavering."""
    known = np.isfinite(loyalty)
    value = np.nan_to_num(loyalty)
    conditions = [gone, ~known, cycle > 0, value >= parameters.firm_from, value >= parameters.steady_from]
    return np.select(conditions, [GONE, UNPROVEN, DRIFTING, FIRM, STEADY], WAVERING).astype(np.int8)
