"""Ibis 12 still calls DuckDB methods by their old names; that is not for these tests to fail on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from patron.intelligence.warehouse.engines.spark import stop_spark

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"))


@pytest.fixture(scope="session", autouse=True)
def quick_java() -> Iterator[None]:
    """Where tests start Spark: rows are few and time goes into compiling, so Java compiles less. It ends with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield
        if "pyspark" in sys.modules:
            stop_spark()


@pytest.fixture(autouse=True)
def house(tmp_path: Path, settings: object) -> Path:
    """A warehouse of the test's own, and a house in Hong Kong that counts in its dollars."""
    settings.WAREHOUSE_DIRECTORY = tmp_path / "warehouse"  # type: ignore[attr-defined]
    settings.TIME_ZONE = "Asia/Hong_Kong"  # type: ignore[attr-defined]
    settings.CURRENCY = "HKD"  # type: ignore[attr-defined]
    return tmp_path / "warehouse"
