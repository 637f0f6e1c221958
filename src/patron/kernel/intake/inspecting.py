"""One quick pass over the bytes of a file: its digest, a telling sample, and whether the fast reader may have it."""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 4 << 20
_SAMPLE = 256 << 10
_AROUND = 2 << 10


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the bytes say. `sample` begins with the file's start and goes on with places that are not plain ASCII.

    `tidy` says that the file is UTF-8 throughout, without blank lines or NUL bytes: the vectorised reader numbers its
    rows as a spreadsheet would.
    """

    sha256: str
    size: int
    sample: bytes
    tidy: bool


def inspect(path: Path) -> FileFacts:
    """Read the file at `path` once."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    size, tidy, sample, tail = 0, True, b"", b""
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            if size == 0:
                sample = block[: _SAMPLE // 2]
            elif len(sample) < _SAMPLE and not block.isascii():
                sample = _whole_lines(sample) + _telling_part(block)
            size += len(block)
            if tidy:
                joined = tail + block
                tidy = not (b"\n\n" in joined or b"\n\r" in joined or b"\r\r" in joined or b"\0" in block)
                tail = block[-2:]
            if tidy:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    tidy = False
    return FileFacts(sha256=digest.hexdigest(), size=size, sample=sample[:_SAMPLE], tidy=tidy and size > 0)


def _whole_lines(sample: bytes) -> bytes:
    """`sample` up to its last line end: what is put behind it must not follow half a character."""
    return sample[: sample.rfind(b"\n") + 1] or sample


def _telling_part(block: bytes) -> bytes:
    """The lines around the first bytes of `block` that are not ASCII. A block begins in the middle of a line."""
    first = next(i for i in range(0, len(block), _AROUND) if not block[i : i + _AROUND].isascii())
    start = block.rfind(b"\n", 0, first) + 1 or block.find(b"\n") + 1
    return block[start : start + 8 * _AROUND]
