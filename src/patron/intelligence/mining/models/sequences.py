"""Sequences: what is bought after what, and how soon?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import pyarrow.compute as pc

from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.patterns.transactions import least_count
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

SEQUENCE: Final = Role("sequence", "whose events these are: a customer, a device, a case", required=True)
POSITION: Final = Role(
    "position", "when: a number or a date; the items of a sequence at one position are together", required=True
)
ITEM: Final = Role("item", "what happened or was bought", required=True, kind="text")


@dataclass(frozen=True)
class SequenceParameters(Parameters):
    """Which patterns are worth having. Times are in the unit of the position: days for dates."""

    min_support: str = parameter(
        "0.1", "in at least this share of sequences (0.1, 10%; 1.0 is all) or in so many of them (50)"
    )
    max_length: int = parameter(0, "items of a pattern in all its steps; 0: any number", minimum=0)
    max_step: int = parameter(0, "items of one step; 0: any number, 1: single items only", minimum=0)
    min_gap: float = parameter(0.0, "at least so much time from one step to the next; 0: any later position", minimum=0)
    max_gap: float = parameter(0.0, "at most so much time from one step to the next; 0: any time", minimum=0)
    within: float = parameter(0.0, "at most so much time from the first step to the last; 0: any time", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_gap and self.min_gap > self.max_gap:
            raise ParameterError(f"min_gap is {self.min_gap:g} and max_gap {self.max_gap:g}; it must not be larger.")


def compute(rows: Rows, _as_of: dt.date, parameters: SequenceParameters) -> Outcome:
    """One row per pattern, the most frequent first; see ``docs/algorithms/sequences.md``."""
    from patron.intelligence.mining.patterns.events import Sequences
    from patron.intelligence.mining.patterns.gaps import Gaps
    from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns

    table = rows.arrow("sequence", "position", "item")
    sequences = Sequences.of(table["sequence"], table["position"], table["item"])
    min_count = least_count(parameters.min_support, sequences.size)
    gaps = Gaps(min_gap=parameters.min_gap, max_gap=parameters.max_gap, within=parameters.within)
    found = sequential_patterns(
        sequences, min_count=min_count, max_length=parameters.max_length, max_step=parameters.max_step, gaps=gaps
    )
    patterns = patterns_table(found)
    dropped = sequences.dropped
    return Outcome(
        table=patterns,
        metrics={
            "sequences": sequences.size,
            "events": len(sequences.owner),
            "items": len(sequences.names),
            "rows_left_out": dropped,
            "min_count": min_count,
            "patterns": patterns.num_rows,
            "longest_pattern": pc.max(patterns["length"]).as_py() or 0,
        },
        notes=(f"{dropped} rows without a sequence, a position or an item were left out.",) if dropped else (),
    )


MODEL: Final = Model(
    card=ModelCard(
        name="sequences",
        title="Sequences",
        question="What is bought after what, by how many, and how soon?",
        roles=(SEQUENCE, POSITION, ITEM),
        method=(
            "Finds every list of steps, each a set of items of one moment, that enough sequences hold in that order, "
            "growing prefixes; with limits of time every place where a prefix can end is followed."
        ),
        source=(
            "J. Pei, J. Han et al., Mining Sequential Patterns by Pattern-Growth: The PrefixSpan Approach, IEEE TKDE "
            "16(11), 2004; limits of time: R. Srikant and R. Agrawal, EDBT 1996 (GSP)."
        ),
        limits=(
            "A sequence counts once, however often it holds a pattern.",
            "What everybody buys all the time follows everything: look at lift, not at support alone.",
            "Events before the data begin and after they end are not known.",
        ),
        reads="table",
        key=("pattern",),
    ),
    parameters=SequenceParameters,
    compute=compute,
)
