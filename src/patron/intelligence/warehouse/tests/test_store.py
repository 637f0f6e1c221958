"""Publication: whole versions, switched at once; nothing left behind, nothing taken away from a reader."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from patron.intelligence.warehouse import store as store_module
from patron.intelligence.warehouse.errors import WarehouseError, WarehouseMissing
from patron.intelligence.warehouse.manifest import Manifest, Part, Table
from patron.intelligence.warehouse.reader import default_directory, open_warehouse
from patron.intelligence.warehouse.store import Store


def version(store: Store, number: int) -> Manifest:
    """A version whose two tables hold nothing but its number: a reader who sees both can tell a mixture."""
    tables = {}
    for name in ("left_side", "right_side"):
        file = store.new_part(name)
        duckdb.execute(f"COPY (SELECT {number} AS n FROM range(1000)) TO '{store.path(file)}' (FORMAT parquet)")
        tables[name] = Table({"n": "INTEGER"}, (Part(file, 1000, store.path(file).stat().st_size),), {"count": "1000"})
    return Manifest(
        number, taken_at="2026-03-02T00:00:00+00:00", snapshot="1:1:", fingerprint="f", tables=tables, facts={"a": 1}
    )


def test_a_manifest_survives_being_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    published = version(store, 1)
    store.publish(published)
    assert store.current() == published


def test_a_reader_sees_one_version_while_others_are_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    mixtures: list[tuple[int, ...]] = []
    seen: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            ((low, high, both),) = open_warehouse(tmp_path).rows(
                "SELECT min(n), max(n), count(*) FROM (FROM left_side UNION ALL FROM right_side)"
            )
            seen.add(low)
            if low != high or both != 2000:
                mixtures.append((low, high, both))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 25):
        store.publish(version(store, number))
        store.clear()
        time.sleep(0.01)
    stop.set()
    for reader in readers:
        reader.join()

    assert mixtures == []
    assert len(seen) > 1


def test_an_opened_version_can_be_read_after_newer_ones_came(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    opened = open_warehouse(tmp_path)
    for number in range(2, 9):
        store.publish(version(store, number))
        store.clear()
    assert opened.rows("SELECT max(n) FROM left_side") == [(1,)]
    assert open_warehouse(tmp_path).rows("SELECT max(n) FROM left_side") == [(8,)]


def test_old_versions_and_unnamed_files_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "READERS_SECONDS", 0)
    store = Store(tmp_path)
    for number in range(1, 7):
        store.publish(version(store, number))
    crashed = store.new_part("left_side")
    store.path(crashed).write_bytes(b"half a file")

    store.clear()

    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == ["4", "5", "6"]
    assert len(list((tmp_path / "parts").glob("*/*"))) == 6
    assert not store.path(crashed).exists()


def test_a_run_that_fails_leaves_no_file_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))

    def run_on_a_full_disk() -> None:
        with store.locked(), store.workplace() as work:
            (work / "overflow").write_bytes(b"x")
            store.path(store.new_part("left_side")).write_bytes(b"half a file")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run_on_a_full_disk()

    assert not (tmp_path / "work").exists()
    assert {str(path.relative_to(tmp_path)) for path in (tmp_path / "parts").glob("*/*")} == set(
        store.current().files()
    )


def test_a_version_that_was_never_switched_to_is_cleared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    store.publish(version(store, 2))
    (tmp_path / "CURRENT").write_text("1\n", encoding="ascii")

    store.clear()

    assert store.current_version() == 1
    assert [path.name for path in (tmp_path / "versions").iterdir()] == ["1"]
    assert len(list((tmp_path / "parts").glob("*/*"))) == 2


def test_a_version_with_a_missing_file_counts_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    store.path(next(store.current().files())).unlink()
    assert store.current_or_none() is None


def test_a_manifest_of_another_format_counts_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    path = tmp_path / "versions" / "1" / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 0'), encoding="utf-8")
    assert store.current_or_none() is None


def test_when_it_was_checked_belongs_to_a_version(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    assert store.checked_at() is None
    store.note_checked(1, "2026-03-02T01:00:00+00:00")
    assert store.checked_at() == "2026-03-02T01:00:00+00:00"
    store.publish(version(store, 2))
    assert store.checked_at() is None


def test_nothing_to_open_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match="patron refresh"):
        open_warehouse(tmp_path)


def test_an_unknown_table_lists_those_there_are(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    with pytest.raises(WarehouseError, match="there are: left_side, right_side"):
        open_warehouse(tmp_path).table("sales")


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # of Ibis with the latest DuckDB
def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    store = Store(tmp_path)
    tables = {"empty": Table({"id": "BIGINT", "amount": "DECIMAL(16,2)"})}
    store.publish(Manifest(1, "2026-03-02T00:00:00+00:00", "1:1:", "f", tables))
    opened = open_warehouse(tmp_path)
    assert opened.dicts("SELECT * FROM empty") == []
    assert [(name, str(kind)) for name, kind in opened.table("empty").schema().items()] == [
        ("id", "int64"),
        ("amount", "decimal(16, 2)"),
    ]


def test_the_directory_is_found_without_django(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATRON_WAREHOUSE", "/somewhere/else")
    assert default_directory() == Path("/somewhere/else")


def test_reading_needs_no_django_settings_and_no_ibis(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish(version(store, 1))
    program = (
        "import sys\n"
        "from patron.intelligence.warehouse.reader import open_warehouse\n"
        "print(open_warehouse(sys.argv[1]).rows('SELECT max(n) FROM left_side'))\n"
        "print([name for name in sys.modules if name in ('django.conf', 'django.db', 'ibis')])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["[(1,)]", "[]"], done.stderr
