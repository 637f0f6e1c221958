"""Many daily series side by side, as one matrix, and what has to be known of each before it is forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from patron.intelligence.mining.arrays import Flags, Real, Whole

WEEK: Final = 7
#: Days whose mean is a series' level, and from which its weekdays are learnt.
LEVEL_DAYS: Final = 8 * WEEK
INDEX_DAYS: Final = 26 * WEEK
#: So many weeks of its own before a series' weekdays outweigh everybody's.
_INDEX_PRIOR_WEEKS: Final = 4.0
#: A tail of days below this share of what is usual for their weekday is taken for receipts that are still missing.
_TAIL_SHARE: Final = 1 / 3
_TAIL_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Panel:
    """``values[s, t]`` is the sum of series s on day ``first + t`` (days since 1970-01-01), zero where it has no row.

    ``names`` are distinct and ascending. ``begun[s]`` is the column of the first value that is not zero (the number
    of columns where there is none): before it the series did not exist.
    """

    names: tuple[str, ...]
    first: int
    values: Real
    begun: Whole

    @property
    def days(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    @property
    def end(self) -> int:
        """The day after the last column."""
        return self.first + self.days

    def until(self, columns: int) -> Panel:
        """The same, as it was known after that many columns."""
        return replace(self, values=self.values[:, :columns], begun=np.minimum(self.begun, columns))

    def rows(self, chosen: Whole) -> Panel:
        """Only those series."""
        return Panel(tuple(self.names[place] for place in chosen), self.first, self.values[chosen], self.begun[chosen])


def panel_of(series: npt.NDArray[np.int64], days: Whole, values: Real, names: tuple[str, ...], *, end: int) -> Panel:
    """The panel of rows (series number, day number, value) up to and including ``end``; later ones are left out.

    Rows of the same series and day are added up. Without rows the panel has no columns.
    """
    known = days <= end
    series, days, values = series[known], days[known], values[known]
    if not len(days):
        return Panel(names, end + 1, np.zeros((len(names), 0)), np.zeros(len(names), dtype=np.int64))
    first = int(days.min())
    length = end - first + 1
    flat = np.bincount(series * length + (days - first), weights=values, minlength=len(names) * length)
    matrix: Real = flat.astype(float).reshape(len(names), length)
    return Panel(names, first, matrix, begun_at(matrix))


def begun_at(matrix: Real) -> Whole:
    """The column of the first value that is not zero; the number of columns where all are."""
    there = matrix != 0
    length = matrix.shape[1]
    begun: Whole = np.where(there.any(axis=1), there.argmax(axis=1) if length else 0, length).astype(np.int64)
    return begun


def complete_days(totals: Real) -> int:
    """How many of the days ``totals`` (one per day, in order) are complete, by the look of the last ones.

    A day counts as missing receipts when it is below a third of the median of its weekday over the eight weeks before
    the tail. At most 28 days are taken off, and only from the end; with less than eight weeks nothing is.
    """
    length = len(totals)
    if length < LEVEL_DAYS + _TAIL_DAYS:
        return length
    before = totals[length - _TAIL_DAYS - LEVEL_DAYS : length - _TAIL_DAYS].reshape(-1, WEEK)
    usual = np.tile(np.median(before, axis=0), _TAIL_DAYS // WEEK)
    enough = np.flatnonzero(totals[length - _TAIL_DAYS :] >= _TAIL_SHARE * usual)
    return length - _TAIL_DAYS + int(enough[-1]) + 1 if len(enough) else length


def weekday_index(values: Real, begun: Whole) -> Real:
    """(series, 7): each series' mean on the weekday of column 0, 1, … 6 (mod 7) ÷ its mean on all days.

    Taken from the last 26 weeks and drawn towards the index of all series together: k = 4 weeks of everybody's. 1 where
    nothing is known. The mean of the seven is 1.
    """
    length = values.shape[1]
    start = max(0, length - INDEX_DAYS)
    recent = values[:, start:]
    there = np.arange(start, length)[None, :] >= begun[:, None]
    place = (np.arange(start, length) % WEEK)[None, :] == np.arange(WEEK)[:, None]
    # (series, days) @ (days, 7): sums and numbers of days by weekday.
    sums = (recent * there) @ place.T.astype(float)
    number = there.astype(float) @ place.T.astype(float)
    everybody = _normalised(sums.sum(axis=0)[None, :], number.sum(axis=0)[None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums.sum(axis=1) / number.sum(axis=1)
    usable = np.isfinite(mean) & (mean > 0)
    level = np.where(usable, mean, 1.0)[:, None]
    drawn = _normalised(sums + _INDEX_PRIOR_WEEKS * everybody * level, number + _INDEX_PRIOR_WEEKS)
    index: Real = np.where(usable[:, None], drawn, 1.0)
    return index


def _normalised(sums: Real, number: Real) -> Real:
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.maximum(sums / number, 0)
        means = (
            np.where(np.isfinite(means), means, np.nanmean(np.where(number > 0, means, np.nan), axis=1)[:, None])
            if (number > 0).any(axis=1).all()
            else np.ones_like(sums)
        )
        index: Real = means / means.mean(axis=1)[:, None]
    return np.where(np.isfinite(index), index, 1.0)


def spread(index: Real, start: int, length: int) -> Real:
    """The weekday index of the columns ``start`` … ``start + length − 1``: (series, length)."""
    columns: Real = index[:, (start + np.arange(length)) % WEEK]
    return columns


def level_of(values: Real, begun: Whole, *, days: int = LEVEL_DAYS) -> Real:
    """Mean of each series' last ``days`` days, of those since it began; 0 where it has none."""
    length = values.shape[1]
    recent = values[:, max(0, length - days) :]
    number = np.minimum(recent.shape[1], length - begun)
    mean: Real = recent.sum(axis=1) / np.maximum(number, 1)
    return mean


def without_closed_days(panel: Panel) -> tuple[Panel, Flags]:
    """Days on which no series sold anything, filled with what their weekday usually gives; and which those are.

    A closed day says nothing of demand. Only days that are closed out of turn are filled: a weekday on which the
    house never opens keeps its zeros.
    """
    values = panel.values
    closed: Flags = ~(values != 0).any(axis=0)
    if not closed.any():
        return panel, closed
    place = np.arange(panel.days) % WEEK
    out_of_turn = closed & (np.bincount(place, weights=~closed, minlength=WEEK)[place] >= 0.5 * _weeks_of(place))
    filled = values.copy()
    for column in map(int, np.flatnonzero(out_of_turn)):
        earlier = np.arange(column - WEEK, max(-1, column - 5 * WEEK), -WEEK)
        later = np.arange(column + WEEK, min(panel.days, column + 5 * WEEK), WEEK)
        # Only what was known then, so that a back-test sees no later days; the first weeks have nothing earlier.
        like = earlier[earlier >= 0] if (earlier >= 0).any() else later
        if len(like):
            filled[:, column] = values[:, like].mean(axis=1) * (column >= panel.begun)
    return replace(panel, values=filled), out_of_turn


def _weeks_of(place: npt.NDArray[np.int64]) -> Real:
    weeks: Real = np.bincount(place, minlength=WEEK)[place].astype(float)
    return weeks


def by_step(values: Real, step: int) -> Real:
    """Sums of every ``step`` columns: (…, columns) becomes (…, columns ÷ step). The number of columns is a multiple."""
    if step == 1:
        return values
    sums: Real = values.reshape(*values.shape[:-1], -1, step).sum(axis=-1)
    return sums
