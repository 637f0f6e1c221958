"""Housekeeping of the API: answers and counts that nobody needs any more."""

from patron.kernel import clock
from patron.kernel.api.idempotency import KEPT_FOR, forget_answers
from patron.kernel.api.rates import forget_windows
from patron.kernel.jobs import job, periodic


@periodic(cron="17 * * * *", periodic_id="api.forget")
@job(name="api.forget", queueing_lock="api.forget")
def forget(timestamp: int = 0) -> None:  # noqa: ARG001 (the scheduler's)
    """Delete kept answers after seven days and request counts after their minute. Safe to run again."""
    now = clock.now()
    forget_answers(before=now - KEPT_FOR)
    forget_windows(before=now)
