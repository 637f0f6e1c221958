"""The one file of a backup: an uncompressed tar whose parts are compressed already. No Django, no database.

First member `manifest.json`, last member `checksums.json` (SHA-256 of every other member): a file that was cut short
or changed is recognised before anything is done with it.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from patron.config.cli.root import CommandError

FORMAT = 1
MANIFEST = "manifest.json"
CHECKSUMS = "checksums.json"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    product: str
    version: str
    made_at: str
    server_version: int
    migrations: list[str]


class ArchiveWriter:
    """Writes a backup aside and gives it its name once it is complete and on the disk."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._path = path
        self._aside = path.with_name(f".{path.name}.partial")
        self._checksums: dict[str, str] = {}
        self._manifest = manifest

    def __enter__(self) -> Self:
        descriptor = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        self._add_json(MANIFEST, asdict(self._manifest))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._add_json(CHECKSUMS, self._checksums)
                self._tar.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._aside.replace(self._path)
        finally:
            self._file.close()
            self._aside.unlink(missing_ok=True)

    def add_tree(self, prefix: str, root: Path, *, without: frozenset[str] = frozenset()) -> int:
        """Add the plain files beneath `root` as `prefix/…`, leaving out the top entries named;
        returns their number.
        """
        number = 0
        for path in _files_beneath(root, without):
            try:
                source = path.open("rb")
            except FileNotFoundError:  # something temporary, gone since
                continue
            with source:
                self._add(f"{prefix}/{path.relative_to(root).as_posix()}", source)
            number += 1
        return number

    def _add_json(self, name: str, content: object) -> None:
        self._add(name, io.BytesIO(json.dumps(content, ensure_ascii=False, indent=1).encode()))

    def _add(self, name: str, source: IO[bytes]) -> None:
        member = tarfile.TarInfo(name)
        member.size = source.seek(0, io.SEEK_END)
        member.mode = 0o600
        if not isinstance(source, io.BytesIO):
            member.mtime = int(os.fstat(source.fileno()).st_mtime)
        source.seek(0)
        hashed = _Hashing(source)
        self._tar.addfile(member, hashed)
        self._checksums[name] = hashed.digest.hexdigest()


def read_manifest(path: Path) -> Manifest:
    """What the backup says of itself. Raises `CommandError` for a file that is no backup of Patron."""
    foreign = CommandError(f"{path} is not a backup of Patron.")
    try:
        with tarfile.open(path, mode="r:") as tar:
            first = tar.next()
            content = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
            if content is None:
                raise foreign
            manifest = Manifest(**json.loads(content.read()))
    except FileNotFoundError:
        raise CommandError(f"{path} does not exist.") from None
    except (tarfile.TarError, ValueError, TypeError, EOFError):
        raise foreign from None
    if manifest.product != "patron":
        raise foreign
    if manifest.format > FORMAT:
        raise CommandError(
            f"{path} was made by a newer Patron ({manifest.version}). Install that version, then restore."
        )
    return manifest


def verify(path: Path) -> None:
    """Read the whole backup and compare every part with its checksum. Raises `CommandError` when anything differs."""
    cut_short = CommandError(
        f"{path} is incomplete: it was cut short when it was written or copied. Nothing was changed."
    )
    found: dict[str, str] = {}
    recorded: dict[str, str] | None = None
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or not _is_harmless(member):
                    raise CommandError(
                        f"{path} holds “{member.name}”, which no backup of Patron does. Nothing was changed."
                    )
                if member.name == CHECKSUMS:
                    recorded = json.loads(content.read())
                else:
                    found[member.name] = _digest(content)
    except (tarfile.TarError, EOFError, ValueError, OSError):
        raise cut_short from None
    if recorded is None:
        raise cut_short
    if recorded != found:
        differing = sorted(name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name))
        raise CommandError(f"{path} is damaged (first at {differing[0]}). Use another copy. Nothing was changed.")


def extract(path: Path, target: Path) -> None:
    """Unpack a verified backup beneath `target`: plain files alone, readable by their owner."""
    with tarfile.open(path, mode="r:") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None or not _is_harmless(member):
                continue
            unpacked = target / member.name
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(unpacked, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(content, copy, _CHUNK_BYTES)
            os.utime(unpacked, (member.mtime, member.mtime))


def _files_beneath(root: Path, without: frozenset[str]) -> Iterator[Path]:
    for directory, folders, files in os.walk(root):
        here = Path(directory)
        if here == root:
            folders[:] = [name for name in folders if name not in without]
            files = [name for name in files if name not in without]
        folders.sort()
        yield from (here / name for name in sorted(files) if (here / name).is_file() and not (here / name).is_symlink())


def _is_harmless(member: tarfile.TarInfo) -> bool:
    parts = Path(member.name).parts
    return member.isfile() and not Path(member.name).is_absolute() and ".." not in parts


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A readable that keeps the digest of what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.digest.update(chunk)
        return chunk
