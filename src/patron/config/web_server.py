"""gunicorn's configuration (`gunicorn --config python:patron.config.web_server`): one set of counters for all workers.

The workers of one server write their counters into files of a directory of the home, which is emptied at the start.
"""

import os
import shutil
from pathlib import Path
from typing import Protocol

from patron.config.home import home_directory


class _Worker(Protocol):
    """What of gunicorn's worker is used here."""

    pid: int


def _metrics_directory() -> Path:
    return home_directory() / "run" / "metrics"


# Read by prometheus_client when a worker first imports it, which is after this.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics_directory())

# A till sends a quote and, some seconds later, the sale: let it keep its connection.
keepalive = 30


def on_starting(server: object) -> None:  # noqa: ARG001 (gunicorn's signature)
    """Begin with empty counters: the files of an earlier run would be added to ours."""
    shutil.rmtree(_metrics_directory(), ignore_errors=True)
    _metrics_directory().mkdir(parents=True)


def child_exit(server: object, worker: _Worker) -> None:  # noqa: ARG001
    """Drop what only a living worker may report."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
