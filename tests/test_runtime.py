"""`patron up` as its users meet it: real processes, started, interrupted, killed and started again."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from patron.kernel.embedded import EmbeddedServer

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="patron-runtime-"))
    path.chmod(0o711)
    yield path
    EmbeddedServer(path / "postgres").destroy()
    subprocess.run(["rm", "-rf", str(path)], check=True)


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Patron:
    """One `patron` process of a home, with its output."""

    def __init__(self, home: Path, port: int, *arguments: str) -> None:
        environment = {
            key: value for key, value in os.environ.items() if key not in {"PATRON_DATABASE_URL", "PYTHONPATH"}
        }
        environment |= {"PATRON_HOME": str(home), "PATRON_PORT": str(port), "PATRON_TESTING": "1", "COLUMNS": "200"}
        self.output = home / f"output-{time.monotonic_ns()}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "patron.config.cli", *arguments], stdout=output, stderr=output, env=environment
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def await_word(self, word: str, *, times: int = 1) -> None:
        wait_for(lambda: self.said().count(word) >= times or self.process.poll() is not None, f"“{word}”", self.said)
        assert self.said().count(word) >= times, self.said()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """The oldest child whose command line holds the word; postgres is told by its name."""
        found = [child for child in self.children() if word in " ".join(child.cmdline())]
        assert found, word
        return found[0]

    def finish(self, number: int | None = None, *, within: float = 30.0) -> int:
        """Send the signal, if any, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"still running after {within} s:\n{self.said()}")


@pytest.fixture
def patron(home: Path, port: int) -> Iterator[Callable[..., Patron]]:
    """Starts `patron` with arguments; whatever still runs afterwards is ended."""
    started: list[Patron] = []

    def start(*arguments: str) -> Patron:
        started.append(Patron(home, port, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(30)
            one.process.kill()
            one.process.wait()


def wait_for(condition: Callable[[], bool], what: str, told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}:\n{told()}")
        time.sleep(0.1)


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def test_up_serves_tells_others_so_and_stops_on_sigterm(home: Path, port: int, patron: Callable[..., Patron]) -> None:
    up = patron("up")
    up.await_word("Ready")
    assert status_of(port, "/readyz") == 200
    children = up.children()

    second = patron("up")
    assert second.finish() == 1
    assert re.fullmatch(
        rf"patron: Patron already runs in {home} \(process \d+, port {port}\)\. Stop it first\.\n", second.said()
    )

    worker_log = home / "log" / "worker.log"
    wait_for(lambda: "Launching a worker" in worker_log.read_text(encoding="utf-8"), "the worker", up.said)
    doctor = patron("doctor")
    assert doctor.finish(within=90) == 0, doctor.said()
    assert "patron up is running" in doctor.said()
    assert re.search(r"Worker\s+alive", doctor.said())
    assert status_of(port, "/readyz") == 200, "doctor must leave the database running"

    began = time.monotonic()
    assert up.finish(signal.SIGTERM) == 0
    assert time.monotonic() - began < 15
    assert "Traceback" not in up.said()
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not EmbeddedServer(home / "postgres").is_running()


def test_up_restarts_what_is_killed_and_stops_on_ctrl_c(home: Path, port: int, patron: Callable[..., Patron]) -> None:
    up = patron("up")
    up.await_word("Ready")

    os.kill(up.child("procrastinate").pid, signal.SIGKILL)
    up.await_word("The worker ended (signal SIGKILL); starting it again in 1 s")
    wait_for(
        lambda: any("procrastinate" in " ".join(child.cmdline()) for child in up.children()), "the worker", up.said
    )

    os.kill(up.child("gunicorn").pid, signal.SIGKILL)
    up.await_word("The web server ended (signal SIGKILL); starting it again in 1 s")
    wait_for(lambda: status_of(port, "/readyz") == 200, "the web server", up.said)

    postmaster = (
        (EmbeddedServer(home / "postgres").data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
    )
    os.kill(int(postmaster), signal.SIGKILL)
    up.await_word("The database ended; starting it again.")
    wait_for(lambda: status_of(port, "/readyz") == 200, "the database", up.said)

    assert up.finish(signal.SIGINT) == 0
    assert "Traceback" not in up.said()
    assert not EmbeddedServer(home / "postgres").is_running()


def test_up_starts_again_after_it_was_killed(home: Path, port: int, patron: Callable[..., Patron]) -> None:
    killed = patron("up")
    killed.await_word("Ready")
    children = [child for child in killed.children() if child.name() != "postgres"]
    assert len(children) >= 3
    killed.finish(signal.SIGKILL)
    assert not psutil.wait_procs(children, timeout=20)[1], "children must not outlive the supervisor"

    again = patron("up")
    again.await_word("Ready")

    assert status_of(port, "/readyz") == 200
    assert again.finish(signal.SIGTERM) == 0


def test_up_names_the_remedy_when_the_port_is_busy(port: int, patron: Callable[..., Patron]) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        up = patron("up")
        code = up.finish()

    assert code == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in up.said()
    assert f"PATRON_PORT={port + 1}" in up.said()
    assert "Traceback" not in up.said()


def test_up_ends_with_a_clear_word_when_interrupted_while_it_prepares(
    home: Path, patron: Callable[..., Patron]
) -> None:
    up = patron("up")
    up.await_word("Patron · home")
    wait_for(lambda: bool(up.children()), "the first child", up.said)

    assert up.finish(signal.SIGINT) == 0
    assert up.said().rstrip().endswith("Stopped.")
    assert "Traceback" not in up.said()
    assert not EmbeddedServer(home / "postgres").is_running()


def test_command_says_that_the_database_cannot_be_reached(
    home: Path, port: int, patron: Callable[..., Patron], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATRON_HOME", str(home))
    command = [sys.executable, "-m", "patron.config.cli", "backup", str(tmp_path / "x")]
    environment = os.environ | {"PATRON_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}

    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    assert finished.returncode == 1
    assert finished.stderr.startswith("patron: The database does not answer: ")
    assert "PATRON_DATABASE_URL" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "x").exists()
