"""PostgreSQL inside the installation: the programs of a wheel, one data directory, a private Unix socket. No Django.

One server per data directory, shared by every process of the installation. `start` and `stop` are the bare actions;
`lease` is what programs use: the first to come starts the server, the last to leave stops it, and a program that was
killed counts as having left, because the kernel drops its file lock.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg

from patron.kernel import embedded_host
from patron.kernel.embedded_host import EmbeddedServerError, Layout

__all__ = ["EmbeddedServer", "EmbeddedServerError", "default_url"]

USER = "patron"
DATABASE = "patron"
# Servers that this process started and has not seen end, by data directory: the next look buries the dead.
_started: dict[Path, subprocess.Popen[bytes]] = {}
_LOG_LIMIT_BYTES = 20_000_000
_DURABLE = {"synchronous_commit": "on", "wal_compression": "on", "checkpoint_timeout": "15min", "max_wal_size": "4GB"}
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "autovacuum": "off",
}


def default_url(home: Path) -> str:
    """The connection URL of the embedded server of an installation, without starting it."""
    return EmbeddedServer(home / "postgres").url()


class EmbeddedServer:
    """The PostgreSQL server of one data directory.

    `data_dir` is where its data should live; for root it may lie elsewhere (see `embedded_host.find_layout`). `fast`
    is for tests alone: it gives up durability. `log_file` defaults to `log/postgres.log` beside the data directory.
    """

    def __init__(self, data_dir: Path, *, fast: bool = False, log_file: Path | None = None) -> None:
        self.wanted_dir = data_dir.absolute()
        self.fast = fast
        self.log_file = log_file or self.wanted_dir.parent / "log" / "postgres.log"

    @property
    def layout(self) -> Layout:
        """Where the data and the socket are at present."""
        return embedded_host.find_layout(self.wanted_dir)

    @property
    def data_dir(self) -> Path:
        """The real data directory."""
        return self.layout.data_dir

    def bin_dir(self) -> Path:
        """The directory of `postgres`, `pg_dump`, `psql` … that the server's account can run."""
        return embedded_host.find_programs(self.layout.account)

    def url(self, dbname: str = DATABASE) -> str:
        """The connection URL of a database of this server: user `patron` over the private socket."""
        return f"postgresql://{USER}@/{quote(dbname)}?host={quote(str(self.layout.socket_dir), safe='')}"

    def ensure_initialised(self) -> None:
        """Make the data directory if it is not there. An interrupted attempt is cleared away and made again."""
        layout = embedded_host.claim(self.wanted_dir)
        if (layout.data_dir / "PG_VERSION").exists():
            return
        aside = layout.data_dir.with_name(f"{layout.data_dir.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        embedded_host.own_directory(aside, layout.account)
        self._run_program(
            "initdb", f"--pgdata={aside}", f"--username={USER}", "--encoding=UTF8", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--locale=C", "--auth=trust", "--no-instructions",
            *(["--no-sync"] if self.fast else []),
        )  # fmt: skip
        hba = aside / "pg_hba.conf"
        hba.write_text(
            "# Only the private socket; its directory lets nobody else in.\nlocal all all trust\n", encoding="utf-8"
        )
        with contextlib.suppress(FileNotFoundError):
            layout.data_dir.rmdir()
        aside.rename(layout.data_dir)

    def start(self, timeout: float = 300.0, *, die_with_parent: bool = False) -> str:
        """Start the server, or find it running, and return the URL of its database, which exists afterwards.

        `timeout` in seconds covers recovery after a crash. With `die_with_parent` the server stops when the calling
        thread's process ends in whatever way. Raises `EmbeddedServerError` with the last words of the log when it
        does not come up.
        """
        deadline = time.monotonic() + timeout
        with self._mutex():
            self.ensure_initialised()
            while not self._is_ready():
                if not self.is_running():
                    self._clear_stale_files()
                    self._spawn(die_with_parent=die_with_parent)
                self._await_ready(deadline)
            self._create_database()
        return self.url()

    def stop(self, timeout: float = 60.0) -> None:
        """Stop the server: open connections are cut, what was committed is kept.

        Does nothing when it is not running.
        """
        for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            postmaster = self._postmaster()
            if postmaster is None:
                break
            with contextlib.suppress(psutil.NoSuchProcess):
                postmaster.send_signal(request)
            deadline = time.monotonic() + timeout
            while self.is_running() and time.monotonic() < deadline:
                time.sleep(0.02)
        self._reap()

    def is_running(self) -> bool:
        """Whether a server process of this data directory lives (it may still be starting)."""
        self._reap()
        return self._postmaster() is not None

    @contextlib.contextmanager
    def lease(self, timeout: float = 300.0) -> Iterator[str]:
        """Have the server running inside the block; gives the URL.

        The last holder of a lease, in any process, stops it.
        """
        with self._lock_file("users").open("a") as users:
            with self._mutex("lease"):
                fcntl.flock(users, fcntl.LOCK_SH)
                url = self.start(timeout)
            try:
                yield url
            finally:
                with self._mutex("lease"):
                    fcntl.flock(users, fcntl.LOCK_UN)
                    if _locks_alone(users):
                        self.stop()

    def destroy(self) -> None:
        """Stop the server and delete its data. For tests."""
        self.stop()
        layout = self.layout
        for directory in {layout.data_dir, layout.socket_dir, self.wanted_dir}:
            shutil.rmtree(directory, ignore_errors=True)

    # -- parts of starting

    def _spawn(self, *, die_with_parent: bool) -> None:
        layout = self.layout
        settings = [f"--{name}={value}" for name, value in self._settings(layout).items()]
        command = [str(self.bin_dir() / "postgres"), "-D", str(layout.data_dir), *settings]
        if die_with_parent:
            # PostgreSQL's "fast" stop (SIGINT) reaches it when its parent is gone, even by kill -9.
            command = ["setpriv", "--pdeathsig", "INT", "--", *command] if shutil.which("setpriv") else command
        if previous := _started.pop(self.wanted_dir, None):
            previous.wait()
        with self._open_log() as log:
            _started[self.wanted_dir] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                env=_environment(), user=layout.uid, group=layout.gid, extra_groups=layout.extra_groups,
            )  # fmt: skip

    def _settings(self, layout: Layout) -> dict[str, str]:
        memory = psutil.virtual_memory().total
        shared_memory = Path("/dev/shm")  # noqa: S108 — only asked how large it is
        roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free >= 2**29
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(layout.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "512MB" if memory >= 4 * 2**30 and not self.fast else "128MB",
            "dynamic_shared_memory_type": "posix" if roomy else "mmap",
            "work_mem": "32MB",
            "maintenance_work_mem": "512MB" if memory >= 4 * 2**30 else "128MB",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %d ",
            "log_checkpoints": "off",
            "log_min_duration_statement": os.environ.get("PATRON_SLOW_QUERY_MS", "500"),
            **(_FAST if self.fast else _DURABLE),
        }

    def _await_ready(self, deadline: float) -> None:
        """Return when the server is ready, or when it ended for a reason that passes; raise otherwise."""
        while not self._is_ready():
            process = _started.get(self.wanted_dir)
            if process is not None and process.poll() is not None:
                last_words = self._last_words()
                # After kill -9 of the server its helpers live on for a moment and hold the shared memory.
                passing = "still in use" in last_words or "already exists" in last_words
                if not passing or time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"PostgreSQL did not start. Its log ({self.log_file}) ends:\n{last_words}"
                    )
                time.sleep(0.2)
                return
            if process is None and not self.is_running():
                return
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL is not ready yet. See {self.log_file}, and try again.")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.is_running() and self._answers()

    def _answers(self) -> bool:
        """Whether the server really serves: one that was killed a moment ago still looks alive from outside."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            return "too many" in str(error)
        return True

    def _create_database(self) -> None:
        marker = self.data_dir / "patron-database"
        if marker.exists():
            return
        found = self._run_sql("SELECT count(*) FROM pg_database WHERE datname = 'patron'")
        if found.strip() == "0":
            self._run_sql(f"CREATE DATABASE {DATABASE}")
        marker.touch()

    def _run_sql(self, statement: str) -> str:
        return self._run_program(
            "psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--command={statement}", self.url("postgres")
        )

    def _run_program(self, name: str, *arguments: str) -> str:
        layout = self.layout
        finished = subprocess.run(
            [str(self.bin_dir() / name), *arguments], capture_output=True, text=True, check=False, cwd="/",
            stdin=subprocess.DEVNULL, env=_environment(), user=layout.uid, group=layout.gid,
            extra_groups=layout.extra_groups,
        )  # fmt: skip
        if finished.returncode != 0:
            raise EmbeddedServerError(f"{name} failed: {finished.stderr.strip() or finished.stdout.strip()}")
        return finished.stdout

    # -- what a killed process left behind

    def _postmaster(self) -> psutil.Process | None:
        """The living postmaster of this data directory, told from a stranger that was given the same process id."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        try:
            process = psutil.Process(int(lines[0]))
            if process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres":
                return None
            return process if Path(process.cwd()).samefile(self.data_dir) else None
        except (psutil.Error, OSError):
            return None

    def _clear_stale_files(self) -> None:
        """Remove lock files whose process id now belongs to a stranger; PostgreSQL itself clears those of a dead
        process.

        Called under the mutex with no server running. Left alone while orphans of a killed server still hold its
        memory: the file is how PostgreSQL recognises them.
        """
        layout = self.layout
        for path in (layout.data_dir / "postmaster.pid", layout.socket_dir / ".s.PGSQL.5432.lock"):
            lines = _lines_of(path)
            if lines and lines[0].strip().isdigit() and psutil.pid_exists(int(lines[0])) and not self._has_orphans():
                path.unlink(missing_ok=True)

    def _has_orphans(self) -> bool:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.name() == "postgres" and Path(process.cwd()).samefile(self.data_dir):
                    return True
        return False

    def _pid_file_lines(self) -> list[str]:
        return _lines_of(self.data_dir / "postmaster.pid")

    def _reap(self) -> None:
        process = _started.get(self.wanted_dir)
        if process is not None and process.poll() is not None:
            del _started[self.wanted_dir]

    # -- files

    def _open_log(self) -> IO[bytes]:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        return self.log_file.open("ab")

    def _last_words(self) -> str:
        text = self.log_file.read_bytes()[-4000:].decode("utf-8", errors="replace")
        return "\n".join(text.splitlines()[-8:])

    def _lock_file(self, name: str) -> Path:
        self.wanted_dir.parent.mkdir(parents=True, exist_ok=True)
        return self.wanted_dir.with_name(f"{self.wanted_dir.name}.{name}.lock")

    @contextlib.contextmanager
    def _mutex(self, name: str = "start") -> Iterator[None]:
        with self._lock_file(name).open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


@atexit.register
def _let_go() -> None:
    """A server may outlive the process that started it; Python would warn of each one at its end."""
    for process in _started.values():
        process.returncode = process.poll() or 0


def _locks_alone(handle: IO[str]) -> bool:
    """Whether nobody else holds a lock on the open file."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environment() -> dict[str, str]:
    """A bare environment: PG… variables and locales of the caller must not change how the programs behave."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}
