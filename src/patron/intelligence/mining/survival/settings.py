"""What counts as a newcomer, as coming back, as leaving; how far ahead, and what is said."""

from __future__ import annotations

from dataclasses import dataclass

from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.errors import ParameterError


@dataclass(frozen=True)
class NewcomersParameters(Parameters):
    """Thresholds of the newcomers model; all in days of the branch's calendar."""

    lost_days: int = parameter(
        90, "gone: silent for more than so many days; a newcomer: seen first after so many days of data", minimum=1
    )
    window_days: int = parameter(730, "newcomers of the last so many days are counted", minimum=28)
    horizon_days: int = parameter(180, "coming back counts within so many days", minimum=14, maximum=1095)
    soon_days: int = parameter(28, "the chance is that of coming back within so many days", minimum=1, maximum=366)
    unlikely: float = parameter(0.1, "too late to write: a smaller chance than this", minimum=0.001, maximum=0.5)
    least: int = parameter(10, "groups with fewer newcomers join the others", minimum=2)
    prior_newcomers: float = parameter(
        10.0, "the smooth curve weighs as much as so many newcomers who wait", minimum=0.1
    )
    test_windows: int = parameter(6, "back-test: so many windows of soon_days, the latest first", minimum=1, maximum=60)
    confidence: float = parameter(0.95, "of the intervals", minimum=0.5, maximum=0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.soon_days > self.horizon_days:
            raise ParameterError(
                f"soon_days is {self.soon_days}; it must be at most horizon_days ({self.horizon_days})."
            )
