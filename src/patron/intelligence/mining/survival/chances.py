"""The chance that somebody who waits comes within the next days, given for how long they have been silent.

A Kaplan-Meier curve jumps where few are left, and says "never" after the last event. Each day's hazard is therefore
drawn towards a smooth one by the beta process of N. L. Hjort, Annals of Statistics 18 (1990), 1259-1294: with n at
risk, d events and prior weight c the hazard of the day is (c·h + d) / (c + n). The smooth one is that of the shifted
beta-geometric model: those who come easily come first, so it falls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.survival.retention import counts_of, geometric, retention, shifted_beta_geometric

#: With fewer events the smooth hazard is the same on all days.
_SHAPE_FROM = 20


@dataclass(frozen=True, slots=True)
class Chances:
    """``waiting[t]``: share of newcomers without an event up to and including day t, for t = 0 to the last needed."""

    waiting: Real
    horizon: int
    soon: int
    alpha: float | None
    beta: float | None

    def of(self, silence: Whole) -> Real:
        """Chance of an event within the next ``soon`` days after a silence (days; longer than the horizon counts as
        the horizon)."""
        at = np.minimum(silence, self.horizon)
        now = self.waiting[at]
        chance: Real = 1 - self.waiting[at + self.soon] / np.where(now > 0, now, 1.0)
        return np.where(now > 0, chance, 0.0)

    def expected(self, silence: Whole) -> Whole:
        """Days after the beginning by which half of those come who come within the horizon; at the horizon itself the
        horizon."""
        at = np.minimum(silence, self.horizon)
        goal = (self.waiting[at] + self.waiting[self.horizon]) / 2
        falling = self.waiting[: self.horizon + 1]
        # The curve falls: looked up from its end it rises.
        day = self.horizon - np.searchsorted(falling[::-1], goal + 1e-12, side="right") + 1
        days: Whole = np.clip(day, np.minimum(at + 1, self.horizon), self.horizon).astype(np.int64)
        return days

    @property
    def median_day(self) -> int:
        """The day by which half of those have come who come within the horizon."""
        return int(self.expected(np.zeros(1, dtype=np.int64))[0])

    def quiet_day(self, unlikely: float) -> int | None:
        """The first day after the median on which the chance, and its mean over the days from there to the horizon, are
        below ``unlikely``: one late event does not move it to the end. None where there is no such day.
        """
        chance = self.of(np.arange(self.horizon + 1))
        ahead = chance[::-1].cumsum()[::-1] / np.arange(self.horizon + 1, 0, -1)
        quiet = (chance < unlikely) & (ahead < unlikely)
        quiet[: self.median_day + 1] = False
        return int(np.argmax(quiet)) if quiet.any() else None


def chances(duration: Whole, ended: Flags, *, horizon: int, soon: int, prior: float) -> Chances | None:
    """From days to the event (at least 1) or to the end of the data; None where nobody had an event."""
    if not ended.any():
        return None
    length = horizon + soon + 1
    smooth, shape = _smooth(duration, ended, length)
    day = np.minimum(duration, length)
    events = np.bincount(day[ended], minlength=length + 1)[1:length].astype(np.float64)
    at_risk = np.bincount(day, minlength=length + 1)[::-1].cumsum()[::-1][1:length]
    hazard = (prior * smooth + events) / (prior + at_risk)
    waiting = np.concatenate(([1.0], np.cumprod(1 - np.clip(hazard, 0.0, 1.0))))
    return Chances(waiting=waiting, horizon=horizon, soon=soon, alpha=shape and shape[0], beta=shape and shape[1])


def _smooth(duration: Whole, ended: Flags, length: int) -> tuple[Real, tuple[float, float] | None]:
    """The hazard of day 1, 2, … and (α, β) where it was fitted."""
    counted = counts_of(np.where(ended, np.maximum(duration - 1, 0), duration), ended.astype(np.int64))
    age = np.arange(length - 1)
    if counted.leavers >= _SHAPE_FROM:
        found = shifted_beta_geometric(counted)
        if not found.loose:
            alpha, beta = (float(each) for each in found.values)
            return 1 - retention(alpha, beta, age), (alpha, beta)
    return np.full(length - 1, geometric(counted).theta), None
