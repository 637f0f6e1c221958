"""Which encoding a file of bytes is in: decided from a sample, shown to the user, who may overrule it.

UTF-8 and UTF-16 show themselves by their form. Big5 and GB18030 share most of their bytes, but not where their common
characters lie: Big5 keeps its 5,401 frequent characters under lead bytes A4–C6 with second bytes 40–7E and A1–FE,
GB 2312 keeps its 3,755 under B0–D7 with second bytes A1–FE only. Text of one, read as the other, leaves those areas.
"""

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

CHOICES = ("utf-8", "big5hkscs", "cp950", "gb18030", "utf-16", "cp1252", "shift_jis", "euc_kr")
"""What a user may choose by hand."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FREQUENT_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Detected:
    """An encoding by its Python name. `sure` is False where another would fit nearly as well."""

    encoding: str
    sure: bool


def normal_name(encoding: str) -> str:
    """The name that the engine uses for `encoding`. Raises LookupError for one that Python does not know."""
    name = codecs.lookup(encoding).name.replace("_", "-")
    return {
        "utf-8-sig": "utf-8",
        "ascii": "utf-8",
        "big5": "cp950",
        "gbk": "gb18030",
        "gb2312": "gb18030",
        "utf-16-le": "utf-16le",
        "utf-16-be": "utf-16be",
        "shift-jis": "shift_jis",
        "euc-kr": "euc_kr",
    }.get(name, name)


def detect(sample: bytes) -> Detected:
    """The encoding of `sample`, which may end in the middle of a character."""
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return Detected(encoding, sure=True)
    if sample and (wide := _wide_without_mark(sample)):
        return Detected(wide, sure=True)
    if is_utf8(sample):
        return Detected("utf-8", sure=True)
    return _chinese(sample) or _western(sample) or _best_guess(sample)


def is_utf8(sample: bytes) -> bool:
    """Whether `sample` is UTF-8, but for a character cut off at its end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _wide_without_mark(sample: bytes) -> str:
    """UTF-16 without a mark: a table is full of separators and digits, whose upper byte is zero."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd / half > 0.2 and odd > 4 * even:
        return "utf-16le"
    if even / half > 0.2 and even > 4 * odd:
        return "utf-16be"
    return ""


def _pairs(sample: bytes) -> tuple[list[tuple[int, int]], int]:
    """Two-byte characters as both encodings would cut them, and high bytes that stand alone."""
    pairs, alone, i, end = [], 0, 0, len(sample) - 1
    while i < end:
        lead = sample[i]
        if lead < 0x80:
            i += 1
        elif sample[i + 1] >= 0x40 and lead > 0x80:
            pairs.append((lead, sample[i + 1]))
            i += 2
        else:
            alone += 1
            i += 1
    return pairs, alone


def _chinese(sample: bytes) -> Detected | None:
    pairs, alone = _pairs(sample)
    if not pairs or alone > len(pairs) // 10:
        return None
    big5 = sum(0xA4 <= a <= 0xC6 and (0x40 <= b <= 0x7E or b >= 0xA1) for a, b in pairs) / len(pairs)
    gb = sum(0xB0 <= a <= 0xD7 and b >= 0xA1 for a, b in pairs) / len(pairs)
    punctuation = sum(0xA1 <= a <= 0xA3 for a, b in pairs) / len(pairs)
    best = max(big5, gb)
    if best + punctuation < _FREQUENT_SHARE:
        return None
    sure = abs(big5 - gb) > 0.1
    if gb > big5 and _decodes(sample, "gb18030"):
        return Detected("gb18030", sure=sure)
    encoding = "cp950" if _decodes(sample, "cp950") else "big5hkscs"
    return Detected(encoding, sure=sure)


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _western(sample: bytes) -> Detected | None:
    """A few high bytes, each among plain letters: £, é, ü of a Western export."""
    high = sum(byte >= 0x80 for byte in sample)
    lone = sum(
        byte >= 0x80 and (i == 0 or sample[i - 1] < 0x80) and (i + 1 == len(sample) or sample[i + 1] < 0x80)
        for i, byte in enumerate(sample)
    )
    return Detected("cp1252", sure=False) if lone > 0.7 * high and _decodes(sample, "cp1252") else None


def _best_guess(sample: bytes) -> Detected:
    best = from_bytes(sample[:65536]).best()
    return Detected(normal_name(best.encoding) if best else "gb18030", sure=False)
