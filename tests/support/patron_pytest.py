"""Gives the tests a PostgreSQL of their own, before Django reads its settings.

The controlling pytest process starts one temporary embedded server, tuned for speed, and its xdist workers share it
through the environment. It is stopped and deleted at the end, also after Ctrl-C; when pytest is killed the server
stops by itself, and the next run clears its files away. Set PATRON_TEST_DATABASE_URL to run the tests on a server of
yours (its user must be allowed to create databases).
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO

import pytest

from patron.kernel.embedded import EmbeddedServer

_PREFIX = "patron-test-"
_LOCK = "in-use.lock"

_server = pytest.StashKey[EmbeddedServer]()
_home = pytest.StashKey[Path]()
_lock = pytest.StashKey[IO[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Runs before pytest-django looks at the settings (its own hook of this name)."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    _clear_away_what_killed_runs_left()
    home = Path(tempfile.mkdtemp(prefix=_PREFIX))
    home.chmod(0o711)  # ours alone to read, yet root's server, which runs as another account, finds its data in it
    early_config.stash[_home] = home
    early_config.stash[_lock] = _locked(home)
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
        # The Python driver of the browser answers from inside an event loop, where Django would refuse the database.
        DJANGO_ALLOW_ASYNC_UNSAFE="true",
    )


def _clear_away(config: pytest.Config) -> None:
    server = config.stash.get(_server, None)
    if server is not None:
        server.destroy()
    shutil.rmtree(config.stash[_home], ignore_errors=True)
    config.stash[_lock].close()


def _locked(home: Path) -> IO[str]:
    """The home's lock file, held open: the kernel lets go of the lock when the run ends, in whatever way.

    It gets its name when it is locked, so that another run that begins at this moment does not take it for a left-over.
    """
    path = home / f"{_LOCK}.new"
    handle = path.open("w", encoding="utf-8")
    fcntl.flock(handle, fcntl.LOCK_EX)
    path.rename(home / _LOCK)
    return handle


@pytest.fixture(autouse=True)
def _english() -> None:
    """Each test begins in English: the test client answers in this thread and leaves the last page's language on."""
    from django.utils import translation

    translation.activate("en")


def _clear_away_what_killed_runs_left() -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        if lock.stat().st_uid != os.geteuid():
            continue
        with lock.open(encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            EmbeddedServer(lock.parent / "postgres").destroy()
            shutil.rmtree(lock.parent, ignore_errors=True)
