"""Survival: how long customers with a contract stay, and how much longer those will who are still there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts, day_number, decimals, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, Point, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.rows import Rows
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.transactions import Role

if TYPE_CHECKING:
    from patron.intelligence.mining.clv.fitting import Fit
    from patron.intelligence.mining.survival.kaplan_meier import Curve

PERIOD_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365.2425 / 12, "year": 365.2425}
MOST_GROUPS: Final = 20
REASON_CODES: Final = ("ended", "retained", "no_forecast")


@dataclass(frozen=True)
class SurvivalParameters(Parameters):
    """Length of a period, and how far ahead."""

    period: str = parameter("month", "length of a period", choices=("day", "week", "month", "year"))
    horizon: int = parameter(12, "periods ahead for the remaining lifetime", minimum=1, maximum=600)
    confidence: float = parameter(0.95, "of the intervals", minimum=0.5, maximum=0.999)


@dataclass(frozen=True, slots=True)
class _Contracts:
    customer: pa.Array
    start: Whole
    duration: Whole
    ended: Flags
    group: Whole
    names: tuple[str, ...]
    left_out: int

    def of(self, group: int) -> Flags:
        chosen: Flags = self.group == group
        return chosen


def compute(rows: Rows, as_of: dt.date, parameters: SurvivalParameters) -> Outcome:
    """One row per contract known at ``as_of``, by customer and start; formulas: ``docs/algorithms/survival.md``."""
    from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier, log_rank
    from patron.intelligence.mining.survival.retention import counts_of, geometric, shifted_beta_geometric

    known = _contracts(rows, as_of)
    unit = PERIOD_DAYS[parameters.period]
    age = np.floor(known.duration / unit).astype(np.int64)
    metrics: dict[str, Metric] = {
        "contracts": len(known.duration),
        "ended": int(known.ended.sum()),
        "left_out": known.left_out,
    }
    series: dict[str, tuple[Point, ...]] = {}
    notes = [f"Rows left out because they end before they start, or lack a start: {known.left_out}."] * bool(
        known.left_out
    )
    fitted: dict[str, Metric] = {}
    fit: Fit | None = None
    if len(known.duration):
        _describe(
            "", kaplan_meier(known.duration, known.ended, confidence=parameters.confidence), unit, metrics, series
        )
    if known.ended.any():
        whole = counts_of(age, known.ended.astype(np.int64))
        fit = shifted_beta_geometric(whole)
        constant = geometric(whole)
        fitted = {**fit.as_dict(), "theta": constant.theta}
        metrics |= {
            **fit.errors_as_dict(),
            "se_theta": constant.error,
            "log_likelihood": fit.log_likelihood,
            "log_likelihood_geometric": constant.log_likelihood,
        }
        series |= _fitted_series(fit, int(age.max()) + parameters.horizon)
        if fit.loose:
            notes.append("The retention rate hardly changes with age: the constant rate theta says as much.")
    elif len(known.duration):
        notes.append("Nobody has left yet: how long customers stay cannot be told before some do.")
    if len(known.names) > 1:
        for place, name in enumerate(known.names):
            own = known.of(place)
            curve = kaplan_meier(known.duration[own], known.ended[own], confidence=parameters.confidence)
            _describe(f"_{name}", curve, unit, metrics, series)
            metrics |= {f"contracts_{name}": int(own.sum()), f"ended_{name}": int(known.ended[own].sum())}
        tested = log_rank(known.duration, known.ended, known.group, len(known.names))
        if tested:
            metrics |= {
                "log_rank": tested.statistic,
                "log_rank_freedom": tested.freedom,
                "log_rank_p": tested.p_value,
            }
        else:
            notes.append("The groups cannot be compared: too few left, or too few were there at the same age.")
    return Outcome(_table(known, age, fit, parameters), metrics, series, fitted, tuple(notes))


def _contracts(rows: Rows, as_of: dt.date) -> _Contracts:
    grouped = rows.has("group")
    if not rows.has("end"):
        raise InputError("Say which column holds the end of the contracts (end=…; empty while a contract runs).")
    table = rows.arrow("customer", "start", "end", *(["group"] if grouped else [])).combine_chunks()
    start, end = _days(table, "start"), _days(table, "end")
    today = day_number(as_of)
    good = pc.fill_null(pc.and_(pc.is_valid(start), pc.less_equal(start, pc.coalesce(end, start))), False)
    begun = pc.fill_null(pc.less_equal(start, today), False)
    keep = pc.and_(good, begun)
    left_out = len(table) - (pc.sum(good).as_py() or 0)
    table = table.filter(keep)
    begin = start.filter(keep).to_numpy(zero_copy_only=False).astype(np.int64)
    stop = pc.fill_null(end.filter(keep), today + 1).to_numpy(zero_copy_only=False).astype(np.int64)
    ended = stop <= today
    names: tuple[str, ...] = ()
    group = np.zeros(len(table), dtype=np.int64)
    if grouped:
        coded = pc.fill_null(table["group"].cast(pa.string()), "unknown").combine_chunks().dictionary_encode()
        order = np.argsort(np.array(coded.dictionary.to_pylist(), dtype=object), kind="stable")
        names = tuple(coded.dictionary[int(place)].as_py() for place in order)
        group = np.argsort(order)[coded.indices.to_numpy()].astype(np.int64) if len(table) else group
        if len(names) > MOST_GROUPS:
            raise InputError(
                f"The column group has {len(names)} values; at most {MOST_GROUPS} can be compared. Put similar ones "
                "together."
            )
    order = pc.sort_indices(
        pa.table({"customer": table["customer"], "start": begin, "row": np.arange(len(table))}),
        sort_keys=[("customer", "ascending"), ("start", "ascending"), ("row", "ascending")],
    ).to_numpy()
    return _Contracts(
        customer=table["customer"].combine_chunks().take(pa.array(order)),
        start=begin[order],
        duration=(np.minimum(stop, today) - begin)[order],
        ended=ended[order],
        group=group[order],
        names=names,
        left_out=left_out,
    )


def _days(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.int32())
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise InputError(f"The column {name} must hold dates; it holds {column.type}.")
    return column.cast(pa.date32(), safe=False).cast(pa.int32())


def _describe(
    suffix: str, curve: Curve, unit: float, metrics: dict[str, Metric], series: dict[str, tuple[Point, ...]]
) -> None:
    from patron.intelligence.mining.survival.kaplan_meier import as_points

    median = curve.median
    metrics[f"median{suffix}"] = None if median is None else median / unit
    series[f"survival{suffix}"] = as_points(curve.time, curve.survival, scale=unit)
    series[f"survival_low{suffix}"] = as_points(curve.time, curve.low, scale=unit)
    series[f"survival_high{suffix}"] = as_points(curve.time, curve.high, scale=unit)


def _fitted_series(fit: Fit, periods: int) -> dict[str, tuple[Point, ...]]:
    from patron.intelligence.mining.survival.retention import retention, survival

    alpha, beta = fit.values
    age = np.arange(periods + 1)
    stay, rate = survival(alpha, beta, age).tolist(), retention(alpha, beta, age[:-1]).tolist()
    return {
        "fitted_survival": tuple((float(place), value) for place, value in enumerate(stay)),
        "fitted_retention": tuple((float(place + 1), value) for place, value in enumerate(rate)),
    }


def _table(known: _Contracts, age: Whole, fit: Fit | None, parameters: SurvivalParameters) -> pa.Table:
    from patron.intelligence.mining.survival.retention import remaining, retention

    stay = left = np.zeros(len(age))
    if fit is not None:
        alpha, beta = fit.values
        ages, place = np.unique(age, return_inverse=True)
        stay = retention(alpha, beta, ages)[place]
        left = remaining(alpha, beta, ages, horizon=parameters.horizon)[place]
    code = np.where(known.ended, 0, 1 if fit is not None else 2).astype(np.int8)
    unknown = code != 1
    return pa.table(
        {
            "customer": known.customer,
            "start": pa.array(known.start.astype(np.int32)).cast(pa.date32()),
            "group": pa.array(
                [known.names[each] for each in known.group] if known.names else [None] * len(age), pa.string()
            ),
            "ended": pa.array(known.ended),
            "periods": counts(age),
            "p_stay": pa.array(stay, mask=unknown),
            "expected_remaining": pa.array(left, mask=unknown),
            "reason_code": labels(code, REASON_CODES),
            "reason": sentences(code, _templates(age, stay, left, parameters)),
        }
    )


def _group(known: _Contracts) -> pa.Array:
    if not known.names:
        return pa.nulls(len(known.group), pa.string())
    return pa.array(known.names, pa.string()).take(pa.array(known.group))


def _templates(age: Whole, stay: Real, left: Real, parameters: SurvivalParameters) -> dict[int, Template]:
    unit = f"{parameters.period}s"

    def said(begin: str) -> Callable[[Whole], list[Piece]]:
        return lambda rows: [f"{begin} (whole {unit}): ", counts(age[rows]), "."]

    def retained(rows: Whole) -> list[Piece]:
        return [
            f"There so far (whole {unit}): ",
            counts(age[rows]),
            "; of customers who stayed that long ",
            decimals(half_up(stay[rows] * 1000), scale=1),
            f" % stay for another {parameters.period}. Expected of the next {parameters.horizon} {unit}: ",
            decimals(half_up(left[rows] * 10), scale=1),
            ".",
        ]

    return {0: said("Ended; was there"), 1: retained, 2: said("Nobody has left yet, so no forecast; there so far")}


MODEL: Final = Model(
    card=ModelCard(
        name="survival",
        title="Survival of contracts",
        question="How long do customers with a contract stay, and how much longer will those who are still there?",
        reads="table",
        key=("customer", "start"),
        roles=(
            Role("customer", "who has the contract", required=True),
            Role("start", "first day of the contract", required=True, kind="date"),
            Role("end", "day on which it ended; empty while it runs", kind="date"),
            Role("group", "groups to compare, e.g. plan or channel (at most 20)", kind="text"),
        ),
        method=(
            "Kaplan-Meier curves with Greenwood intervals and the log-rank test between groups; for each running "
            "contract the probability to stay another period and the periods still expected, by the shifted "
            "beta-geometric model (retention rises with age), beside a constant rate."
        ),
        source=(
            "E. L. Kaplan & P. Meier, JASA 53, 1958; P. S. Fader & B. G. S. Hardie, Journal of Interactive Marketing "
            "21(1), 2007."
        ),
        limits=(
            "Contracts that were over before the data begin are not seen: the early months then look too good.",
            "Contracts that end on the same day each year (a minimum term) break the smooth rise of retention.",
            "Groups are compared as they are; that one stays longer does not prove that the group is why.",
        ),
    ),
    parameters=SurvivalParameters,
    compute=compute,
)
