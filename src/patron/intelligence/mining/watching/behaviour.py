"""What each customer does now beside what that customer usually does: silence, spend, basket and returns, by array."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, day_number
from patron.intelligence.mining.trading import TradingClock, trading_clock
from patron.intelligence.mining.transactions import MONEY_UNITS, Days, Purchases
from patron.intelligence.mining.watching.parameters import WatchParameters
from patron.intelligence.mining.watching.tails import (
    Rhythm,
    count_tail,
    moderated_t,
    rhythms,
    silence_tail,
    silence_until,
    spend_low_tail,
    t_tails,
)

HISTORY_WINDOWS: Final = 12


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One place per customer. ``tails``: kind → chance of it, 1 where too little is known; ``known``: kind → judged.

    ``usual`` and ``now`` by kind: days of silence, money a window, money a visit, days with a return a window.
    ``since``: by kind, the day number from which it counts. ``year``: spent in the last 365 days, in units of 1.
    """

    clock: TradingClock
    tails: dict[str, Real]
    known: dict[str, Flags]
    usual: dict[str, Real]
    now: dict[str, Real]
    since: dict[str, Whole]
    year: Real


def behaviour(purchases: Purchases, as_of: dt.date, parameters: WatchParameters) -> Behaviour:
    """Everybody who has bought by ``as_of``, judged at the end of the last whole day of the data up to then."""
    days = purchases.days
    came = days.purchases > 0
    clock = trading_clock(days.day[came], until=day_number(as_of))
    found = Behaviour(
        clock, {}, {}, {}, {}, {}, _per_customer(days, days.amount, days.day > clock.until - 365) / MONEY_UNITS
    )
    windows = _Windows.of(days, clock, parameters)
    rhythm = _silence(found, days, came, clock, parameters)
    _spend(found, windows, rhythm, _basket_variation(days, windows), parameters)
    _baskets(found, days, windows, parameters)
    _returns(found, purchases, windows, parameters)
    return found


def _per_customer(days: Days, values: npt.NDArray[np.generic], rows: Flags) -> Real:
    """The sum of ``values`` over ``rows`` for each customer."""
    return sums(days.owner[rows], values[rows].astype(np.float64), len(days.customers))


def sums(owner: npt.NDArray[np.integer], values: Real, count: int) -> Real:
    """The sum of ``values`` for each of ``count`` owners."""
    # An empty count is whole numbers in numpy.
    return np.bincount(owner, values, minlength=count).astype(np.float64)


def _silence(found: Behaviour, days: Days, came: Flags, clock: TradingClock, parameters: WatchParameters) -> Rhythm:
    count = len(days.customers)
    owner, day = days.owner[came], days.day[came]
    elapsed = clock.at(day)
    same = np.flatnonzero(owner[1:] == owner[:-1]) + 1
    gap = elapsed[same] - elapsed[same - 1]
    # Days without any trading between two visits leave no gap to speak of.
    same, gap = same[gap > 0], gap[gap > 0]
    who = owner[same]
    # Days are whole and a gap is one at least: half a day less, they are spread as the times between were.
    spread = np.maximum(gap - 0.5, 0.25)
    rhythm = rhythms(
        np.bincount(who, minlength=count),
        sums(who, spread, count),
        sums(who, np.log(spread), count),
        sums(who, spread * np.log(spread), count),
    )
    last = np.full(count, clock.first, dtype=np.int64)
    np.maximum.at(last, owner, day)
    silence = np.maximum(clock.at(clock.until) - clock.at(last), 0.0)
    known = (np.bincount(who, minlength=count) >= parameters.min_gaps) & (rhythm.weight > 0)
    found.known["silence"] = known
    found.tails["silence"] = np.where(known, silence_tail(rhythm, silence), 1.0)
    found.usual["silence"] = np.divide(sums(who, gap, count), np.maximum(np.bincount(who, minlength=count), 1))
    found.now["silence"] = np.maximum(clock.until - last, 0).astype(np.float64)
    found.since["silence"] = _crossed(found.tails["silence"] < parameters.alpha, rhythm, clock, last, parameters.alpha)
    return rhythm


def _crossed(alarmed: Flags, rhythm: Rhythm, clock: TradingClock, last: Whole, alpha: float) -> Whole:
    """The day on which the silence became unusual, for those alarmed; the last whole day for others."""
    since = np.full(len(last), clock.until, dtype=np.int64)
    chosen = Rhythm(rhythm.shape[alarmed], rhythm.strength[alarmed], rhythm.weight[alarmed])
    since[alarmed] = np.minimum(clock.day_of(clock.at(last[alarmed]) + silence_until(chosen, alpha)), clock.until)
    return since


@dataclass(frozen=True, slots=True)
class _Windows:
    """Windows counted back from the last whole day: 0 is now. ``of_row``: of each row of days, −1 outside.

    ``full``: how many earlier windows each customer was there for from their beginning.
    """

    first_day: Whole
    of_row: Whole
    full: Whole
    spend: Real
    visits: Real
    began: int

    @classmethod
    def of(cls, days: Days, clock: TradingClock, parameters: WatchParameters) -> _Windows:
        width = parameters.window_days
        back = (clock.until - days.day) // width
        of_row = np.where((back >= 0) & (back <= HISTORY_WINDOWS), back, -1)
        first = days.day[days.starts[:-1]].astype(np.int64)
        full = np.clip((clock.until - first) // width, 0, HISTORY_WINDOWS)
        return cls(
            first_day=first,
            of_row=of_row,
            full=full,
            spend=_table(days, days.amount / MONEY_UNITS, of_row),
            visits=_table(days, days.purchases > 0, of_row),
            began=clock.until - width + 1,
        )

    def earlier(self, least: int = 1) -> Flags:
        """Customers × windows: those before this one for which a customer was there from the beginning."""
        place = np.arange(self.spend.shape[1])
        return (place >= least) & (place <= self.full[:, None])


def _table(days: Days, values: npt.NDArray[np.generic], of_row: Whole) -> Real:
    """Customers × windows: sums of ``values``."""
    inside = of_row >= 0
    places = days.owner[inside].astype(np.int64) * (HISTORY_WINDOWS + 1) + of_row[inside]
    summed = sums(places, values[inside].astype(np.float64), len(days.customers) * (HISTORY_WINDOWS + 1))
    return summed.reshape(len(days.customers), HISTORY_WINDOWS + 1)


def _basket_variation(days: Days, windows: _Windows) -> float:
    """The squared coefficient of variation of the baskets of one customer, the same for all."""
    worth = (windows.of_row >= 0) & (days.purchases > 0) & (days.amount > 0)
    if not worth.any():
        return 1.0
    logs = np.log(days.amount[worth] / MONEY_UNITS)
    owner, count = days.owner[worth], len(days.customers)
    size = np.maximum(sums(owner, np.ones(len(logs)), count), 1.0)
    mean = sums(owner, logs, count) / size
    degrees = max(float((size - 1).sum()), 1.0)
    variance = float(((logs - mean[owner]) ** 2).sum()) / degrees
    return float(np.clip(np.expm1(variance), 0.02, 5.0))


def _spend(found: Behaviour, windows: _Windows, rhythm: Rhythm, variation: float, parameters: WatchParameters) -> None:
    there = windows.earlier()
    present = there.copy()
    present[:, 0] = windows.full >= 1
    # What everybody did, a season or a feast, is no change of one customer's.
    totals = np.where(present, windows.spend, 0.0).sum(axis=0)
    index = totals / np.maximum(present.sum(axis=0), 1)
    usual_index = index[0] if index[0] > 0 else 1.0
    level = np.cbrt(windows.spend / np.where(index > 0, index / usual_index, 1.0))
    size = np.maximum(windows.full, 1)
    mean = np.where(there, level, 0.0).sum(axis=1) / size
    squares = np.where(there, (level - mean[:, None]) ** 2, 0.0).sum(axis=1)
    often = np.where(there, windows.visits, 0.0).sum(axis=1) / size
    known = (windows.full >= parameters.min_windows) & (often >= parameters.min_visits_per_window) & (mean > 0)
    t, degrees = _t_of(level[:, 0], mean, squares, windows.full, known, relative=True)
    low, high = t_tails(t, degrees)
    usual = np.where(there, windows.spend, 0.0).sum(axis=1) / size
    # Who comes four times a window may by luck not come at all: no t of so few visits knows that.
    seldom = np.ones(len(low))
    chosen = known & (low < 0.05) & (usual > 0) & (often > 0)
    now = windows.spend[chosen, 0]
    seldom[chosen] = spend_low_tail(now, often[chosen], rhythm.shape[chosen], usual[chosen] / often[chosen], variation)
    low = np.maximum(low, np.where(chosen, seldom, low))
    for kind, tail in (("spend_low", low), ("spend_high", high)):
        _note(found, kind, known, tail, usual, windows.spend[:, 0], windows.began)


def _baskets(found: Behaviour, days: Days, windows: _Windows, parameters: WatchParameters) -> None:
    worth = (windows.of_row >= 0) & (days.purchases > 0) & (days.amount > 0)
    logs = np.zeros(len(days.day))
    logs[worth] = np.log(days.amount[worth] / MONEY_UNITS / days.purchases[worth])
    of_row = np.where(worth, windows.of_row, -1)
    count, total = _table(days, worth, of_row), _table(days, logs, of_row)
    squared = _table(days, logs**2, of_row)
    n, now_n = count[:, 1:].sum(axis=1), count[:, 0]
    mean = total[:, 1:].sum(axis=1) / np.maximum(n, 1)
    squares = np.maximum(squared[:, 1:].sum(axis=1) - n * mean**2, 0.0)
    now = total[:, 0] / np.maximum(now_n, 1)
    known = (n >= parameters.min_baskets) & (now_n >= 2)
    # What everybody's baskets did is taken off: the mean change of those who are judged.
    drift = float(np.median(now[known] - mean[known])) if known.sum() >= 100 else 0.0
    t, degrees = _t_of(now - drift, mean, squares, n, known, relative=False, now_count=np.maximum(now_n, 1))
    low, high = t_tails(t, degrees)
    for kind, tail in (("basket_low", low), ("basket_high", high)):
        _note(found, kind, known, tail, np.exp(mean), np.exp(now), windows.began)


def _returns(found: Behaviour, purchases: Purchases, windows: _Windows, parameters: WatchParameters) -> None:
    days = purchases.days
    lines = purchases.lines
    back = lines.filter(lines.amount < 0).select("customer", "date").distinct().to_pyarrow()
    who = pc.index_in(back["customer"].combine_chunks(), days.customers).to_numpy(zero_copy_only=False)
    day = back["date"].combine_chunks().cast(pa.int32()).to_numpy(zero_copy_only=False)
    place = (found.clock.until - day) // parameters.window_days
    inside = (place >= 0) & (place <= HISTORY_WINDOWS)
    count = len(days.customers)
    now = np.bincount(who[inside & (place == 0)].astype(np.int64), minlength=count)
    before = np.bincount(who[inside & (place > 0)].astype(np.int64), minlength=count)
    exposure, exposed_before = windows.visits[:, 0] + now, windows.visits[:, 1:].sum(axis=1)
    known = exposed_before >= parameters.min_baskets
    tail = np.ones(count)
    if known.any():
        tail[known] = count_tail(now[known], exposure[known], before[known], exposed_before[known])
    usual = before / np.maximum(windows.full, 1)
    _note(found, "returns", known, tail, usual, now.astype(np.float64), windows.began)


def _t_of(
    now: Real,
    mean: Real,
    squares: Real,
    count: Whole | Real,
    known: Flags,
    *,
    relative: bool,
    now_count: Real | None = None,
) -> tuple[Real, Real]:
    """:func:`moderated_t` among those ``known``; 0 with one degree of freedom for others."""
    t, degrees = np.zeros(len(now)), np.ones(len(now))
    if known.any():
        many = 1.0 if now_count is None else now_count[known]
        t[known], degrees[known] = moderated_t(
            now[known], mean[known], squares[known], count[known], now_count=many, relative=relative
        )
    return t, degrees


def _note(found: Behaviour, kind: str, known: Flags, tail: Real, usual: Real, now: Real, since: int) -> None:
    found.known[kind] = known
    found.tails[kind] = np.where(known, tail, 1.0)
    found.usual[kind], found.now[kind] = usual, now
    found.since[kind] = np.full(len(known), since, dtype=np.int64)
