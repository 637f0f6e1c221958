"""What a command needs around it: the home, a running database, Django.

Django is imported only inside the functions.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from patron.config.cli.root import CommandError
from patron.config.home import home_directory
from patron.kernel.embedded import EmbeddedServer

URL_VARIABLE = "PATRON_DATABASE_URL"


def embedded_server(home: Path) -> EmbeddedServer | None:
    """The home's own server, or `None` where PATRON_DATABASE_URL names another."""
    return None if os.environ.get(URL_VARIABLE) else EmbeddedServer(home / "postgres")


@contextlib.contextmanager
def database(home: Path) -> Iterator[str]:
    """The URL of a database that runs inside the block; the embedded server is left as it was found."""
    server = embedded_server(home)
    if server is None:
        yield _checked(os.environ[URL_VARIABLE])
        return
    with server.lease() as url:
        os.environ[URL_VARIABLE] = url
        try:
            yield url
        finally:
            del os.environ[URL_VARIABLE]


def _checked(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise CommandError(f"{URL_VARIABLE} must begin with postgresql:// — Patron runs on PostgreSQL only.")
    return url


@contextlib.contextmanager
def installation(*, migrate: bool = True) -> Iterator[Path]:
    """Django with its database: ready for operations and queries inside the block. Gives the home directory."""
    home = home_directory()
    be_quiet()
    with database(home):
        setup_django()
        if migrate:
            from patron.config.cli.prepare import migrate_if_needed

            migrate_if_needed()
        try:
            yield home
        finally:
            from django.db import connections

            connections.close_all()


def be_quiet() -> None:
    """On a terminal log lines would drown what a command has to say; errors still show. PATRON_LOG_LEVEL overrules."""
    os.environ.setdefault("PATRON_LOG_LEVEL", "ERROR")


def setup_django() -> None:
    """Load the settings and every room."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    import django

    django.setup()
