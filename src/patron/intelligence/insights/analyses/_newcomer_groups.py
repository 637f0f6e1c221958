"""Newcomers by what was known of them on their first day, and the curves of each group.

Only the first day may divide them: where somebody bought most, or how much in the first month, is known of those who
came back and not of the others, and would make every group of the former look good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.marts.contract import ALL_BRANCHES
from patron.intelligence.mining.arrays import Flags, Real, Whole
from patron.intelligence.mining.survival.settings import NewcomersParameters

if TYPE_CHECKING:
    from patron.intelligence.mining.models.newcomers import Study
    from patron.intelligence.mining.survival.comparing import Division
    from patron.intelligence.mining.survival.kaplan_meier import LogRank

DIMENSIONS: Final = ("cohort", "branch", "department", "age_band", "channel")
OTHER: Final = "other"
MOST_GROUPS: Final = 12
#: Upper ages of the bands (not included), and their codes.
_AGES: Final = ((25, "under_25"), (35, "25_34"), (45, "35_44"), (55, "45_54"), (65, "55_64"), (130, "65_up"))
_BY_NAME: Final = {"cohort"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Followed:
    """One measure: days followed and whether the event came, of the newcomers ``rows``."""

    measure: str
    rows: Flags
    duration: Whole
    ended: Flags
    soon: int
    until: int
    shown_from: int


def divisions_of(told: pa.Table, least: int) -> dict[str, Division]:
    """The ways of dividing the rows of ``told``: first_on, first_branch_id, department, age and channel."""
    from patron.intelligence.mining.survival.comparing import Division, divided

    year, quarter = pc.year(told["first_on"]), pc.quarter(told["first_on"])
    texts = {
        "cohort": pc.binary_join_element_wise(year.cast(pa.string()), quarter.cast(pa.string()), "-Q"),
        "branch": pc.fill_null(told["first_branch_id"].cast(pa.string()), ""),
        "department": pc.fill_null(told["department"], ""),
        "age_band": _age_bands(told["age"]),
        "channel": pc.fill_null(told["channel"], ""),
    }
    found = {}
    for name in DIMENSIONS:
        values = pa.chunked_array([texts[name]]) if isinstance(texts[name], pa.Array) else texts[name]
        found[name] = divided(
            values.combine_chunks(), least=least, most=MOST_GROUPS, other=OTHER, by_name=name in _BY_NAME
        )
    ages = found["age_band"]
    order = sorted(range(len(ages.names)), key=lambda each: _age_place(ages.names[each]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    found["age_band"] = Division(place[ages.group], tuple(ages.names[each] for each in order))
    return found


def _age_bands(age: pa.ChunkedArray) -> pa.Array:
    years = pc.fill_null(age.cast(pa.float64()), -1.0).combine_chunks().to_numpy(zero_copy_only=False)
    limits = np.array([limit for limit, _ in _AGES])
    known = (years >= 0) & (years < limits[-1])
    codes = np.array([code for _, code in _AGES], dtype=object)
    band = np.where(known, codes[np.minimum(np.searchsorted(limits, years, side="right"), len(codes) - 1)], "")
    return pa.array(band, pa.string())


def _age_place(name: str) -> int:
    codes = [code for _, code in _AGES]
    return codes.index(name) if name in codes else len(codes)


def group_tables(
    found: Study, divisions: Mapping[str, Division], branch: pa.Array, parameters: NewcomersParameters
) -> tuple[list[Row], list[Row], list[Row]]:
    """The rows of the curves, of the groups and of the comparisons."""
    from patron.intelligence.mining.models.newcomers import STAYING_SHOWN_FROM, WAITING_SHOWN_FROM
    from patron.intelligence.mining.survival.comparing import compare

    duration, came = found.newcomers.returns()
    told, followed, gone = found.newcomers.stays(parameters.lost_days)
    everybody = np.ones(len(duration), dtype=bool)
    measures = (
        _Followed("back", everybody, duration, came, parameters.soon_days, parameters.horizon_days, WAITING_SHOWN_FROM),
        _Followed("stay", told, followed, gone, parameters.lost_days, parameters.window_days, STAYING_SHOWN_FROM),
    )
    curves: list[Row] = []
    groups: list[Row] = []
    tests: list[Row] = []
    branches = pc.fill_null(branch, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    for each in measures:
        own = {name: division.of(each.rows) for name, division in divisions.items()}
        compared = compare(each.duration, each.ended, own)
        for place, (name, one) in enumerate(compared.items()):
            tests.append({
                "measure": each.measure, "position": place, "dimension": name, "groups": one.groups,
                "statistic": one.tested and one.tested.statistic, "freedom": one.tested and one.tested.freedom,
                "p": one.tested and one.tested.p_value, "p_adjusted": one.adjusted,
            })  # fmt: skip
        tested = {name: one.tested for name, one in compared.items()}
        for key, inside, expected in _parts(own, tested, branches[each.rows], parameters.least):
            row, points = _described(each, inside, parameters)
            groups.append({**key, "measure": each.measure, "expected_events": expected, **row})
            named = {"measure": each.measure, **{part: key[part] for part in ("dimension", "group", "branch_id")}}
            curves += [{**named, **point} for point in points]
    return curves, groups, tests


def _parts(
    divisions: Mapping[str, Division], tested: Mapping[str, LogRank | None], branches: Whole, least: int
) -> Iterator[tuple[Row, Flags, float | None]]:
    """All together, every group that anybody belongs to, and every branch with enough newcomers."""
    everybody = {"dimension": "all", "group": "all", "branch_id": ALL_BRANCHES, "position": 0}
    yield everybody, np.ones(len(branches), dtype=bool), None
    for name, division in divisions.items():
        test = tested[name]
        for place, group in enumerate(division.names):
            inside = division.group == place
            if inside.any():
                key = {"dimension": name, "group": group, "branch_id": ALL_BRANCHES, "position": place}
                yield key, inside, test.expected[place] if test is not None else None
    numbers, sizes = np.unique(branches, return_counts=True)
    for number in numbers[(sizes >= least) & (numbers > 0)].tolist():
        yield {**everybody, "branch_id": number}, branches == number, None


def _described(followed: _Followed, inside: Flags, parameters: NewcomersParameters) -> tuple[Row, list[Row]]:
    from patron.intelligence.mining.models.newcomers import last_shown
    from patron.intelligence.mining.survival.kaplan_meier import kaplan_meier

    duration, ended = followed.duration[inside], followed.ended[inside]
    curve = kaplan_meier(duration, ended, confidence=parameters.confidence)
    last = last_shown(duration, followed.until, least=followed.shown_from)
    share, low, high = curve.by_day(last)
    if followed.measure == "back":
        share, low, high = 1 - share, 1 - high, 1 - low
    soon = followed.soon if followed.soon <= last else None
    from_day, to_day = curve.median_interval
    return {
        "newcomers": len(duration),
        "events": int(ended.sum()),
        "watched_days": last,
        "soon": _at(share, soon),
        "soon_low": _at(low, soon),
        "soon_high": _at(high, soon),
        "late": float(share[-1]),
        "median_days": curve.median,
        "median_low": from_day,
        "median_high": to_day,
    }, [
        {"day": day, "share": a, "low": b, "high": c}
        for day, (a, b, c) in enumerate(zip(share.tolist(), low.tolist(), high.tolist(), strict=True))
    ] if last else []


def _at(values: Real, day: int | None) -> float | None:
    return None if day is None else float(values[day])
