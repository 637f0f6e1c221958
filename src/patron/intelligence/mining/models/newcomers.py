"""Newcomers: how many come back after the first purchase, how soon, and whom to write to now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole, counts, dates, day_number, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Point
from patron.intelligence.mining.rhythm import visits_of
from patron.intelligence.mining.sentences import Piece, sentences
from patron.intelligence.mining.survival.settings import NewcomersParameters
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, Days, Purchases

if TYPE_CHECKING:
    from patron.intelligence.mining.survival.backtest import Trial
    from patron.intelligence.mining.survival.chances import Chances
    from patron.intelligence.mining.survival.kaplan_meier import Curve
    from patron.intelligence.mining.survival.newcomers import Newcomers

CODES: Final = ("back", "fresh", "due", "late", "untold")
MILESTONES: Final = (7, 14, 28, 56, 90, 180, 365)
#: With fewer who came back, the days on which half and nearly all have come cannot be told.
TELL_FROM: Final = 10
#: A curve is shown for as long as so many wait, or are followed: those who came back no longer wait and leave the curve
#: sure, those of whom nothing more is known do not.
WAITING_SHOWN_FROM: Final = 5
STAYING_SHOWN_FROM: Final = 10


@dataclass(frozen=True, slots=True)
class Study:
    """Newcomers, the curve of those still waiting and of those still staying, and what follows for each.

    ``due_from`` to ``due_until`` are the days of silence at which writing is worth while: after the day by which half
    of the returners are back, up to the last before the chance stays small (None: not within the horizon).
    """

    newcomers: Newcomers
    waiting: Curve
    staying: Curve
    stayed: int
    left: int
    left_and_back: int
    chances: Chances | None
    due_from: int | None
    due_until: int | None
    trial: Trial | None
    notes: tuple[str, ...]

    @property
    def silence(self) -> Whole:
        """Days since the first purchase."""
        return self.newcomers.until - self.newcomers.first


def study(days: Days, as_of: dt.date, parameters: NewcomersParameters) -> Study:
    """Everything about the newcomers in ``days``, as known at the end of ``as_of``."""
    from patron.intelligence.mining.survival.backtest import trial
    from patron.intelligence.mining.survival.chances import chances
    from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier
    from patron.intelligence.mining.survival.newcomers import NEVER, newcomers_of

    found = newcomers_of(
        visits_of(days), day_number(as_of), lost_days=parameters.lost_days, window_days=parameters.window_days
    )
    duration, came = found.returns()
    told, followed, gone = found.stays(parameters.lost_days)
    chance, due_from, due_until, notes = None, None, None, []
    if int(came.sum()) >= TELL_FROM:
        chance = chances(
            duration, came, horizon=parameters.horizon_days, soon=parameters.soon_days,
            prior=parameters.prior_newcomers,
        )  # fmt: skip
    if chance is not None:
        due_from = chance.median_day + 1
        quiet = chance.quiet_day(parameters.unlikely)
        due_until = quiet - 1 if quiet is not None else None
    elif len(found.who):
        notes.append(
            f"{int(came.sum())} newcomers have come back so far; from {TELL_FROM} on it can be told when to write."
        )
    tested = trial(found, parameters)
    if len(found.who) and tested is None:
        notes.append("The history is too short for a back-test of who comes back.")
    return Study(
        newcomers=found,
        waiting=kaplan_meier(duration, came, confidence=parameters.confidence),
        staying=kaplan_meier(followed, gone, confidence=parameters.confidence),
        stayed=int(told.sum()),
        left=int(gone.sum()),
        left_and_back=int((found.back[told][gone] < NEVER).sum()),
        chances=chance,
        due_from=due_from,
        due_until=due_until,
        trial=tested,
        notes=tuple(notes),
    )


def last_shown(duration: Whole, horizon: int, *, least: int) -> int:
    """The last day, up to the horizon, on which at least ``least`` newcomers are at risk; 0 with fewer."""
    ordered = np.sort(duration)
    return min(int(ordered[-least]), horizon) if len(ordered) >= least else 0


def compute(purchases: Purchases, as_of: dt.date, parameters: NewcomersParameters) -> Outcome:
    """One row per newcomer of the window, by customer; formulas: ``docs/algorithms/newcomers.md``."""
    found = study(purchases.days, as_of, parameters)
    fitted: dict[str, Metric] = {}
    if found.chances is not None and found.chances.alpha is not None:
        fitted = {"alpha": found.chances.alpha, "beta": found.chances.beta}
    return Outcome(
        table=table_of(purchases.days, found, parameters),
        metrics=metrics_of(found, parameters),
        series=_series(found, parameters),
        fitted=fitted,
        notes=found.notes,
    )


def codes_of(found: Study) -> Whole:
    """The place in :data:`CODES` of each newcomer."""
    newcomers, silence = found.newcomers, found.silence
    waiting = newcomers.second > newcomers.until
    if found.chances is None or found.due_from is None:
        return np.where(waiting, CODES.index("untold"), CODES.index("back")).astype(np.int64)
    last = found.due_until if found.due_until is not None else found.chances.horizon
    code = np.select(
        [~waiting, silence < found.due_from, silence <= last],
        [CODES.index("back"), CODES.index("fresh"), CODES.index("due")],
        CODES.index("late"),
    )
    return code.astype(np.int64)


def chance_of(found: Study) -> Real:
    """The chance of each who waits to come soon; not a number for the others, and where it cannot be told."""
    newcomers = found.newcomers
    if found.chances is None:
        return np.full(len(newcomers.who), np.nan)
    return np.where(newcomers.second > newcomers.until, found.chances.of(found.silence), np.nan)


def table_of(days: Days, found: Study, parameters: NewcomersParameters) -> pa.Table:
    """The newcomers as the card describes them."""
    newcomers, silence = found.newcomers, found.silence
    came = newcomers.second <= newcomers.until
    chance = chance_of(found)
    code = codes_of(found)
    expected = found.chances.expected(silence) if found.chances is not None else silence
    dated = ~came & (silence < parameters.horizon_days) & (found.chances is not None)
    return pa.table(
        {
            "customer": days.named(newcomers.who),
            "first_on": dates(newcomers.first),
            "second_on": dates(np.where(came, newcomers.second, 0), known=came),
            "days_to_second": counts(np.where(came, newcomers.second - newcomers.first, 0), known=came),
            "silence_days": counts(silence, known=~came),
            "chance": pa.array(chance, pa.float64(), from_pandas=True),
            "expected_on": dates(newcomers.first + expected, known=dated),
            "reason_code": labels(code.astype(np.int8), CODES).cast(pa.string()),
            "reason": _reasons(found, code, chance, parameters),
        }
    )


def _reasons(found: Study, codes: Whole, chance: Real, parameters: NewcomersParameters) -> pa.Array:
    newcomers, half = found.newcomers, (found.due_from or 1) - 1

    def percent(rows: Whole) -> pa.Array:
        return counts(half_up(np.nan_to_num(chance[rows]) * 100))

    def silent(rows: Whole) -> pa.Array:
        return counts(found.silence[rows])

    def back(rows: Whole) -> list[Piece]:
        return ["Came back ", counts((newcomers.second - newcomers.first)[rows]), " days after the first purchase."]

    def fresh(rows: Whole) -> list[Piece]:
        return [
            "First bought ", silent(rows), f" days ago; half of those who come back do so by day {half}. ",
            percent(rows), f" % come within {parameters.soon_days} days.",
        ]  # fmt: skip

    def due(rows: Whole) -> list[Piece]:
        return [
            "First bought ", silent(rows), " days ago, silent since; of newcomers silent for so long ", percent(rows),
            f" % come within {parameters.soon_days} days. Write now.",
        ]  # fmt: skip

    def late(rows: Whole) -> list[Piece]:
        return [
            "First bought ", silent(rows), " days ago, silent since; of newcomers silent for so long only ",
            percent(rows), f" % come within {parameters.soon_days} days.",
        ]  # fmt: skip

    def untold(rows: Whole) -> list[Piece]:
        return ["First bought ", silent(rows), " days ago; too few have come back so far to tell the chance."]

    return sentences(codes.astype(np.int8), {0: back, 1: fresh, 2: due, 3: late, 4: untold})


def metrics_of(found: Study, parameters: NewcomersParameters) -> dict[str, Metric]:
    """The figures of a run; shares only as far as newcomers have been watched."""
    duration, _came = found.newcomers.returns()
    codes = np.bincount(codes_of(found), minlength=len(CODES))
    last = last_shown(duration, parameters.horizon_days, least=WAITING_SHOWN_FROM)
    metrics: dict[str, Metric] = {
        "customers": len(duration),
        **{name: int(codes[place]) for place, name in enumerate(CODES)},
        "watched_days": last if len(duration) else None,
        "median_days": found.waiting.median,
        "median_of_returners": found.chances.median_day if found.chances is not None else None,
        "due_from": found.due_from,
        "due_until": found.due_until,
        "followed": found.stayed,
        "left": found.left,
        "left_and_back": found.left_and_back,
        "stay_median_days": found.staying.median,
    }
    for day in MILESTONES:
        metrics[f"back_by_{day}"] = 1 - found.waiting.at(day) if 0 < day <= last else None
    if found.trial is not None:
        tried = found.trial
        metrics |= {
            "tested_windows": tried.windows,
            "tested_asked": tried.asked,
            "tested_came": tried.came,
            "tested_foretold": tried.foretold * tried.asked,
            "brier": tried.brier,
            "brier_baseline": tried.baseline_brier,
            "log_loss": tried.log_loss,
            "log_loss_baseline": tried.baseline_log_loss,
        }
    return metrics


def _series(found: Study, parameters: NewcomersParameters) -> dict[str, tuple[Point, ...]]:
    series: dict[str, tuple[Point, ...]] = {}
    duration, _came = found.newcomers.returns()
    _told, followed, _gone = found.newcomers.stays(parameters.lost_days)
    for name, curve, seen, least in (
        ("waiting", found.waiting, duration, WAITING_SHOWN_FROM),
        ("staying", found.staying, followed, STAYING_SHOWN_FROM),
    ):
        last = last_shown(seen, parameters.horizon_days, least=least)
        if last:
            for suffix, values in zip(("", "_low", "_high"), curve.by_day(last), strict=True):
                series[f"{name}{suffix}"] = tuple(enumerate(values.tolist()))
    return series


MODEL: Final = Model(
    card=ModelCard(
        name="newcomers",
        title="Newcomers",
        question="How many newcomers come back, how soon, and whom should we write to now?",
        roles=(CUSTOMER, DATE, AMOUNT),
        method=(
            "Kaplan-Meier curves with Greenwood limits of the days from the first to the second purchase, and of the "
            "days until a silence that counts as leaving; the chance of each who waits from the same curve, its days "
            "drawn towards a smooth falling hazard; tested on later days against a chance that knows no silence."
        ),
        source=(
            "E. L. Kaplan & P. Meier, JASA 53, 1958; N. L. Hjort, Annals of Statistics 18, 1990; P. S. Fader & "
            "B. G. S. Hardie, Journal of Interactive Marketing 21(1), 2007."
        ),
        limits=(
            "Who first appears soon after the data begin may be an old customer and is left out.",
            "Somebody who leaves the card at home looks as if they had not come.",
            "Who was already written to came back with that help; the curve does not take it out.",
        ),
    ),
    parameters=NewcomersParameters,
    compute=compute,
)
