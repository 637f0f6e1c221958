"""Itemsets and sequential patterns by Spark's MLlib: the same as those found in this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from patron.intelligence.insights.tests.engines import MARKS, SPARK, needs_spark
from patron.intelligence.mining.patterns.events import Sequences
from patron.intelligence.mining.patterns.on_spark import frequent_itemsets_on_spark, sequential_patterns_on_spark
from patron.intelligence.mining.patterns.sequential import patterns_table, sequential_patterns
from patron.intelligence.mining.patterns.transactions import Baskets
from patron.intelligence.mining.patterns.vertical import frequent_itemsets
from patron.intelligence.warehouse.engines.contract import Engine, open_engine

pytestmark = [*MARKS, needs_spark]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(memory_mb=700, overflow=tmp_path, chosen=SPARK)
    yield opened
    opened.close()


@pytest.mark.parametrize("max_length", [0, 2])
def test_the_same_itemsets_are_frequent(engine: Engine, max_length: int) -> None:
    rng = np.random.default_rng(4)
    basket = pa.array(rng.integers(0, 60, 600), mask=rng.random(600) < 0.02)
    item = pa.array([f"茶{number}" for number in rng.geometric(0.25, 600)])
    engine.register("rows", pa.table({"basket": basket, "item": item}))

    ours = frequent_itemsets(Baskets.of(basket, item), min_count=12, max_length=max_length).table()
    theirs = frequent_itemsets_on_spark(engine.backend.table("rows"), min_count=12, max_length=max_length).table()

    assert ours.num_rows > 20
    assert theirs.to_pylist() == ours.to_pylist()


def test_the_same_sequences_are_frequent(engine: Engine) -> None:
    rng = np.random.default_rng(5)
    rows = pa.table({
        "sequence": rng.integers(0, 30, 300),
        "position": rng.integers(0, 8, 300),
        "item": [f"i{number}" for number in rng.geometric(0.4, 300)],
    })  # fmt: skip
    engine.register("rows", rows)

    sequences = Sequences.of(rows["sequence"], rows["position"], rows["item"])
    ours = patterns_table(sequential_patterns(sequences, min_count=10)).select(
        ["pattern", "length", "support", "count"]
    )
    theirs = sequential_patterns_on_spark(engine.backend.table("rows"), min_count=10)

    def in_order(table: pa.Table) -> list[tuple[int, list[list[str]], float, int]]:
        return sorted((row["length"], row["pattern"], row["support"], row["count"]) for row in table.to_pylist())

    assert ours.num_rows > 20
    assert in_order(theirs) == in_order(ours)


def test_spark_outlives_the_run_that_started_it(tmp_path: Path) -> None:
    for run in ("refresh", "analyses"):
        opened = open_engine(memory_mb=700, overflow=tmp_path / run, chosen=SPARK)
        opened.register("rows", pa.table({"n": [1, 2]}))
        assert opened.rows("SELECT sum(n) FROM rows") == [(3,)]
        opened.close()
        shutil.rmtree(tmp_path / run, ignore_errors=True)


def test_without_a_row_nothing_is_frequent(engine: Engine) -> None:
    nothing = pa.table({
        "basket": pa.array([], pa.int64()), "sequence": pa.array([], pa.int64()), "position": pa.array([], pa.int64()),
        "item": pa.array([], pa.string()),
    })  # fmt: skip
    engine.register("rows", nothing)
    rows = engine.backend.table("rows")
    assert len(frequent_itemsets_on_spark(rows, min_count=1)) == 0
    assert sequential_patterns_on_spark(rows, min_count=1).num_rows == 0
