"""A file from beginning to end: dry run, import, again, cancelled, killed, out of space."""

import csv
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from patron.kernel.actor import SYSTEM, Actor
from patron.kernel.errors import DomainError, InvalidInput, NotFound, PermissionRefused
from patron.kernel.intake import engine, loading, operations
from patron.kernel.intake.errors import (
    ColumnsMissing,
    DatabaseStopped,
    DiskFull,
    FileTooLarge,
    ImportCancelled,
    RunBusy,
    RunEnded,
)
from patron.kernel.intake.reports import Report
from patron.kernel.intake.tests.support import csv_bytes, register
from patron.kernel.models import ImportMapping, ImportRun

NOW = datetime(2025, 6, 1, 4, tzinfo=UTC)
HEADERS = ["item code", "Price", "sold_on", "note"]


@pytest.fixture(autouse=True)
def _importer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    monkeypatch.setattr(settings, "IMPORT_DIRECTORY", tmp_path / "imports")


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: list[str], name: str = "shelf.csv", headers: list[str] = HEADERS) -> Path:
        path = tmp_path / name
        path.write_bytes(csv_bytes([headers, *rows]))
        return path

    return write


def _import(path: Path, **given: Any) -> Report:
    return engine.import_file("shelf", path, actor=SYSTEM, now=NOW, **given)


def _names() -> list[str]:
    return list(ImportMapping.objects.filter(importer="shelf").order_by("name").values_list("name", flat=True))


CLEAN = [["A1", "1.50", "2025-01-31", ""], ["A2", "0", "31/1/2025", "gift"], ["A3", "(2)", "", ""]]
DIRTY = [
    *CLEAN,
    ["", "1", "", ""],
    ["A4", "one", "", "=SUM(A1)"],
    ["A5", "1", "soon", ""],
    ["A6", "2000", "", "@dear"],
    ["A7", "1", "", "draft"],
    ["A1", "9", "", "again"],
    ["A8", "3", "", "refused"],
    ["A9", "4", "", ""],
]


@pytest.mark.django_db
def test_dry_run_counts_what_will_be_done_and_writes_nothing(shelf: Callable[..., Path]) -> None:
    report = _import(shelf(*DIRTY), dry_run=True)

    assert (report.status, report.rows, report.accepted, report.rejected, report.skipped) == ("checked", 11, 5, 5, 1)
    assert {line.code: (line.action, line.rows) for line in report.treatments} == {
        "missing": ("reject", 1),
        "not_decimal": ("reject", 1),
        "not_date": ("reject", 1),
        "dear": ("reject", 1),
        "repeated_in_file": ("reject", 1),
        "draft": ("skip", 1),
        "debt": ("fix", 1),
        "free": ("note", 1),
    }
    assert [(e.row, e.column, e.value) for e in report.errors] == [
        (5, "item code", ""), (6, "Price", "one"), (7, "sold_on", "soon"), (8, "Price", "2000"),
        (10, "item code", "A1"),
    ]  # fmt: skip
    assert report.errors[3].message == "Lower the price."
    assert report.columns == {"code": "item code", "price": "Price", "sold_on": "sold_on", "note": "note"}
    assert report.dates["sold_on"]["order"] == "dmy"
    assert report.detected["encoding"] == "utf-8"
    assert _names() == []


@pytest.mark.django_db
def test_import_takes_the_good_rows_and_keeps_the_bad_ones_in_the_error_file(shelf: Callable[..., Path]) -> None:
    report = _import(shelf(*DIRTY))

    assert (report.status, report.accepted, report.rejected, report.added) == ("done", 4, 6, 4)
    assert report.created == {"labels": 4}
    assert _names() == ["A1", "A2", "A3", "A9"]
    assert ImportMapping.objects.get(name="A3").columns == {"note": None, "price": 2.0, "on": None}
    content = Path(report.error_file).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    assert rows[0] == ["row", "column", "reason", *HEADERS]
    assert [(row[0], row[3], row[6]) for row in rows[1:]] == [
        ("5", "", ""), ("6", "A4", "'=SUM(A1)"), ("7", "A5", ""), ("8", "A6", "'@dear"), ("10", "A1", "again"),
        ("11", "A8", "refused"),
    ]  # fmt: skip
    assert rows[-1][2] == "Ask the room."


@pytest.mark.django_db
def test_the_same_file_again_adds_nothing(shelf: Callable[..., Path]) -> None:
    path = shelf(*CLEAN)
    first, again = _import(path), _import(path)
    assert (first.added, first.unchanged) == (3, 0)
    assert (again.added, again.unchanged, again.rejected) == (0, 3, 0)
    assert _names() == ["A1", "A2", "A3"]


@pytest.mark.django_db
def test_what_the_user_says_goes_before_guesses(shelf: Callable[..., Path]) -> None:
    path = shelf(["x", "A1", "5"], headers=["code", "real code", "price"])
    _import(path, columns={"code": "real code", "price": ""})
    assert ImportMapping.objects.get(name="A1").columns["price"] is None
    with pytest.raises(ColumnsMissing, match="no column “gone”"):
        _import(path, columns={"code": "gone"})
    with pytest.raises(InvalidInput):
        _import(path, columns={"colour": "code"})
    with pytest.raises(InvalidInput):
        _import(path, options={"date_order": "upwards"})


@pytest.mark.django_db
def test_a_file_without_the_needed_columns_says_which_are_missing(shelf: Callable[..., Path]) -> None:
    with pytest.raises(ColumnsMissing, match=r"Code\. The file has: colour, size"):
        _import(shelf(["red", "1"], headers=["colour", "size"]))
    assert ImportRun.objects.get().status == "failed"
    assert _names() == []


@pytest.mark.django_db
def test_a_mapping_saved_under_a_name_serves_the_next_file(shelf: Callable[..., Path]) -> None:
    operations.save_mapping(
        importer="shelf", name="till", columns={"code": "k"}, options={"date_order": "mdy"}, actor=SYSTEM, now=NOW
    )
    _import(shelf(["A1", "1/2/2025"], headers=["k", "sold on"]), mapping_name="till")
    assert ImportMapping.objects.get(name="A1").columns["on"] == "2025-01-02"
    with pytest.raises(NotFound):
        _import(shelf(["A1"], headers=["k"]), mapping_name="other")


@pytest.mark.django_db
def test_an_actor_without_the_permission_is_refused(shelf: Callable[..., Path]) -> None:
    nobody = Actor(kind="staff", name="N", permissions=frozenset())
    with pytest.raises(PermissionRefused):
        engine.import_file("shelf", shelf(*CLEAN), actor=nobody, now=NOW)
    assert not ImportRun.objects.exists()


@pytest.mark.django_db
def test_an_upload_is_kept_with_its_run_and_one_that_is_too_large_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = operations.create_run(
        importer="shelf", file_name="../up.csv", stream=BytesIO(csv_bytes([HEADERS, *CLEAN])), actor=SYSTEM, now=NOW
    )
    assert Path(run.file_path) == tmp_path / "imports" / str(run.pk) / "upload" / "up.csv"
    assert engine.check_run(run.pk, actor=SYSTEM, now=NOW).accepted == 3
    assert engine.run_import(run.pk, actor=SYSTEM, now=NOW).added == 3
    with pytest.raises(RunEnded):
        operations.start_run(run=run, actor=SYSTEM, now=NOW)
    monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", 10)
    with pytest.raises(FileTooLarge):
        operations.create_run(importer="shelf", file_name="b.csv", stream=BytesIO(b"x" * 11), actor=SYSTEM, now=NOW)
    assert ImportRun.objects.count() == 1


MANY = [[f"N{i:02}", str(i), "", ""] for i in range(10)]


def _fail_at(monkeypatch: pytest.MonkeyPatch, number: int, error: Exception) -> None:
    """The work on chunk `number` ends with `error`, once."""
    real = loading._apply

    def apply(chunk: Any, importer: Any) -> Any:
        counts = real(chunk, importer)
        if ImportRun.objects.get(pk=chunk.run_id).checkpoint == number - 1:
            monkeypatch.setattr(loading, "_apply", real)
            raise error
        return counts

    monkeypatch.setattr(loading, "_apply", apply)


@pytest.mark.django_db
def test_a_run_that_broke_off_goes_on_after_its_last_chunk(
    shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shelf(*MANY)
    _fail_at(monkeypatch, 3, RuntimeError("lightning"))
    with pytest.raises(RuntimeError):
        _import(path)
    assert _names() == [f"N{i:02}" for i in range(6)]
    assert ImportRun.objects.get().status == "failed"

    report = _import(path)

    assert (report.status, report.added, report.unchanged, report.resumed_from) == ("done", 10, 0, 6)
    assert _names() == [f"N{i:02}" for i in range(10)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
        (psycopg.errors.DiskFull("could not extend file"), DiskFull),
        (psycopg.errors.AdminShutdown("terminating connection"), DatabaseStopped),
    ],
)
def test_a_full_disk_or_a_stopped_database_leaves_nothing_half_done(
    shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, error: Exception, told: type[DomainError]
) -> None:
    _fail_at(monkeypatch, 2, error)
    with pytest.raises(told):
        _import(shelf(*MANY))
    run = ImportRun.objects.get()
    assert (run.status, run.checkpoint, run.error) == ("failed", 1, str(told.message))
    assert _names() == ["N00", "N01", "N02"]


@pytest.mark.django_db
def test_cancelling_stops_between_chunks_and_importing_again_goes_on(
    shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shelf(*MANY)

    def cancel(phase: str, done: int, _total: int) -> None:
        if phase == "loading" and done == 3:
            operations.cancel_run(run=ImportRun.objects.get(), actor=SYSTEM, now=NOW)

    with pytest.raises(ImportCancelled):
        _import(path, progress=cancel)
    assert ImportRun.objects.get().status == "cancelled"
    assert len(_names()) == 3
    assert _import(path).added == 10
    assert len(_names()) == 10


@pytest.mark.django_db
def test_one_file_is_imported_by_one_process_at_a_time(shelf: Callable[..., Path]) -> None:
    path = shelf(*CLEAN)
    elsewhere = psycopg.connect(**_where(), autocommit=True)
    key = f"patron.intake:shelf:{path.resolve()}"
    elsewhere.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
    with pytest.raises(RunBusy):
        _import(path)
    elsewhere.close()
    assert _names() == []


def _where() -> dict[str, Any]:
    chosen = connection.settings_dict
    return {
        "dbname": chosen["NAME"], "user": chosen["USER"], "host": chosen["HOST"], "port": chosen["PORT"] or None,
        "password": chosen["PASSWORD"] or None,
    }  # fmt: skip


@pytest.mark.django_db
def test_what_was_prepared_is_cleared_away_after_the_import(shelf: Callable[..., Path], tmp_path: Path) -> None:
    report = _import(shelf(*DIRTY))
    assert os.listdir(tmp_path / "imports" / str(report.run_id)) == ["errors.csv"]  # noqa: PTH208 (names are enough)
