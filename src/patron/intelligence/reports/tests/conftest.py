"""A warehouse of the test's own."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Ibis 12 still calls DuckDB methods by their old names; that is not for these tests to fail on.
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"))


@pytest.fixture(autouse=True)
def house(tmp_path: Path, settings: object) -> Path:
    """A house in Hong Kong, with an empty warehouse."""
    settings.WAREHOUSE_DIRECTORY = tmp_path / "warehouse"  # type: ignore[attr-defined]
    settings.TIME_ZONE = "Asia/Hong_Kong"  # type: ignore[attr-defined]
    settings.CURRENCY = "HKD"  # type: ignore[attr-defined]
    return tmp_path / "warehouse"
