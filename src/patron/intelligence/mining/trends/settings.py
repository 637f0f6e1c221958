"""The settings of the loyalty model."""

from __future__ import annotations

from dataclasses import dataclass

from patron.intelligence.mining.contract import Parameters, parameter


@dataclass(frozen=True)
class LoyaltyParameters(Parameters):
    """The window, and what counts as what."""

    window_weeks: int = parameter(52, "weeks up to the as-of date that are looked at", minimum=12, maximum=520)
    recent_days: int = parameter(91, "gaps that ended in these last days are the recent ones", minimum=14)
    long_days: int = parameter(365, "whoever bought first this long ago has all the points for tenure", minimum=28)
    lost_gaps: float = parameter(8.0, "gone: silent for more than this many typical gaps", minimum=1)
    lost_min_days: int = parameter(90, "gone: silent for more than this many days", minimum=1)
    firm_from: float = parameter(80.0, "firm: a loyalty index of at least this", minimum=0, maximum=100)
    steady_from: float = parameter(65.0, "steady: a loyalty index of at least this", minimum=0, maximum=100)
    false_share: float = parameter(
        0.1, "of the cycles called longer or shorter at most this share may be chance", minimum=0.001, maximum=0.5
    )
