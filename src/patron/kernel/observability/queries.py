"""What the database was asked: a tally for each request, and a word about every slow statement."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from patron.kernel.observability import metrics

_SQL_SHOWN_CHARACTERS = 2_000

log = structlog.get_logger("patron.database")


@dataclass(slots=True)
class Tally:
    """Statements sent inside a block, and the seconds they took."""

    count: int = 0
    seconds: float = 0.0


_open_tally: ContextVar[Tally | None] = ContextVar("patron_query_tally", default=None)


_in_bulk: ContextVar[bool] = ContextVar("patron_bulk_work", default=False)


@contextmanager
def bulk_work() -> Iterator[None]:
    """Inside the block statements take as long as they take: imports of millions of rows are not slow queries."""
    token = _in_bulk.set(True)
    try:
        yield
    finally:
        _in_bulk.reset(token)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Count the statements that this thread sends inside the block."""
    tally = Tally()
    token = _open_tally.set(tally)
    try:
        yield tally
    finally:
        _open_tally.reset(token)


def watch_connections() -> None:
    """Watch every connection from its opening on. Called once at start-up; calling again changes nothing."""
    connection_created.connect(_watch, dispatch_uid="patron.observability")


def _watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # In front of the others: whoever enters `execute_wrapper()` later takes his own off the end again.
    if _measure not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _measure)


def _measure(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = time.perf_counter() - started
        tally = _open_tally.get()
        if tally is not None:
            tally.count += 1
            tally.seconds += seconds
        if seconds * 1000 >= settings.SLOW_QUERY_MS and not _in_bulk.get():
            metrics.SLOW_QUERIES.inc()
            log.warning(
                "slow query",
                duration_ms=round(seconds * 1000, 1),
                sql=sql[:_SQL_SHOWN_CHARACTERS] if isinstance(sql, str) else "(composed)",
            )
