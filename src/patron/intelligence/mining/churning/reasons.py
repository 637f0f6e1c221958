"""Why a customer is thought to be in danger: what of the behaviour adds most to the log-odds of leaving.

Both models are sums of a part per figure. The contribution of a group of figures is the sum of their parts for the
customer, less that for a typical customer who stayed (the medians of the training): exact, nothing is approximated.
A group is a reason only where it raises the log-odds and its sentence is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts, decimals, half_up
from patron.intelligence.mining.churning.features import BY_NAME, Matrix, Snapshot
from patron.intelligence.mining.churning.fitting import Scaling, Scorer
from patron.intelligence.mining.sentences import Piece, Template, sentences

Codes = npt.NDArray[np.int8]

#: A reason for each group of figures; then silence without a rhythm of one's own, no danger, and nothing to judge by.
REASONS: Final = (
    "silent", "visits_falling", "spend_falling", "basket_shrinking", "range_narrowing", "rare", "irregular", "new",
    "habits", "quiet", "steady", "no_history",
)  # fmt: skip
GROUPS: Final = REASONS[:9]
QUIET: Final = REASONS.index("quiet")
STEADY: Final = REASONS.index("steady")
NO_HISTORY: Final = REASONS.index("no_history")
#: With fewer visits nobody has a rhythm of their own that silence could be held against.
_OWN_RHYTHM: Final = 3
#: So many reasons are told.
TOLD: Final = 3
#: Contributions below this (a tenth more in the odds) are not worth telling.
_LEAST: Final = 0.1

#: When the sentence of a reason is true.
_TRUE_WHEN: Final[Mapping[str, Callable[[Snapshot], Flags]]] = {
    "silent": lambda s: s.column("silence_ratio") >= 1,
    "visits_falling": lambda s: s.column("visits_recent") < s.column("visits_before"),
    "spend_falling": lambda s: s.column("spend_recent") < s.column("spend_before"),
    "basket_shrinking": lambda s: s.column("basket_change") < -0.05,
    "range_narrowing": lambda s: s.column("kinds_recent") < s.column("kinds_before"),
    "new": lambda s: s.column("visits_before") == 0,
}


@dataclass(frozen=True, slots=True)
class Explainer:
    """A learned model, the figures it reads, and those of a typical customer who stayed."""

    scorer: Scorer
    names: tuple[str, ...]
    typical: Real

    def contributions(self, matrix: Matrix) -> Real:
        """Log-odds that each group (columns, as in ``GROUPS``) adds for each row of the figures ``names``."""
        added = np.zeros((len(matrix), len(GROUPS)))
        for place, name in enumerate(self.names):
            own = self.scorer.part(place, matrix[:, place].astype(np.float64))
            usual = self.scorer.part(place, self.typical[place : place + 1])
            added[:, GROUPS.index(BY_NAME[name].group)] += own - usual
        return added


@dataclass(frozen=True, slots=True)
class Reasons:
    """Up to three reason codes per customer, the weightiest first; -1 where there is no further one."""

    codes: tuple[Codes, ...]


def reasons_of(snapshot: Snapshot, explainer: Explainer, scaling: Scaling, *, endangered: Flags) -> Reasons:
    """Reasons for the ``endangered``; everybody else is steady."""
    codes = np.full((len(snapshot.who), TOLD), -1, dtype=np.int8)
    codes[:, 0] = STEADY
    rows = np.flatnonzero(endangered)
    chosen = [snapshot.names.index(name) for name in explainer.names]
    added = scaling.b * explainer.contributions(snapshot.matrix[rows][:, chosen])
    for place, group in enumerate(GROUPS):
        if group in _TRUE_WHEN and group in {BY_NAME[name].group for name in snapshot.names}:
            added[~_TRUE_WHEN[group](snapshot)[rows], place] = -np.inf
    order = np.argsort(-added, axis=1, kind="stable")[:, :TOLD]
    worth = np.take_along_axis(added, order, axis=1) >= _LEAST
    codes[rows] = np.where(worth, order, -1)
    # No single cause stands out, but the customer is in danger: the habits as a whole are like those of leavers.
    codes[rows, 0] = np.where(worth[:, 0], order[:, 0], REASONS.index("habits"))
    silent_without_rhythm = (codes == REASONS.index("silent")) & (snapshot.column("visits") < _OWN_RHYTHM)[:, None]
    codes[silent_without_rhythm] = QUIET
    return Reasons(tuple(np.ascontiguousarray(codes[:, place]) for place in range(TOLD)))


def reason_sentences(codes: Codes, snapshot: Snapshot, *, horizon: int, lookback: int) -> pa.Array:
    """The first reason of each customer, in words."""

    def number(name: str, rows: Whole) -> pa.Array:
        return counts(half_up(snapshot.column(name)[rows]))

    def money(name: str, rows: Whole) -> pa.Array:
        return decimals(half_up(snapshot.column(name)[rows] * 100), scale=2)

    def rhythm(rows: Whole) -> list[Piece]:
        return ["Usually comes every ", pa.array(np.round(snapshot.column("typical_gap_days")[rows], 1)), " days"]

    def compared(verb: str, now: pa.Array, then: pa.Array, unit: str) -> list[Piece]:
        return [verb, now, f"{unit} in the last {horizon} days, ", then, f" in the {horizon} days before."]

    def fewer(name: str, verb: str, unit: str, kind: Callable[[str, Whole], pa.Array]) -> Template:
        return lambda rows: compared(verb, kind(f"{name}_recent", rows), kind(f"{name}_before", rows), unit)

    templates: dict[str, Template] = {
        "silent": lambda rows: [*rhythm(rows), ", now silent for ", number("silence_days", rows), " days."],
        "visits_falling": fewer("visits", "Came ", " times", number),
        "spend_falling": fewer("spend", "Spent ", "", money),
        "basket_shrinking": lambda rows: [
            "Spends less per visit than usual: ", money("basket", rows), f" in the last {horizon} days.",
        ],
        "range_narrowing": fewer("kinds", "Kinds of goods bought: ", "", number),
        "rare": lambda rows: [f"Purchase days in the last {lookback} days: ", number("visits", rows), "."],
        "irregular": lambda rows: ["Comes irregularly; last came ", number("silence_days", rows), " days ago."],
        "new": lambda rows: [
            f"The first visit of the last {lookback} days was ", number("tenure_days", rows),
            " days ago; no steady habit.",
        ],
        "quiet": lambda rows: ["Has not come for ", number("silence_days", rows), " days."],
        "habits": lambda _: ["Behaves like customers who left; no single cause stands out."],
        "steady": lambda rows: [*rhythm(rows), "; last came ", number("silence_days", rows), " days ago."],
        "no_history": lambda rows: [
            *rhythm(rows), ", now silent for ", number("silence_days", rows),
            " days; too little is known for a probability.",
        ],
    }  # fmt: skip
    return sentences(codes, {REASONS.index(code): template for code, template in templates.items()})
