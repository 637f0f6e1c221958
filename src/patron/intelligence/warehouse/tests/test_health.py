"""What the warehouse says of its own state."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from patron.intelligence.warehouse import health
from patron.intelligence.warehouse.manifest import Manifest
from patron.intelligence.warehouse.store import Store
from patron.kernel import clock

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.WAREHOUSE_DIRECTORY = tmp_path / "warehouse"
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return tmp_path / "warehouse"


def _publish(root: Path, *, taken_at: datetime) -> None:
    store = Store(root)
    with store.locked():
        store.publish(Manifest(version=1, taken_at=taken_at.isoformat(), snapshot="1:1:", fingerprint="x"))


def test_before_the_first_refresh_the_directory_need_only_be_possible(root: Path) -> None:
    assert health.directory_fault() == ""
    assert health.age_seconds() == {}


def test_a_file_where_the_directory_should_be_is_a_fault(root: Path) -> None:
    root.write_text("", encoding="ascii")

    assert "cannot be read and written" in health.directory_fault()


def test_the_age_counts_from_the_last_agreement_with_the_database(root: Path) -> None:
    _publish(root, taken_at=NOW - timedelta(hours=2))
    assert health.age_seconds() == {"": 7200.0}

    Store(root).note_checked(1, (NOW - timedelta(minutes=5)).isoformat())
    assert health.age_seconds() == {"": 300.0}


def test_a_version_whose_manifest_is_gone_is_a_fault(root: Path) -> None:
    _publish(root, taken_at=NOW)
    (root / "versions" / "1" / "manifest.json").unlink()

    assert "files of the warehouse are missing" in health.directory_fault()
