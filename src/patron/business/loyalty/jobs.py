"""Work of the loyalty programme that runs by the clock."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import structlog
from django.db import connection

from patron.business.loyalty import tier_jobs  # noqa: F401 (declares its jobs)
from patron.business.loyalty.operations import expire_lots, mature_lots, release_overdue
from patron.business.loyalty.operations.expiring import START
from patron.kernel.actor import system
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.jobs import job, periodic

WORKERS = 2
"""How many slices are worked on side by side."""
PATIENCE = 20
"""How often to walk again for members who were busy, before they are left to the next run."""

log = structlog.get_logger(__name__)


@periodic(cron="10 * * * *")
@job(name="loyalty.expire", lock="loyalty.expire", queueing_lock="loyalty.expire")
def expire_points(timestamp: int) -> None:
    """Expire what is no longer usable today, slice by slice; each slice commits by itself. Safe to repeat.

    Runs every hour, so that it comes soon after midnight in any zone: a run with nothing due costs one index probe.
    """
    at = datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
    first = expire_lots(as_of=today(at), actor=system("expiry"), now=present())
    lots = first.lots
    if first.due:
        with ThreadPoolExecutor(WORKERS) as pool:
            lots += sum(pool.map(lambda share: _expire_share(today(at), share), range(WORKERS)))
    if lots:
        log.info("points_expired", lots=lots, day=today(at).isoformat())


def _expire_share(day: date, share: int) -> int:
    """Expire what is due of a share of the accounts, over a connection of its own; return how many lots."""
    lots = 0
    try:
        for _walk in range(PATIENCE):
            after, left = START, 0
            while (
                done := expire_lots(
                    as_of=day, actor=system("expiry"), now=present(), share=share, of=WORKERS, after=after
                )
            ).due:
                after, lots, left = done.last, lots + done.lots, left + done.due - done.lots
            if not left:
                break
            time.sleep(0.2)
    finally:
        connection.close()
    return lots


@periodic(cron="5 * * * *")
@job(name="loyalty.mature", lock="loyalty.mature", queueing_lock="loyalty.mature")
def mature_points(timestamp: int) -> None:
    """Let pending points that are due become available, slice by slice. Safe to repeat."""
    at = datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
    while mature_lots(as_of=today(at), actor=system("maturing"), now=present()):
        pass


@periodic(cron="*/5 * * * *")
@job(name="loyalty.release", lock="loyalty.release", queueing_lock="loyalty.release")
def release_reservations(timestamp: int) -> None:  # noqa: ARG001 (a periodic job is told the time)
    """Release points that were set aside and not used in time."""
    while release_overdue(actor=system("reservations"), now=present()):
        pass
