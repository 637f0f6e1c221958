"""The processes that `patron up` looks after: started with a leash, restarted with back-off, stopped together.

No Django.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_LONGEST_PAUSE_SECONDS = 30.0
_HEALTHY_AFTER_SECONDS = 60.0
_LOG_LIMIT_BYTES = 20_000_000
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


@dataclass
class Child:
    """One process, kept running. `log` is appended to; `pass_fds` are file descriptors that it inherits."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    quick_ends: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started_at: float = field(default=0.0, init=False)
    _not_before: float = field(default=0.0, init=False)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process in a session of its own:
        Ctrl-C reaches the supervisor alone, which stops it in good order.
        """
        with open_log(self.log) as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(self.environment),
                start_new_session=True, pass_fds=self.pass_fds, preexec_fn=_leash(os.getpid()),  # noqa: PLW1509 — one thread
            )  # fmt: skip
        self._started_at = time.monotonic()

    def tend(self) -> str | None:
        """Restart the process if it ended and its pause is over. Returns what there is to tell, if anything."""
        if self._process is None:
            if time.monotonic() >= self._not_before:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        self._process = None
        lived = time.monotonic() - self._started_at
        self.quick_ends = 1 if lived > _HEALTHY_AFTER_SECONDS else self.quick_ends + 1
        pause = min(_LONGEST_PAUSE_SECONDS, 2.0 ** (self.quick_ends - 1))
        self._not_before = time.monotonic() + pause
        return f"{self.name} ended ({_how(code)}); starting it again in {pause:.0f} s. See {self.log}"

    def ask_to_stop(self) -> None:
        """Send the process the signal for a graceful stop."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def end(self, *, deadline: float) -> None:
        """Wait for the process until `deadline` (monotonic seconds), then kill it and what it started."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        text = self.log.read_bytes()[-4000:].decode("utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-12:])


def stop_all(children: Sequence[Child], *, grace_seconds: float) -> None:
    """Stop all of them at once; those that take longer than the grace are killed."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + grace_seconds
    for child in children:
        child.end(deadline=deadline)


def run_step(command: Sequence[str], *, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a step that ends by itself, on the same leash, with its output on the terminal."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, env=dict(environment), start_new_session=True,
        preexec_fn=_leash(os.getpid()),  # noqa: PLW1509 — one thread
    )  # fmt: skip


def open_log(path: Path) -> IO[bytes]:
    """The log file, opened for appending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def trim_log(path: Path) -> None:
    """Move a log that has grown large aside. Its writers append, so the emptied file serves them on."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.with_name(f"{path.name}.1").write_bytes(path.read_bytes())
        os.truncate(path, 0)


class _leash:  # noqa: N801 — used as a function
    """Run in the child between fork and exec: it is told to stop when the supervisor dies, in whatever way (Linux)."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        # Loaded before the fork; afterwards nothing but plain system calls is safe.
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def __call__(self) -> None:
        if self._libc is None:
            return
        self._libc.prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != self._supervisor:
            os._exit(1)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
