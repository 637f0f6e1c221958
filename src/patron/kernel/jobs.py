"""Work for later: deferred in the same transaction as the change that asks for it.

A job row is written by the caller's own connection, so it exists if and only if the change does. The worker of
`patron up` runs it, retries it, and holds its locks.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

RETRIES = RetryStrategy(max_attempts=5, exponential_wait=4)


def job(
    *, name: str, queue: str = "default", lock: str | None = None, queueing_lock: str | None = None, retry: bool = True
) -> Callable[[Callable[..., None]], Task[Any, Any, Any]]:
    """Declare a job in a room's `jobs.py`. Its arguments must be JSON.

    `lock` lets one such job run at a time; `queueing_lock` lets one wait at a time.
    """

    def decorate(function: Callable[..., None]) -> Task[Any, Any, Any]:
        return app.task(
            name=name, queue=queue, lock=lock, queueing_lock=queueing_lock, retry=RETRIES if retry else False
        )(function)

    return decorate


def periodic(*, cron: str, periodic_id: str = "") -> Callable[[Task[Any, Any, Any]], Task[Any, Any, Any]]:
    """Run a declared job at the times of `cron` (UTC); it is given the keyword `timestamp`, Unix seconds."""

    def decorate(task: Task[Any, Any, Any]) -> Task[Any, Any, Any]:
        app.periodic(cron=cron, periodic_id=periodic_id)(task)
        return task

    return decorate


def defer(task: Task[Any, Any, Any], *, scheduled_in_seconds: int | None = None, **arguments: object) -> int:
    """Queue `task` in the caller's transaction and return the job's id."""
    configured = task.configure(schedule_in={"seconds": scheduled_in_seconds}) if scheduled_in_seconds else task
    return int(configured.defer(**arguments))  # type: ignore[arg-type]


def defer_once(task: Task[Any, Any, Any], **arguments: object) -> bool:
    """`defer`, unless a job of the task's queueing lock is waiting already. Gives whether a job was queued."""
    try:
        # The database refuses the second one: without a savepoint that would end the caller's transaction.
        with transaction.atomic():
            task.defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True
