"""Watch: which customers behave unlike themselves today?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from patron.intelligence.mining.arrays import EPOCH, Flags, Real, Whole, dates, decimals, half_up, labels
from patron.intelligence.mining.contract import Metric, Model, ModelCard, Outcome
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.transactions import AMOUNT, CUSTOMER, DATE, PURCHASE, Purchases
from patron.intelligence.mining.watching.parameters import KINDS, WatchParameters

if TYPE_CHECKING:
    from patron.intelligence.mining.watching.behaviour import Behaviour

#: In this order: what is unusual, then usual, then those of whom too little is known.
CODES: Final = (*KINDS, "usual", "too_little_history")
_N = TypeVar("_N", np.float64, np.int64)
SEVERITIES: Final = ("", "unusual", "very", "extreme")
_STATES: Final = ("unusual", "usual", "unknown")


def compute(purchases: Purchases, as_of: dt.date, parameters: WatchParameters) -> Outcome:
    """One row per customer, by customer; rules and worked numbers: ``docs/algorithms/watch.md``."""
    from patron.intelligence.mining.watching.behaviour import behaviour

    found = behaviour(purchases, as_of, parameters)
    tails = np.column_stack([found.tails[kind] for kind in KINDS])
    judged: Flags = np.asarray(np.column_stack([found.known[kind] for kind in KINDS]).any(axis=1))
    kind = tails.argmin(axis=1) if len(tails) else np.zeros(0, dtype=np.int64)
    tail = tails.min(axis=1, initial=1.0)
    unusual = tail < parameters.alpha
    code = np.where(unusual, kind, np.where(judged, len(KINDS), len(KINDS) + 1)).astype(np.int8)
    since = _chosen(found.since, kind)
    table = pa.table(
        {
            "customer": purchases.days.customers,
            "state": labels(np.where(unusual, 0, np.where(judged, 1, 2)).astype(np.int8), _STATES),
            "severity": labels(_severity(tail, parameters.alpha), SEVERITIES),
            "p_value": pa.array(tail, mask=~judged),
            "usual": pa.array(_chosen(found.usual, kind), mask=~unusual),
            "now": pa.array(_chosen(found.now, kind), mask=~unusual),
            "since": dates(since, known=unusual),
            "fresh": pa.array(unusual & (since > found.clock.until - parameters.fresh_days)),
            "also": _also(tails, kind, unusual, parameters.alpha),
            "money_per_year": decimals(half_up(found.year * 100), scale=2),
            "confidence": pa.array(1 - tail, mask=~unusual),
            "reason_code": labels(code, CODES),
        }
    )
    until = EPOCH + dt.timedelta(found.clock.until)
    return Outcome(
        table=table.append_column("reason", _reasons(found, code, kind)),
        metrics=_metrics(code, judged, unusual, parameters),
        notes=()
        if until >= as_of or not len(tails)
        else (
            f"The data are whole until {until}; later days have hardly any purchases, and nobody is judged by them.",
        ),
    )


def _chosen(values: Mapping[str, npt.NDArray[_N]], kind: Whole) -> npt.NDArray[_N]:
    """Of each customer the value of its own kind."""
    if not len(kind):
        return next(iter(values.values()))[:0]
    table: npt.NDArray[_N] = np.column_stack([values[each] for each in KINDS])
    return table[np.arange(len(kind)), kind]


def _severity(tail: Real, alpha: float) -> npt.NDArray[np.int8]:
    steps = (tail < alpha).astype(np.int8) + (tail < alpha / 10) + (tail < alpha / 100)
    return steps.astype(np.int8)


def _also(tails: Real, kind: Whole, unusual: Flags, alpha: float) -> pa.Array:
    """The other kinds that are unusual too, joined by commas; empty for most."""
    names = np.full(len(kind), "", dtype=object)
    for row in np.flatnonzero(unusual):
        others = [KINDS[place] for place in np.flatnonzero(tails[row] < alpha) if place != kind[row]]
        names[row] = ",".join(others)
    return pa.array(names, pa.string())


def _reasons(found: Behaviour, code: npt.NDArray[np.int8], kind: Whole) -> pa.Array:
    usual, now = _chosen(found.usual, kind), _chosen(found.now, kind)
    last = found.clock.until - found.now["silence"].astype(np.int64)

    def money(values: Real, rows: Whole) -> pa.Array:
        return decimals(half_up(values[rows] * 100), scale=2)

    def tenths(values: Real, rows: Whole) -> pa.Array:
        return pa.array(half_up(values[rows] * 10) / 10)

    def silence(rows: Whole) -> list[Piece]:
        return [
            "Usually comes every ", tenths(usual, rows), " days; silent for ", pa.array(half_up(now[rows])),
            " days, since ", dates(last[rows]), ".",
        ]  # fmt: skip

    def spend(rows: Whole) -> list[Piece]:
        return ["Spent ", money(now, rows), " in the latest weeks; ", money(usual, rows), " is usual for so many."]

    def basket(rows: Whole) -> list[Piece]:
        return ["Spends ", money(now, rows), " a visit lately; ", money(usual, rows), " is usual."]

    def returns(rows: Whole) -> list[Piece]:
        return [
            "Days with goods brought back in the latest weeks: ", pa.array(half_up(now[rows])), "; ",
            tenths(usual, rows), " is usual for so many.",
        ]  # fmt: skip

    templates: dict[int, Template] = {
        CODES.index("silence"): silence,
        CODES.index("spend_low"): spend,
        CODES.index("spend_high"): spend,
        CODES.index("basket_low"): basket,
        CODES.index("basket_high"): basket,
        CODES.index("returns"): returns,
        CODES.index("usual"): lambda _rows: ["Behaves as usual."],
        CODES.index("too_little_history"): lambda _rows: ["Too few visits to know what is usual."],
    }
    return sentences(code, templates)


def _metrics(
    code: npt.NDArray[np.int8], judged: Flags, unusual: Flags, parameters: WatchParameters
) -> dict[str, Metric]:
    counted = np.bincount(code, minlength=len(CODES))
    return {
        "customers": len(code),
        "judged": int(judged.sum()),
        "unusual": int(unusual.sum()),
        "expected_false_alarms": float(judged.sum()) * parameters.alarms_per_1000 / 1000,
        **{name: int(counted[place]) for place, name in enumerate(KINDS)},
    }


MODEL: Final = Model(
    card=ModelCard(
        name="watch",
        title="Watch",
        question="Which customers behave unlike themselves today?",
        roles=(CUSTOMER, DATE, AMOUNT, PURCHASE),
        method=(
            "Compares silence, spend, basket and returns of the latest days with each customer's own history and gives "
            "the chance of so much or so little had nothing changed. Silence is counted in days of usual trading, and "
            "what everybody did is taken off. The alarms of customers who behave as always are limited to a number per "
            "thousand. confidence: 1 less that chance, for those who are unusual."
        ),
        source=(
            "Silence: D. R. Cox, Renewal Theory (1962), section 5.2, for gamma gaps, shape after Z.-S. Ye, N. Chen, "
            "The American Statistician 71 (2017). Spend and basket: moderated t of G. K. Smyth, Statistical "
            "Applications in Genetics and Molecular Biology 3 (2004). Returns: Poisson with gamma rate, A. Gelman et "
            "al., Bayesian Data Analysis, 3rd ed. (2013), section 2.6."
        ),
        limits=(
            "A customer whose own year has seasons looks unusual when a season begins.",
            "It says that something changed, not why: ask.",
            "Customers with few visits are not judged, and so never unusual.",
        ),
    ),
    parameters=WatchParameters,
    compute=compute,
)
