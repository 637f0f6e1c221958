"""What an integration key looks like. No Django.

A key is `pk_<prefix>_<secret>`. The prefix finds the row and may be shown; the secret has 256 bits and only its SHA-256
is kept. A slow hash would add nothing: there is no dictionary of such secrets, and each request would pay for it.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

_PREFIX_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_PREFIX_LENGTH = 10
_SECRET_BYTES = 32
_FORM = re.compile(r"pk_([a-z0-9]{10})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeySecret:
    """A key in full. Exists only while it is made and while it is checked."""

    prefix: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """A fresh random key."""
        prefix = "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(_PREFIX_LENGTH))
        return cls(prefix, secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def parse(cls, token: str) -> Self | None:
        """The key written as `token`, or None when it does not look like one."""
        match = _FORM.fullmatch(token)
        return cls(*match.groups()) if match else None

    @property
    def token(self) -> str:
        """The key as its user writes it."""
        return f"pk_{self.prefix}_{self.secret}"

    @property
    def digest(self) -> str:
        """SHA-256 of the secret, in hexadecimal."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, digest: str) -> bool:
        """Whether `digest` is of this secret, in a time that does not depend on how much of it is right."""
        return hmac.compare_digest(self.digest, digest)
