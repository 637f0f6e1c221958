"""Forecast: how much will each branch, each department and the whole house sell in the coming weeks?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from patron.intelligence.mining.contract import Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.transactions import Role

DATE: Final = Role("date", "the day; days without a row sold nothing", required=True, kind="date")
VALUE: Final = Role(
    "value", "what was sold; rows of the same series and day are added up", required=True, kind="number"
)
SERIES: Final = Role("series", "branch or category; without it everything is one series", kind="text")
EVENTS: Final = Role(
    "events",
    "columns that say how strongly something acts on the day (1 for a promotion, else 0); rows after the as-of date "
    "tell the coming events, whatever their value",
    kind="number",
    many=True,
)


@dataclass(frozen=True)
class ForecastParameters(Parameters):
    """How far ahead, and by which steps."""

    weeks: int = parameter(8, "how many weeks ahead", minimum=1, maximum=26)
    step: str = parameter("week", "what one figure is for: a week (of seven days after the as-of date) or a day",
                          choices=("week", "day"))  # fmt: skip
    country: str = parameter(
        "", "ISO 3166 code of two letters whose public holidays are events, e.g. HK; empty for none"
    )
    total: bool = parameter(True, "add a row for all series together, to which the series add up")


def compute(rows: Rows, as_of: dt.date, parameters: ForecastParameters) -> Outcome:
    """One row per series and step, the whole house (series "") first; rules: ``docs/algorithms/forecast.md``."""
    from patron.intelligence.mining.forecasting.outcome import outcome_of

    return outcome_of(
        rows,
        as_of,
        weeks=parameters.weeks,
        step=7 if parameters.step == "week" else 1,
        country=parameters.country.upper(),
        total=parameters.total,
    )


MODEL: Final = Model(
    card=ModelCard(
        name="forecast",
        title="Sales forecast",
        question="How much will each branch and each department sell in the coming weeks?",
        roles=(DATE, VALUE, SERIES, EVENTS),
        method=(
            "Forecasts the past at up to 14 dates with a mean, exponential smoothing, the theta method, a regression "
            "over all series, their mean, and last year's shape; each series gets what erred least, the baseline being "
            "the last week repeated. Intervals come from the errors of those tests; parts are scaled to the total. "
            "Columns low and high hold 80 % of what comes, low_95 and high_95 hold 95 %."
        ),
        source=(
            "R. J. Hyndman, G. Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), ch. 5, 8, 11; "
            "theta: Assimakopoulos and Nikolopoulos (2000); ridge regression: Hoerl and Kennard (1970); intervals: "
            "J. Lei and others, Distribution-free predictive inference for regression (2018)."
        ),
        limits=(
            "The shape of the year needs a year and a half of data; before that only weekdays and events are known.",
            "An event that never happened in the data has no effect; one that happened once is believed with caution.",
            "It expects things to go on: a new competitor, a refit or a price war is not in it.",
        ),
        reads="table",
        key=("series", "date"),
    ),
    parameters=ForecastParameters,
    compute=compute,
)
