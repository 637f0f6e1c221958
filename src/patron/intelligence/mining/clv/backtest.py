"""How well a forecast of purchases would have done: fitted before a day, judged by what came after it.

The customers known at the cut are forecast over the hold-out period by the model fitted on what was known then, and by
two rules that need no model: *as before* (as many purchases as in the period of the same length before the cut) and
*silent means gone* (nobody who was silent for as long as the hold-out comes back, the others go on at their own rate;
the kind of rule that M. Wübben & F. von Wangenheim (2008), "Instant customer base analysis: managerial heuristics often
'get it right'", Journal of Marketing 72(3), found hard to beat).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.arrays import Real, Whole, day_number
from patron.intelligence.mining.clv.counting import CountModel, fit_counts
from patron.intelligence.mining.clv.fitting import Fit
from patron.intelligence.mining.clv.forecasting import prospects, purchase_range
from patron.intelligence.mining.clv.gammagamma import expected_spend, fit_spend
from patron.intelligence.mining.clv.summaries import Summaries, cells_of, places_of, summarise, within
from patron.intelligence.mining.transactions import MONEY_UNITS, Days

WEEK: Final = 7
#: The hold-out table ends with "this many or more".
MOST: Final = 7


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Per customer known at the cut: what came, and what each way of forecasting expected."""

    frequency: Whole
    actual: Whole
    model: Real
    as_before: Real
    silent_gone: Real

    def rmse(self, forecast: Real) -> float:
        """Root of the mean squared error per customer, in purchases."""
        return float(np.sqrt(np.mean((forecast - self.actual) ** 2)))

    def mae(self, forecast: Real) -> float:
        """Mean absolute error per customer, in purchases."""
        return float(np.mean(np.abs(forecast - self.actual)))


@dataclass(frozen=True, slots=True)
class FrequencyGroup:
    """The customers with so many repeat purchases before the cut (``MOST``: or more): means per customer afterwards."""

    frequency: int
    customers: int
    actual: float
    model: float
    as_before: float
    silent_gone: float


@dataclass(frozen=True, slots=True)
class TrackingWeek:
    """Repeat purchases of the customers known at the cut, in the week that ends ``week`` weeks after the first day."""

    week: int
    ends_on: dt.date
    held_out: bool
    actual: int
    predicted: float
    actual_total: int
    predicted_total: float


@dataclass(frozen=True, slots=True)
class BackTest:
    """A forecast of the past. Money is what the hold-out brought and what was expected of it; ``coverage`` is the share
    of customers whose purchases fell into the range that was given for them."""

    cut_on: dt.date
    until: dt.date
    fit: Fit
    forecasts: Forecasts
    groups: tuple[FrequencyGroup, ...]
    tracking: tuple[TrackingWeek, ...]
    coverage: float
    actual_money: float
    expected_money: float

    @property
    def weeks(self) -> float:
        """Length of the hold-out."""
        return (self.until - self.cut_on).days / WEEK


def back_test(
    model: CountModel,
    bought: Days,
    *,
    cut_on: dt.date,
    until: dt.date,
    unit_days: float,
    penalizer: float,
    coverage: float,
    lookback_days: int = 0,
) -> BackTest | None:
    """``bought``: purchase days; none are looked at after ``until``. None when nobody bought again before the cut.

    ``lookback_days``: how far the model looks back from the cut (0: all); of who was silent for longer it expects
    nothing.
    """
    known = summarise(bought, cut_on)
    recent = within(bought, cut_on, lookback_days=lookback_days)
    inside = summarise(recent, cut_on)
    if not (inside.repeating & (inside.age > 0)).any():
        return None
    cells = cells_of(inside.frequency, inside.recency, inside.age, unit_days=unit_days)
    fit = fit_counts(model, cells, penalizer=penalizer)
    horizon = (until - cut_on).days / unit_days
    found = prospects(model, fit.values, cells, horizon=horizon, discount=0.0)
    low, high = purchase_range(model, fit.values, found, horizon=horizon, coverage=coverage)
    places = places_of(inside, known)
    expected, least, most = (np.zeros(len(known)) for _ in range(3))
    expected[places], least[places], most[places] = found.expected, low, high
    actual, money = _afterwards(bought, cut_on, until)
    forecasts = Forecasts(
        frequency=known.frequency,
        actual=actual,
        model=expected,
        as_before=_as_before(bought, cut_on, until).astype(np.float64),
        silent_gone=_silent_gone(known, (until - cut_on).days),
    )
    return BackTest(
        cut_on=cut_on,
        until=until,
        fit=fit,
        forecasts=forecasts,
        groups=_groups(forecasts),
        tracking=_tracking(model, fit, recent, inside, cut_on=cut_on, until=until, unit_days=unit_days),
        coverage=float(np.mean((actual >= least) & (actual <= most))),
        actual_money=money,
        expected_money=_expected_money(known, bought, cut_on, expected),
    )


def _afterwards(bought: Days, cut_on: dt.date, until: dt.date) -> tuple[Whole, float]:
    later = (bought.day > day_number(cut_on)) & (bought.day <= day_number(until))
    known = bought.day[bought.starts[:-1]] <= day_number(cut_on)
    money = bought.per_customer(np.where(later, bought.amount, 0))[known].sum() / MONEY_UNITS
    return bought.per_customer(later)[known], float(money)


def _as_before(bought: Days, cut_on: dt.date, until: dt.date) -> Whole:
    cut = day_number(cut_on)
    before = (bought.day > cut - (until - cut_on).days) & (bought.day <= cut)
    return bought.per_customer(before)[bought.day[bought.starts[:-1]] <= cut]


def _silent_gone(known: Summaries, length: int) -> Real:
    silent = known.age - known.recency > length
    rate = known.frequency / np.maximum(known.age, 1)
    return np.where(silent, 0.0, rate * length)


def _expected_money(known: Summaries, bought: Days, cut_on: dt.date, expected: Real) -> float:
    if not (known.repeating & (known.monetary > 0)).any():
        return 0.0
    spend = fit_spend(known.frequency, known.monetary)
    before = bought.day <= day_number(cut_on)
    average = float(bought.amount[before].mean()) / MONEY_UNITS
    each = expected_spend(spend.values, known.frequency, known.monetary, otherwise=average)
    return float((expected * each).sum())


def _groups(all_of: Forecasts) -> tuple[FrequencyGroup, ...]:
    group = np.minimum(all_of.frequency, MOST)
    customers = np.bincount(group, minlength=MOST + 1)

    def means(values: Real | Whole) -> list[float]:
        mean: list[float] = (np.bincount(group, values, MOST + 1) / np.maximum(customers, 1)).tolist()
        return mean

    columns = zip(
        customers.tolist(),
        means(all_of.actual),
        means(all_of.model),
        means(all_of.as_before),
        means(all_of.silent_gone),
        strict=True,
    )
    return tuple(FrequencyGroup(place, *each) for place, each in enumerate(columns) if each[0])


def _tracking(
    model: CountModel,
    fit: Fit,
    bought: Days,
    known: Summaries,
    *,
    cut_on: dt.date,
    until: dt.date,
    unit_days: float,
) -> tuple[TrackingWeek, ...]:
    """Week by week: repeat purchases that came, and that the model expects of people who joined when these did."""
    begin = int(known.first_day.min())
    span = day_number(until) - begin + 1
    joined = np.bincount(known.first_day - begin, minlength=span)
    since_first = model.expected_since_first(fit.values, np.arange(span) / unit_days)
    predicted_total = np.convolve(joined, since_first)[:span]
    cut = day_number(cut_on)
    owner_known = (bought.day[bought.starts[:-1]] <= cut)[bought.owner]
    repeat = np.ones(len(bought.day), dtype=np.bool_)
    repeat[bought.starts[:-1]] = False
    counted = bought.day[owner_known & repeat & (bought.day <= begin + span - 1)] - begin
    actual_total = np.cumsum(np.bincount(counted, minlength=span))
    ends = np.arange(WEEK - 1, span, WEEK)
    weeks = []
    for number, end in enumerate(ends.tolist(), start=1):
        before = end - WEEK
        weeks.append(
            TrackingWeek(
                week=number,
                ends_on=dt.date.fromordinal(begin + end + dt.date(1970, 1, 1).toordinal()),
                held_out=begin + end > cut,
                actual=int(actual_total[end] - (actual_total[before] if before >= 0 else 0)),
                predicted=float(predicted_total[end] - (predicted_total[before] if before >= 0 else 0)),
                actual_total=int(actual_total[end]),
                predicted_total=float(predicted_total[end]),
            )
        )
    return tuple(weeks)
