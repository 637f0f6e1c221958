"""LRFMC: length, recency, frequency, money and discount of each customer, in numbers and in fifths."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Real, Whole, counts, day_number, decimals, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome, Parameters, parameter
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.transactions import (
    AMOUNT,
    CUSTOMER,
    DATE,
    DISCOUNT,
    PURCHASE,
    Purchases,
)

REASON_CODES: Final = ("keep", "win_back", "develop", "low", "general")
REASON_WORDS: Final = {
    "keep": "Important to keep",
    "win_back": "Important to win back",
    "develop": "New and promising",
    "low": "Of low value",
    "general": "In between",
}


@dataclass(frozen=True)
class LrfmcParameters(Parameters):
    """The window."""

    window_days: int = parameter(365, "days up to the as-of date that count; length counts from the start", minimum=1)


def compute(purchases: Purchases, as_of: dt.date, parameters: LrfmcParameters) -> Outcome:
    """One row per customer with a purchase in the window, by customer."""
    today = day_number(as_of)
    days, since = purchases.days, today - parameters.window_days
    came = days.purchases > 0
    inside = days.day > since
    visited = np.flatnonzero(days.per_customer(came & inside) > 0)
    first = _edge(days.day, days.owner, came, len(days.customers), np.minimum)[visited]
    last = _edge(days.day, days.owner, came, len(days.customers), np.maximum)[visited]
    frequency = days.per_customer(np.where(inside, days.purchases, 0))[visited]
    monetary = days.per_customer(np.where(inside, days.amount, 0))[visited]
    customers = days.named(visited)
    rate = _discount_rates(purchases, customers, as_of, parameters.window_days)
    scores = {
        "length": fifths(today - first),
        "recency": fifths(last),
        "frequency": fifths(frequency),
        "monetary": fifths(monetary),
        "discount": np.zeros(len(visited), dtype=np.int8) if rate is None else fifths(-np.nan_to_num(rate)),
    }
    codes = _codes(scores)
    columns: dict[str, pa.Array] = {
        "customer": customers,
        "length_days": counts(today - first),
        "recency_days": counts(today - last),
        "frequency": counts(frequency),
        "monetary": decimals(monetary, scale=4),
        "discount_rate": pa.nulls(len(visited), pa.float64())
        if rate is None
        else pa.array(np.round(rate, 6), from_pandas=True),
    }
    for name, score in scores.items():
        unknown = name == "discount" and rate is None
        columns[f"{name}_score"] = pa.nulls(len(visited), pa.int8()) if unknown else pa.array(score)
    columns["reason_code"] = classes(scores)
    columns["reason"] = sentences(codes, _templates(columns))
    notes = () if rate is not None else ("No discounts were given: the last of the five is empty.",)
    return Outcome(table=pa.table(columns), metrics=_metrics(codes), notes=notes)


def fifths(values: Whole | Real) -> npt.NDArray[np.int8]:
    """1 to 5, 5 for the highest: 1 + ⌊5 × (those with a lower value) ÷ all⌋; equal values get equal scores."""
    if not len(values):
        return np.zeros(0, dtype=np.int8)
    lower = np.searchsorted(np.sort(values), values, side="left")
    return (1 + 5 * lower // len(values)).astype(np.int8)


def _edge(
    day: npt.NDArray[np.int32], owner: npt.NDArray[np.int32], came: npt.NDArray[np.bool_], count: int, least: np.ufunc
) -> Whole:
    """The first (least = minimum) or last (maximum) day with a purchase; meaningless for those without one."""
    edge = np.full(count, np.iinfo(np.int32).max if least is np.minimum else np.iinfo(np.int32).min, dtype=np.int64)
    least.at(edge, owner[came], day[came])
    return edge


def _discount_rates(purchases: Purchases, customers: pa.Array, as_of: dt.date, window_days: int) -> Real | None:
    """Discount ÷ (paid + discount) of each customer's window; not a number where nothing was sold."""
    if "discount" not in purchases.lines.columns:
        return None
    since = as_of - dt.timedelta(window_days)
    lines = purchases.lines.filter(purchases.lines.date > since)
    summed = lines.group_by("customer").agg(
        off=lines.discount.sum().cast("float64"), paid=lines.amount.sum().cast("float64")
    )
    found = summed.to_pyarrow().combine_chunks()
    places = pc.index_in(customers, value_set=found["customer"].combine_chunks()).fill_null(-1).to_numpy()
    off = np.append(found["off"].to_numpy(), np.nan)[places]
    paid = np.append(found["paid"].to_numpy(), np.nan)[places]
    off = np.nan_to_num(off)
    full = paid + off
    rates: Real = np.divide(off, full, out=np.full(len(full), np.nan), where=full > 0)
    return np.clip(rates, 0, 1)


def classes(scores: dict[str, npt.NDArray[np.int8]]) -> pa.Array:
    """The kind of customer, a reason code each, by the scores ``length``, ``recency``, ``frequency``, ``monetary``."""
    return labels(_codes(scores), REASON_CODES).cast(pa.string())


def _codes(scores: dict[str, npt.NDArray[np.int8]]) -> npt.NDArray[np.int8]:
    weight = scores["frequency"].astype(int) + scores["monetary"]
    questions = {
        "keep": (weight >= 8) & (scores["recency"] >= 3),
        "win_back": weight >= 8,
        "develop": (scores["length"] <= 2) & (scores["recency"] >= 4),
        "low": weight <= 4,
    }
    picked = np.select(list(questions.values()), [REASON_CODES.index(each) for each in questions], default=4)
    return picked.astype(np.int8)


def _templates(columns: dict[str, pa.Array]) -> dict[int, Template]:
    def template(word: str) -> Template:
        def pieces(rows: Whole) -> list[Piece]:
            chosen = pa.array(rows)
            return [
                f"{word}: customer for ",
                columns["length_days"].take(chosen),
                " days, last came ",
                columns["recency_days"].take(chosen),
                " days ago, purchases ",
                columns["frequency"].take(chosen),
                ", money ",
                columns["monetary"].take(chosen).cast(pa.decimal128(18, 2), safe=False),
                ".",
            ]

        return pieces

    return {place: template(REASON_WORDS[code]) for place, code in enumerate(REASON_CODES)}


def _metrics(codes: npt.NDArray[np.int8]) -> dict[str, Metric]:
    found = np.bincount(codes, minlength=len(REASON_CODES))
    return {"customers": len(codes), **{code: int(found[place]) for place, code in enumerate(REASON_CODES)}}


MODEL: Final = Model(
    card=ModelCard(
        name="lrfmc",
        title="Length, recency, frequency, money, discount",
        question="How long, how lately, how often, for how much and at what discount does each customer buy?",
        roles=(CUSTOMER, DATE, AMOUNT, PURCHASE, DISCOUNT),
        method=(
            "Counts the five figures of each customer and scores each in fifths, 5 the best: longest, latest, most "
            "often, most money, least discount. Often and much, and lately: keep; not lately: win back."
        ),
        source=(
            "The LRFMC form of airline loyalty analysis, an extension of recency, frequency, monetary (A. M. Hughes, "
            "Strategic Database Marketing, 1994) by length (W. Reinartz and V. Kumar, Journal of Marketing 64, 2000)."
        ),
        limits=(
            "Length counts from the first purchase in the data, not before.",
            "It describes what was; it does not predict.",
            "Fifths compare with the other customers: in a bad year somebody is still in the best fifth.",
        ),
    ),
    parameters=LrfmcParameters,
    compute=compute,
)
