"""What is bought together: rules overall, by value class, branch and season; who lacks the right side; a hold-out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.baskets_counting import ArrayCounting, Counted, Counting, Part, Sides
from patron.intelligence.insights.marts.baskets import ITEMS, MATRIX, PARTS, RULES
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.insights.shopping import shopping
from patron.intelligence.insights.shopping_on_engine import shopping_on_engine
from patron.intelligence.mining.arrays import EPOCH, Whole, day_number
from patron.intelligence.mining.contract import Metric, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.baskets import BasketParameters
from patron.intelligence.mining.patterns.transactions import least_count
from patron.kernel.exports import ExportColumn

WINDOW_DAYS: Final = 365
HOLDOUT_DAYS: Final = 56
#: Below this a lift is luck, whatever the share.
LEAST_BASKETS: Final = 30
KEPT: Final = 150
MATRIX_ITEMS: Final = 14
#: Rules of the back-test.
TESTED: Final = 100
_SIDES: Final = ("first_item", "second_item", "consequent")


@dataclass(frozen=True)
class HouseBaskets(BasketParameters):
    """The model's parameters with the values that suit a page: rules worth telling, the redundant ones left out."""

    min_support: str = parameter("0.002", "items of a rule together: share of baskets (0.002, 0.2%) or number (300)")
    min_confidence: float = parameter(
        0.05, "share of the left side's baskets with the right side", minimum=0, maximum=1
    )
    min_lift: float = parameter(1.1, "at least so many times as often as in all baskets", minimum=0)
    max_length: int = parameter(3, "items of a rule, both sides together; 0: any number", minimum=0)
    prune: bool = parameter(True, "leave out rules that a more general one says at least as strongly")
    min_improvement: float = parameter(
        0.05, "by how much confidence must exceed that of every more general rule", minimum=0, maximum=1
    )


def find(context: Context) -> Findings:
    """Rules for every level and part. Raises InputError without two kinds of goods in any basket.

    The lines are counted in arrays here, or where they lie when the installation's engine is Spark; the figures are
    the same.
    """
    parameters = context.parameters(HouseBaskets)
    engine = context.engine()
    if engine is None:
        bought = shopping(context, days=WINDOW_DAYS)
        return _find(ArrayCounting(bought, context.warehouse), parameters, until=bought.until)
    from patron.intelligence.insights.baskets_on_engine import EngineCounting

    there = shopping_on_engine(context, engine, days=WINDOW_DAYS)
    counting = EngineCounting(there, with_value="customer_value" in context.warehouse.names)
    try:
        return _find(counting, parameters, until=there.until)
    finally:
        counting.close()


def _find(counting: Counting, parameters: HouseBaskets, *, until: dt.date) -> Findings:
    if not counting.size or not counting.levels:
        raise InputError(
            "Baskets need sales of identified customers whose products have categories (category_1 to category_3); "
            "there are none in the last year."
        )
    tables: dict[str, list[pa.Table]] = {mart.name: [] for mart in (PARTS, RULES, ITEMS, MATRIX)}
    parts = counting.parts()
    for level in counting.levels:
        for position, (part, found) in enumerate(
            zip(parts, _level(counting, level, parts, parameters), strict=True), 1
        ):
            for name, table in found.items():
                if name == PARTS.name:
                    table = table.append_column("position", pa.array([position], pa.int32()))
                tables[name].append(_placed(table, level, part))
    made = {name: pa.concat_tables(found) for name, found in tables.items()}
    test = _holdout(counting, parameters, until=day_number(until))
    overall = made[PARTS.name].filter(pc.equal(made[PARTS.name]["part"], "all")).to_pylist()
    return Findings(
        tables=made,
        parameters={**parameters.as_dict(), "window_days": WINDOW_DAYS, "least_baskets": LEAST_BASKETS},
        metrics={
            "baskets": counting.size,
            "customers": counting.customer_count,
            "first_day": (EPOCH + dt.timedelta(days=counting.days[0])).isoformat(),
            **{f"rules_{row['level']}": row["rules"] for row in overall},
            **test,
        },
        proof=_proof(test),
    )


def _level(
    counting: Counting, level: str, parts: Sequence[Part], parameters: HouseBaskets
) -> Iterator[dict[str, pa.Table]]:
    """The tables of each part, at one level of the catalogue."""
    from patron.intelligence.mining.patterns.rules import association_rules

    least = [max(least_count(parameters.min_support, part.baskets), LEAST_BASKETS) for part in parts]
    # Rules of three items are for all baskets only: a part is smaller, and its rules more a matter of luck.
    longest = [parameters.max_length if part.part == "all" else 2 for part in parts]
    counted = counting.counted(level, parts, least=least, longest=longest)
    rules = [
        association_rules(
            each.itemsets,
            min_confidence=parameters.min_confidence,
            min_lift=parameters.min_lift,
            prune=parameters.prune,
            min_improvement=parameters.min_improvement if length != 2 else 0.0,
        )
        for each, length in zip(counted, longest, strict=True)
    ]
    names = counting.levels[level].names
    best = [_best(found, each) for found, each in zip(rules, counted, strict=True)]
    sides = [Sides(*(_codes(table[name], names) for name in _SIDES)) for table in best]
    bought = counting.bought(level, parts, sides)
    for place, part in enumerate(parts):
        each, table, matrix = counted[place], best[place], _matrix(counted[place])
        shown = np.union1d(np.concatenate((sides[place].one, sides[place].two, sides[place].then)),
                           _codes(matrix["item"], names))  # fmt: skip
        shown = shown[shown >= 0]
        yield {
            PARTS.name: pa.table({
                "baskets": [part.baskets],
                "customers": [part.customers],
                "items": [int((each.counts > 0).sum())],
                "min_count": [least[place]],
                "itemsets": [len(each.itemsets)],
                "rules": [rules[place].num_rows],
            }),
            RULES.name: table.append_column("buyers", pa.array(bought[place].left))
                             .append_column("missing", pa.array(bought[place].missing)),
            ITEMS.name: pa.table({
                "item": names.take(pa.array(shown)),
                "baskets": each.counts[shown],
                "customers": bought[place].counts[shown],
            }),
            MATRIX.name: matrix,
        }  # fmt: skip


def _codes(items: pa.ChunkedArray, names: pa.Array) -> Whole:
    """The places of items among the names, −1 where there is none."""
    places: Whole = pc.fill_null(pc.index_in(items, names), -1).to_numpy().astype(np.int64)
    return places


def _best(rules: pa.Table, counted: Counted) -> pa.Table:
    """The strongest rules by lift and by leverage."""
    by_leverage = np.lexsort((np.arange(rules.num_rows), -rules["leverage"].to_numpy()))[:KEPT]
    rules = rules.take(pa.array(np.union1d(np.arange(min(KEPT, rules.num_rows)), by_leverage)))
    antecedent = rules["antecedent"].combine_chunks()
    first = pc.list_element(antecedent, 0) if len(antecedent) else pa.array([], pa.string())
    second = pa.array([each[1] if len(each) > 1 else None for each in antecedent.to_pylist()], pa.string())
    consequent = rules["consequent"].combine_chunks()
    size, names = counted.itemsets.size, counted.itemsets.names
    a_count = np.rint(rules["antecedent_support"].to_numpy() * size).astype(np.int64)
    return pa.table({
        "position": pa.array(np.arange(1, rules.num_rows + 1), pa.int32()),
        "antecedent": pc.binary_join(antecedent, " + "),
        "first_item": first,
        "second_item": second,
        "consequent": consequent,
        "main": pa.array(_main(rules), pa.bool_()),
        "antecedent_count": pa.array(a_count),
        "consequent_count": pa.array(counted.counts[pc.index_in(consequent, names).to_numpy()]),
        **{name: rules[name] for name in (
            "count", "support", "confidence", "lift", "leverage", "conviction", "reason_code", "reason",
        )},
    })  # fmt: skip


def _main(rules: pa.Table) -> list[bool]:
    """Whether each rule is the surest of those with the same items."""
    surest: dict[tuple[str, ...], tuple[float, int]] = {}
    keys = []
    for place, row in enumerate(rules.select(["antecedent", "consequent", "confidence"]).to_pylist()):
        key = tuple(sorted([*row["antecedent"], row["consequent"]]))
        keys.append(key)
        surest[key] = max(surest.get(key, (-1.0, 0)), (row["confidence"], -place))
    return [surest[key][1] == -place for place, key in enumerate(keys)]


def _matrix(counted: Counted) -> pa.Table:
    """The items bought most, each with each of the others; pairs too rare to be itemsets are left out."""
    itemsets, counts, names = counted.itemsets, counted.counts, counted.itemsets.names
    top = np.lexsort((np.arange(len(names)), -counts))[:MATRIX_ITEMS]
    place = np.full(len(names), -1, dtype=np.int64)
    place[top] = np.arange(len(top))
    pairs = itemsets.levels[1] if len(itemsets.levels) > 1 else None
    members = pairs.members if pairs is not None else np.empty((0, 2), dtype=np.int64)
    chosen = (place[members] >= 0).all(axis=1)
    one, other = members[chosen].T
    count = pairs.counts[chosen] if pairs is not None else np.empty(0, dtype=np.int64)
    lift = count * itemsets.size / np.maximum(counts[one] * counts[other], 1)
    row, column = np.concatenate((one, other)), np.concatenate((other, one))
    return pa.table({
        "place": pa.array(place[row] + 1, pa.int32()),
        "other_place": pa.array(place[column] + 1, pa.int32()),
        "item": names.take(pa.array(row)),
        "other": names.take(pa.array(column)),
        "count": np.concatenate((count, count)),
        "lift": np.concatenate((lift, lift)),
    })  # fmt: skip


def _holdout(counting: Counting, parameters: HouseBaskets, *, until: int) -> dict[str, Metric]:
    """The strongest pairs of all but the last weeks, in the last weeks; empty where there are too few weeks."""
    from patron.intelligence.mining.patterns.rules import association_rules

    first, last = counting.days
    if last - first < 3 * HOLDOUT_DAYS or last <= until - HOLDOUT_DAYS:
        return {}
    level = "category" if "category" in counting.levels else next(iter(counting.levels))
    known = counting.within(first, until - HOLDOUT_DAYS)
    least = max(least_count(parameters.min_support, known.baskets), LEAST_BASKETS)
    [counted] = counting.counted(level, [known], least=[least], longest=[2])
    rules = association_rules(counted.itemsets, min_lift=parameters.min_lift).slice(0, TESTED)
    if not rules.num_rows:
        return {}
    names = counting.levels[level].names
    one = pc.index_in(pc.list_element(rules["antecedent"].combine_chunks(), 0), names).to_numpy()
    other = pc.index_in(rules["consequent"].combine_chunks(), names).to_numpy()
    unseen = counting.within(until - HOLDOUT_DAYS + 1, last)
    both, counts = counting.together(level, unseen, one, other)
    left = counts[one]
    if not left.sum():
        return {}
    return {
        "tested_rules": rules.num_rows,
        "holdout_days": HOLDOUT_DAYS,
        "holdout_baskets": unseen.baskets,
        "holdout_foretold": float((rules["confidence"].to_numpy() * left).sum() / left.sum()),
        "holdout_confidence": float(both.sum() / left.sum()),
        "holdout_baseline": float((counts[other] / unseen.baskets * left).sum() / left.sum()),
    }


def _proof(test: dict[str, Metric]) -> Proof | None:
    if not test:
        return None
    return Proof(
        metric=f"Share of baskets with the left side that held the right one, last {HOLDOUT_DAYS} days, best rules",
        value=float(test["holdout_confidence"] or 0),
        baseline=float(test["holdout_baseline"] or 0),
        why="The baseline is the share of all baskets of those days with the right side.",
    )


_TYPES: Final[dict[str, Any]] = {
    "string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(),
}  # fmt: skip
_MARTS: Final[dict[str, Mart]] = {mart.name: mart for mart in (PARTS, RULES, ITEMS, MATRIX)}


def _placed(table: pa.Table, level: str, part: Part) -> pa.Table:
    """With level and part in front, in the columns and types of its mart."""
    for name, text in (("level", level), ("part", part.part), ("key", part.key)):
        table = table.append_column(name, pa.repeat(pa.scalar(text), table.num_rows))
    mart = next(mart for mart in _MARTS.values() if {each.name for each in mart.columns} == set(table.column_names))
    return table.select([each.name for each in mart.columns]).cast(_schema(mart.columns))


def _schema(columns: tuple[ExportColumn, ...]) -> pa.Schema:
    return pa.schema([(each.name, _TYPES[each.type]) for each in columns])


ANALYSIS: Final = Analysis(
    name="baskets", title="Baskets", marts=(PARTS, RULES, ITEMS, MATRIX), find=find, parameters=HouseBaskets
)
