"""Setting faces and strips with typst: data in, PNG or PDF out. No network, no fonts of the machine."""

import functools
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import noto_cjk_sans_otc
import typst
from PIL import Image

from patron.business.cards.designs import DesignSpec
from patron.business.cards.drawing.codes import draw_code
from patron.business.cards.rules import FaceContent

SCREEN_PPI = 300
PRINTER_PPI = 203.2
"""Eight dots a millimetre, as receipt printers have."""

PAPERS = (384, 576)
"""Dots across the paper: of 58 mm and of 80 mm."""

Paper = Literal[384, 576]

_TYPST = Path(__file__).parent / "typst"
_BLACK_BELOW, _WHITE_ABOVE = 96, 176


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a design, as PNG."""

    logo: bytes = b""
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Face:
    """A face ready to be drawn."""

    content: FaceContent
    design: DesignSpec
    pictures: Pictures = Pictures()


@dataclass(frozen=True, slots=True)
class Slip:
    """What a strip of paper says: lines of label and text, the large ones in large type."""

    language: str
    programme: str
    name: str = ""
    tier: str = ""
    lines: Sequence[tuple[str, str, bool]] = ()
    message: str = ""
    foot: str = ""
    blocked_words: str = ""
    face: FaceContent | None = None


def face_png(face: Face, *, ppi: int = SCREEN_PPI) -> bytes:
    """The face as a picture for a screen: 1011 × 638 dots at 300 to the inch."""
    data, files = _faces([face])
    return _typeset("face.typ", data, files, file_format="png", ppi=ppi)[0]


def faces_pdf(faces: Sequence[Face]) -> bytes:
    """The faces for a card printer: a page of 85.6 × 54 mm each. Raises ValueError for none."""
    if not faces:
        raise ValueError("no cards to print")
    data, files = _faces(faces)
    return _typeset("face.typ", data, files, file_format="pdf")[0]


def slip_png(slip: Slip, *, paper: Paper) -> bytes:
    """The strip for a receipt printer: black and white, `paper` dots wide, as long as it must be."""
    dots_per_mm = PRINTER_PPI / 25.4
    data: dict[str, Any] = {
        "width_mm": paper / dots_per_mm,
        "language": slip.language,
        "programme": slip.programme,
        "name": slip.name,
        "tier": slip.tier,
        "lines": [list(line) for line in slip.lines],
        "message": slip.message,
        "foot": slip.foot,
        "blocked_words": slip.blocked_words,
        "code": "",
        "code_mm": 0,
        "code_height_mm": 0,
    }
    files: dict[str, bytes] = {}
    if slip.face is not None and not slip.face.blocked:
        code = draw_code(slip.face.code, slip.face.payload)
        # Whole dots for each module, or a scanner sees bars of two widths where there is one.
        dots = max(1, (int(paper * 0.94) if code.is_wide else int(paper * 0.42)) // code.modules)
        data |= {
            "code": "code.svg",
            "code_mm": code.modules * dots / dots_per_mm,
            "code_height_mm": 9 if code.is_wide else 0,
        }
        files["code.svg"] = code.svg
    (drawn,) = _typeset("slip.typ", data, files, file_format="png", ppi=PRINTER_PPI)
    return _black_and_white(drawn, paper)


def icon_png(letter: str, *, ground: str, ink: str, scale: int) -> bytes:
    """A square icon of 29 points, `scale` dots to the point: a letter of colour `ink` on `ground`."""
    data = {"letter": letter, "ground": ground, "ink": ink}
    return _typeset("icon.typ", data, {}, file_format="png", ppi=72 * scale)[0]


def slip_of(content: FaceContent) -> Slip:
    """The card as a strip of paper: what stands on its face, top to bottom."""
    at = {each.place: each for each in content.shown}
    return Slip(
        language=content.language,
        programme=content.programme,
        name=content.text_of("name"),
        tier=content.text_of("tier"),
        lines=[
            (each.label, each.text, each.field == "balance")
            for place in ("figure", "first", "second", "third", "corner", "headline")
            if (each := at.get(place)) is not None and each.field not in ("name", "tier", "number")
        ],
        message=content.message,
        foot=content.text_of("number"),
        blocked_words=content.blocked_words,
        face=content,
    )


def _faces(faces: Sequence[Face]) -> tuple[dict[str, Any], dict[str, bytes]]:
    files: dict[str, bytes] = {}
    described = []
    for position, face in enumerate(faces):
        content, design = face.content, face.design
        names = {"logo": "", "picture": "", "code": ""}
        is_wide = False
        if not content.blocked:
            code = draw_code(content.code, content.payload)
            is_wide = code.is_wide
            names["code"] = f"code-{position}.svg"
            files[names["code"]] = code.svg
        for kind, picture in (("logo", face.pictures.logo), ("picture", face.pictures.picture)):
            if picture:
                names[kind] = f"{kind}-{position}.svg"
                files[names[kind]] = _wrapped(picture)
        described.append(
            {
                "language": content.language,
                "programme": content.programme,
                "shown": {each.place: {"label": each.label, "text": each.text} for each in content.shown},
                "message": content.message,
                "blocked_words": content.blocked_words,
                "ground": design.ground,
                "ground_to": design.ground_to,
                "ink": design.ink,
                "accent": design.accent,
                "is_wide": is_wide,
                **names,
            }
        )
    return {"faces": described}, files


@functools.lru_cache(maxsize=16)
def _wrapped(picture: bytes) -> bytes:
    """The PNG inside an SVG: typst is given files as text."""
    width, height = Image.open(BytesIO(picture)).size
    inside = b64encode(picture).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{inside}"/></svg>'
    ).encode()


@functools.cache
def _fonts() -> typst.Fonts:
    folder = Path(noto_cjk_sans_otc.__file__).parent
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])


def _typeset(
    source: str,
    data: Mapping[str, Any],
    files: Mapping[str, bytes],
    *,
    file_format: Literal["png", "pdf"],
    ppi: float | None = None,
) -> list[bytes]:
    compiled: bytes | list[bytes] = typst.compile(  # type: ignore[call-overload]  # files in memory lack a stub
        {
            "main": (_TYPST / source).read_bytes(),
            "data.json": json.dumps(data, ensure_ascii=False).encode(),
            **files,
        },
        format=file_format,
        ppi=ppi,
        font_paths=_fonts(),
    )
    return compiled if isinstance(compiled, list) else [compiled]


def _black_and_white(drawn: bytes, paper: int) -> bytes:
    """One bit for each dot. Edges of letters are sharpened; only true greys (of pictures) are dithered."""
    picture = Image.open(BytesIO(drawn)).convert("L")
    if picture.width != paper:
        sheet = Image.new("L", (paper, picture.height), 255)
        sheet.paste(picture, (0, 0))
        picture = sheet
    span = _WHITE_ABOVE - _BLACK_BELOW
    picture = picture.point([max(0, min(255, (level - _BLACK_BELOW) * 255 // span)) for level in range(256)])
    kept = BytesIO()
    picture.convert("1", dither=Image.Dither.FLOYDSTEINBERG).save(kept, "PNG", optimize=True)
    return kept.getvalue()
