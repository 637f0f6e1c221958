"""Pictures, pages and codes: what comes out is of the right size, not blank, and can be scanned."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import segno
from PIL import Image

from patron.business.cards.designs import STANDARD
from patron.business.cards.drawing.codes import draw_code
from patron.business.cards.drawing.typesetting import Face, Paper, Pictures, face_png, faces_pdf, slip_of, slip_png
from patron.business.cards.receipts import SCRIPTS, PointsOfSale, Script, receipt
from patron.business.cards.rules import FaceContent, face_content
from patron.business.cards.tests.test_rules import CHAN

CONTENT = face_content(STANDARD, CHAN)
BARS = face_content(replace(STANDARD, code="code128"), CHAN)


def _opened(png: bytes) -> Image.Image:
    picture = Image.open(BytesIO(png))
    picture.load()
    return picture


def _dark_rows(picture: Image.Image, left: int, top: int, modules: int, pitch: float) -> list[str]:
    """The modules of a code as a camera would sample them: at the middle of each."""
    dots = picture.convert("1", dither=Image.Dither.NONE)
    return [
        "".join(
            "0" if dots.getpixel((int(left + (x + 0.5) * pitch), int(top + (y + 0.5) * pitch))) else "1"
            for x in range(modules)
        )
        for y in range(modules)
    ]


def test_the_face_is_a_picture_of_a_card_and_its_code_can_be_scanned() -> None:
    picture = _opened(face_png(Face(CONTENT, STANDARD)))

    assert picture.size == (1011, 638)
    assert len(picture.convert("RGB").getcolors(maxcolors=1_000_000) or ()) > 100
    code = segno.make(CHAN.number, error="m", micro=False, boost_error=True)
    expected = ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
    dots = 300 / 25.4
    left, top, side = (85.6 - 5 - 1.5 - 15.6) * dots, (54 - 5 - 1.5 - 15.6) * dots, 15.6 * dots
    assert _dark_rows(picture, round(left), round(top), len(expected), side / len(expected)) == expected


def test_chinese_names_are_drawn_and_not_as_boxes() -> None:
    one, other = (
        face_png(Face(face_content(STANDARD, replace(CHAN, name=name)), STANDARD)) for name in ("陳大文", "歐陽美")
    )

    assert one != other


def test_a_blocked_card_has_no_code() -> None:
    blocked = face_content(STANDARD, replace(CHAN, blocked=True))

    picture = _opened(face_png(Face(blocked, STANDARD))).convert("L")

    bright = picture.crop((740, 360, 950, 570)).histogram()[200:]
    assert sum(bright) == 0  # nothing white where the code would stand


@pytest.mark.parametrize("paper", [384, 576])
def test_a_slip_is_black_and_white_and_as_wide_as_the_paper(paper: Paper) -> None:
    picture = _opened(slip_png(slip_of(CONTENT), paper=paper))

    assert (picture.mode, picture.width) == ("1", paper)
    black = picture.histogram()[0]
    assert 0.03 < black / (picture.width * picture.height) < 0.4


def test_cards_are_printed_one_on_a_page_of_their_size() -> None:
    pdf = faces_pdf([Face(CONTENT, STANDARD)] * 3)

    assert pdf.startswith(b"%PDF-")
    boxes = re.findall(rb"/MediaBox\s*\[\s*([\d. ]+)\]", pdf)
    assert len(boxes) == 3
    assert [round(float(side) / 72 * 25.4, 1) for side in boxes[0].split()] == [0, 0, 85.6, 54]
    with pytest.raises(ValueError, match="no cards"):
        faces_pdf([])


def test_pictures_of_the_design_are_drawn() -> None:
    kept = BytesIO()
    Image.new("RGB", (200, 100), "#c81e1e").save(kept, "PNG")
    logo = kept.getvalue()

    plain, with_logo = (
        _opened(face_png(Face(CONTENT, STANDARD, pictures))).convert("RGB")
        for pictures in (Pictures(), Pictures(logo=logo))
    )

    assert with_logo.getpixel((80, 100)) == (200, 30, 30)
    assert plain.getpixel((80, 100)) != (200, 30, 30)


def test_bars_are_those_of_code_128() -> None:
    drawn = draw_code("code128", "8800000000000013")

    path = ET.fromstring(drawn.svg)[0].attrib["d"]  # noqa: S314 (our own)
    assert drawn.is_wide
    assert (drawn.modules - 13) % 11 == 0  # every character has 11 modules, the stop 13
    assert path.startswith("M0 0h2v40h-2z")  # start characters begin with two dark modules


def test_a_code_holds_something() -> None:
    with pytest.raises(ValueError, match="nothing"):
        draw_code("qr", "")


def test_a_receipt_as_a_picture_is_one_raster_and_a_cut() -> None:
    printed = receipt(CONTENT, PointsOfSale(before=Decimal(3292), earned=Decimal(128)), paper=384)

    assert printed.startswith(b"\x1b@\x1dv0\x00" + bytes([384 // 8, 0]))
    assert printed.endswith(b"\x1dV\x00")


def test_a_receipt_in_letters_says_name_points_message_and_code() -> None:
    printed = receipt(
        CONTENT, PointsOfSale(before=Decimal(3320), earned=Decimal(128), used=Decimal(28)), paper=384, script="big5"
    )

    assert printed.startswith(b"\x1b@\x1c&")
    for text in ("貴客會", "陳大文 - 金卡", "多謝" if CONTENT.occasion == "default" else "您有 200 分"):
        assert text.encode("big5") in printed
    lines = [line.decode("big5", errors="ignore") for line in printed.split(b"\n")]
    assert "現有積分" + " " * 19 + "3,420" in lines
    assert "本次積分" + " " * 20 + "+128" in lines
    assert b"\x1d(k" in printed  # the printer draws the QR code itself
    assert b"1P08800000000000013" in printed
    assert printed.endswith(b"\x1dV\x00")


def test_a_receipt_can_be_in_simplified_letters_with_bars() -> None:
    content = face_content(replace(STANDARD, code="code128"), replace(CHAN, language="zh-hans", on=date(2026, 1, 1)))

    printed = receipt(content, paper=576, script="gb18030")

    assert "谢谢光临！".encode("gb18030") in printed
    assert b"\x1dkI\x12{B8800000000000013" in printed


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_name_stops_a_receipt(script: Script) -> None:
    content: FaceContent = face_content(STANDARD, replace(CHAN, name="陳大文 🎂 Ćwik \x1b@", blocked=True))

    printed = receipt(content, script=script)

    assert printed.count(b"\x1b@") == 1  # a name gives the printer no orders
    assert b"\x1d(k" not in printed
