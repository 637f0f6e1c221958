"""The codes that a till scans, as SVG: QR (ISO/IEC 18004), Code 128 and EAN-13."""

from dataclasses import dataclass
from itertools import groupby

import segno
from barcode.codex import Code128
from barcode.ean import EuropeanArticleNumber13

from patron.business.cards.designs import CodeKind

BARS_HIGH = 40


@dataclass(frozen=True, slots=True)
class Drawn:
    """A code as SVG, `modules` wide. `is_wide` for bars, which are stretched to any height."""

    svg: bytes
    modules: int
    is_wide: bool


def draw_code(kind: CodeKind, payload: str) -> Drawn:
    """The code without its quiet zone: whoever places it leaves white around it. Raises ValueError."""
    if not payload:
        raise ValueError("nothing to write into a code")
    if kind == "qr":
        code = segno.make(payload, error="m", micro=False, boost_error=True)
        rows = ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
        return Drawn(_svg(rows, tall=1), len(rows), is_wide=False)
    bars = (EuropeanArticleNumber13(payload) if kind == "ean13" else Code128(payload)).build()[0]
    row = "".join("0" if module == "0" else "1" for module in bars).strip("0")
    return Drawn(_svg([row], tall=BARS_HIGH), len(row), is_wide=True)


def _svg(rows: list[str], *, tall: int) -> bytes:
    """Black on nothing, one rectangle for each run of dark modules."""
    width, height = len(rows[0]), len(rows) * tall
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'preserveAspectRatio="none" shape-rendering="crispEdges"><path fill="#000" d="'
    )
    parts = [head]
    for y, row in enumerate(rows):
        x = 0
        for module, run in groupby(row):
            length = len(list(run))
            if module == "1":
                parts.append(f"M{x} {y * tall}h{length}v{tall}h-{length}z")
            x += length
    return "".join([*parts, '"/></svg>']).encode()
