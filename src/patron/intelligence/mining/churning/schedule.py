"""What leaving means, and on which days the past is cut to learn from it.

A customer is **at risk** on a day if they bought within the last *h* days up to it, and **left** if they do not buy
within the next *h* days. Nobody's leaving is known before those days are over. So, as of *t*::

    look back L ── training ── … ── training ── validation ── test ── as of
                    t − 4h           t − 3h       t − 2h      t − h     t

Every cut-off looks back the same number of days, so that a figure means the same on each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.rhythm import MICRO, Visits, population_log, typical_gap

#: The lengths from which a horizon is chosen where none is given.
HORIZONS: Final = (30, 60, 90, 180, 365)
#: A silence of so many typical gaps is unusual: the measure by which the life cycle calls a customer lost, too.
UNUSUAL_GAPS: Final = 8.0
#: Horizons that must have passed: training, validation and test, and one to see how customers behaved before.
NEEDED_HORIZONS: Final = 4


@dataclass(frozen=True)
class ChurnParameters(Parameters):
    """What leaving means, how it is learned, and who counts as endangered."""

    horizon_days: int = parameter(
        0, "left: no purchase in the next so many days (0: chosen by the customers' rhythm)", minimum=0, maximum=1825
    )
    active_days: int = parameter(
        0, "at risk: a purchase in the last so many days (0: as many as the horizon)", minimum=0, maximum=1825
    )
    lookback_days: int = parameter(365, "behaviour: of at most so many days before a cut-off", minimum=7)
    training_cutoffs: int = parameter(3, "training: at most so many cut-offs, a horizon apart", minimum=1, maximum=24)
    high_risk: float = parameter(0.3, "high risk: at least this probability", minimum=0, maximum=1)
    medium_risk: float = parameter(0.1, "medium risk: at least this probability", minimum=0, maximum=1)
    min_leavers: int = parameter(20, "learning: at least so many who left, and who stayed, per period", minimum=5)
    max_training_rows: int = parameter(200_000, "learning: a random sample of at most so many rows", minimum=1000)
    prior_gaps: float = parameter(2.0, "rhythm: the population's typical gap weighs this many gaps", minimum=0.1)
    rhythm_gaps: int = parameter(12, "rhythm: how many of the last gaps make the typical gap", minimum=1)
    fallback_gap_days: float = parameter(30.0, "rhythm: typical gap while nobody has come twice", minimum=1)
    seed: int = parameter(1, "the random numbers of samples and trees", minimum=0, maximum=2**32 - 1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Cut-offs as day numbers. ``training``, ``validation`` and ``test`` are empty or None where history is too short.

    ``days`` are the days of history there are, ``needed`` those that it takes.
    """

    as_of: int
    horizon: int
    active: int
    lookback: int
    training: tuple[int, ...]
    days: int
    needed: int

    @property
    def sufficient(self) -> bool:
        """Whether there is a day to learn from, one to validate on and one to test on."""
        return bool(self.training)

    @property
    def test(self) -> int:
        """The last day whose leavers are all known as of today."""
        return self.as_of - self.horizon

    @property
    def validation(self) -> int:
        """The day between training and test: chooses the model and calibrates it."""
        return self.as_of - 2 * self.horizon

    def known(self) -> tuple[int, ...]:
        """Every cut-off whose leavers are known, in order."""
        return (*self.training, self.validation, self.test) if self.sufficient else ()

    def before(self, cutoff: int) -> tuple[tuple[int, ...], int]:
        """Training days and the calibration day for judging at ``cutoff`` (the test day or today), in order.

        Today's recipe is the tested one, moved on by the time in between.
        """
        moved = cutoff - self.test
        return tuple(day + moved for day in self.training), self.validation + moved


def schedule(visits: Visits, as_of: int, parameters: ChurnParameters) -> Schedule:
    """Choose the horizon where none is given, and lay the cut-offs into the history there is."""
    horizon = parameters.horizon_days or _horizon(visits, as_of, parameters)
    days = as_of - int(visits.day.min()) + 1 if len(visits.day) else 0
    spare = days - NEEDED_HORIZONS * horizon
    cutoffs, active = 0, parameters.active_days or horizon
    if spare >= 0:
        # Two horizons of behaviour come before a second training day: what changed is seen in them.
        cutoffs = 1 + min(max(spare - horizon, 0) // horizon, parameters.training_cutoffs - 1)
    first = as_of - (2 + cutoffs) * horizon
    return Schedule(
        as_of=as_of,
        horizon=horizon,
        active=active,
        # Whoever is at risk was seen in the time looked back to.
        lookback=max(min(parameters.lookback_days, days - (as_of - first) if cutoffs else days), active),
        training=tuple(first + place * horizon for place in range(cutoffs)),
        days=days,
        needed=NEEDED_HORIZONS * horizon,
    )


def _horizon(visits: Visits, as_of: int, parameters: ChurnParameters) -> int:
    """The shortest usual length that is an unusual silence for the customer in the middle."""
    seen = visits.seen_until(as_of)
    who = np.flatnonzero(seen)
    gaps = np.minimum(seen[who] - 1, parameters.rhythm_gaps)
    logs = visits.recent_logs(visits.starts[who] + seen[who] - 1, gaps)
    population = population_log(logs, gaps, fallback_days=parameters.fallback_gap_days)
    repeating = gaps > 0
    if not repeating.any():
        usual = np.exp(population / MICRO)
    else:
        own = typical_gap(logs[repeating], gaps[repeating], population, prior_gaps=parameters.prior_gaps)
        usual = np.median(own)
    return next((length for length in HORIZONS if length >= UNUSUAL_GAPS * usual), HORIZONS[-1])
