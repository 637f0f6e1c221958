"""Frequent itemsets and sequential patterns worked out by Spark's MLlib, where the rows are on Spark.

The baskets stay on the cluster: only what is frequent comes back. Counts are whole numbers, so the results are those of
:mod:`~patron.intelligence.mining.patterns.vertical` and :mod:`~patron.intelligence.mining.patterns.prefixspan`, to the
last one. On one machine those are many times as fast: this is for baskets that no machine holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from patron.intelligence.mining.patterns.itemsets import Itemsets

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: MLlib takes a share and compares counts: half a basket below the wanted count is as good as the count itself.
_HALF = 0.5
#: MLlib wants a limit to the length of a sequential pattern.
_ANY_LENGTH = 1_000


def frequent_itemsets_on_spark(rows: ir.Table, *, min_count: int, max_length: int = 0) -> Itemsets:
    """Every set of items that at least ``min_count`` baskets hold, over ``basket`` and ``item`` on Spark.

    Rows with a null are left out, an item counts once a basket. ``max_length`` (0: any) is cut afterwards.
    """
    from pyspark.ml.fpm import FPGrowth

    held = rows.filter(rows.basket.notnull(), rows.item.notnull())
    held = held.select("basket", item=held.item.cast("string"))
    baskets = _frame(held.group_by("basket").agg(items=held.item.collect(distinct=True))).cache()
    try:
        size = int(baskets.count())
        if not size:
            return Itemsets.of_lists([], [], 0)
        model = FPGrowth(itemsCol="items", minSupport=_share(min_count, size)).fit(baskets)
        found = model.freqItemsets.toArrow()
    finally:
        baskets.unpersist()
    items = [sorted(each) for each in found["items"].to_pylist()]
    kept = [place for place, each in enumerate(items) if not max_length or len(each) <= max_length]
    counts = found["freq"].to_pylist()
    return Itemsets.of_lists([items[place] for place in kept], [counts[place] for place in kept], size)


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
