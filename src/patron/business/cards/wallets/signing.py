"""The certificate that signs passes: the organisation's own, or a trial one that no phone accepts.

Apple gives an organisation a certificate for each pass type. Its subject names pass type (UID) and team (OU), so
neither is configured a second time. `PATRON_PASS_CERTIFICATE` and `PATRON_PASS_KEY` are PEM files (they may be one),
`PATRON_PASS_WWDR` is Apple's intermediate certificate.
"""

import functools
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from patron.business.cards.errors import WalletNotConfigured

TRIAL_PASS_TYPE = "pass.patron.trial"  # noqa: S105 (a name)
TRIAL_NAME = "Trial passes of Patron: not accepted by Apple Wallet"
TRIAL_DAYS = 3650

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """Who signs passes. `is_trial` is a certificate made here, for tests and demonstrations."""

    certificate: x509.Certificate
    key: PrivateKey
    intermediate: x509.Certificate | None
    is_trial: bool

    @property
    def pass_type(self) -> str:
        return self._subject(NameOID.USER_ID)

    @property
    def team(self) -> str:
        return self._subject(NameOID.ORGANIZATIONAL_UNIT_NAME)

    @property
    def expires_at(self) -> datetime:
        return self.certificate.not_valid_after_utc

    def sign(self, manifest: bytes) -> bytes:
        """The detached PKCS #7 signature of a pass's manifest, DER."""
        builder = (
            pkcs7.PKCS7SignatureBuilder().set_data(manifest).add_signer(self.certificate, self.key, hashes.SHA256())
        )
        if self.intermediate is not None:
            builder = builder.add_certificate(self.intermediate)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)

    def _subject(self, oid: x509.ObjectIdentifier) -> str:
        named = self.certificate.subject.get_attributes_for_oid(oid)
        return str(named[0].value) if named else ""


def pass_identity() -> Identity:
    """The organisation's identity; the trial one where none is configured and one has been made.

    Raises WalletNotConfigured where there is neither, or where what is configured cannot be used.
    """
    if settings.PASS_CERTIFICATE:
        paths = (settings.PASS_CERTIFICATE, settings.PASS_KEY or settings.PASS_CERTIFICATE, settings.PASS_WWDR)
        try:
            return _loaded(*paths, password=settings.PASS_KEY_PASSWORD, is_trial=False)
        except (OSError, ValueError, TypeError) as error:
            raise WalletNotConfigured(
                details={"wallet": "apple", "setting": "PATRON_PASS_CERTIFICATE", "why": type(error).__name__}
            ) from error
    trial = trial_path()
    if trial.is_file():
        return _loaded(str(trial), str(trial), "", password="", is_trial=True)
    raise WalletNotConfigured(details={"wallet": "apple", "setting": "PATRON_PASS_CERTIFICATE"})


def trial_path() -> Path:
    """Where the trial identity stands once made: certificate and key in one file, for the installation alone."""
    return Path(settings.HOME) / "wallet" / "trial-pass.pem"


def make_trial_identity(*, now: datetime) -> Path:
    """Make the trial identity where there is none: passes can then be made and read, but no phone accepts them."""
    path = trial_path()
    if path.exists():
        return path
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, TRIAL_PASS_TYPE),
            x509.NameAttribute(NameOID.COMMON_NAME, TRIAL_NAME),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "TRIAL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, settings.ORGANISATION[:64]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=TRIAL_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # For its owner alone from the first moment, and whole or not at all: workers may read at the same moment.
    part = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM) + private)
    part.replace(path)
    return path


def pass_token(serial: str) -> str:
    """The secret that a pass carries and its phone sends back: of this installation, this pass, and nothing else."""
    return salted_hmac("patron.cards.pass", serial, algorithm="sha256").hexdigest()[:40]


def is_pass_token(serial: str, token: str) -> bool:
    """Whether `token` is the pass's own, in the same time whatever is wrong."""
    return constant_time_compare(pass_token(serial), token)


@functools.lru_cache(maxsize=4)
def _loaded(certificate: str, key: str, intermediate: str, *, password: str, is_trial: bool) -> Identity:
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), password.encode() or None)
    if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the key of passes is RSA or of an elliptic curve")
    return Identity(
        certificate=x509.load_pem_x509_certificate(Path(certificate).read_bytes()),
        key=loaded,
        intermediate=_certificate(Path(intermediate).read_bytes()) if intermediate else None,
        is_trial=is_trial,
    )


def _certificate(content: bytes) -> x509.Certificate:
    """Apple hands out its own as DER."""
    if content.startswith(b"-----"):
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)
