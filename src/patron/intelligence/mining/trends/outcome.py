"""The loyalty model's result table, report and words."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.mining.arrays import Flags, Real, Whole, counts, dates, day_number
from patron.intelligence.mining.contract import Metric, Outcome, Point
from patron.intelligence.mining.sentences import Piece, Template, sentences
from patron.intelligence.mining.survival.kaplan_meier import Curve, kaplan_meier
from patron.intelligence.mining.transactions import MONEY_UNITS, Purchases
from patron.intelligence.mining.trends.decomposition import decompose
from patron.intelligence.mining.trends.loyalty import (
    DRIFTING,
    FIRM,
    GONE,
    LABELS,
    STEADY,
    UNPROVEN,
    WAVERING,
    Loyalty,
    measure,
)
from patron.intelligence.mining.trends.prices import group_response
from patron.intelligence.mining.trends.settings import LoyaltyParameters

CYCLES: Final = ("shorter", "steady", "longer")
#: Weeks after the first purchase at which the share still here is reported.
RETENTION_WEEKS: Final = (13, 26, 52)


def outcome_of(purchases: Purchases, as_of: dt.date, parameters: LoyaltyParameters) -> Outcome:
    """The outcome of the model; see ``models/loyalty.py``."""
    return outcome_from(measure(purchases, as_of, parameters), as_of)


def outcome_from(found: Loyalty, as_of: dt.date) -> Outcome:
    """Table, figures, curves and remarks of what was measured as of ``as_of``."""
    survival = retention(found, as_of, np.ones(len(found.loyalty), dtype=bool))
    return Outcome(
        table=table_of(found, as_of),
        metrics=_metrics(found, survival),
        series=_curves(found, survival, as_of),
        notes=_notes(found, as_of),
    )


def table_of(found: Loyalty, as_of: dt.date) -> pa.Table:
    """One row per customer, by customer. What is not known is empty."""
    cycles, number = found.cycles, len(found.loyalty)
    has = cycles.visits > 0
    ever = found.days.per_customer(found.days.purchases > 0) > 0
    wallet = found.wallet(np.zeros(number, dtype=np.int64), 1)
    prices, branches = found.prices, found.branches
    none = np.full(number, np.nan)
    return pa.table(
        {
            "customer": found.days.customers,
            "loyalty": real(found.loyalty, 1),
            "persistence": real(found.persistence, 1),
            "firmness": real(found.firmness, 1),
            "stability": real(found.stability, 1),
            "confidence": real(found.confidence, 3),
            "first_on": dates(cycles.first, known=ever),
            "last_on": dates(cycles.last, known=ever),
            "visits": counts(cycles.visits),
            "active_periods": counts(cycles.active),
            "possible_periods": counts(cycles.possible, known=ever),
            "typical_gap_days": real(np.where(has, cycles.typical, np.nan), 1),
            "gap_variation": real(cycles.cv, 3),
            "evenness": real(cycles.evenness, 3),
            "earlier_gap_days": real(cycles.earlier_gap, 1),
            "recent_gap_days": real(cycles.recent_gap, 1),
            "gap_ratio": real(cycles.ratio, 3),
            "gap_ratio_low": real(cycles.ratio_low, 3),
            "gap_ratio_high": real(cycles.ratio_high, 3),
            "cycle": pa.array(CYCLES, pa.string()).take(pa.array(found.cycle + 1)),
            "spend_change": real(found.parts.change, 3),
            "trend_share": real(found.parts.trend_share, 3),
            "season_share": real(found.parts.season_share, 3),
            "irregular_share": real(found.parts.irregular_share, 3),
            "explained_share": real(found.explained, 3),
            "cut_price_share": real(prices.cut_share if prices else none, 3),
            "price_response": real(prices.response if prices else none, 3),
            "main_branch_share": real(branches.main_share if branches else none, 3),
            "branch_concentration": real(branches.concentration if branches else none, 3),
            "branch_switching": real(branches.switching if branches else none, 3),
            "main_brand_share": real(found.brand_share if found.brand_share is not None else none, 3),
            "everyday_categories": real(found.kinds if found.kinds is not None else none, 0),
            "wallet_proxy": real(wallet, 3),
            "expected_visits": real(found.expected.visits, 2),
            "visits_low": real(found.expected.visits_low, 0),
            "visits_high": real(found.expected.visits_high, 0),
            "expected_spend": real(found.expected.spend, 2),
            "spend_low": real(found.expected.spend_low, 2),
            "spend_high": real(found.expected.spend_high, 2),
            "reason_code": pa.array(LABELS, pa.string()).take(pa.array(found.label)),
            "reason": reasons_of(found, as_of),
        }
    )


def real(values: Real, places: int) -> pa.Array:
    """Rounded numbers, empty where they are not known."""
    return pa.array(np.round(values.astype(float), places), pa.float64(), from_pandas=True)


def reasons_of(found: Loyalty, as_of: dt.date) -> pa.Array:
    """One English sentence or two per customer, written by column."""
    cycles = found.cycles
    silence = day_number(as_of) - cycles.last

    def days(values: Real, rows: Whole) -> pa.Array:
        return pa.array(np.round(np.nan_to_num(values[rows])).astype(np.int64))

    def whole(values: Real, rows: Whole) -> pa.Array:
        numbers = pa.array(np.round(values[rows]), pa.float64(), from_pandas=True).cast(pa.int64())
        return pc.fill_null(numbers.cast(pa.string()), "not known")

    def indices(rows: Whole) -> list[Piece]:
        return [
            "Loyalty ", whole(found.loyalty, rows), " of 100: persistence ", whole(found.persistence, rows),
            ", firmness ", whole(found.firmness, rows), ", stability ", whole(found.stability, rows), ".",
        ]  # fmt: skip

    templates: dict[int, Template] = {
        GONE: lambda rows: [
            "Silent for ", counts(silence[rows]), " days; used to come every ", days(cycles.typical, rows), " days.",
        ],
        UNPROVEN: lambda rows: [
            "Visits in the window: ", counts(cycles.visits[rows]), "; four are needed to tell a rhythm.",
        ],
        DRIFTING: lambda rows: [
            "Used to come every ", days(cycles.earlier_gap, rows), " days, lately every ",
            days(cycles.recent_gap, rows), ". ", *indices(rows),
        ],
        FIRM: indices,
        STEADY: indices,
        WAVERING: indices,
    }  # fmt: skip
    return sentences(found.label, templates)


def retention(found: Loyalty, as_of: dt.date, rows: Flags) -> Curve:
    """Kaplan–Meier by days since the first purchase; gone at the last visit, for those who are gone.

    Everybody is followed up to the last day on which their leaving could be told by now, and no further: followed to
    the end of the data, those who left lately would count as having stayed. Who came after that day is left out.
    """
    ever = rows & (found.days.per_customer(found.days.purchases > 0) > 0)
    first, last = found.cycles.first[ever], found.cycles.last[ever]
    told_until = np.ceil(day_number(as_of) - found.lost_days[ever]).astype(np.int64) - 1
    followed = np.where(found.gone[ever], last, told_until) - first
    told = followed >= 0
    return kaplan_meier(followed[told], found.gone[ever][told])


def _metrics(found: Loyalty, survival: Curve) -> dict[str, Metric]:
    number = len(found.loyalty)
    counted = np.bincount(found.label, minlength=len(LABELS))
    metrics: dict[str, Metric] = {"customers": number}
    metrics |= {label: int(counted[place]) for place, label in enumerate(LABELS)}
    metrics |= {
        "cycles_longer": int((found.cycle > 0).sum()),
        "cycles_shorter": int((found.cycle < 0).sum()),
        "cycles_tested": int(np.isfinite(found.cycles.p).sum()),
        "median_gap_ratio": _median(found.cycles.ratio),
        "loyalty": _median(found.loyalty),
        "persistence": _median(found.persistence),
        "firmness": _median(found.firmness),
        "stability": _median(found.stability),
        "expected_visits": float(np.round(found.expected.visits.sum(), 1)),
        "expected_spend": float(np.round(found.expected.spend.sum(), 2)),
    }
    for weeks in RETENTION_WEEKS:
        metrics[f"retained_{weeks}_weeks"] = round(survival.at(weeks * 7), 4) if weeks * 7 <= survival.until else None
    test = found.back_test
    metrics |= {
        "visits_error": round(test.error, 4) if test else None,
        "visits_naive_error": round(test.naive_error, 4) if test else None,
        "visits_inside_80": round(test.inside, 4) if test else None,
    }
    if found.prices is not None:
        response = group_response(found.prices.squares, found.prices.products, np.ones(number, dtype=bool))
        metrics["price_response"] = round(response.value, 4) if response else None
        metrics["price_response_low"] = round(response.low, 4) if response else None
        metrics["price_response_high"] = round(response.high, 4) if response else None
    return metrics


def _median(values: Real) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 3) if len(known) else None


def daily_totals(found: Loyalty, as_of: dt.date, days: int, rows: Flags | None = None) -> Real:
    """Net spending by day over the last ``days`` days up to ``as_of``, of the customers of ``rows`` (else all)."""
    source, end = found.days, day_number(as_of)
    place = days - 1 - (end - source.day)
    chosen = place >= 0
    if rows is not None:
        chosen &= rows[source.owner]
    money = source.amount[chosen] / MONEY_UNITS
    totals: Real = np.bincount(place[chosen], weights=money, minlength=days).astype(float)
    return totals


def history_days(found: Loyalty, as_of: dt.date) -> int:
    """Days from the first row to ``as_of``; 0 without rows."""
    return day_number(as_of) - int(found.days.day.min()) + 1 if len(found.days.day) else 0


def _curves(found: Loyalty, survival: Curve, as_of: dt.date) -> dict[str, tuple[Point, ...]]:
    length = history_days(found, as_of)
    if not length:
        return {}
    taken = decompose(daily_totals(found, as_of, length))
    weeks = len(taken.actual)

    def curve(values: Real) -> tuple[Point, ...]:
        return tuple((float(place - weeks + 1), round(float(value), 4)) for place, value in enumerate(values))

    steps = range(min(survival.until // 7, 104) + 1)
    return {
        "retention_by_week": tuple((float(week), round(survival.at(week * 7), 6)) for week in steps),
        "weekly": curve(taken.actual),
        "trend": curve(taken.trend),
        "season": curve(taken.season),
        "irregular": curve(taken.irregular),
    }


def _notes(found: Loyalty, as_of: dt.date) -> tuple[str, ...]:
    length = history_days(found, as_of)
    if not length:
        return ()
    notes = []
    if length < 2 * 364:
        notes.append(f"The season of the year needs two years of data; there are {length // 7} weeks.")
    lacking = [
        name
        for name, part in (
            ("discount", found.prices), ("branch", found.branches), ("brand", found.brand_share),
            ("category", found.kinds),
        )
        if part is None
    ]  # fmt: skip
    if len(found.loyalty) < 30:
        notes.append("What moves everybody cannot be told from fewer than 30 customers; firmness leaves it out.")
    if lacking:
        notes.append(f"Firmness is measured without {', '.join(lacking)}: the input has no such column.")
    if found.back_test is not None and found.back_test.error > found.back_test.naive_error:
        notes.append(
            f"Visits foretold four weeks ago missed by {found.back_test.error:.2f}, the four weeks before by "
            f"{found.back_test.naive_error:.2f}: go by those."
        )
    if found.back_test is None:
        notes.append("The forecast of visits is not back-tested: that needs sixteen weeks of data.")
    return tuple(notes)
