"""The forecast model from rows to its result table, report and words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import EPOCH, Real, Whole, day_number
from patron.intelligence.mining.contract import Metric, Outcome
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.forecasting.backtest import CLOSED, EMPTY, KINDS, NEW, REGULAR, SPARSE, Proof, prove
from patron.intelligence.mining.forecasting.calendar import Events, holiday_events, no_events
from patron.intelligence.mining.forecasting.engine import Forecasts, forecast
from patron.intelligence.mining.forecasting.hierarchy import Agreement, agree
from patron.intelligence.mining.forecasting.methods import AVERAGE, COMBINED, EXPONENTIAL, NAIVE, POOLED, THETA, YEARLY
from patron.intelligence.mining.forecasting.panel import WEEK, Panel, begun_at, complete_days, panel_of
from patron.intelligence.mining.rows import Rows

#: The name of the row for everything together.
TOTAL: Final = ""

METHOD_WORDS: Final = {
    AVERAGE: "the mean of recent weeks",
    EXPONENTIAL: "exponential smoothing",
    THETA: "the theta method",
    POOLED: "the regression over all series",
    COMBINED: "the mean of four methods",
    YEARLY: "last year's shape",
    NAIVE: "repeating the last week",
}
SCHEMA: Final = pa.schema(
    [
        ("series", pa.string()),
        ("date", pa.date32()),
        ("days", pa.int32()),
        ("forecast", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("low_95", pa.float64()),
        ("high_95", pa.float64()),
        ("method", pa.string()),
        ("kind", pa.string()),
        ("error_share", pa.float64()),
        ("naive_error_share", pa.float64()),
        ("reason_code", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Predicted:
    """Forecasts that add up, and how good they are. ``total`` is the row of everything, None without one.

    ``notes``: remarks in English. ``until`` is the last complete day (a day number), the day before the forecasts.
    """

    forecasts: Forecasts
    total: int | None
    agreement: Agreement | None
    proof: Proof | None
    until: int
    notes: tuple[str, ...]


def predict(
    panel: Panel,
    events: Events,
    *,
    weeks: int,
    step: int,
    total: int | None = None,
    parts: tuple[Whole, ...] = (),
) -> Predicted:
    """Forecasts of a panel; ``parts`` are lists of rows that each add up to the row ``total``.

    The last days are left out where they look incomplete, and said so. Raises :class:`InputError` with less than two
    weeks of data.
    """
    notes = []
    whole = panel.values[total] if total is not None else panel.values.sum(axis=0)
    days = complete_days(whole)
    if days < panel.days:
        notes.append(
            f"The {panel.days - days} days up to {_day(panel.end - 1)} hold less than a third of usual sales and look "
            f"incomplete; the forecast starts after {_day(panel.first + days - 1)}."
        )
        panel = panel.until(days)
    if panel.days < 2 * WEEK:
        raise InputError(
            f"There are {panel.days} days of sales up to {_day(panel.end - 1)}; a forecast needs at least 14."
        )
    found = forecast(panel, events, horizon=weeks * WEEK, step=step)
    agreement = None
    if total is not None and parts:
        found, agreement = agree(found, total=total, parts=parts)
    proof = prove(panel, found.backtest, found.kind, found.spread.wider)
    if proof is None:
        notes.append(
            f"{panel.days} days are too few for an honest back-test; {(weeks + 12) * WEEK + 28} would do for one."
        )
    return Predicted(found, total, agreement, proof, panel.end - 1, tuple(notes))


def outcome_of(rows: Rows, as_of: dt.date, *, weeks: int, step: int, country: str, total: bool) -> Outcome:
    """The outcome of the model; see ``models/forecast.py``."""
    names, series, days, values, flags = _columns(rows)
    end = day_number(as_of)
    if not (days <= end).any():
        return Outcome(table=SCHEMA.empty_table(), metrics=_metrics(None, 0))
    panel = panel_of(series, days, values, names, end=end)
    row = None
    if total and len(names) > 1:
        matrix = np.vstack([panel.values.sum(axis=0), panel.values])
        panel, row = Panel((TOTAL, *names), panel.first, matrix, begun_at(matrix)), 0
    length = panel.days + weeks * WEEK
    calendar = _given_events(rows.columns_of("events"), flags, days, panel.first, length)
    if country:
        calendar = calendar.joined(holiday_events(country, panel.first, length))
    parts = (np.arange(1, len(panel.names)),) if row is not None else ()
    predicted = predict(panel, calendar, weeks=weeks, step=step, total=row, parts=parts)
    notes = [*predicted.notes, *_agreement_notes(predicted.agreement)]
    return Outcome(
        table=result_table(predicted), metrics=_metrics(predicted, len(names)), series=_curves(predicted),
        notes=tuple(notes),
    )  # fmt: skip


def _columns(rows: Rows) -> tuple[tuple[str, ...], Whole, Whole, Real, dict[str, Real]]:
    events = rows.columns_of("events")
    wanted = ["date", "value", *(["series"] if rows.has("series") else []), *events]
    table = rows.arrow(*wanted)
    dated = pc.and_(pc.is_valid(table["date"]), pc.is_valid(table["value"]))
    table = table.filter(dated)
    if not pa.types.is_date(table["date"].type) and not pa.types.is_timestamp(table["date"].type):
        raise InputError(f"The column date must be a date; it is {table['date'].type}.")
    days = table["date"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    values = table["value"].cast(pa.float64()).to_numpy()
    if not np.isfinite(values).all():
        raise InputError("The column value holds numbers that are infinite; put them right or leave them out.")
    flags = {name: np.nan_to_num(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)) for name in events}
    if not rows.has("series"):
        return ("all",), np.zeros(len(days), dtype=np.int64), days, values, flags
    texts = pc.fill_null(table["series"].cast(pa.string()), "not known")
    names = sorted(str(each) for each in pc.unique(texts).to_pylist())
    series = pc.index_in(texts, pa.array(names, pa.string())).to_numpy().astype(np.int64)
    return tuple(names), series, days, values, flags


def _given_events(names: tuple[str, ...], flags: dict[str, Real], days: Whole, first: int, length: int) -> Events:
    """Events of the input: of several rows of a day the strongest counts."""
    if not names:
        return no_events(first, length)
    matrix = np.zeros((len(names), length))
    inside = (days >= first) & (days < first + length)
    for place, name in enumerate(names):
        np.maximum.at(matrix[place], days[inside] - first, flags[name][inside])
    return Events(names, first, matrix)


def result_table(predicted: Predicted) -> pa.Table:
    """One row per series and step, in the order of the panel."""
    found = predicted.forecasts
    names, steps = found.panel.names, found.mean.shape[1]
    low, high = found.interval(0.80)
    low_95, high_95 = found.interval(0.95)
    mine, naive = error_shares(found)
    codes, reasons = reasons_of(found, mine, naive)
    repeat = np.repeat(np.arange(len(names)), steps)
    start = predicted.until + 1 + np.tile(np.arange(steps) * found.step, len(names))
    methods = [found.backtest.methods[each] for each in found.chosen]
    columns = {
        "series": pa.array(names, pa.string()).take(pa.array(repeat)),
        "date": pa.array(start.astype(np.int32)).cast(pa.date32()),
        "days": pa.array(np.full(len(repeat), found.step, dtype=np.int32)),
        "forecast": pa.array(found.mean.ravel()),
        "low": pa.array(low.ravel()),
        "high": pa.array(high.ravel()),
        "low_95": pa.array(low_95.ravel()),
        "high_95": pa.array(high_95.ravel()),
        "method": pa.array(methods, pa.string()).take(pa.array(repeat)),
        "kind": pa.array([KINDS[each] for each in found.kind], pa.string()).take(pa.array(repeat)),
        "error_share": pa.array(mine, from_pandas=True).take(pa.array(repeat)),
        "naive_error_share": pa.array(naive, from_pandas=True).take(pa.array(repeat)),
        "reason_code": pa.array(codes, pa.string()).take(pa.array(repeat)),
        "reason": pa.array(reasons, pa.string()).take(pa.array(repeat)),
    }
    return pa.table(columns, schema=SCHEMA)


def error_shares(found: Forecasts) -> tuple[Real, Real]:
    """WAPE of each series' method and of the baseline over all origins; "not a number" where not tested."""
    test = found.backtest
    if not len(test.origins):
        nothing = np.full(len(found.panel.names), np.nan)
        return nothing, nothing
    return test.wape(test.of(found.chosen)), test.wape(test.predicted[test.methods.index(NAIVE)])


def reasons_of(found: Forecasts, mine: Real, naive: Real) -> tuple[list[str], list[str]]:
    """Code and sentence for each series: there are hundreds of series, not millions."""
    codes, reasons = [], []
    origins = len(found.backtest.origins)
    for place, kind in enumerate(found.kind):
        method = found.backtest.methods[found.chosen[place]]
        if kind == EMPTY:
            code, reason = "empty", "Nothing was ever sold here, so nothing is expected."
        elif kind == CLOSED:
            code, reason = "closed", "Nothing was sold in the last eight weeks, so nothing is expected."
        elif kind == NEW:
            days = found.panel.days - int(found.panel.begun[place])
            code, reason = "new", f"Began {days} days ago: the mean since then, with everybody's weekdays."
        elif kind == SPARSE:
            code, reason = "sparse", "Sells only now and then: the mean of half a year."
        elif not np.isfinite(mine[place]):
            code, reason = "untested", "Too short for a test in the past: the mean of the last eight weeks."
        else:
            words = METHOD_WORDS[method]
            code = method
            reason = (
                f"{words[0].upper()}{words[1:]} erred by {mine[place]:.0%} of sales in {origins} tests in the past; "
                f"{METHOD_WORDS[NAIVE]} by {naive[place]:.0%}."
            )
        codes.append(code)
        reasons.append(reason)
    return codes, reasons


def _agreement_notes(agreement: Agreement | None) -> list[str]:
    if agreement is None or not np.isfinite(agreement.own_wape):
        return []
    used, other = ("its own forecast", "the sum of its parts") if agreement.way == "own" else (
        "the sum of its parts", "its own forecast",
    )  # fmt: skip
    errors = sorted((agreement.own_wape, agreement.parts_wape))
    return [
        f"The total is {used} (error {errors[0]:.1%}; {other} {errors[1]:.1%}); the parts are scaled to add up to it."
    ]


def _metrics(predicted: Predicted | None, series: int) -> dict[str, Metric]:
    proof = predicted.proof if predicted else None
    kind = predicted.forecasts.kind if predicted else np.zeros(0, dtype=np.int8)
    counted = {name: int((kind == place).sum()) for place, name in enumerate(KINDS)}
    agreement = predicted.agreement if predicted else None
    return {
        "series": series,
        **counted,
        "history_days": predicted.forecasts.panel.days if predicted else 0,
        "starts_on": (EPOCH + dt.timedelta(predicted.until + 1)).isoformat() if predicted else None,
        "tests": proof.origins if proof else 0,
        "points": proof.points if proof else 0,
        "wape": proof.wape if proof else None,
        "naive_wape": proof.naive_wape if proof else None,
        "mase": proof.mase if proof else None,
        "coverage_80": proof.coverage_80 if proof else None,
        "coverage_95": proof.coverage_95 if proof else None,
        "total": agreement.way if agreement else None,
    }


def _curves(predicted: Predicted) -> dict[str, tuple[tuple[float, float], ...]]:
    """Error by step ahead of the chosen methods over regular series."""
    found = predicted.forecasts
    test, regular = found.backtest, found.kind == REGULAR
    if not len(test.origins) or not regular.any():
        return {}
    error = np.abs(test.of(found.chosen) - test.actual)[:, regular]
    came = np.where(np.isfinite(error), np.abs(test.actual[:, regular]), 0).sum(axis=(0, 1))
    missed = np.nansum(error, axis=(0, 1))
    return {
        "error_share_by_step": tuple(
            (float(place + 1), float(missed[place] / came[place])) for place in range(len(came)) if came[place] > 0
        )
    }


def _day(number: int) -> str:
    return (EPOCH + dt.timedelta(number)).isoformat()
