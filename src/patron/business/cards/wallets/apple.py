"""A card as an Apple Wallet pass (`.pkpass`): a store card, signed.

The format: pass.json and pictures, a manifest of their SHA-1 digests, and a detached signature of the manifest, in one
ZIP file (Apple, "Wallet Passes"). Where the installation has a public address the pass names it, and the phone asks
there for changes.
"""

import functools
import hashlib
import json
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from PIL import Image

from patron.business.cards.drawing.keeping import face_of
from patron.business.cards.drawing.typesetting import Face, Pictures, icon_png
from patron.business.cards.queries import CurrentCard
from patron.business.cards.rules import FaceContent, Shown
from patron.business.cards.wallets.signing import Identity, pass_token
from patron.business.cards.words import word

MEDIA_TYPE = "application/vnd.apple.pkpass"
UPDATES = "/api/v1/passes"
"""Below this address of the installation phones ask for changes; Apple's paths begin with `v1/`."""

_FORMATS = {"qr": "PKBarcodeFormatQR", "code128": "PKBarcodeFormatCode128", "ean13": "PKBarcodeFormatCode128"}
_SCALES = (1, 2, 3)
_LOGO_POINTS = (160, 50)
_STRIP_POINTS = (375, 123)
_ENDINGS = {1: "", 2: "@2x", 3: "@3x"}


def pkpass(card: CurrentCard, identity: Identity) -> bytes:
    """The signed pass. The card must have been handed out: its serial number names the pass."""
    files = {"pass.json": json.dumps(pass_json(card, identity), ensure_ascii=False, indent=1).encode()}
    files |= _pictures(face_of(card))
    manifest = json.dumps(
        {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    ).encode()
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as bundle:
        for name, content in {**files, "manifest.json": manifest, "signature": identity.sign(manifest)}.items():
            bundle.writestr(ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return written.getvalue()


def pass_json(card: CurrentCard, identity: Identity) -> dict[str, Any]:
    """What the pass says. A blocked card is `voided`, without a code to scan."""
    if card.kept is None:
        raise ValueError("a card gets its serial number when it is handed out")
    content, design, serial = card.content, card.design, str(card.kept.serial)
    said: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": identity.pass_type,
        "teamIdentifier": identity.team,
        "serialNumber": serial,
        "organizationName": settings.ORGANISATION,
        "description": content.programme,
        "logoText": content.programme,
        "backgroundColor": _rgb(design.ground),
        "foregroundColor": _rgb(design.ink),
        "labelColor": _rgb(design.accent),
        "sharingProhibited": True,
        "voided": content.blocked,
        "storeCard": _fields(content, is_trial=identity.is_trial),
    }
    if not content.blocked:
        said["barcodes"] = [
            {
                "format": _FORMATS[content.code],
                "message": content.payload,
                "messageEncoding": "iso-8859-1",
                "altText": card.facts.number,
            }
        ]
    if settings.PUBLIC_ADDRESS.startswith("https://"):
        said |= {"webServiceURL": settings.PUBLIC_ADDRESS + UPDATES, "authenticationToken": pass_token(serial)}
    return said


def _fields(content: FaceContent, *, is_trial: bool) -> dict[str, list[dict[str, str]]]:
    at = {each.place: each for each in content.shown}
    front = {
        "headerFields": [at[place] for place in ("corner",) if place in at],
        "primaryFields": [at[place] for place in ("figure",) if place in at],
        "secondaryFields": [at[place] for place in ("headline", "first") if place in at],
        "auxiliaryFields": [at[place] for place in ("second", "third") if place in at],
    }
    shown = {name: [_field(each) for each in fields] for name, fields in front.items() if fields}
    back = [_field(at["foot"])] if "foot" in at else []
    if content.message:
        said = {"key": "message", "label": word("message", content.language), "value": content.message}
        back.insert(0, {**said, "changeMessage": "%@"})
    if is_trial:
        back.append({"key": "trial", "label": "Trial", "value": "Signed for trials only: no phone accepts this pass."})
    return shown | {"backFields": back}


def _field(shown: Shown) -> dict[str, str]:
    field = {"key": shown.field, "label": shown.label, "value": shown.text}
    # The phone shows this on its locked screen when the value changed.
    return {**field, "changeMessage": f"{shown.label}: %@"} if shown.field == "balance" else field


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


def _pictures(face: Face) -> dict[str, bytes]:
    letter = next((each for each in face.content.programme if not each.isspace()), "P")
    return _icons(letter, face.design.ground, face.design.ink) | _sized(face.pictures)


@functools.lru_cache(maxsize=64)
def _icons(letter: str, ground: str, ink: str) -> dict[str, bytes]:
    return {f"icon{_ENDINGS[scale]}.png": icon_png(letter, ground=ground, ink=ink, scale=scale) for scale in _SCALES}


@functools.lru_cache(maxsize=16)
def _sized(pictures: Pictures) -> dict[str, bytes]:
    """The design's own pictures in the three sizes of phones."""
    sized = {}
    for scale in _SCALES:
        for name, picture, (width, height) in (
            ("logo", pictures.logo, _LOGO_POINTS),
            ("strip", pictures.picture, _STRIP_POINTS),
        ):
            if picture:
                drawn = Image.open(BytesIO(picture))
                drawn.thumbnail((width * scale, height * scale))
                kept = BytesIO()
                drawn.save(kept, "PNG")
                sized[f"{name}{_ENDINGS[scale]}.png"] = kept.getvalue()
    return sized
