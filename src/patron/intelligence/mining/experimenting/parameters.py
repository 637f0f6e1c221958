"""The settings of an experiment's evaluation; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from patron.intelligence.mining.contract import Parameters, parameter
from patron.intelligence.mining.errors import ParameterError

RATE: Final = "rate"
MONEY: Final = "money"


@dataclass(frozen=True)
class ExperimentParameters(Parameters):
    """How the groups are compared."""

    control: str = parameter("control", "name of the group that was not treated")
    kind: str = parameter(
        "auto", "outcome: rate (0 or 1), money, or found out from its values", choices=("auto", RATE, MONEY)
    )
    confidence: float = parameter(0.95, "level of the intervals over all looks and groups", minimum=0.5, maximum=0.999)
    looks: int = parameter(
        1, "how often you planned to look at the results in all, at equal distances", minimum=1, maximum=50
    )
    look: int = parameter(1, "which of these looks this one is", minimum=1, maximum=50)
    correct_groups: bool = parameter(True, "several treated groups: share the level among them (Bonferroni)")
    margin_share: float = parameter(
        0.0, "margin as a share of a money outcome, where no margin column is given; 0: not known", minimum=0, maximum=1
    )
    treated_share: float = parameter(
        0.0, "share of customers that was to be treated, to check the lot; 0: not stated", minimum=0, maximum=0.99
    )
    resamples: int = parameter(2000, "resamples of the bootstrap", minimum=200, maximum=20000)
    seed: int = parameter(20250101, "where the bootstrap's random numbers begin", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.look > self.looks:
            raise ParameterError(f"look is {self.look}; only {self.looks} looks are planned: raise looks as well.")
