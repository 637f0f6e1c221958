"""The settings of the watch; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from patron.intelligence.mining.contract import Parameters, parameter

KINDS: Final = ("silence", "spend_low", "spend_high", "basket_low", "basket_high", "returns")


@dataclass(frozen=True)
class WatchParameters(Parameters):
    """What counts as unusual, and how much must be known to say so."""

    alarms_per_1000: float = parameter(
        5.0, "so many of 1,000 customers who behave as always may be called unusual on a day", minimum=0.01, maximum=200
    )
    window_days: int = parameter(
        28, "spend, baskets and returns of so many days are compared with those before", minimum=7
    )
    min_gaps: int = parameter(8, "silence: judged from so many gaps between visits", minimum=2)
    min_windows: int = parameter(4, "spend: judged from so many windows before this one", minimum=2)
    min_visits_per_window: float = parameter(2.0, "spend: judged for who came so often a window", minimum=0)
    min_baskets: int = parameter(6, "basket and returns: judged from so many visits before this window", minimum=2)
    fresh_days: int = parameter(28, "fresh: it became unusual in the last so many days", minimum=1)

    @property
    def alpha(self) -> float:
        """The chance of a false alarm of one kind."""
        return self.alarms_per_1000 / 1000 / len(KINDS)
