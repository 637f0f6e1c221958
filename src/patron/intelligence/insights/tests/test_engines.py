"""One suite, two engines: what DuckDB works out in this process, Spark works out as well, to the last digit."""

from pathlib import Path

import pyarrow as pa
import pytest

from patron.intelligence.insights.dictionary import MARTS
from patron.intelligence.insights.mine import Mined, mine
from patron.intelligence.insights.tests.engines import MARKS, SPARK, needs_spark
from patron.intelligence.mining.fetching import fetched
from patron.intelligence.warehouse.door import open_door
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing_files import AS_OF, generated, published

pytestmark = MARKS


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("warehouse")
    published(root, generated(seed=20260302))
    return Store(root)


def mined(store: Store, engine: str, work: Path) -> Mined:
    work.mkdir(parents=True)
    return mine(store, store.current(), as_of=AS_OF, currency="HKD", parameters={}, work=work, engine=engine)


def contents(store: Store, found: Mined) -> dict[str, pa.Table]:
    import pyarrow.parquet as pq

    return {
        name: pa.concat_tables(pq.ParquetFile(store.path(part.file)).read() for part in table.parts)
        for name, table in found.marts.items()
        if table.parts
    }


@needs_spark
def test_both_engines_make_the_same_marts(store: Store, tmp_path: Path) -> None:
    here = mined(store, "duckdb", tmp_path / "duckdb")
    there = mined(store, SPARK, tmp_path / "spark")
    ours, theirs = contents(store, here), contents(store, there)
    assert set(ours) == {mart.name for mart in MARTS}
    for name, table in ours.items():
        assert theirs[name].schema.types == table.schema.types, name
        assert theirs[name].to_pylist() == table.to_pylist(), name
    assert here.runs == there.runs


@needs_spark
def test_analysts_ask_spark_in_the_same_words(store: Store) -> None:
    door = open_door(store.root, engine=SPARK)  # not closed: that would end Spark for the tests after this one
    asked = door.sql("WITH c AS (SELECT branch_id::VARCHAR AS b FROM branches) SELECT b FROM c ORDER BY b")
    assert fetched(asked)["b"].to_pylist() == ["1", "2", "3"]
