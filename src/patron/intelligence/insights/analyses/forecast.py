"""What each branch and each department will sell in the next eight weeks, and how well the past was foretold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH, Real, Whole, decimals, half_up
from patron.intelligence.mining.contract import Metric
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.models.forecast import ForecastParameters
from patron.kernel.exports import ExportColumn

if TYPE_CHECKING:
    from patron.intelligence.mining.forecasting.calendar import Events, Holiday
    from patron.intelligence.mining.forecasting.outcome import Predicted
    from patron.intelligence.mining.forecasting.panel import Panel

#: Days of history that are read: the shape of the year needs two of them.
HISTORY_DAYS: Final = 3 * 364 + 60
#: Weeks of history kept for the pictures: a year, and the weeks ahead a year ago.
_SHOWN_WEEKS: Final = 64
WEEK: Final = 7

_SERIES: Final = (
    ExportColumn("dimension", "string", "total, branch or department."),
    ExportColumn("series", "string", "Empty for the total, the branch's key, or the department's name."),
    ExportColumn("branch_id", "int64", "The branch; empty for the others."),
)
LINES = Mart(
    name="forecast_lines",
    meaning="Sales expected by week: the whole house, each branch, each department. Weeks begin after the last day.",
    columns=(
        *_SERIES,
        ExportColumn("name", "string", "What people call it; empty for the total and what is not known."),
        ExportColumn("place", "int32", "Place by size of the next week, 1 is the largest of its dimension."),
        ExportColumn("week", "int32", "1 is the next week."),
        ExportColumn("starts_on", "date", "First day of the week."),
        ExportColumn("ends_on", "date", "Last day of the week."),
        ExportColumn("forecast", "decimal(18,2)", "Sales expected; branches add up to the total, and departments too."),
        ExportColumn("low", "decimal(18,2)", "At least this, with high for 80 of 100 weeks."),
        ExportColumn("high", "decimal(18,2)", "At most this."),
        ExportColumn("low_95", "decimal(18,2)", "At least this, with high_95 for 95 of 100 weeks."),
        ExportColumn("high_95", "decimal(18,2)", "At most this."),
        ExportColumn("last_year", "decimal(18,2)", "The week 52 weeks before; empty where there is none."),
        ExportColumn("recent", "decimal(18,2)", "Mean week of the last four."),
        ExportColumn("method", "string", "Method that the back-test chose."),
        ExportColumn("kind", "string", "regular, sparse, new, closed or empty."),
        ExportColumn(
            "error_share", "float64", "Its error in the back-test, as a share of sales; empty without a test."
        ),
        ExportColumn("naive_error_share", "float64", "That of repeating the last week."),
        ExportColumn("reason_code", "string", "Names the reason for the method."),
        ExportColumn("reason", "string", "The reason in words, English."),
    ),
    order="dimension DESC, place, week",
)
BACKTEST = Mart(
    name="forecast_backtest",
    meaning="How far each method was off when it forecast the past, for each series.",
    columns=(
        *_SERIES,
        ExportColumn("method", "string", "average, exponential, theta, pooled, combined, last_year or seasonal_naive."),
        ExportColumn("chosen", "bool", "Whether this series is forecast with it."),
        ExportColumn("error_share", "float64", "Sum of absolute errors ÷ sum of sales."),
        ExportColumn("mean_error", "float64", "Mean absolute error of a week."),
        ExportColumn("tests", "int32", "Past dates at which it was tested."),
    ),
    order="dimension DESC, series, method",
)
HISTORY = Mart(
    name="forecast_history",
    meaning="What was sold by week before the forecast, for the same series.",
    columns=(
        *_SERIES,
        ExportColumn("starts_on", "date", "First day of the week."),
        ExportColumn("sold", "decimal(18,2)", "Sales."),
    ),
    order="dimension DESC, series, starts_on",
)
EVENTS = Mart(
    name="forecast_events",
    meaning="Public holidays of the weeks ahead.",
    columns=(
        ExportColumn("date", "date", "The day."),
        ExportColumn("name", "string", "Its name, English."),
        ExportColumn("feast", "string", "The great feast it belongs to; empty for other holidays."),
        ExportColumn(
            "used", "bool", "Whether the forecast counts on holidays: only where that did better in the past."
        ),
    ),
    order="date",
)


@dataclass(frozen=True, slots=True)
class _Sales:
    """The panel with row 0 for the total, then branches, then departments, and what those rows are."""

    panel: Panel
    dimension: tuple[str, ...]
    key: tuple[str, ...]
    branch: tuple[int | None, ...]
    name: tuple[str, ...]

    def rows(self, dimension: str) -> Whole:
        """The rows of one dimension."""
        return np.flatnonzero([each == dimension for each in self.dimension])


def find(context: Context) -> Findings:
    """Read, forecast with and without holidays, keep what did better. Raises InputError with less than two weeks."""
    from patron.intelligence.mining.forecasting.calendar import holiday_events, holidays_of, no_events
    from patron.intelligence.mining.forecasting.outcome import predict

    parameters = context.parameters(ForecastParameters)
    sales = _sales(context)
    panel, length = sales.panel, sales.panel.days + parameters.weeks * WEEK
    parts = (sales.rows("branch"), sales.rows("department"))

    def foretold(events: Events) -> Predicted:
        return predict(panel, events, weeks=parameters.weeks, step=WEEK, total=0, parts=parts)

    found, country, used = foretold(no_events(panel.first, length)), _country(context, parameters), False
    holidays: tuple[Holiday, ...] = ()
    notes = list(found.notes)
    try:
        holidays = holidays_of(country, found.until + 1, parameters.weeks * WEEK)
        with_holidays = foretold(holiday_events(country, panel.first, length)) if country else None
    except ParameterError as error:
        with_holidays = None
        notes.append(str(error))
    if with_holidays and with_holidays.proof and found.proof:
        used = with_holidays.proof.wape < found.proof.wape
        verb = "are used: they lower" if used else "are not used: they do not lower"
        notes.append(
            f"Public holidays of {country} {verb} the error of the past "
            f"({with_holidays.proof.wape:.2%} with, {found.proof.wape:.2%} without)."
        )
        found = with_holidays if used else found
    proofs = _proofs(sales, found)
    return Findings(
        tables={
            LINES.name: _lines(sales, found),
            BACKTEST.name: _backtest(sales, found),
            HISTORY.name: _history(sales, found),
            EVENTS.name: _events(holidays, used=used),
        },
        parameters={**parameters.as_dict(), "country": country},
        metrics={**_metrics(sales, found), **proofs},
        proof=_proof(proofs),
        notes=tuple(notes),
    )


def _sales(context: Context) -> _Sales:
    from patron.intelligence.mining.forecasting.panel import Panel, begun_at, panel_of

    since = context.until - timedelta(HISTORY_DAYS)
    counted = (
        f"NOT l.is_voided AND l.currency = '{context.currency}' AND l.occurred_on <= DATE '{context.until}' "
        f"AND l.occurred_on > DATE '{since}'"
    )
    branches = context.warehouse.arrow(
        f"""
        SELECT coalesce(l.branch_id, 0) AS branch_id, l.occurred_on AS date, sum(l.net_amount)::DOUBLE AS value
        FROM purchase_lines l WHERE {counted} GROUP BY ALL ORDER BY ALL
        """  # noqa: S608 (a currency code and days)
    )
    departments = context.warehouse.arrow(
        f"""
        SELECT coalesce(p.category_1, '') AS name, l.occurred_on AS date, sum(l.net_amount)::DOUBLE AS value
        FROM purchase_lines l LEFT JOIN products p USING (product_id) WHERE {counted} GROUP BY ALL ORDER BY ALL
        """  # noqa: S608 (a currency code and days)
    )
    if not branches.num_rows:
        raise InputError("There are no sales yet; a forecast needs at least two weeks of them.")
    known = dict(context.warehouse.rows("SELECT branch_id, name FROM branches"))
    ids = sorted(set(branches["branch_id"].to_pylist()))
    names = sorted(set(departments["name"].to_pylist()))
    place = {**{each: row for row, each in enumerate(ids)}}
    spot = {each: row for row, each in enumerate(names)}
    series = np.array(
        [place[each] for each in branches["branch_id"].to_pylist()]
        + [len(ids) + spot[each] for each in departments["name"].to_pylist()],
        dtype=np.int64,
    )
    days = np.concatenate([_day_numbers(branches), _day_numbers(departments)])
    values = np.concatenate([branches["value"].to_numpy(), departments["value"].to_numpy()])
    labels = tuple(f"b{each:012d}" for each in ids) + tuple(f"d{each}" for each in names)
    parts = panel_of(series, days, values, labels, end=(context.until - EPOCH).days)
    matrix = np.vstack([parts.values[: len(ids)].sum(axis=0), parts.values])
    return _Sales(
        panel=Panel(("", *labels), parts.first, matrix, begun_at(matrix)),
        dimension=("total", *("branch" for _ in ids), *("department" for _ in names)),
        key=("", *(str(each) if each else "" for each in ids), *names),
        branch=(None, *(each or None for each in ids), *(None for _ in names)),
        name=("", *(str(known.get(each, "")) for each in ids), *names),
    )


def _day_numbers(table: pa.Table) -> Whole:
    days: Whole = table["date"].cast(pa.int32()).to_numpy().astype(np.int64)
    return days


def _country(context: Context, parameters: ForecastParameters) -> str:
    """The country asked for, else the one most branches are in."""
    if parameters.country:
        return parameters.country.upper()
    rows = context.warehouse.rows("SELECT country FROM branches WHERE country <> ''")
    [(country, _count), *_] = Counter(str(country) for (country,) in rows).most_common(1) or [("", 0)]
    return country


def _repeated(sales: _Sales, rows: Whole) -> dict[str, pa.Array]:
    taken = pa.array(rows)
    return {
        "dimension": pa.array(sales.dimension, pa.string()).take(taken),
        "series": pa.array(sales.key, pa.string()).take(taken),
        "branch_id": pa.array(sales.branch, pa.int64()).take(taken),
    }


def _lines(sales: _Sales, found: Predicted) -> pa.Table:
    from patron.intelligence.mining.forecasting.outcome import result_table

    result, steps = result_table(found), found.forecasts.mean.shape[1]
    number = len(sales.dimension)
    rows = np.repeat(np.arange(number), steps)
    step = np.tile(np.arange(steps), number)
    history = found.forecasts.panel.values
    recent = np.repeat(history[:, -4 * WEEK :].sum(axis=1) / min(4, max(history.shape[1] // WEEK, 1)), steps)
    starts = result["date"].combine_chunks()
    last_year = _last_year(history, steps)
    return pa.table(
        {
            **_repeated(sales, rows),
            "name": pa.array(sales.name, pa.string()).take(pa.array(rows)),
            "place": _places(sales, found)[rows],
            "week": step + 1,
            "starts_on": starts,
            "ends_on": pa.array(starts.cast(pa.int32()).to_numpy() + WEEK - 1).cast(pa.date32()),
            **{name: money(result[name].to_numpy()) for name in ("forecast", "low", "high", "low_95", "high_95")},
            "last_year": last_year,
            "recent": money(recent),
            **{
                name: result[name]
                for name in ("method", "kind", "error_share", "naive_error_share", "reason_code", "reason")
            },
        }
    )


def _last_year(history: Real, steps: int) -> pa.Array:
    start = history.shape[1] - 52 * WEEK
    number = history.shape[0]
    if start < 0:
        return pa.nulls(number * steps, pa.decimal128(18, 2))
    year = np.zeros((number, steps * WEEK))
    there = history[:, start : start + steps * WEEK]
    year[:, : there.shape[1]] = there
    known = np.tile(np.arange(steps) * WEEK + WEEK <= there.shape[1], number)
    amounts = money(year.reshape(number, steps, WEEK).sum(axis=2).ravel())
    return pa.array([each if told else None for each, told in zip(amounts.to_pylist(), known, strict=True)],
                    pa.decimal128(18, 2))  # fmt: skip


def money(values: Real) -> pa.Array:
    """Amounts to the cent."""
    return decimals(half_up(values * 100), scale=2)


def _places(sales: _Sales, found: Predicted) -> Whole:
    place = np.zeros(len(sales.dimension), dtype=np.int64)
    for dimension in ("total", "branch", "department"):
        rows = sales.rows(dimension)
        order = np.lexsort((rows, -found.forecasts.mean[rows, 0]))
        place[rows[order]] = np.arange(1, len(rows) + 1)
    return place


def _backtest(sales: _Sales, found: Predicted) -> pa.Table:
    test, number = found.forecasts.backtest, len(sales.dimension)
    origins = len(test.origins)
    rows = np.tile(np.arange(number), len(test.methods))
    if not origins:
        rows = rows[:0]
    methods = np.repeat(np.arange(len(test.methods)), number)[: len(rows)]
    shares = np.concatenate([test.wape(each) for each in test.predicted]) if origins else np.zeros(0)
    errors = test.mae().ravel() if origins else np.zeros(0)
    table = pa.table(
        {
            **_repeated(sales, rows),
            "method": pa.array(test.methods, pa.string()).take(pa.array(methods)),
            "chosen": pa.array(found.forecasts.chosen[rows] == methods),
            "error_share": pa.array(shares, pa.float64(), from_pandas=True),
            "mean_error": pa.array(errors, pa.float64(), from_pandas=True),
            "tests": pa.array(np.full(len(rows), origins), pa.int32()),
        }
    )
    return table.filter(table["mean_error"].is_valid())


def _history(sales: _Sales, found: Predicted) -> pa.Table:
    panel = found.forecasts.panel
    weeks = min(panel.days // WEEK, _SHOWN_WEEKS)
    sold = panel.values[:, panel.days - weeks * WEEK :].reshape(len(sales.dimension), weeks, WEEK).sum(axis=2)
    rows = np.repeat(np.arange(len(sales.dimension)), weeks)
    starts = panel.end - (weeks - np.tile(np.arange(weeks), len(sales.dimension))) * WEEK
    return pa.table(
        {
            **_repeated(sales, rows),
            "starts_on": pa.array(starts.astype(np.int32)).cast(pa.date32()),
            "sold": money(sold.ravel()),
        }
    )


def _events(holidays: tuple[Holiday, ...], *, used: bool) -> pa.Table:
    return pa.table(
        {
            "date": pa.array([each.day for each in holidays], pa.date32()),
            "name": pa.array([each.name for each in holidays], pa.string()),
            "feast": pa.array([each.feast for each in holidays], pa.string()),
            "used": pa.array([used] * len(holidays), pa.bool_()),
        }
    )


def _metrics(sales: _Sales, found: Predicted) -> dict[str, Metric]:
    from patron.intelligence.mining.forecasting.backtest import KINDS

    panel, agreement = found.forecasts.panel, found.agreement
    branches = found.forecasts.kind[sales.rows("branch")]
    return {
        "first_day": (EPOCH + timedelta(panel.first)).isoformat(),
        "last_day": (EPOCH + timedelta(found.until)).isoformat(),
        "history_days": panel.days,
        "origins": len(found.forecasts.backtest.origins),
        "branches": len(branches),
        **{f"branches_{name}": int((branches == place).sum()) for place, name in enumerate(KINDS)},
        "departments": len(sales.rows("department")),
        "total_by": agreement.way if agreement else "own",
    }


def _proofs(sales: _Sales, found: Predicted) -> dict[str, Metric]:
    """The honest back-test of each dimension (see `prove`): errors and coverages, prefixed by the dimension."""
    from patron.intelligence.mining.forecasting.backtest import prove

    told: dict[str, Metric] = {}
    forecasts = found.forecasts
    for dimension in ("total", "branch", "department"):
        rows = np.isin(np.arange(len(sales.dimension)), sales.rows(dimension))
        proof = prove(forecasts.panel, forecasts.backtest, forecasts.kind, forecasts.spread.wider, rows)
        if proof is None:
            continue
        told |= {
            f"{dimension}_error_share": proof.wape,
            f"{dimension}_naive_error_share": proof.naive_wape,
            f"{dimension}_mase": proof.mase,
            f"{dimension}_coverage_80": proof.coverage_80,
            f"{dimension}_coverage_95": proof.coverage_95,
            f"{dimension}_tests": proof.origins,
            f"{dimension}_points": proof.points,
        }
    return told


def _proof(metrics: dict[str, Metric]) -> Proof | None:
    dimension = next((each for each in ("branch", "total") if f"{each}_error_share" in metrics), None)
    if dimension is None:
        return None
    value, baseline = metrics[f"{dimension}_error_share"], metrics[f"{dimension}_naive_error_share"]
    return Proof(
        metric="Error of a week's sales, by branch" if dimension == "branch" else "Error of a week's sales",
        value=float(value or 0),
        baseline=float(baseline or 0),
        higher_is_better=False,
        why=f"The baseline repeats the last week; {metrics[f'{dimension}_tests']} past dates were foretold.",
    )


ANALYSIS: Final = Analysis(
    name="forecast",
    title="Sales forecast",
    marts=(LINES, BACKTEST, HISTORY, EVENTS),
    find=find,
)
