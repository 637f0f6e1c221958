"""Pictures of faces, drawn when somebody looks and kept by the hash of what they show.

A face that changed has another hash, so nothing kept is ever wrong; the oldest go when a folder is full. The folder
may be emptied at any time.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.files.storage import default_storage

from patron.business.cards.designs import STANDARD, DesignSpec, parse_design
from patron.business.cards.drawing.typesetting import Face, Paper, Pictures, face_png, faces_pdf, slip_of, slip_png
from patron.business.cards.models import CardDesign
from patron.business.cards.queries import CurrentCard
from patron.business.cards.rules import CardFacts, face_content

FILES_IN_FOLDER = 24
"""Of 256 folders: some 6,000 pictures of 70 kB at most."""


def face_of(card: CurrentCard) -> Face:
    """The card ready to be drawn, with its design's pictures."""
    return Face(card.content, card.design, Pictures(logo=_stored(card.logo), picture=_stored(card.picture)))


def card_png(card: CurrentCard) -> bytes:
    """The face as a picture for a screen."""
    return _kept(card.content_hash, "screen.png", lambda: face_png(face_of(card)))


def card_slip_png(card: CurrentCard, paper: Paper) -> bytes:
    """The card as a strip for a receipt printer, `paper` dots wide."""
    return _kept(card.content_hash, f"slip{paper}.png", lambda: slip_png(slip_of(card.content), paper=paper))


def cards_pdf(cards: list[CurrentCard]) -> bytes:
    """The cards for a card printer, one on a page. Not kept: it is printed once."""
    return faces_pdf([face_of(card) for card in cards])


def design_png(design: CardDesign, facts: CardFacts, *, spec: DesignSpec | None = None, ppi: int = 150) -> bytes:
    """A design on a sample member; `spec` instead of what is kept shows what is being edited. Not kept."""
    shown = spec or parse_design(design.spec)
    pictures = Pictures(logo=_stored(design.logo.name or ""), picture=_stored(design.picture.name or ""))
    return face_png(Face(face_content(shown, facts), shown, pictures), ppi=ppi)


def standard_png(facts: CardFacts, *, ppi: int = 150) -> bytes:
    """The standard design on a sample member."""
    return face_png(Face(face_content(STANDARD, facts), STANDARD), ppi=ppi)


def _stored(name: str) -> bytes:
    if not name:
        return b""
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except FileNotFoundError:  # a picture lost with a disk must not take every card with it
        return b""


def _kept(content_hash: str, ending: str, draw: Callable[[], bytes]) -> bytes:
    folder = settings.HOME / "cache" / "cards" / content_hash[:2]
    path = folder / f"{content_hash}-{ending}"
    try:
        return bytes(path.read_bytes())
    except FileNotFoundError:
        pass
    drawn = draw()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(drawn)
    Path(file.name).replace(path)  # whole or not at all, also for two who draw it at the same moment
    _forget_oldest(folder)
    return drawn


def _forget_oldest(folder: Path) -> None:
    files = list(folder.iterdir())
    if len(files) <= FILES_IN_FOLDER:
        return
    with contextlib.suppress(FileNotFoundError):  # another process forgets as well
        files.sort(key=lambda file: file.stat().st_mtime)
        for file in files[: len(files) - FILES_IN_FOLDER]:
            file.unlink(missing_ok=True)
