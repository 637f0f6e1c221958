"""Baskets and sequences counted by the engine that holds the lines: the same marts as those counted in arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from patron.intelligence.insights.analyses.contract import Context, Findings
from patron.intelligence.insights.analyses.registry import analyses
from patron.intelligence.insights.mine import mine
from patron.intelligence.insights.suite import run_analyses
from patron.intelligence.insights.tests.engines import MARKS, SPARK, needs_spark
from patron.intelligence.mining.contract import Setting
from patron.intelligence.mining.errors import InputError
from patron.intelligence.warehouse.engines.contract import SETTING, Engine, open_engine
from patron.intelligence.warehouse.reader import open_warehouse
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.testing import NOON
from patron.intelligence.warehouse.testing_files import AS_OF, Rows, Size, generated, published

pytestmark = MARKS

SIZE = Size(customers=60, receipts=3000, products=24)


def bundled(tables: dict[str, Rows]) -> dict[str, Rows]:
    """The sales in two kinds of baskets, each with goods of its own; some goods have no type."""
    lines = [{**row, "product_id": 1 + row["product_id"] % 12 + 12 * (row["purchase_id"] % 2)}
             for row in tables["purchase_lines"]]  # fmt: skip
    products = [{**row, "category_3": f"種類 {row['product_id'] // 3}" if row["product_id"] % 7 else ""}
                for row in tables["products"]]  # fmt: skip
    return {**tables, "products": products, "purchase_lines": lines}


def published_shop(root: Path, tables: Mapping[str, Rows]) -> Store:
    """The tables with the marts of a refresh."""
    manifest, store = published(root, tables), Store(root)
    found = mine(store, manifest, as_of=AS_OF, currency="HKD", parameters={}, work=root / "work", engine="duckdb")
    store.publish(replace(manifest, version=2, marts=found.marts, facts={"as_of": AS_OF.isoformat()}))
    return store


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A shop with three levels of the catalogue."""
    return published_shop(tmp_path_factory.mktemp("warehouse"), bundled(generated(seed=20260302, size=SIZE)))


@pytest.fixture
def engine(shop: Store, tmp_path: Path) -> Iterator[Engine]:
    """DuckDB in the place of Spark: the queries are the same."""
    opened = open_engine(memory_mb=500, overflow=tmp_path, chosen="duckdb")
    opened.view(shop.root, shop.current().tables)
    opened.view(shop.root, shop.current().marts)
    yield opened
    opened.close()


def found(store: Store, name: str, changed: Mapping[str, Setting], engine: Engine | None) -> Findings:
    warehouse = open_warehouse(store.root)
    context = Context(warehouse, as_of=AS_OF, currency="HKD", changed={name: changed}, engine=lambda: engine)
    context.running = name
    return analyses()[name].find(context)


def assert_equal(theirs: pa.Table, ours: pa.Table) -> None:
    """To the last digit; but fractions that are added up over customers, whose order arrays leave to the processor."""
    assert theirs.schema == ours.schema
    assert theirs.num_rows == ours.num_rows > 0
    for name in ours.column_names:
        exact = name != "own_lift"
        there, here = theirs[name].to_pylist(), ours[name].to_pylist()
        assert there == (here if exact else pytest.approx(here, rel=1e-12)), name


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("baskets", {"max_length": 2}),
        ("baskets", {"max_length": 2, "min_support": "0.05", "min_lift": 0.5, "prune": False}),
        ("sequences", {"min_path_support": 0.2}),
        ("sequences", {"min_path_support": 0.4, "max_length": 4, "max_step": 0, "within": 0.0}),
        ("sequences", {"min_path_support": 0.2, "max_step": 2, "within": 45.0, "min_gap": 3.0, "max_gap": 21.0}),
    ],
    ids=["baskets", "baskets-all", "sequences", "sequences-any-time", "sequences-gaps"],
)
def test_queries_count_what_arrays_count(
    shop: Store, engine: Engine, name: str, changed: Mapping[str, Setting]
) -> None:
    ours, theirs = found(shop, name, changed, None), found(shop, name, changed, engine)
    for metric, value in ours.metrics.items():
        exact = metric != "holdout_own_lift"
        assert theirs.metrics[metric] == (value if exact else pytest.approx(value, rel=1e-12)), metric
    assert set(theirs.metrics) == set(ours.metrics)
    assert theirs.parameters == ours.parameters
    for mart, table in ours.tables.items():
        assert_equal(theirs.tables[mart], table)
    left = {name for (name,) in engine.rows("SELECT table_name FROM duckdb_tables()")}
    assert left == set()


@pytest.mark.parametrize("name", ["baskets", "sequences"])
def test_without_sales_the_engine_is_asked_for_nothing_more(tmp_path: Path, name: str) -> None:
    published(tmp_path / "warehouse", {})
    store = Store(tmp_path / "warehouse")
    engine = open_engine(memory_mb=500, overflow=tmp_path, chosen="duckdb")
    engine.view(store.root, store.current().tables)
    with pytest.raises(InputError, match="there are none in the last year"):
        found(store, name, {}, engine)
    engine.close()


@needs_spark
@pytest.mark.django_db(transaction=True)
def test_the_setting_chooses_who_counts_and_not_what_is_found(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One level of the catalogue, and too few weeks for a back-test: each is a round of queries, and Spark takes its
    # time for any.
    tables = bundled(generated(seed=20260303, size=replace(SIZE, days=160)))
    products = [{**row, "category_1": "", "category_2": ""} for row in tables["products"]]
    published_shop(house, {**tables, "products": products})
    marts = {mart.name for name in ("baskets", "sequences") for mart in analyses()[name].marts}

    def run(engine: str) -> dict[str, pa.Table]:
        monkeypatch.setenv(SETTING, engine)
        outcomes = run_analyses(now=NOON, names=["baskets", "sequences"])
        assert {each.name: each.why for each in outcomes if each.status not in ("promoted", "kept_back")} == {}
        warehouse = open_warehouse(house)
        return {name: warehouse.arrow(f"SELECT * FROM {name}") for name in marts}

    ours, theirs = run("duckdb"), run(SPARK)
    for name, table in ours.items():
        assert_equal(theirs[name], table)
