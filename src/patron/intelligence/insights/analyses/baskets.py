"""What is bought together: rules overall, by value class, branch and season; who lacks the right side; a hold-out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.analyses.contract import Analysis, Context, Findings, Proof
from patron.intelligence.insights.marts.baskets import ITEMS, MATRIX, PARTS, RULES
from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.insights.shopping import Shopping, first_day, recent, shopping
from patron.intelligence.mining.arrays import EPOCH, Flags, Whole
from patron.intelligence.mining.contract import Metric, parameter
from patron.intelligence.mining.errors import InputError
from patron.intelligence.mining.models.baskets import BasketParameters
from patron.intelligence.mining.patterns.itemsets import Itemsets
from patron.intelligence.mining.patterns.transactions import Baskets, least_count
from patron.kernel.exports import ExportColumn

WINDOW_DAYS: Final = 365
HOLDOUT_DAYS: Final = 56
BRANCHES: Final = 6
#: Below this a lift is luck, whatever the share.
LEAST_BASKETS: Final = 30
KEPT: Final = 150
MATRIX_ITEMS: Final = 14
#: Rules of the back-test.
TESTED: Final = 100


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


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the baskets: all, those of a value class, a branch, a quarter."""

    part: str
    key: str
    chosen: Flags


def find(context: Context) -> Findings:
    """Rules for every level and part. Raises InputError without two kinds of goods in any basket."""
    parameters = context.parameters(HouseBaskets)
    bought = shopping(context, days=WINDOW_DAYS)
    if not bought.size or not bought.levels:
        raise InputError(
            "Baskets need sales of identified customers whose products have categories (category_1 to category_3); "
            "there are none in the last year."
        )
    tables: dict[str, list[pa.Table]] = {mart.name: [] for mart in (PARTS, RULES, ITEMS, MATRIX)}
    parts = list(_parts(context, bought))
    for level in bought.levels:
        baskets = bought.baskets(level)
        for position, part in enumerate(parts, start=1):
            whole = part.part == "all"
            found = _part(bought, level, baskets if whole else baskets.where(part.chosen), part, parameters)
            for name, table in found.items():
                if name == PARTS.name:
                    table = table.append_column("position", pa.array([position], pa.int32()))
                tables[name].append(_placed(table, level, part))
    made = {name: pa.concat_tables(found) for name, found in tables.items()}
    test = _holdout(bought, parameters)
    overall = made[PARTS.name].filter(pc.equal(made[PARTS.name]["part"], "all")).to_pylist()
    return Findings(
        tables=made,
        parameters={**parameters.as_dict(), "window_days": WINDOW_DAYS, "least_baskets": LEAST_BASKETS},
        metrics={
            "baskets": bought.size,
            "customers": len(bought.customers),
            "first_day": first_day(bought).isoformat(),
            **{f"rules_{row['level']}": row["rules"] for row in overall},
            **test,
        },
        proof=_proof(test),
    )


def _parts(context: Context, bought: Shopping) -> Iterator[Part]:
    yield Part("all", "", np.ones(bought.size, dtype=np.bool_))
    if "customer_value" in context.warehouse.names:
        value = dict(context.warehouse.rows("SELECT customer_id, value_class FROM customer_value"))
        of_customer = np.array([value.get(customer) or "" for customer in bought.customers.tolist()], dtype="U1")
        for each in ("A", "B", "C"):
            yield Part("value", each, (of_customer == each)[bought.customer])
    branches, counts = np.unique(bought.branch[bought.branch >= 0], return_counts=True)
    for branch in branches[np.lexsort((branches, -counts))][:BRANCHES] if len(branches) > 1 else []:
        yield Part("branch", str(branch), bought.branch == branch)
    quarter = np.array([_quarter(day) for day in range(int(bought.day.min()), int(bought.day.max()) + 1)])
    of_basket = quarter[bought.day - bought.day.min()]
    for each in sorted(set(quarter.tolist())):
        yield Part("season", each, of_basket == each)


def _quarter(day: int) -> str:
    date = EPOCH + dt.timedelta(days=day)
    return f"{date.year}-Q{(date.month + 2) // 3}"


def _part(bought: Shopping, level: str, baskets: Baskets, part: Part, parameters: HouseBaskets) -> dict[str, pa.Table]:
    from patron.intelligence.mining.patterns.rules import association_rules
    from patron.intelligence.mining.patterns.vertical import frequent_itemsets

    min_count = max(least_count(parameters.min_support, baskets.size), LEAST_BASKETS)
    # Rules of three items are for all baskets only: a part is smaller, and its rules more a matter of luck.
    longest = parameters.max_length if part.part == "all" else 2
    itemsets = frequent_itemsets(baskets, min_count=min_count, max_length=longest)
    rules = association_rules(
        itemsets,
        min_confidence=parameters.min_confidence,
        min_lift=parameters.min_lift,
        prune=parameters.prune,
        min_improvement=parameters.min_improvement if longest != 2 else 0.0,
    )
    buyers = bought.buyers(level, None if part.part == "all" else part.chosen)
    best = _best(rules, baskets, buyers)
    matrix = _matrix(itemsets, baskets)
    told = pa.chunked_array([best[name].combine_chunks() for name in ("first_item", "second_item", "consequent")])
    shown = np.unique(pc.index_in(pa.chunked_array([*told.chunks, matrix["item"].combine_chunks()]).drop_null(),
                                  baskets.names).to_numpy())  # fmt: skip
    return {
        PARTS.name: pa.table({
            "baskets": [baskets.size],
            "customers": [len(np.unique(bought.customer[part.chosen]))],
            "items": [int((baskets.counts > 0).sum())],
            "min_count": [min_count],
            "itemsets": [len(itemsets)],
            "rules": [rules.num_rows],
        }),
        RULES.name: best,
        ITEMS.name: pa.table({
            "item": baskets.names.take(pa.array(shown)),
            "baskets": baskets.counts[shown],
            "customers": buyers.counts[shown],
        }),
        MATRIX.name: matrix,
    }  # fmt: skip


def _best(rules: pa.Table, baskets: Baskets, buyers: Baskets) -> pa.Table:
    """The strongest rules by lift and by leverage, with who buys the left side and lacks the right one."""
    by_leverage = np.lexsort((np.arange(rules.num_rows), -rules["leverage"].to_numpy()))[:KEPT]
    rules = rules.take(pa.array(np.union1d(np.arange(min(KEPT, rules.num_rows)), by_leverage)))
    antecedent = rules["antecedent"].combine_chunks()
    first = pc.list_element(antecedent, 0) if len(antecedent) else pa.array([], pa.string())
    second = pa.array([each[1] if len(each) > 1 else None for each in antecedent.to_pylist()], pa.string())
    consequent = rules["consequent"].combine_chunks()
    left, missing = _lacking(buyers, *(pc.index_in(each, baskets.names) for each in (first, second, consequent)))
    counts = baskets.counts
    a_count = np.rint(rules["antecedent_support"].to_numpy() * baskets.size).astype(np.int64)
    return pa.table({
        "position": pa.array(np.arange(1, rules.num_rows + 1), pa.int32()),
        "antecedent": pc.binary_join(antecedent, " + "),
        "first_item": first,
        "second_item": second,
        "consequent": consequent,
        "main": pa.array(_main(rules), pa.bool_()),
        "antecedent_count": pa.array(a_count),
        "consequent_count": pa.array(counts[pc.index_in(consequent, baskets.names).to_numpy()]),
        "buyers": pa.array(left),
        "missing": pa.array(missing),
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


def _lacking(buyers: Baskets, first: pa.Array, second: pa.Array, then: pa.Array) -> tuple[Whole, Whole]:
    """For each rule, how many customers bought the left side, and how many of them never the right one."""
    one, other = first.to_numpy(zero_copy_only=False), then.to_numpy(zero_copy_only=False)
    two = pc.coalesce(second, first).to_numpy(zero_copy_only=False)
    used, places = np.unique(np.concatenate((one, two, other)).astype(np.int64), return_inverse=True)
    held = np.zeros((len(used), -(-max(buyers.size, 1) // 64) * 64), dtype=np.bool_)
    for row, item in enumerate(used):
        held[row, buyers.holders[buyers.starts[item] : buyers.starts[item + 1]]] = True
    bits = np.packbits(held, axis=1).view(np.uint64)
    one, two, other = np.split(places, 3)
    left = np.zeros(len(one), dtype=np.int64)
    missing = np.zeros(len(one), dtype=np.int64)
    for row in range(len(one)):
        both = bits[one[row]] & bits[two[row]]
        left[row] = np.bitwise_count(both).sum()
        missing[row] = np.bitwise_count(both & ~bits[other[row]]).sum()
    return left, missing


def _matrix(itemsets: Itemsets, baskets: Baskets) -> pa.Table:
    """The items bought most, each with each of the others; pairs too rare to be itemsets are left out."""
    top = np.lexsort((np.arange(len(baskets.names)), -baskets.counts))[:MATRIX_ITEMS]
    place = np.full(len(baskets.names), -1, dtype=np.int64)
    place[top] = np.arange(len(top))
    pairs = itemsets.levels[1] if len(itemsets.levels) > 1 else None
    members = pairs.members if pairs is not None else np.empty((0, 2), dtype=np.int64)
    chosen = (place[members] >= 0).all(axis=1)
    one, other = members[chosen].T
    count = pairs.counts[chosen] if pairs is not None else np.empty(0, dtype=np.int64)
    lift = count * baskets.size / np.maximum(baskets.counts[one] * baskets.counts[other], 1)
    row, column = np.concatenate((one, other)), np.concatenate((other, one))
    return pa.table({
        "place": pa.array(place[row] + 1, pa.int32()),
        "other_place": pa.array(place[column] + 1, pa.int32()),
        "item": baskets.names.take(pa.array(row)),
        "other": baskets.names.take(pa.array(column)),
        "count": np.concatenate((count, count)),
        "lift": np.concatenate((lift, lift)),
    })  # fmt: skip


def _holdout(bought: Shopping, parameters: HouseBaskets) -> dict[str, Metric]:
    """The strongest pairs of all but the last weeks, in the last weeks; empty where there are too few weeks."""
    from patron.intelligence.mining.patterns.rules import association_rules
    from patron.intelligence.mining.patterns.vertical import frequent_itemsets

    late = recent(bought, HOLDOUT_DAYS)
    if int(bought.day.max() - bought.day.min()) < 3 * HOLDOUT_DAYS or not late.any():
        return {}
    baskets = bought.baskets("category" if "category" in bought.levels else next(iter(bought.levels)))
    known, unseen = baskets.where(~late), baskets.where(late)
    min_count = max(least_count(parameters.min_support, known.size), LEAST_BASKETS)
    rules = association_rules(frequent_itemsets(known, min_count=min_count, max_length=2), min_lift=parameters.min_lift)
    rules = rules.slice(0, TESTED)
    if not rules.num_rows:
        return {}
    one = pc.index_in(pc.list_element(rules["antecedent"].combine_chunks(), 0), baskets.names).to_numpy()
    other = pc.index_in(rules["consequent"].combine_chunks(), baskets.names).to_numpy()
    sides = [unseen.holders[unseen.starts[item] : unseen.starts[item + 1]] for item in range(len(unseen.names))]
    both = np.array(
        [len(np.intersect1d(sides[a], sides[b], assume_unique=True)) for a, b in zip(one, other, strict=True)]
    )
    left = unseen.counts[one]
    if not left.sum():
        return {}
    return {
        "tested_rules": rules.num_rows,
        "holdout_days": HOLDOUT_DAYS,
        "holdout_baskets": unseen.size,
        "holdout_foretold": float((rules["confidence"].to_numpy() * left).sum() / left.sum()),
        "holdout_confidence": float(both.sum() / left.sum()),
        "holdout_baseline": float((unseen.counts[other] / unseen.size * left).sum() / left.sum()),
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
