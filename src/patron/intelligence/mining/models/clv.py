"""Lifetime value: who is still a customer, how often they will come, and what they will bring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Real, Whole, counts, day_number, decimals, half_up, labels
from patron.intelligence.mining.contract import (
    Metric,
    Model,
    ModelCard,
    Outcome,
    Parameters,
    Point,
    parameter,
)
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, MONEY_UNITS, Days, Purchases

if TYPE_CHECKING:
    from patron.intelligence.mining.clv.backtest import BackTest
    from patron.intelligence.mining.clv.fitting import Fit
    from patron.intelligence.mining.clv.summaries import Summaries
    from patron.intelligence.mining.clv.valuing import Fitted, Values

WEEK: Final = 7
ALIVE, GONE = 0.7, 0.3
REASON_CODES: Final = ("no_forecast", "first_only", "alive", "doubtful", "gone")
FEW: Final = 30


@dataclass(frozen=True)
class ClvParameters(Parameters):
    """Which model, how far ahead, and how money later counts."""

    model: str = parameter("bgnbd", "model of the purchases", choices=("bgnbd", "mbgnbd", "paretonbd"))
    time_unit: str = parameter("week", "unit of T, recency and of alpha and beta", choices=("day", "week", "month"))
    horizon: float = parameter(52.0, "weeks ahead that are forecast", minimum=1, maximum=1040)
    holdout: float = parameter(
        0.0, "last weeks kept back to test the forecast; 0: a third of the time seen, at most the horizon", minimum=0
    )
    back_test: bool = parameter(True, "test the forecast on the last weeks")
    lookback: float = parameter(
        0.0, "weeks looked back to learn how often customers buy; 0: all. Who was silent for longer is gone", minimum=0
    )
    discount_rate: float = parameter(0.1, "what money of a year later counts less, per year", minimum=0, maximum=10)
    penalizer: float = parameter(0.0, "pull of the parameters towards 0, per customer; 0: pure likelihood", minimum=0)
    margin: float = parameter(1.0, "share of sales that is value; 1: value is sales", minimum=0, maximum=1)
    coverage: float = parameter(0.8, "probability that the range of a customer covers", minimum=0.01, maximum=0.99)


def compute(purchases: Purchases, as_of: dt.date, parameters: ClvParameters) -> Outcome:
    """One row per customer with a purchase day, by customer; formulas: ``docs/algorithms/clv.md``."""
    from patron.intelligence.mining.clv.summaries import UNIT_DAYS, purchase_days, summarise, within
    from patron.intelligence.mining.clv.valuing import correlation, fitted, valued

    bought = purchase_days(purchases.days)
    known = summarise(bought, as_of)
    recent = summarise(within(bought, as_of, lookback_days=round(parameters.lookback * WEEK)), as_of)
    unit_days = UNIT_DAYS[parameters.time_unit]
    left_out = len(purchases.days.day) - len(bought.day)
    metrics: dict[str, Metric] = {
        "customers": len(known),
        "repeating": int(known.repeating.sum()),
        "days_left_out": left_out,
    }
    if not (recent.repeating & (recent.age > 0)).any():
        note = "Nobody has bought on a second day yet: a forecast needs customers who came back."
        return Outcome(_table(known, None, parameters, unit_days), metrics, notes=(note,) if len(known) else ())
    tested = back_tested(purchases, as_of, parameters)
    found = fitted(
        known,
        model=parameters.model,
        unit_days=unit_days,
        penalizer=parameters.penalizer,
        average=float(bought.amount.mean()) / MONEY_UNITS,
        recent=recent,
    )
    values = valued(
        known,
        found,
        horizon=parameters.horizon * WEEK / unit_days,
        yearly_discount=parameters.discount_rate,
        unit_days=unit_days,
        coverage=parameters.coverage,
        margin=parameters.margin,
    )
    together = correlation(known)
    metrics |= _fit_metrics(found, values, together)
    if tested:
        metrics |= _test_metrics(tested)
    return Outcome(
        table=_table(known, values, parameters, unit_days),
        metrics=metrics,
        series=_series(tested) if tested else {},
        fitted={**found.fit.as_dict(), **(found.spend.as_dict() if found.spend else {})},
        notes=_notes(found, together, int(known.repeating.sum()), left_out, tested, parameters),
    )


def holdout_days(bought: Days, as_of: dt.date, parameters: ClvParameters) -> int:
    """How many days are kept back; 0 where there is no time to keep back that leaves something to learn from."""
    if not len(bought.day):
        return 0
    seen = day_number(as_of) - int(bought.day.min())
    length = round(parameters.holdout * WEEK) or min(seen // 3, round(parameters.horizon * WEEK))
    return length if 0 < length < seen else 0


def back_tested(purchases: Purchases, as_of: dt.date, parameters: ClvParameters) -> BackTest | None:
    """The back-test of ``parameters.model``; None where nothing can be kept back and still be learnt from."""
    from patron.intelligence.mining.clv.backtest import back_test
    from patron.intelligence.mining.clv.summaries import UNIT_DAYS, purchase_days
    from patron.intelligence.mining.clv.valuing import COUNT_MODELS

    if not parameters.back_test:
        return None
    bought = purchase_days(purchases.days)
    length = holdout_days(bought, as_of, parameters)
    if not length:
        return None
    return back_test(
        COUNT_MODELS[parameters.model],
        bought,
        cut_on=as_of - dt.timedelta(days=length),
        until=as_of,
        unit_days=UNIT_DAYS[parameters.time_unit],
        penalizer=parameters.penalizer,
        coverage=parameters.coverage,
        lookback_days=round(parameters.lookback * WEEK),
    )


def _table(known: Summaries, values: Values | None, parameters: ClvParameters, unit_days: float) -> pa.Table:
    def forecast(column: Callable[[Values], Real]) -> pa.Array:
        return pa.nulls(len(known), pa.float64()) if values is None else pa.array(column(values))

    reasons = _reason_of(known, values)
    return pa.table(
        {
            "customer": known.customers,
            "frequency": counts(known.frequency),
            "recency": pa.array(known.recency / unit_days),
            "T": pa.array(known.age / unit_days),
            "monetary": pa.array(known.monetary, mask=~known.repeating),
            "p_alive": forecast(lambda v: v.p_alive),
            "expected_purchases": forecast(lambda v: v.expected_purchases),
            "purchases_low": forecast(lambda v: v.purchases_low),
            "purchases_high": forecast(lambda v: v.purchases_high),
            "expected_value": forecast(lambda v: v.expected_value),
            "clv": forecast(lambda v: v.clv),
            "low": forecast(lambda v: v.low),
            "high": forecast(lambda v: v.high),
            "reason_code": labels(reasons, REASON_CODES),
            "reason": sentences(reasons, _templates(known, values, parameters)),
        }
    )


def _reason_of(known: Summaries, values: Values | None) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    if values is None:
        return np.zeros(len(known), dtype=np.int8)
    code = np.where(values.p_alive >= ALIVE, 2, np.where(values.p_alive >= GONE, 3, 4))
    return np.where((known.frequency == 0) & (values.p_alive > 0), 1, code).astype(np.int8)


def _templates(known: Summaries, values: Values | None, parameters: ClvParameters) -> dict[int, Template]:
    if values is None:
        return {0: lambda _rows: ["No forecast: nobody has bought on a second day yet."]}

    def ahead(rows: Whole) -> list[Piece]:
        return [
            f" In the next {parameters.horizon:g} weeks about ",
            _tenths(values.expected_purchases[rows]),
            " purchases of ",
            _cents(values.expected_value[rows]),
            " are expected.",
        ]

    def repeated(verdict: str) -> Template:
        def sentence(rows: Whole) -> list[Piece]:
            return [
                "Repeat purchase days so far: ",
                counts(known.frequency[rows]),
                "; silent for ",
                counts((known.age - known.recency)[rows]),
                " days: ",
                verdict,
                " (probability of still being a customer ",
                _CHANCES.take(pa.array(half_up(values.p_alive[rows] * 100))),
                " %).",
                *ahead(rows),
            ]

        return sentence

    def once(rows: Whole) -> list[Piece]:
        return ["Bought on one day only, ", counts(known.age[rows]), " days ago.", *ahead(rows)]

    return {
        1: once,
        2: repeated("a customer, most likely"),
        3: repeated("hard to say whether still a customer"),
        4: repeated("probably gone"),
    }


#: A chance in whole hundredths as words: what the model says is never certain.
_CHANCES: Final = pa.array(["under 1", *(str(hundredth) for hundredth in range(1, 100)), "over 99"])


def _tenths(values: Real) -> pa.Array:
    return decimals(half_up(values * 10), scale=1)


def _cents(values: Real) -> pa.Array:
    return decimals(half_up(values * 100), scale=2)


def _fit_metrics(found: Fitted, values: Values, together: float | None) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {
        "log_likelihood": found.fit.log_likelihood,
        **found.fit.errors_as_dict(),
        **_spend_errors(found.spend),
        "correlation_frequency_monetary": together,
        "expected_alive": float(values.p_alive.sum()),
        "expected_purchases": float(values.expected_purchases.sum()),
        "clv_total": float(values.clv.sum()),
        "average_amount": found.average,
    }
    return metrics


def _spend_errors(spend: Fit | None) -> dict[str, Metric]:
    if spend is None:
        return {}
    return {**spend.errors_as_dict(), "log_likelihood_gamma_gamma": spend.log_likelihood}


def _test_metrics(tested: BackTest) -> dict[str, Metric]:
    f = tested.forecasts
    actual, expected = int(f.actual.sum()), float(f.model.sum())
    return {
        "holdout_from": (tested.cut_on + dt.timedelta(days=1)).isoformat(),
        "holdout_weeks": tested.weeks,
        "holdout_customers": len(f.actual),
        "holdout_purchases": actual,
        "holdout_purchases_predicted": expected,
        "holdout_error": (expected - actual) / actual if actual else None,
        "holdout_money": tested.actual_money,
        "holdout_money_predicted": tested.expected_money,
        "holdout_rmse": f.rmse(f.model),
        "holdout_rmse_as_before": f.rmse(f.as_before),
        "holdout_rmse_silent_gone": f.rmse(f.silent_gone),
        "holdout_mae": f.mae(f.model),
        "holdout_mae_as_before": f.mae(f.as_before),
        "holdout_mae_silent_gone": f.mae(f.silent_gone),
        "holdout_coverage": tested.coverage,
        **{f"calibration_{symbol}": value for symbol, value in tested.fit.as_dict().items()},
        "calibration_log_likelihood": tested.fit.log_likelihood,
    }


def _series(tested: BackTest) -> dict[str, tuple[Point, ...]]:
    weeks, groups = tested.tracking, tested.groups
    return {
        "tracking_actual": tuple((float(each.week), float(each.actual_total)) for each in weeks),
        "tracking_predicted": tuple((float(each.week), each.predicted_total) for each in weeks),
        "weekly_actual": tuple((float(each.week), float(each.actual)) for each in weeks),
        "weekly_predicted": tuple((float(each.week), each.predicted) for each in weeks),
        "holdout_customers": tuple((float(each.frequency), float(each.customers)) for each in groups),
        "holdout_actual": tuple((float(each.frequency), each.actual) for each in groups),
        "holdout_predicted": tuple((float(each.frequency), each.model) for each in groups),
        "holdout_as_before": tuple((float(each.frequency), each.as_before) for each in groups),
        "holdout_silent_gone": tuple((float(each.frequency), each.silent_gone) for each in groups),
    }


def _notes(
    found: Fitted,
    together: float | None,
    repeating: int,
    left_out: int,
    tested: BackTest | None,
    parameters: ClvParameters,
) -> tuple[str, ...]:
    notes = []
    loose = [*found.fit.loose, *(found.spend.loose if found.spend else ())]
    if loose:
        notes.append(f"The data do not settle {', '.join(loose)}: read the forecast as a rough guide.")
    if repeating < FEW:
        notes.append(f"Customers who came back: {repeating}. Estimates from fewer than {FEW} say little.")
    if found.spend is None:
        notes.append("No repeat purchase has an amount above zero: the mean amount of all purchases stands in.")
    elif found.spend.values[1] <= 1:
        notes.append("q is at most 1: spending differs so much that it has no mean; the mean amount stands in.")
    if together is not None and abs(together) > 0.3:
        notes.append(
            f"Frequency and amount go together (correlation {together:.2f}); the gamma-gamma model takes them to be "
            "independent, so values at both ends are drawn too far to the middle."
        )
    if left_out:
        notes.append(f"Days left out because more was brought back than bought: {left_out}.")
    if parameters.back_test and tested is None:
        notes.append("No back-test: the time seen is too short for the hold-out, or nobody came back before it.")
    return tuple(notes)


MODEL: Final = Model(
    card=ModelCard(
        name="clv",
        title="Lifetime value",
        question="What will today's customers bring in the months to come, and which of them are gone already?",
        roles=(CUSTOMER, DATE, AMOUNT),
        method=(
            "Fits how often customers buy and when they stop (BG/NBD, MBG/NBD or Pareto/NBD) and what they spend "
            "(gamma-gamma) by maximum likelihood, then gives each customer's probability of being a customer still, "
            "purchases and discounted value over the horizon. low and high are the range in which the value falls with "
            "the probability coverage, if customers go on as the model says. Purchases of one day are one; a day on "
            "which more was brought back than bought is left out."
        ),
        source=(
            "P. S. Fader, B. G. S. Hardie & K. L. Lee, Marketing Science 24(2), 2005 (BG/NBD); E. P. Batislam, "
            "M. Denizel & A. Filiztekin, IJRM 24(3), 2007 (MBG/NBD); D. C. Schmittlein, D. G. Morrison & R. Colombo, "
            "Management Science 33(1), 1987 (Pareto/NBD); P. S. Fader, B. G. S. Hardie & K. L. Lee, Journal of "
            "Marketing Research 42, 2005 (gamma-gamma)."
        ),
        limits=(
            "For customers without a contract; where the end is known (subscriptions) use survival.",
            "Buying at random around a steady rate: seasons, fixed weekly rhythms and campaigns are not in the model.",
            "The first purchase seen is taken for the first ever: with data that begin midway, T is too short.",
            "In BG/NBD a customer without a repeat purchase counts as alive for certain; MBG/NBD has no such gap.",
        ),
    ),
    parameters=ClvParameters,
    compute=compute,
)
