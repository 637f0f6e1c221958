"""The real web server: several workers, one set of counters, logs with request ids."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


def _get(address: str, request_id: str = "") -> str:
    request = urllib.request.Request(address, headers={"X-Request-Id": request_id} if request_id else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (our own server)
        return str(answer.read().decode())


def _await_first_answer(server: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(300):
        assert server.poll() is None, "the web server ended"
        with contextlib.suppress(OSError):
            _get(f"{address}/healthz")
            return
        time.sleep(0.1)
    raise AssertionError("the web server did not answer")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """Its address, home and log. Every worker takes three requests and makes room for a fresh one."""
    leftover = tmp_path / "run" / "metrics" / "counter_1.db"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"of an earlier run")
    log = tmp_path / "web.log"
    with socket.socket() as listener, log.open("wb") as output:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "patron.config.wsgi:application", "--bind",
                f"fd://{listener.fileno()}", "--config", "python:patron.config.web_server", "--worker-class", "gthread",
                "--workers", "2", "--threads", "2", "--max-requests", "3", "--no-control-socket",
            ],
            env={**os.environ, "PATRON_HOME": str(tmp_path), "PATRON_LOG_LEVEL": "INFO", "PATRON_METRICS_TOKEN": ""},
            stdout=output,
            stderr=output,
            pass_fds=(listener.fileno(),),
        )  # fmt: skip
        try:
            _await_first_answer(process, address)
            yield address, tmp_path, log
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.slow
def test_all_workers_count_together_and_write_lines_that_machines_read(server: tuple[str, Path, Path]) -> None:
    address, home, log = server
    for number in range(12):
        with contextlib.suppress(urllib.error.HTTPError):
            _get(f"{address}/nowhere", f"test-request-{number:02d}")

    series = 'patron_http_request_seconds_count{method="GET",route="(none)",status="404"}'
    counted = [line for line in _get(f"{address}/metrics").splitlines() if line.startswith(series)]
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"method"')]

    assert [float(line.rsplit(" ", 1)[1]) for line in counted] == [12.0]
    assert not (home / "run" / "metrics" / "counter_1.db").exists()
    assert {line["request_id"] for line in lines} >= {f"test-request-{number:02d}" for number in range(12)}
    assert {line["status"] for line in lines if line["path"] == "/nowhere"} == {404}
