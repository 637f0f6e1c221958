"""Passes and links: everything in them is as the wallets' makers describe, and the signatures hold."""

import hashlib
import json
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from PIL import Image

from patron.business.cards.errors import WalletNotConfigured
from patron.business.cards.health import certificate_seconds
from patron.business.cards.operations import (
    activate_design,
    hand_out_card,
    replace_member_card,
    set_design_picture,
)
from patron.business.cards.queries import CurrentCard, card_of_pass
from patron.business.cards.testing import make_design
from patron.business.cards.tests.test_designs import make_picture
from patron.business.cards.wallets import signing
from patron.business.cards.wallets.apple import pass_json, pkpass
from patron.business.cards.wallets.google import SAVE, google_account, save_link
from patron.business.cards.wallets.signing import Identity, make_trial_identity, pass_identity, pass_token
from patron.business.loyalty.models import Membership
from patron.business.loyalty.testing import make_member
from patron.business.purchases.testing import make_purchase
from patron.core.accounts.testing import NOW
from patron.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def identity(tmp_path: Path, settings) -> Iterator[Identity]:
    """The trial identity of a house without a certificate."""
    settings.HOME = tmp_path
    make_trial_identity(now=NOW)
    signing._loaded.cache_clear()
    yield pass_identity()
    signing._loaded.cache_clear()


@pytest.fixture
def card() -> CurrentCard:
    member = make_member()
    make_purchase(member.customer, occurred_at=NOW)
    return hand_out_card(member, actor=SYSTEM, now=NOW)


def _files(bundle: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(bundle)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def _is_signed(manifest: bytes, signature: bytes, identity: Identity, folder: Path) -> bool:
    """Whether OpenSSL, which shares no code with us, takes the signature for the manifest's."""
    trusted = identity.certificate.public_bytes(serialization.Encoding.PEM)
    for name, content in (("manifest", manifest), ("signature", signature), ("trusted.pem", trusted)):
        (folder / name).write_bytes(content)
    done = subprocess.run(
        ["openssl", "smime", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest", "-binary",
         "-CAfile", "trusted.pem", "-purpose", "any", "-no_check_time"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0 and done.stdout == manifest


def test_every_file_of_a_pass_is_in_the_signed_manifest(card: CurrentCard, identity: Identity, tmp_path: Path) -> None:
    files = _files(pkpass(card, identity))

    manifest = json.loads(files["manifest.json"])
    assert manifest == {
        name: hashlib.sha1(content, usedforsecurity=False).hexdigest()
        for name, content in files.items()
        if name not in ("manifest.json", "signature")
    }
    assert {"pass.json", "icon.png", "icon@2x.png", "icon@3x.png"} <= set(manifest)
    assert _is_signed(files["manifest.json"], files["signature"], identity, tmp_path)
    assert not _is_signed(files["manifest.json"] + b" ", files["signature"], identity, tmp_path)


def test_a_pass_says_what_the_face_says(card: CurrentCard, identity: Identity, settings) -> None:
    settings.PUBLIC_ADDRESS = "https://club.example.com"

    said = pass_json(card, identity)

    assert card.kept is not None
    serial = str(card.kept.serial)
    assert (said["serialNumber"], said["voided"], said["passTypeIdentifier"]) == (serial, False, "pass.patron.trial")
    assert said["storeCard"]["primaryFields"][0]["value"] == card.content.text_of("balance") == "63"
    assert said["barcodes"][0] | {"altText": ""} == {
        "format": "PKBarcodeFormatQR",
        "message": card.facts.number,
        "messageEncoding": "iso-8859-1",
        "altText": "",
    }
    assert said["webServiceURL"] == "https://club.example.com/api/v1/passes"
    assert said["authenticationToken"] == pass_token(serial)
    assert len(said["authenticationToken"]) >= 16  # Apple's least
    assert said["storeCard"]["backFields"][-1]["key"] == "trial"


def test_a_pass_without_a_public_address_asks_nobody(card: CurrentCard, identity: Identity, settings) -> None:
    settings.PUBLIC_ADDRESS = "http://localhost:8000"

    assert not {"webServiceURL", "authenticationToken"} & set(pass_json(card, identity))


def test_the_pass_of_a_lost_card_is_void(card: CurrentCard, identity: Identity) -> None:
    assert card.kept is not None
    replace_member_card(Membership.objects.get(pk=card.membership_id), lost=True, actor=SYSTEM, now=NOW)

    said = pass_json(card_of_pass(str(card.kept.serial), now=NOW), identity)

    assert said["voided"] is True
    assert "barcodes" not in said


def test_a_design_gives_the_pass_its_pictures_and_colours(identity: Identity) -> None:
    member = make_member()
    design = make_design(member.programme, active=False, ground="#7a1f3d", code="code128")
    design = set_design_picture(design, "picture", make_picture(), actor=SYSTEM, now=NOW)
    activate_design(design, actor=SYSTEM, now=NOW)

    files = _files(pkpass(hand_out_card(member, actor=SYSTEM, now=NOW), identity))

    said = json.loads(files["pass.json"])
    assert (said["backgroundColor"], said["barcodes"][0]["format"]) == ("rgb(122, 31, 61)", "PKBarcodeFormatCode128")
    with Image.open(BytesIO(files["strip@2x.png"])) as strip:
        assert strip.size == (738, 246)
    with Image.open(BytesIO(files["icon@3x.png"])) as icon:
        assert icon.size == (87, 87)


def test_without_a_certificate_no_pass_is_promised(tmp_path: Path, settings) -> None:
    settings.HOME = tmp_path

    with pytest.raises(WalletNotConfigured) as refused:
        pass_identity()

    assert refused.value.details == {"wallet": "apple", "setting": "PATRON_PASS_CERTIFICATE"}
    settings.PASS_CERTIFICATE = str(tmp_path / "missing.pem")
    with pytest.raises(WalletNotConfigured):
        pass_identity()


def test_the_houses_own_certificate_signs(identity: Identity, card: CurrentCard, settings, tmp_path: Path) -> None:
    settings.PASS_CERTIFICATE = str(signing.trial_path())

    own = pass_identity()

    assert (own.is_trial, own.team, own.pass_type) == (False, "TRIAL", "pass.patron.trial")
    assert "trial" not in {field["key"] for field in pass_json(card, own)["storeCard"]["backFields"]}
    assert 0 < certificate_seconds()[""] <= signing.TRIAL_DAYS * 86_400
    assert oct(signing.trial_path().stat().st_mode & 0o777) == "0o600"


def test_a_google_link_carries_the_card_signed(card: CurrentCard, settings, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "google.json"
    file.write_text(
        json.dumps({"client_email": "cards@club.example", "private_key_id": "k1", "private_key": private.decode()})
    )
    settings.GOOGLE_WALLET_KEY, settings.GOOGLE_WALLET_CLASS = str(file), "338800.club"

    link = save_link(card, google_account(), now=NOW)

    assert link.startswith(SAVE)
    head, body, signature = link.removeprefix(SAVE).split(".")
    key.public_key().verify(_decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(_decoded(body))
    assert json.loads(_decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (claims["iss"], claims["aud"], claims["typ"], claims["iat"]) == (
        "cards@club.example", "google", "savetowallet", int(NOW.timestamp()),
    )  # fmt: skip
    [said] = claims["payload"]["loyaltyObjects"]
    assert card.kept is not None
    assert (said["id"], said["classId"], said["state"]) == (f"338800.{card.kept.serial}", "338800.club", "ACTIVE")
    assert said["loyaltyPoints"]["balance"] == {"string": "63"}
    assert said["barcode"]["value"] == card.facts.number


def test_without_a_service_account_google_is_not_offered() -> None:
    with pytest.raises(WalletNotConfigured) as refused:
        google_account()

    assert refused.value.status == 404
    assert refused.value.details["wallet"] == "google"


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
