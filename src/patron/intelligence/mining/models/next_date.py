"""Next purchase date: on which day will each customer come again, and who is overdue?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Whole, counts, dates, day_number, half_up
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.rhythm import Visits, visits_of
from patron.intelligence.mining.sentences import Piece, sentences
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, Purchases

if TYPE_CHECKING:
    from patron.intelligence.mining.returning.backtest import Forecast, Levels, Score
    from patron.intelligence.mining.returning.gaps import Paces

CODES: Final = ("on_pace", "overdue", "quiet", "first")
WEEKDAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
#: With fewer customers in a window the interval and the chances stay the model's own.
LEARN_FROM: Final = 100
#: At most so many customers teach and test.
TEST_ON: Final = 20_000
_NO_HISTORY: Final = "The history is too short for a back-test: the interval and the chances are the model's own."


@dataclass(frozen=True)
class NextDateParameters(Parameters):
    """How far ahead, and how much of a customer's past counts."""

    window_days: int = parameter(
        56, "days ahead that are looked at; later visits are not dated", minimum=7, maximum=366
    )
    soon_days: int = parameter(28, "confidence is the chance of a visit within so many days", minimum=1, maximum=366)
    rhythm_gaps: int = parameter(12, "so many of the latest gaps count", minimum=1)
    prior_gaps: float = parameter(0.0, "everybody's rhythm weighs as much as so many gaps; 0: estimated", minimum=0)
    interval: float = parameter(0.8, "share of the visits that fall from earliest to latest", minimum=0.1, maximum=0.98)
    leaving: float = parameter(
        0.004, "chance of leaving for good after a visit, until a back-test can tell", minimum=0, maximum=0.5
    )
    fallback_gap_days: float = parameter(30.0, "typical gap while nobody has come twice", minimum=1)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Everybody's next visit. ``score`` is of the window before ``as_of``; none where the history is too short."""

    visits: Visits
    paces: Paces
    forecast: Forecast
    levels: Levels
    score: Score | None


def predict(purchases: Purchases, as_of: dt.date, parameters: NextDateParameters) -> Prediction:
    """Learn the interval from one window, test it on the next, then forecast from ``as_of``.

    The interval that is used in the end is learned from the latest window.
    """
    from patron.intelligence.mining.returning import backtest
    from patron.intelligence.mining.returning.gaps import paces_at

    visits, today, window = visits_of(purchases.days), day_number(as_of), parameters.window_days
    soon = min(parameters.soon_days, window)
    side = (1 - parameters.interval) / 2
    levels, chances, score = backtest.Levels(side, 1 - side), None, None
    leaving = parameters.leaving

    def known(day: int) -> Paces:
        paces = paces_at(
            visits,
            day,
            gaps=parameters.rhythm_gaps,
            prior=parameters.prior_gaps,
            fallback_days=parameters.fallback_gap_days,
        )
        return replace(paces, leaving=leaving)

    for back in (2, 1):
        then = known(today - back * window).spread_over(TEST_ON)
        if not len(then.who):
            continue
        if back == 1:
            score = backtest.score(visits, then, levels, chances, window=window, within=soon)
        if len(then.who) < LEARN_FROM:
            continue
        leaving = backtest.learn_leaving(visits, then, window=window)
        then = replace(then, leaving=leaving)
        levels = backtest.learn_levels(visits, then, window=window, interval=parameters.interval)
        chances = backtest.learn_chances(visits, then, window=window, within=soon)
    paces = known(today)
    told = backtest.forecast(paces, levels, window=window, within=soon, chances_of=chances)
    return Prediction(visits, paces, told, levels, score)


def compute(purchases: Purchases, as_of: dt.date, parameters: NextDateParameters) -> Outcome:
    """One row per customer who has come by ``as_of``, by customer."""
    found = predict(purchases, as_of, parameters)
    metrics: dict[str, Metric] = {
        "customers": len(found.paces.who),
        "overdue": int(found.forecast.overdue.sum()),
        "population_gap_days": found.paces.population_gap if len(found.paces.who) else None,
    }
    if found.score is not None:
        metrics |= {
            "tested_customers": found.score.customers,
            "tested_came": found.score.came,
            "coverage": found.score.coverage,
            "promised": found.score.promised,
            "kept": found.score.kept,
            **{f"error_days.{name}": error for name, error in found.score.errors.items()},
        }
    return Outcome(
        table=table_of(purchases, found, as_of, parameters),
        metrics=metrics,
        fitted={
            "level_low": found.levels.low,
            "level_high": found.levels.high,
            "level_middle": found.levels.middle,
            "k": found.paces.prior,
            "d": found.paces.leaving,
        },
        notes=() if found.score is not None else (_NO_HISTORY,),
    )


def table_of(purchases: Purchases, found: Prediction, as_of: dt.date, parameters: NextDateParameters) -> pa.Table:
    """The prediction as the card describes it."""
    paces, told, window = found.paces, found.forecast, parameters.window_days
    today = day_number(as_of)
    codes = codes_of(found, window=window)
    return pa.table(
        {
            "customer": purchases.days.named(paces.who),
            "last_on": dates(today - paces.silence),
            "silence_days": counts(paces.silence),
            "typical_gap_days": pa.array(half_up(paces.typical() * 10) / 10),
            "favourite_weekday": counts(paces.weekday.argmax(axis=1) + 1),
            "expected_on": dates(today + told.expected, known=told.expected <= window),
            "earliest_on": dates(today + told.earliest, known=told.earliest <= window),
            "latest_on": dates(today + told.latest, known=told.latest <= window),
            "overdue": pa.array(told.overdue),
            "confidence": pa.array(told.soon),
            "reason_code": pa.array(np.array(CODES, dtype=object)[codes], pa.string()),
            "reason": _reasons(paces, codes, window),
        }
    )


def codes_of(found: Prediction, *, window: int) -> Whole:
    """The reason (a place in :data:`CODES`) of each."""
    quiet = found.forecast.expected > window
    code = np.where(quiet, 2, np.where(found.paces.gaps == 0, 3, np.where(found.forecast.overdue, 1, 0)))
    return code.astype(np.int64)


def _reasons(paces: Paces, codes: Whole, window: int) -> pa.Array:
    def usual(rows: Whole) -> pa.Array:
        return pa.array(half_up(paces.typical()[rows] * 10) / 10)

    def silent(rows: Whole) -> pa.Array:
        return counts(paces.silence[rows])

    def favourite(rows: Whole) -> pa.Array:
        names: Any = np.array(WEEKDAYS, dtype=object)[paces.weekday[rows].argmax(axis=1)]
        return pa.array(names, pa.string())

    def on_pace(rows: Whole) -> list[Piece]:
        days = ["Usually comes every ", usual(rows), " days, most often on ", favourite(rows)]
        return [*days, "; last came ", silent(rows), " days ago."]

    def overdue(rows: Whole) -> list[Piece]:
        return ["Usually comes every ", usual(rows), " days, now silent for ", silent(rows), " days: overdue."]

    def quiet(rows: Whole) -> list[Piece]:
        told = f" days: a visit within {window} days is less likely than not."
        return ["Usually came every ", usual(rows), " days, silent for ", silent(rows), told]

    def first(rows: Whole) -> list[Piece]:
        return ["Came on one day so far, ", silent(rows), " days ago; others come again after ", usual(rows), " days."]

    return sentences(codes.astype(np.int8), {0: on_pace, 1: overdue, 2: quiet, 3: first})


MODEL: Final = Model(
    card=ModelCard(
        name="next_date",
        title="Next purchase date",
        question="On which day will each customer come again, and who is overdue?",
        roles=(CUSTOMER, DATE, AMOUNT),
        method=(
            "Gaps between visits are log-normal, each customer's drawn towards everybody's; given the silence so far "
            "they say whether the customer is still there and how likely each day ahead is, weighted by the weekdays. "
            "Interval and chances are set by what happened after an earlier day, and tested on the window after that. "
            "Confidence is the chance of a visit within soon_days."
        ),
        source=(
            "Log-normal gaps with a conjugate prior: A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), section "
            "3.3. Interval set by earlier errors: V. Vovk et al., Algorithmic Learning in a Random World (2005)."
        ),
        limits=(
            "It knows no holidays and no campaigns: a feast moves everybody's visit.",
            "A customer who has left looks like one who is late; the chances take the share of such into account.",
            "Weekdays are learned from few visits of most customers, so they say little for those.",
        ),
    ),
    parameters=NextDateParameters,
    compute=compute,
)
