"""From one URL to Django's database settings."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from patron.kernel.embedded import default_url


def database_url(home: Path) -> str:
    """`PATRON_DATABASE_URL`, or the embedded server of this home."""
    return os.environ.get("PATRON_DATABASE_URL") or default_url(home)


def database_settings(home: Path) -> dict[str, Any]:
    """Django's settings for `database_url`: postgresql://user:password@host:port/name?host=/socket/dir&sslmode=…

    Raises ValueError for another scheme: Patron runs on PostgreSQL only.
    """
    url = urlsplit(database_url(home))
    if url.scheme not in {"postgresql", "postgres"}:
        raise ValueError("PATRON_DATABASE_URL must begin with postgresql:// — Patron runs on PostgreSQL only")
    options: dict[str, Any] = dict(parse_qsl(url.query))
    host = options.pop("host", None) or unquote(url.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")) or "patron",
        "USER": unquote(url.username or options.pop("user", "")),
        "PASSWORD": unquote(url.password or ""),
        "HOST": host,
        "PORT": str(url.port or options.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"application_name": "patron", **options},
        "TEST": {"NAME": os.environ.get("PATRON_TEST_DATABASE_NAME") or None},
    }
