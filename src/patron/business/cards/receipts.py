"""The member's part of a receipt, as bytes for an ESC/POS printer.

Three ways to print Chinese: as a picture (every printer), or as text in the code page that the printer has: GB 18030
(simplified) or Big5 (traditional). Nothing is sent anywhere: the till has the printer.
"""

from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Literal

from escpos.printer import Dummy
from PIL import Image

from patron.business.cards.drawing.typesetting import Paper, Slip, slip_png
from patron.business.cards.rules import FaceContent
from patron.business.cards.words import number, word

Script = Literal["picture", "gb18030", "big5", "ascii"]
SCRIPTS: tuple[Script, ...] = ("picture", "gb18030", "big5", "ascii")

_DOUBLE, _PLAIN = b"\x1d!\x11", b"\x1d!\x00"
_CENTRE, _LEFT = b"\x1ba\x01", b"\x1ba\x00"
_INITIALISE = b"\x1b@"
_CHINESE, _LATIN = b"\x1c&", b"\x1c."
"""FS & and FS .: text is of the printer's Chinese code page, or is not."""

COLUMNS: dict[int, int] = {384: 32, 576: 48}
"""Characters in a line of font A (12 dots wide); a Chinese one takes two."""


@dataclass(frozen=True, slots=True)
class PointsOfSale:
    """What a purchase did to the member's points."""

    before: Decimal
    earned: Decimal = Decimal(0)
    used: Decimal = Decimal(0)

    @property
    def after(self) -> Decimal:
        return self.before + self.earned - self.used


def receipt(
    content: FaceContent, points: PointsOfSale | None = None, *, paper: Paper = 576, script: Script = "picture"
) -> bytes:
    """Name, points before and after, the message and the code to scan, then a cut.

    `content` is the face after the purchase. Characters that the printer's code page lacks are printed as `?`.
    """
    slip = _slip(content, points)
    printer = Dummy()
    printer._raw(_INITIALISE)
    if script == "picture":
        with Image.open(BytesIO(slip_png(slip, paper=paper))) as picture:
            printer.image(picture, impl="bitImageRaster")
    else:
        printer._raw(_text(slip, paper, script))
        if not content.blocked:
            printer._raw(_CENTRE)
            if content.code == "qr":
                printer.qr(content.payload, native=True, size=6)
            else:
                printer._raw(_code128(content.payload))
            printer._raw(b"\n" + _LEFT)
    printer.cut()
    return bytes(printer.output)


def _slip(content: FaceContent, points: PointsOfSale | None) -> Slip:
    language = content.language
    lines: list[tuple[str, str, bool]] = []
    if points is not None:
        lines.append((word("before", language), number(points.before), False))
        if points.earned:
            lines.append(
                (word("earned", language), f"{'+' if points.earned > 0 else '−'}{number(abs(points.earned))}", False)
            )
        if points.used:
            lines.append((word("used", language), f"−{number(points.used)}", False))
        lines.append((word("after", language), number(points.after), True))
    lines += [
        (each.label, each.text, each.field == "balance")
        for each in content.shown
        if each.field not in ("name", "tier", "number", "joined")
        and not (points is not None and each.field == "balance")
    ]
    return Slip(
        language=language,
        programme=content.programme,
        name=content.text_of("name"),
        tier=content.text_of("tier"),
        lines=lines,
        message=content.message,
        foot=content.text_of("number"),
        blocked_words=content.blocked_words,
        face=content,
    )


def _text(slip: Slip, paper: Paper, script: Script) -> bytes:
    """The strip in the printer's own letters."""
    columns = COLUMNS[paper]
    said = [_LATIN if script == "ascii" else _CHINESE, _CENTRE, _DOUBLE, _in(slip.programme, script), _PLAIN]
    for line in (" · ".join(part for part in (slip.name, slip.tier) if part), slip.blocked_words):
        said += [_in(line, script)] if line else []
    said += [_LEFT, b"-" * columns + b"\n"]
    said += [_in(_spread(label, text, columns), script) for label, text, _large in slip.lines]
    said += [b"-" * columns + b"\n", _CENTRE]
    said += [_in(line, script) for line in (slip.message, slip.foot) if line]
    return b"".join([*said, _LEFT, _LATIN])


def _in(text: str, script: Script) -> bytes:
    """One line. Control characters are left out: a name must not give the printer orders."""
    plain = "".join(letter for letter in text.replace("−", "-").replace("·", "-") if letter.isprintable())
    return plain.encode(script, errors="replace") + b"\n"


def _spread(label: str, text: str, columns: int) -> str:
    """Label to the left, text to the right; a Chinese character counts two."""
    room = columns - _columns(label) - _columns(text)
    return f"{label}{' ' * max(1, room)}{text}"


def _columns(text: str) -> int:
    return sum(1 if ord(letter) < 0x2E80 else 2 for letter in text)


def _code128(payload: str) -> bytes:
    """GS h, GS w, GS H, GS k 73: Code 128, beginning in set B, with the number below."""
    data = b"{B" + payload.encode("ascii")
    return b"\x1dh\x50\x1dw\x02\x1dH\x02" + b"\x1dk\x49" + bytes([len(data)]) + data
