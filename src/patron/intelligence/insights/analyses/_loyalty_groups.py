"""Loyalty by group: tier, value class, stage and age band of every customer, as of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses._loyalty_marts import GROUPS, RETENTION, SERIES, WEEKDAYS
from patron.intelligence.insights.analyses.contract import Context
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.mining.arrays import EPOCH, Flags, Real, Whole

if TYPE_CHECKING:
    from patron.intelligence.mining.trends.loyalty import Loyalty

DIMENSIONS: Final = ("all", "tier", "value_class", "stage", "age_band")
#: Upper ages of the bands (not included), and their codes.
_AGES: Final = ((25, "under_25"), (35, "25_34"), (45, "35_44"), (55, "45_54"), (65, "55_64"), (200, "65_up"))
_FIXED: Final[dict[str, tuple[str, ...]]] = {
    "value_class": ("A", "B", "C", ""),
    "stage": ("new", "developing", "mature", "declining", "reactivated", "lost", ""),
    "age_band": (*(code for _, code in _AGES), "unknown"),
}
_WEEKS_AHEAD: Final = 8
_SHOWN_WEEKS: Final = 104
_RETENTION_WEEKS: Final = 104


@dataclass(frozen=True, slots=True)
class Groups:
    """For each dimension the group of every customer as a number, and the codes of the groups in their order."""

    branch: pa.Array
    codes: Mapping[str, Whole]
    names: Mapping[str, tuple[str, ...]]

    def labels(self, dimension: str) -> pa.Array:
        """The group of each customer as text."""
        return pa.array(self.names[dimension], pa.string()).take(pa.array(self.codes[dimension]))


def known_of(context: Context, customers: pa.Array, as_of: date) -> Groups:
    """Home branch, tier, value class, stage and age band of `customers`, in their order."""
    known = context.warehouse.arrow(
        f"""
        WITH tiers AS (
            SELECT m.customer_id, arg_max(t.after, (t.effective_at, t.tier_change_id)) AS tier
            FROM tier_changes t JOIN memberships m USING (membership_id)
            WHERE t.effective_at::DATE <= DATE '{as_of}' GROUP BY m.customer_id
        )
        SELECT c.customer_id, c.home_branch_id, coalesce(t.tier, '') AS tier,
               coalesce(v.value_class, '') AS value_class, coalesce(s.stage, '') AS stage,
               {as_of.year} - c.birth_year AS age
        FROM customers c LEFT JOIN tiers t USING (customer_id)
        LEFT JOIN ({_mart(context, "customer_value", "value_class")}) v USING (customer_id)
        LEFT JOIN ({_mart(context, "customer_stage", "stage")}) s USING (customer_id)
        """  # noqa: S608 (a day, and names of ours)
    )
    of_each = known.take(pc.index_in(customers, known["customer_id"].combine_chunks())).combine_chunks()
    age = pc.fill_null(of_each["age"].cast(pa.float64()), -1.0).to_numpy()
    limits = np.array([limit for limit, _ in _AGES])
    band = np.where((age >= 0) & (age < 130), np.searchsorted(limits, age, side="right"), len(_AGES))
    codes: dict[str, Whole] = {"all": np.zeros(len(customers), dtype=np.int64), "age_band": band.astype(np.int64)}
    names: dict[str, tuple[str, ...]] = {"all": ("all",), "age_band": _FIXED["age_band"]}
    for dimension in ("tier", "value_class", "stage"):
        texts = pc.fill_null(of_each[dimension], "").combine_chunks()
        found = sorted(set(pc.unique(texts).to_pylist()))
        listed = _FIXED.get(dimension, ())
        names[dimension] = (
            *(each for each in listed if each in found),
            *(each for each in found if each not in listed),
        )
        codes[dimension] = pc.index_in(texts, pa.array(names[dimension], pa.string())).to_numpy().astype(np.int64)
    return Groups(of_each["home_branch_id"].combine_chunks(), codes, names)


def _mart(context: Context, name: str, column: str) -> str:
    """The customers' column of a mart; nothing where the mart has not been made."""
    if name in context.warehouse.names:
        return f"SELECT customer_id, {column} FROM {name}"  # noqa: S608 (names of ours)
    return f"SELECT 0::BIGINT AS customer_id, '' AS {column} WHERE false"


def group_tables(found: Loyalty, groups: Groups, as_of: date) -> dict[str, pa.Table]:
    """The marts of groups, of their series and of their retention, and the weekdays of all."""
    from patron.intelligence.mining.trends.decomposition import Decomposition, decompose
    from patron.intelligence.mining.trends.outcome import history_days

    length = history_days(found, as_of)
    chosen = [
        (dimension, place, name)
        for dimension in DIMENSIONS
        for place, name in enumerate(groups.names[dimension])
        if (groups.codes[dimension] == place).any()
    ]
    daily = np.stack([_daily(found, groups.codes[dimension], place, as_of, length) for dimension, place, _ in chosen])
    taken: list[Decomposition] = [decompose(each) for each in daily]
    ahead = _ahead(daily, length, as_of)
    rows, curves = [], []
    for number, (dimension, place, name) in enumerate(chosen):
        inside = groups.codes[dimension] == place
        row, curve = _group(found, groups, inside, as_of)
        trend, season = taken[number].strength()
        key = {"dimension": dimension, "group": name}
        rows.append({**key, "position": place, **row, "trend_strength": trend, "season_strength": season})
        curves += [{**key, **each} for each in curve]
    return {
        GROUPS.name: _table(GROUPS, rows),
        SERIES.name: _table(SERIES, _series(chosen, taken, ahead, as_of)),
        RETENTION.name: _table(RETENTION, curves),
        WEEKDAYS.name: _table(WEEKDAYS, _weekdays(taken[0].weekdays, as_of)),
    }


def _daily(found: Loyalty, codes: Whole, place: int, as_of: date, length: int) -> Real:
    from patron.intelligence.mining.trends.outcome import daily_totals

    return daily_totals(found, as_of, length, codes == place)


def _ahead(daily: Real, length: int, as_of: date) -> tuple[Real, Real, Real] | None:
    """Forecast, low and high of each group for the weeks ahead; None with less than four weeks."""
    from patron.intelligence.mining.forecasting.calendar import no_events
    from patron.intelligence.mining.forecasting.engine import forecast
    from patron.intelligence.mining.forecasting.panel import Panel, begun_at

    if length < 28:
        return None
    first = (as_of - EPOCH).days - length + 1
    panel = Panel(tuple(f"{place:04d}" for place in range(len(daily))), first, daily, begun_at(daily))
    horizon = _WEEKS_AHEAD * 7
    told = forecast(panel, no_events(first, length + horizon), horizon=horizon, step=7)
    return (told.mean, *told.interval(0.80))


def _group(found: Loyalty, groups: Groups, inside: Flags, as_of: date) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from patron.intelligence.mining.trends.loyalty import DRIFTING, FIRM, GONE
    from patron.intelligence.mining.trends.outcome import retention
    from patron.intelligence.mining.trends.prices import group_response

    survival = retention(found, as_of, inside)
    followed = survival.until >= 26 * 7
    response = group_response(found.prices.squares, found.prices.products, inside) if found.prices else None
    wallet = found.wallet(groups.codes["age_band"], len(groups.names["age_band"]))
    none = np.full(len(inside), np.nan)
    number = int(inside.sum())
    row = {
        "customers": number,
        **{name: _mean(getattr(found, name)[inside]) for name in ("loyalty", "persistence", "firmness", "stability")},
        "firm_share": float((found.label[inside] == FIRM).mean()),
        "drifting": int((found.label[inside] == DRIFTING).sum()),
        "gone": int((found.label[inside] == GONE).sum()),
        "gap_ratio": _median(found.cycles.ratio[inside]),
        "retained_26_weeks": survival.at(26 * 7) if followed else None,
        "retained_error": survival.error_at(26 * 7) if followed else None,
        "cut_price_share": _mean((found.prices.cut_share if found.prices else none)[inside]),
        "price_response": response.value if response else None,
        "price_response_low": response.low if response else None,
        "price_response_high": response.high if response else None,
        "price_customers": response.customers if response else 0,
        "main_branch_share": _mean((found.branches.main_share if found.branches else none)[inside]),
        "main_brand_share": _mean((found.brand_share if found.brand_share is not None else none)[inside]),
        "wallet_proxy": _mean(wallet[inside]),
        "expected_spend": float(found.expected.spend[inside].sum()),
    }
    curve = [
        {"week": week, "retained": survival.at(week * 7), "error": survival.error_at(week * 7)}
        for week in range(min(survival.until // 7, _RETENTION_WEEKS) + 1)
    ]
    return row, curve


def _mean(values: Real) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _median(values: Real) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _series(
    chosen: Sequence[tuple[str, int, str]], taken: Sequence[Any], ahead: tuple[Real, Real, Real] | None, as_of: date
) -> list[dict[str, Any]]:
    end = (as_of - EPOCH).days + 1
    rows: list[dict[str, Any]] = []
    for number, (dimension, _place, name) in enumerate(chosen):
        key, parts = {"dimension": dimension, "group": name}, taken[number]
        weeks = len(parts.actual)
        rows += [
            {
                **key,
                "starts_on": _on(end - (weeks - week) * 7),
                **{part: float(getattr(parts, part)[week]) for part in ("actual", "trend", "season", "irregular")},
            }
            for week in range(max(0, weeks - _SHOWN_WEEKS), weeks)
        ]
        if ahead is not None:
            figures = zip(("forecast", "low", "high"), ahead, strict=True)
            told = {name: values[number] for name, values in figures}
            rows += [
                {**key, "starts_on": _on(end + week * 7), **{name: float(told[name][week]) for name in told}}
                for week in range(_WEEKS_AHEAD)
            ]
    return rows


def _on(number: int) -> date:
    return date.fromordinal(EPOCH.toordinal() + number)


def _weekdays(shares: tuple[float, ...], as_of: date) -> list[dict[str, Any]]:
    """The first share is that of the day after `as_of`'s weekday: full weeks end with that day."""
    rows = [{"weekday": (as_of.weekday() + 1 + place) % 7 + 1, "share": share} for place, share in enumerate(shares)]
    return sorted(rows, key=lambda row: row["weekday"])


def _table(mart: Mart, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    types = {
        "string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "date": pa.date32(),
    }  # fmt: skip
    return pa.Table.from_pylist(
        [dict(row) for row in rows], schema=pa.schema([(column.name, types[column.type]) for column in mart.columns])
    )
