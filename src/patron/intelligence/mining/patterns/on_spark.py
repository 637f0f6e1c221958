"""Frequent itemsets and sequential patterns worked out by Spark's MLlib, where the rows are on Spark.

The baskets stay on the cluster: only what is frequent comes back. Counts are whole numbers, so the results are those of
:mod:`~patron.intelligence.mining.patterns.vertical` and :mod:`~patron.intelligence.mining.patterns.prefixspan`, to the
last one. On one machine those are many times as fast: this is for baskets that no machine holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from patron.intelligence.mining.arrays import Whole, prefix_sums
from patron.intelligence.mining.errors import ParameterError
from patron.intelligence.mining.patterns.itemsets import Itemsets
from patron.intelligence.mining.patterns.trie import MOST_PATTERNS, UNLIMITED

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: MLlib takes a share and compares counts: half a basket below the wanted count is as good as the count itself.
_HALF = 0.5
#: MLlib wants a limit to the length of a sequential pattern.
_ANY_LENGTH = 1_000


def frequent_itemsets_on_spark(rows: ir.Table, *, min_count: int, max_length: int = 0) -> Itemsets:
    """Every set of items that at least ``min_count`` baskets hold, over ``basket`` and ``item`` on Spark.

    Rows with a null are left out, an item counts once a basket. MLlib's FP-growth finds itemsets of any length;
    those longer than ``max_length`` (0: any) stay on the cluster.
    """
    rows = rows.select("basket", item=rows.item.cast("string"))
    size, found = _fp_growth(rows, min_count=min_count, min_length=1, max_length=max_length)
    items = [sorted(each) for each in found["items"].to_pylist()]
    return Itemsets.of_lists(items, found["freq"].to_pylist(), size)


def frequent_codes_on_spark(
    rows: ir.Table, *, min_count: int, min_length: int = 1, max_length: int = 0
) -> list[tuple[Whole, Whole]]:
    """The same over items that are whole numbers, as arrays: for each length its itemsets, and how many hold them.

    Only those of ``min_length`` to ``max_length`` items (0: any); lengths without any are left out.
    """
    _, found = _fp_growth(rows, min_count=min_count, min_length=min_length, max_length=max_length)
    items, counts = found["items"].combine_chunks(), found["freq"].to_numpy()
    lengths = items.value_lengths().to_numpy(zero_copy_only=False)
    flat, starts = items.flatten().to_numpy().astype(np.int64), prefix_sums(lengths)[:-1]
    made = []
    for length in np.unique(lengths).tolist():
        here = np.flatnonzero(lengths == length)
        made.append((flat[starts[here][:, None] + np.arange(length)], counts[here].astype(np.int64)))
    return made


def _fp_growth(rows: ir.Table, *, min_count: int, min_length: int, max_length: int) -> tuple[int, pa.Table]:
    """How many baskets there are, and the frequent itemsets."""
    from pyspark.ml.fpm import FPGrowth
    from pyspark.sql import functions

    held = rows.filter(rows.basket.notnull(), rows.item.notnull())
    baskets = _frame(held.group_by("basket").agg(items=held.item.collect(distinct=True))).cache()
    try:
        size = int(baskets.count())
        if not size:
            return 0, pa.table({"items": pa.array([], pa.list_(pa.int64())), "freq": pa.array([], pa.int64())})
        found = FPGrowth(itemsCol="items", minSupport=_share(min_count, size)).fit(baskets).freqItemsets
        length = functions.size("items")
        found = found.where(length.between(min_length, max_length or UNLIMITED)).limit(MOST_PATTERNS + 1).toArrow()
    finally:
        baskets.unpersist()
    if found.num_rows > MOST_PATTERNS:
        raise ParameterError(
            f"There are more than {MOST_PATTERNS:,} frequent patterns. Raise min_support, or set max_length."
        )
    return size, found


def sequential_patterns_on_spark(rows: ir.Table, *, min_count: int, max_length: int = 0) -> pa.Table:
    """Every sequential pattern over ``sequence``, ``position`` and ``item`` on Spark, without limits to the gaps.

    ``pattern`` (list of steps, each a list of names), ``length`` (its items), ``support`` and ``count``: the most
    frequent first, then the shorter, then by name. Rows with a null are left out.
    """
    from pyspark.ml.fpm import PrefixSpan
    from pyspark.sql import functions

    known = rows.filter(rows.sequence.notnull(), rows.position.notnull(), rows.item.notnull())
    known = known.select("sequence", "position", item=known.item.cast("string"))
    events = known.group_by("sequence", "position").agg(items=known.item.collect(distinct=True))
    in_order = functions.sort_array(functions.collect_list(functions.struct("position", "items")))
    ordered = _frame(events).groupBy("sequence").agg(in_order.alias("events"))
    frame = ordered.select(functions.col("events.items").alias("steps")).cache()
    try:
        size = int(frame.count())
        if not size:
            return _patterns([], [], 1)
        miner = PrefixSpan(
            minSupport=_share(min_count, size),
            maxPatternLength=max_length or _ANY_LENGTH,
            sequenceCol="steps",
        )
        found = miner.findFrequentSequentialPatterns(frame).toArrow()
    finally:
        frame.unpersist()
    patterns = [[sorted(step) for step in each] for each in found["sequence"].to_pylist()]
    return _patterns(patterns, found["freq"].to_pylist(), size)


def _patterns(patterns: list[list[list[str]]], counts: list[int], size: int) -> pa.Table:
    lengths = [sum(len(step) for step in each) for each in patterns]
    order = sorted(range(len(patterns)), key=lambda i: (-counts[i], lengths[i], len(patterns[i]), patterns[i]))
    return pa.table({
        "pattern": pa.array([patterns[i] for i in order], pa.list_(pa.list_(pa.string()))),
        "length": pa.array([lengths[i] for i in order], pa.int32()),
        "support": pa.array([counts[i] / size for i in order], pa.float64()),
        "count": pa.array([counts[i] for i in order], pa.int64()),
    })  # fmt: skip


def _share(min_count: int, size: int) -> float:
    return max(min_count - _HALF, 0.0) / size


def _frame(rows: ir.Table) -> Any:
    """The rows as Spark's own frame."""
    backend = rows.get_backend()
    return backend.raw_sql(backend.compile(rows))
