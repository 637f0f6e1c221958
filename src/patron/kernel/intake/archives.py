"""Compressed files, opened with care: what they would unpack to is measured before anything is believed."""

import gzip
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from patron.kernel.intake.errors import FileTooLarge, FileUnreadable

WORKBOOK_LIMIT = 1024**3
DATA_LIMIT = 32 * 1024**3
MAX_RATIO = 200
RATIO_FREE = 16 * 1024**2
"""Below this size the ratio does not matter: a small sheet of zeros is no bomb."""
MAX_ENTRIES = 10_000
_BLOCK = 1 << 20


def guard_workbook(path: Path) -> None:
    """Raise FileTooLarge or FileUnreadable unless the XLSX at `path` unpacks to something reasonable.

    Sizes in the directory of a ZIP file may lie, so every entry is inflated once, into nothing, with a counter.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            entries = archive.infolist()
            _guard_entries(entries, WORKBOOK_LIMIT)
            total = 0
            for entry in entries:
                total += _inflated_size(raw, entry, WORKBOOK_LIMIT - total)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FileUnreadable(
            _("This is not an intact XLSX file. Save it again in your spreadsheet program.")
        ) from error


def _guard_entries(entries: list[zipfile.ZipInfo], limit: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise FileTooLarge(_("The compressed file has too many parts."))
    if sum(entry.file_size for entry in entries) > limit:
        raise _would_unpack_to(sum(entry.file_size for entry in entries), limit)
    for entry in entries:
        _guard_ratio(entry.file_size, entry.compress_size)


def _guard_ratio(size: int, compressed: int) -> None:
    if size > RATIO_FREE and size > MAX_RATIO * max(1, compressed):
        raise FileTooLarge(
            _(
                "The compressed file would unpack to more than %(ratio)d times its size, as malicious files do. "
                "Save the data as plain CSV and import that."
            )
            % {"ratio": MAX_RATIO}
        )


def _would_unpack_to(size: int, limit: int) -> FileTooLarge:
    return FileTooLarge(
        _("The compressed file would unpack to %(size)d MB; the limit is %(limit)d MB. Import it as CSV or Parquet.")
        % {"size": size >> 20, "limit": limit >> 20}
    )


def _inflated_size(raw: BinaryIO, entry: zipfile.ZipInfo, limit: int) -> int:
    raw.seek(entry.header_offset)
    header = raw.read(30)
    raw.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if entry.compress_type == zipfile.ZIP_STORED:
        return entry.compress_size
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflate, left, size = zlib.decompressobj(-15), entry.compress_size, 0
    while left > 0 and not inflate.eof:
        block = raw.read(min(_BLOCK, left))
        if not block:
            raise zipfile.BadZipFile
        left -= len(block)
        while block:
            size += len(inflate.decompress(block, _BLOCK))
            if size > limit:
                raise _would_unpack_to(size, WORKBOOK_LIMIT)
            block = inflate.unconsumed_tail
        _guard_ratio(size, entry.compress_size)
    return size


def unpacked(path: Path, directory: Path) -> Path:
    """The one file inside a `.gz` or `.zip` (not a workbook), unpacked into `directory`; other files as they are."""
    with path.open("rb") as file:
        magic = file.read(4)
    try:
        if magic[:2] == b"\x1f\x8b":
            return _ungzip(path, directory)
        if magic == b"PK\x03\x04" and not is_workbook(path):
            return _unzip(path, directory)
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileUnreadable(_("The compressed file is damaged. Compress it again, or import it as it is.")) from error
    return path


def is_workbook(path: Path) -> bool:
    """Whether the ZIP file at `path` is an XLSX workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _ungzip(path: Path, directory: Path) -> Path:
    target = directory / (path.name.removesuffix(".gz") or "data")
    with gzip.open(path, "rb") as packed, target.open("wb") as plain:
        _copy(packed, plain, path.stat().st_size)
    return target


def _unzip(path: Path, directory: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        entries = [
            entry for entry in archive.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
        ]
        _guard_entries(entries, DATA_LIMIT)
        if len(entries) != 1:
            raise FileUnreadable(
                _("The ZIP file holds %(count)d files; it must hold one. Import them one by one.")
                % {"count": len(entries)}
            )
        target = directory / Path(entries[0].filename).name
        with archive.open(entries[0]) as packed, target.open("wb") as plain:
            _copy(packed, plain, entries[0].compress_size)
    return target


def _copy(packed: object, plain: BinaryIO, compressed: int) -> None:
    size = 0
    while block := packed.read(_BLOCK):  # type: ignore[attr-defined]
        size += len(block)
        _guard_ratio(size, compressed)
        if size > DATA_LIMIT:
            raise _would_unpack_to(size, DATA_LIMIT)
        plain.write(block)


def guard_space(directory: Path, needed: int) -> bool:
    """Whether `directory` has `needed` bytes to spare."""
    return shutil.disk_usage(directory).free > needed
