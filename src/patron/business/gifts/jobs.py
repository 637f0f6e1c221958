"""Work of the gift catalogue that runs by the clock."""

from datetime import UTC, datetime

import structlog

from patron.business.gifts.operations import release_uncollected
from patron.business.gifts.queries import uncollected_orders
from patron.kernel.actor import system
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.errors import DomainError
from patron.kernel.jobs import job, periodic

SLICE = 200

log = structlog.get_logger(__name__)


@periodic(cron="25 * * * *")
@job(name="gifts.release", lock="gifts.release", queueing_lock="gifts.release")
def release_gifts(timestamp: int) -> None:
    """Cancel what nobody collected in time, and give the points back. Each order is a transaction of its own.

    Runs every hour, so that it comes soon after midnight in any zone. An order that cannot be cancelled is left,
    logged, and tried again by the next run.
    """
    at = datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
    released, after = 0, None
    while orders := uncollected_orders(as_of=today(at), after=after, limit=SLICE):
        for order in orders:
            after = (order.collect_by, order.pk)
            try:
                released += release_uncollected(order, as_of=today(at), actor=system("gifts"), now=present())
            except DomainError as error:
                log.warning("gift_not_released", order=order.pk, why=error.code)
    if released:
        log.info("gifts_released", orders=released, day=today(at).isoformat())
