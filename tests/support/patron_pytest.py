"""Gives the tests a PostgreSQL of their own, before Django reads its settings.

The controlling pytest process starts one temporary embedded server, tuned for speed, and its xdist workers share it
through the environment. It is stopped and deleted at the end, also after Ctrl-C, and stops by itself when pytest is
killed. Set PATRON_TEST_DATABASE_URL to run the tests on a server of yours (its user must be allowed to create
databases).
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from patron.kernel.embedded import EmbeddedServer

_server = pytest.StashKey[EmbeddedServer]()
_home = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Runs before pytest-django looks at the settings (its own hook of this name)."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    home = Path(tempfile.mkdtemp(prefix="patron-test-"))
    home.chmod(0o711)  # ours alone to read, yet root's server, which runs as another account, finds its data in it
    early_config.stash[_home] = home
    early_config.add_cleanup(lambda: _clear_away(early_config))
    url = os.environ.get("PATRON_TEST_DATABASE_URL")
    if url is None:
        server = EmbeddedServer(home / "postgres", fast=True)
        early_config.stash[_server] = server
        url = server.start(die_with_parent=True)
    os.environ.update(
        PATRON_DATABASE_URL=url,
        PATRON_HOME=str(home),
        PATRON_SECRET_KEY=secrets.token_urlsafe(50),
        PATRON_TESTING="1",
        # The Python driver of the browser answers synchronously from inside an event loop; Django would refuse the
        # database there.
        DJANGO_ALLOW_ASYNC_UNSAFE="true",
    )


def _clear_away(config: pytest.Config) -> None:
    server = config.stash.get(_server, None)
    if server is not None:
        server.destroy()
    shutil.rmtree(config.stash[_home], ignore_errors=True)
