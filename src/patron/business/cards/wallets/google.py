"""A card as a link that saves it to Google Wallet: a signed JSON web token, made without asking anybody's server.

The class of the card (its look) is made once in Google's console; `PATRON_GOOGLE_WALLET_CLASS` is its id
(`<issuer>.<name>`), `PATRON_GOOGLE_WALLET_KEY` the file of the service account's key. Google, "Loyalty cards",
"Issuing passes with JWT"; RFC 7515, RFC 7519.
"""

import functools
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from patron.business.cards.errors import WalletNotConfigured
from patron.business.cards.queries import CurrentCard

SAVE = "https://pay.google.com/gp/v/save/"
_KINDS = {"qr": "QR_CODE", "code128": "CODE_128", "ean13": "EAN_13"}
_LANGUAGES = {"en": "en", "zh-hant": "zh-Hant", "zh-hans": "zh-Hans"}


@dataclass(frozen=True)
class ServiceAccount:
    """Who signs the links."""

    email: str
    key_id: str
    key: rsa.RSAPrivateKey


def google_account() -> ServiceAccount:
    """The house's service account. Raises WalletNotConfigured."""
    path = settings.GOOGLE_WALLET_KEY
    if not path or not settings.GOOGLE_WALLET_CLASS:
        raise WalletNotConfigured(details={"wallet": "google", "setting": "PATRON_GOOGLE_WALLET_KEY"})
    try:
        return _loaded(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WalletNotConfigured(
            details={"wallet": "google", "setting": "PATRON_GOOGLE_WALLET_KEY", "why": type(error).__name__}
        ) from error


def save_link(card: CurrentCard, account: ServiceAccount, *, now: datetime) -> str:
    """The address that adds the card to the wallet of whoever opens it. The card must have been handed out."""
    claims = {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(now.timestamp()),
        "origins": [settings.PUBLIC_ADDRESS] if settings.PUBLIC_ADDRESS else [],
        "payload": {"loyaltyObjects": [loyalty_object(card)]},
    }
    header = {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    signed = f"{_part(header)}.{_part(claims)}"
    signature = account.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{SAVE}{signed}.{_encoded(signature)}"


def loyalty_object(card: CurrentCard) -> dict[str, Any]:
    """The card in Google's words. A blocked card is `INACTIVE`, without a code to scan."""
    if card.kept is None:
        raise ValueError("a card gets its serial number when it is handed out")
    content = card.content
    issuer = settings.GOOGLE_WALLET_CLASS.partition(".")[0]
    said: dict[str, Any] = {
        "id": f"{issuer}.{card.kept.serial}",
        "classId": settings.GOOGLE_WALLET_CLASS,
        "state": "INACTIVE" if content.blocked else "ACTIVE",
        "accountId": content.payload,
        "accountName": content.text_of("name"),
        "textModulesData": [
            {"id": each.field, "header": each.label, "body": each.text}
            for each in content.shown
            if each.field not in ("balance", "name", "number")
        ],
        "hexBackgroundColor": card.design.ground,
    }
    balance = next((each for each in content.shown if each.field == "balance"), None)
    if balance is not None:
        said["loyaltyPoints"] = {
            "localizedLabel": {"defaultValue": {"language": _LANGUAGES[content.language], "value": balance.label}},
            "balance": {"string": balance.text},
        }
    if content.message:
        said["messages"] = [{"id": content.occasion, "body": content.message}]
    if not content.blocked:
        said["barcode"] = {"type": _KINDS[content.code], "value": content.payload, "alternateText": content.payload}
    return said


@functools.lru_cache(maxsize=2)
def _loaded(path: str) -> ServiceAccount:
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    key = serialization.load_pem_private_key(given["private_key"].encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key of a service account is RSA")
    return ServiceAccount(email=given["client_email"], key_id=given.get("private_key_id", ""), key=key)


def _part(value: object) -> str:
    return _encoded(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
