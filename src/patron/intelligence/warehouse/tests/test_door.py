"""The analyst's door: tables to read, nothing to change."""

import subprocess
import sys
from pathlib import Path

import pytest

import patron
from patron.intelligence.warehouse.door import Door
from patron.intelligence.warehouse.errors import WarehouseError, WarehouseMissing
from patron.intelligence.warehouse.testing_files import generated, published

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option:DeprecationWarning"),  # Ibis asks pandas for it
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("warehouse")
    published(place, generated(seed=7))
    return place


@pytest.fixture
def door(root: Path) -> Door:
    return patron.open_warehouse(root)


def test_tables_are_read_as_ibis_tables(door: Door) -> None:
    receipts = door.table("purchases")
    assert receipts.count().execute() == 1500
    by_branch = door.sql("SELECT branch_id, count(*) AS receipts FROM purchases GROUP BY branch_id")
    assert by_branch.receipts.sum().execute() == 1500
    assert door.version == 1
    assert "purchase_lines" in door.names
    assert door.table("gifts").count().execute() == 0


def test_an_unknown_name_lists_those_there_are(door: Door) -> None:
    with pytest.raises(WarehouseError, match=r"no table 'sales'; there are: .*purchases"):
        door.table("sales")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine AS SELECT 1",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE OR REPLACE VIEW purchases AS SELECT 1",
        "INSERT INTO purchases SELECT * FROM purchases",
        "DROP VIEW purchases",
        "COPY purchases TO '{root}/out.parquet' (FORMAT parquet)",
        "COPY purchases TO '{part}' (FORMAT parquet)",
        "EXPORT DATABASE '{root}/out'",
        "ATTACH '{root}/out.duckdb' AS out",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "INSTALL httpfs",
    ],
)
def test_nothing_can_be_written_nor_unlocked(door: Door, root: Path, statement: str) -> None:
    import duckdb

    part = next((root / "parts" / "purchases").rglob("*.parquet"))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(duckdb.Error):
        door._backend.raw_sql(statement.format(root=root, part=part))
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert door.table("purchases").count().execute() == 1500


def test_what_does_not_fit_into_memory_still_overflows(door: Door) -> None:
    query = "SELECT *, sum(net_amount) OVER (ORDER BY occurred_on, line_no) AS running FROM purchase_lines"
    sorted_lines = door.sql(query)
    assert sorted_lines.count().execute() > 3000


def test_importing_patron_loads_neither_django_nor_an_engine(tmp_path: Path) -> None:
    program = (
        "import sys; from patron import open_warehouse\n"
        "print(sorted({'django', 'duckdb', 'ibis', 'pyarrow', 'pyspark'} & set(sys.modules)))\n"
        f"warehouse = open_warehouse({str(tmp_path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]"
    assert "There is no warehouse yet" in done.stderr


def test_before_the_first_refresh_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match="patron refresh"):
        patron.open_warehouse(tmp_path)
