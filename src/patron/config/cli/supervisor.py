"""`patron up` from inside: one foreground program with the database, the web server and the worker as its children.

No Django.
"""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from rich.console import Console

from patron.config.cli.children import Child, run_step, stop_all, trim_log
from patron.config.cli.root import CommandError
from patron.config.cli.session import URL_VARIABLE, database, embedded_server
from patron.kernel.embedded import EmbeddedServer, EmbeddedServerError

_GRACE_SECONDS = 8.0
_TICK_SECONDS = 0.2
_LOG_CHECK_SECONDS = 60.0
# Ends this soon and this often before the first page was served mean that it will never be.
_HOPELESS_ENDS = 3
_READY_WITHIN_SECONDS = 120.0

console = Console(highlight=False)


class Stopped(Exception):
    """Somebody asked for the end while a step was running."""


class StopSignals:
    """Ctrl-C, SIGTERM and SIGHUP become a flag; a second one ends the waiting for children at once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.hurried = False

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals inside the block."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # started by nohup: the terminal's end is not ours
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """Sleep; True as soon as the end was asked for."""
        return self._event.wait(seconds)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.hurried = self._event.is_set()
        self._event.set()


def serve(*, home: Path, host: str, port: int, demo: bool = False) -> None:
    """Run the product until a signal asks for the end. Raises `CommandError` when it cannot be started."""
    signals = StopSignals()
    began = time.monotonic()
    with signals.caught(), only_one(home, port), listening_socket(host, port) as listener:
        console.print(f"[bold]Patron[/] · home {home}")
        server = embedded_server(home)
        with database(home):
            environment = child_environment(home)
            web, worker = _web(home, listener, environment), _worker(home, environment)
            try:
                _prepare(environment, signals, demo=demo)
                web.start()
                _await_first_page(web, signals, host=host, port=port)
                worker.start()  # afterwards: loading the program twice at a time would delay the first page
                console.print(f"[bold green]Ready[/] in {time.monotonic() - began:.1f} s: {address(host, port)}")
                _tell_sign_ins(home, demo=demo)
                console.print("Stop with Ctrl-C.")
                _watch(home, server, [web, worker], signals)
            except Stopped:
                pass
            finally:
                console.print("Stopping …")
                stop_all([web, worker], grace_seconds=0.5 if signals.hurried else _GRACE_SECONDS)
    console.print("Stopped.")


@contextlib.contextmanager
def only_one(home: Path, port: int) -> Iterator[None]:
    """Hold the home's lock. The kernel drops it when the process ends, so none is ever left behind by kill -9."""
    path = home / "run" / "up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(f"Patron already runs in {home} ({file.read().strip()}). Stop it first.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, port {port}")
        file.flush()
        yield


def is_up(home: Path) -> bool:
    """Whether `patron up` runs in this home."""
    path = home / "run" / "up.lock"
    if not path.exists():
        return False
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """The bound socket that the web server inherits:
    taken first, so that a busy port is told before any work is done.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CommandError(f"The host “{host}” is not known here ({error.strerror}). Set PATRON_HOST.") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
        except PermissionError:
            raise CommandError(f"Port {port} needs more rights. Choose one above 1023: PATRON_PORT=8000") from None
        except OSError as error:
            raise CommandError(
                f"Port {port} of {host} cannot be used ({error.strerror}): another program may be listening there. "
                f"Choose another port: PATRON_PORT={port + 1}"
            ) from None
        yield listener


def child_environment(home: Path) -> Mapping[str, str]:
    """The environment of the children: the same installation, whatever their working directory."""
    return {
        **os.environ,
        "PATRON_HOME": str(home),
        URL_VARIABLE: os.environ[URL_VARIABLE],
        "DJANGO_SETTINGS_MODULE": "patron.config.settings",
        "PYTHONUNBUFFERED": "1",
    }


def address(host: str, port: int) -> str:
    """The address for a browser on this machine."""
    shown = "localhost" if host in {"0.0.0.0", "::", "127.0.0.1", "::1"} else host  # noqa: S104 — compared only
    return f"http://{shown}:{port}/"


def _prepare(environment: Mapping[str, str], signals: StopSignals, *, demo: bool) -> None:
    command = [sys.executable, "-m", "patron.config.cli.prepare", *(["--demo"] if demo else [])]
    step = run_step(command, environment=environment)
    try:
        while step.poll() is None:
            if signals.wait(_TICK_SECONDS):
                raise Stopped
    finally:
        if step.poll() is None:
            step.terminate()
            step.wait(_GRACE_SECONDS)
    if step.returncode != 0:
        raise CommandError("The installation could not be prepared; the reason is above. “patron doctor” may say more.")


def _await_first_page(web: Child, signals: StopSignals, *, host: str, port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while not _answers(host, port):
        if signals.wait(_TICK_SECONDS):
            raise Stopped
        _tend([web])
        if web.quick_ends >= _HOPELESS_ENDS or time.monotonic() > deadline:
            raise CommandError(f"The web server does not start. Its log ({web.log}) ends:\n{web.last_words()}")


def _watch(home: Path, server: EmbeddedServer | None, children: list[Child], signals: StopSignals) -> None:
    next_log_check = 0.0
    while not signals.wait(_TICK_SECONDS):
        if server is not None and not server.is_running():
            console.print("The database ended; starting it again.")
            _restart(server)
        _tend(children)
        if time.monotonic() >= next_log_check:
            next_log_check = time.monotonic() + _LOG_CHECK_SECONDS
            for path in (home / "log").glob("*.log"):
                trim_log(path)


def _restart(server: EmbeddedServer) -> None:
    try:
        server.start()
    except EmbeddedServerError as error:
        console.print(str(error), style="red")


def _tend(children: list[Child]) -> None:
    for child in children:
        if news := child.tend():
            console.print(news, style="yellow")


def _answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 — compared only
    connection = http.client.HTTPConnection(target, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _web(home: Path, listener: socket.socket, environment: Mapping[str, str]) -> Child:
    shared_memory = "/dev/shm"  # noqa: S108 — the heartbeat files of gunicorn belong in memory
    command = [
        sys.executable, "-m", "gunicorn", "patron.config.wsgi:application", "--bind", f"fd://{listener.fileno()}",
        "--worker-class", "gthread", "--workers", environment.get("PATRON_WEB_WORKERS", "2"), "--threads", "4",
        "--config", "python:patron.config.web_server",
        "--graceful-timeout", "5", "--timeout", "120", "--no-control-socket",
        *(["--worker-tmp-dir", shared_memory] if os.access(shared_memory, os.W_OK) else []),
    ]  # fmt: skip
    return Child("The web server", command, home / "log" / "web.log", environment, pass_fds=(listener.fileno(),))


def _worker(home: Path, environment: Mapping[str, str]) -> Child:
    command = [
        sys.executable, "-m", "patron.config.cli", "manage", "procrastinate", "worker",
        "--concurrency", environment.get("PATRON_WORKER_CONCURRENCY", "2"), "--shutdown-graceful-timeout", "5",
    ]  # fmt: skip
    return Child("The worker", command, home / "log" / "worker.log", environment)


def _tell_sign_ins(home: Path, *, demo: bool) -> None:
    note = home / "run" / "demo.json"
    if not demo or not note.exists():
        return
    console.print("Sign in as:")
    for entry in json.loads(note.read_text(encoding="utf-8")):
        username, password, role = (*entry, "", "", "")[:3]
        console.print(f"  [bold]{username:<16}[/] {password:<20} {role}", markup=True)
