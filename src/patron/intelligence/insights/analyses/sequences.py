"""What is bought after what: A then B within n days by occasion, who is due, and the longer paths of customers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.sequences import PATTERNS, RULES
from patron.intelligence.insights.sequences_counting import ArrayVisits, VisitCounting
from patron.intelligence.insights.shopping import shopping
from patron.intelligence.insights.shopping_on_engine import shopping_on_engine
from patron.intelligence.mining.arrays import EPOCH, Whole, decimals, half_up
from patron.intelligence.mining.contract import Metric, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.sequences import SequenceParameters
from patron.intelligence.mining.patterns.following import Following
from patron.intelligence.mining.patterns.gaps import Gaps
from patron.intelligence.mining.patterns.transactions import least_count

WINDOW_DAYS: Final = 365
DAYS: Final = (7, 14, 30)
HOLDOUT_DAYS: Final = 56
TESTED: Final = 100
KEPT: Final = 120
#: Fewer customers than this say nothing about others.
LEAST_CUSTOMERS: Final = 20
#: Paths are looked for at one level: the finest at which there are not too many different items.
PATH_LEVELS: Final = ("category", "department", "type")


@dataclass(frozen=True)
class HouseSequences(SequenceParameters):
    """The model's parameters with the values that suit a page."""

    min_support: str = parameter("0.03", "a pattern in at least this share of customers (0.03, 3%) or so many (200)")
    max_length: int = parameter(3, "items of a path; 0: any number", minimum=0)
    max_step: int = parameter(1, "items of one step of a path; 0: any number", minimum=0)
    within: float = parameter(14.0, "days from the first step of a path to the last; 0: any time", minimum=0)
    min_path_support: float = parameter(
        0.4, "a path of several steps by at least this share of customers", minimum=0, maximum=1
    )


def find(context: Context) -> Findings:
    """Rules for every level and number of days. Raises InputError without sales of products in categories.

    The visits are counted in arrays here, or where they lie when the installation's engine is Spark; the figures are
    the same.
    """
    parameters = context.parameters(HouseSequences)
    engine = context.engine()
    if engine is None:
        return _find(ArrayVisits(shopping(context, days=WINDOW_DAYS)), parameters)
    from patron.intelligence.insights.sequences_on_engine import EngineVisits

    there = EngineVisits(shopping_on_engine(context, engine, days=WINDOW_DAYS))
    try:
        return _find(there, parameters)
    finally:
        there.close()


def _find(visits: VisitCounting, parameters: HouseSequences) -> Findings:
    if not visits.baskets or not visits.levels:
        raise InputError(
            "Sequences need sales of identified customers whose products have categories (category_1 to category_3); "
            "there are none in the last year."
        )
    least = max(least_count(parameters.min_support, visits.customers), LEAST_CUSTOMERS)
    rules = []
    for level in visits.levels:
        for days in DAYS if level != "type" else DAYS[1:2]:
            found = visits.following(level, within=days, least=least, until=visits.until)
            rules.append(_rules(level, days, visits, found))
    paths = _paths(visits, parameters)
    test = _holdout(visits, least)
    return Findings(
        tables={RULES.name: pa.concat_tables(rules), PATTERNS.name: paths},
        parameters={**parameters.as_dict(), "window_days": WINDOW_DAYS, "least_customers": least},
        metrics={
            "customers": visits.customers,
            "baskets": visits.baskets,
            "first_day": (EPOCH + dt.timedelta(days=visits.first)).isoformat(),
            "rules": sum(table.num_rows for table in rules),
            "paths": paths.num_rows,
            **test,
        },
        proof=_proof(test),
    )


def _rules(level: str, days: int, visits: VisitCounting, found: Following) -> pa.Table:
    """The strongest pairs by lift, and those with most purchases beyond what is usual."""
    kept = _kept(found)
    first, then, lift = found.first[kept], found.then[kept], found.lift[kept]
    confidence = found.confidence[kept]
    median, due = visits.moments(level, first, then, within=days)
    names = visits.levels[level].names
    a_name, b_name = names.take(pa.array(first)), names.take(pa.array(then))
    return pa.table({
        "level": pa.repeat(pa.scalar(level), len(kept)),
        "days": pa.repeat(pa.scalar(days, pa.int32()), len(kept)),
        "position": pa.array(np.arange(1, len(kept) + 1), pa.int32()),
        "first_item": a_name,
        "then_item": b_name,
        "occasions": found.occasions[kept],
        "followed": found.followed[kept],
        "confidence": confidence,
        "usual": found.usual[kept],
        "lift": lift,
        "own_lift": found.own_lift[kept],
        "median_days": median,
        "customers": found.sequences[kept],
        "due": due,
        "reason": pc.binary_join_element_wise(
            "After ", a_name, ", ", _tenths(confidence * 100), " % buy ", b_name, f" within {days} days, ",
            _tenths(lift), " times as often as after any visit; usually ", _tenths(median),
            " days later.", "",
        ),
    })  # fmt: skip


def _kept(found: Following) -> Whole:
    """Those above the usual: the highest lifts, and the most purchases beyond what is usual; highest lift first."""
    above = np.flatnonzero(found.lift > 1)
    lift, extra = found.lift[above], found.followed[above] - found.usual[above] * found.occasions[above]
    by_lift = np.lexsort((above, -lift))[:KEPT]
    by_extra = np.lexsort((above, -extra))[:KEPT]
    kept = above[np.union1d(by_lift, by_extra)]
    ordered: Whole = kept[np.lexsort((kept, -found.lift[kept]))]
    return ordered


def _paths(visits: VisitCounting, parameters: HouseSequences) -> pa.Table:
    level = next(each for each in PATH_LEVELS if each in visits.levels)
    least = max(least_count(f"{parameters.min_path_support:.6f}", visits.sequences(level)), LEAST_CUSTOMERS)
    gaps = Gaps(min_gap=parameters.min_gap, max_gap=parameters.max_gap, within=parameters.within)
    table = visits.paths(level, least=least, max_length=parameters.max_length, max_step=parameters.max_step, gaps=gaps)
    table = table.filter(pc.greater(table["steps"], 1))
    rows = table.to_pylist()
    rows = [row for row in rows if len({tuple(step) for step in row["pattern"]}) == row["steps"]]
    rows.sort(key=lambda row: (-row["steps"], -row["count"], row["pattern"]))
    kept = [row for steps in (2, 3) for row in [each for each in rows if each["steps"] == steps][:KEPT]]
    return pa.table({
        "level": pa.array([level] * len(kept), pa.string()),
        "position": pa.array(range(1, len(kept) + 1), pa.int32()),
        "path": pa.array([" → ".join(" + ".join(step) for step in row["pattern"]) for row in kept], pa.string()),
        "steps": pa.array([row["steps"] for row in kept], pa.int32()),
        "customers": pa.array([row["count"] for row in kept], pa.int64()),
        **{name: pa.array([row[name] for row in kept], pa.float64()) for name in ("support", "confidence", "lift")},
        "reason": pa.array([row["reason"] for row in kept], pa.string()),
    })  # fmt: skip


def _holdout(visits: VisitCounting, least: int) -> dict[str, Metric]:
    """The strongest rules of all but the last weeks, in the last weeks; empty where there are too few weeks."""
    level, days = next(each for each in PATH_LEVELS if each in visits.levels), 14
    split = visits.until - HOLDOUT_DAYS
    if visits.until - visits.first < 3 * HOLDOUT_DAYS:
        return {}
    before = visits.following(level, within=days, least=least, until=split)
    late = visits.following(level, within=days, least=1, since=split + 1, until=visits.until)
    above = np.flatnonzero(before.lift > 1)
    best = above[np.lexsort((above, -before.lift[above]))][:TESTED]
    items = len(visits.levels[level].names)
    wanted, there = before.first[best] * items + before.then[best], late.first * items + late.then
    seen = np.searchsorted(there, wanted[np.isin(wanted, there)])
    # Also the rules that never held count: their left side was bought all the same.
    occasions, usual = np.zeros(items), np.zeros(items)
    occasions[late.first], usual[late.then] = late.occasions, late.usual
    bought_first = occasions[before.first[best]]
    if not bought_first.sum():
        return {}
    return {
        "tested_rules": len(best),
        "holdout_days": HOLDOUT_DAYS,
        "holdout_foretold": float((before.confidence[best] * bought_first).sum() / bought_first.sum()),
        "holdout_confidence": float(late.followed[seen].sum() / bought_first.sum()),
        "holdout_baseline": float((usual[before.then[best]] * bought_first).sum() / bought_first.sum()),
        "holdout_own_lift": float(late.followed[seen].sum() / late.expected[seen].sum()),
    }


def _proof(test: dict[str, Metric]) -> Proof | None:
    if not test:
        return None
    return Proof(
        metric=f"Share of visits with A that B followed within 14 days, last {HOLDOUT_DAYS} days, best rules",
        value=float(test["holdout_confidence"] or 0),
        baseline=float(test["holdout_baseline"] or 0),
        why="The baseline is the share of all visits of those days that B followed.",
    )


def _tenths(values: np.ndarray) -> pa.Array:
    return decimals(half_up(np.nan_to_num(values) * 10), scale=1).cast(pa.string())


ANALYSIS: Final = Analysis(
    name="sequences", title="Sequences", marts=(RULES, PATTERNS), find=find, parameters=HouseSequences
)
