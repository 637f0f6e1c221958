"""The warehouse directory: immutable parts, numbered versions, one pointer that is switched atomically. No Django.

    CURRENT                     the number of the version that readers see
    versions/<n>/manifest.json  what version n consists of
    parts/<table>/<id>.parquet  files; never changed once a manifest names them; facts lie below month=<year-month>/
    CHECKED                     when the database was last found to hold nothing newer
    work/                       the running refresh's own files; whatever lies here between runs is rubbish
    refresh.lock                held by the one process that refreshes

A run that is killed leaves files that no manifest names; the next run removes them.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from patron.intelligence.warehouse.errors import RefreshRunning, WarehouseMissing
from patron.intelligence.warehouse.manifest import Manifest

VERSIONS_KEPT = 3
#: A page that opened a version may go on reading it for this long, however many versions follow.
READERS_SECONDS = 15 * 60


class Store:
    """Reads and writes the directory `root`. Writing needs `locked()`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # -- reading

    def current_version(self) -> int | None:
        """The number of the published version, or None before the first."""
        try:
            return int((self.root / "CURRENT").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def current(self) -> Manifest:
        """The published version. Raises WarehouseMissing before the first refresh."""
        version = self.current_version()
        if version is None:
            raise WarehouseMissing
        return self.read(version)

    def current_or_none(self) -> Manifest | None:
        """The published version; None before the first, and for a manifest that cannot be read any more."""
        with contextlib.suppress(WarehouseMissing, FileNotFoundError, ValueError, TypeError, KeyError):
            manifest = self.current()
            if all((self.root / file).is_file() for file in manifest.files()):
                return manifest
        return None

    def read(self, version: int) -> Manifest:
        """The manifest of one version. Raises FileNotFoundError when it has been cleared away."""
        return Manifest.from_json(self._manifest_path(version).read_text(encoding="utf-8"))

    def checked_at(self) -> str | None:
        """When the database was last found to hold nothing newer than the published version, ISO 8601."""
        with contextlib.suppress(FileNotFoundError):
            version, _, at = (self.root / "CHECKED").read_text(encoding="ascii").partition(" ")
            return at if version == str(self.current_version()) else None
        return None

    # -- writing

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who refreshes. Raises RefreshRunning when another process is at it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "refresh.lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RefreshRunning from None
            yield

    @contextlib.contextmanager
    def workplace(self) -> Iterator[Path]:
        """An empty directory for files of this run that will not be published. Call under the lock.

        When the block fails, the parts that it wrote are removed as well: a full disk must not stay full.
        """
        work = self.root / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            yield work
        except BaseException:
            self.clear()
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def new_part(self, table: str, *, month: str = "") -> str:
        """The name below the warehouse of a file to be written; its directory exists."""
        place = self.part_directory(table) / (f"month={month}" if month else "")
        place.mkdir(parents=True, exist_ok=True)
        return str((place / f"{uuid4().hex}.parquet").relative_to(self.root))

    def part_directory(self, table: str) -> Path:
        """Where the parts of a table are; it exists."""
        place = self.root / "parts" / table
        place.mkdir(parents=True, exist_ok=True)
        return place

    def path(self, part: str) -> Path:
        return self.root / part

    def publish(self, manifest: Manifest) -> None:
        """Make `manifest` the version that readers see. Its files are on the disk before the pointer is switched."""
        for file in manifest.files():
            _sync(self.root / file)
            (self.root / file).chmod(0o444)
        target = self._manifest_path(manifest.version)
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, manifest.to_json())
        _sync(target.parent.parent)
        _replace(self.root / "CURRENT", f"{manifest.version}\n")

    def note_checked(self, version: int, at: str) -> None:
        _replace(self.root / "CHECKED", f"{version} {at}")

    def clear(self) -> None:
        """Remove files that no version still in use names, and versions beyond those kept. Call under the lock."""
        current = self.current_version()
        used: set[str] = set()
        for version in self._versions():
            if self._is_in_use(version, current):
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    used.update(self.read(version).files())
            else:
                shutil.rmtree(self._manifest_path(version).parent, ignore_errors=True)
        for path in (self.root / "parts").rglob("*"):
            if path.is_file() and str(path.relative_to(self.root)) not in used:
                path.unlink(missing_ok=True)

    def _is_in_use(self, version: int, current: int | None) -> bool:
        if current is None or version > current:
            return False  # its maker was killed before the pointer was switched
        if version > current - VERSIONS_KEPT:
            return True
        successor = self._manifest_path(version + 1)
        return successor.exists() and time.time() - successor.stat().st_mtime < READERS_SECONDS

    def _versions(self) -> list[int]:
        folder = self.root / "versions"
        return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []

    def _manifest_path(self, version: int) -> Path:
        return self.root / "versions" / str(version) / "manifest.json"


def _replace(path: Path, text: str) -> None:
    """Write `path` so that a reader sees the old text or the new, and a crash loses neither."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
