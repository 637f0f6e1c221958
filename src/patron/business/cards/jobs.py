"""Work of the card room that runs by the clock."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from patron.business.cards.operations import mark_swept, refresh_faces
from patron.business.cards.pushing import push
from patron.business.cards.queries import cards_in_wallets, faces_behind
from patron.kernel.actor import system
from patron.kernel.clock import house_zone
from patron.kernel.clock import now as present
from patron.kernel.jobs import job, periodic

__all__ = ["new_day", "push", "sweep"]

SLICE = 500
"""Cards rewritten in one transaction."""

log = structlog.get_logger(__name__)


@periodic(cron="* * * * *")
@job(name="cards.sweep", lock="cards.sweep", queueing_lock="cards.sweep")
def sweep(timestamp: int) -> None:  # noqa: ARG001 (given by the clock)
    """Rewrite the faces of cards whose points, money, tier or name changed, whoever changed them. Safe to repeat.

    Costs one index probe for each table where nothing happened. A till that rewrote the face itself has left nothing
    to do.
    """
    behind = faces_behind()
    changed = _refreshed(behind.card_ids)
    mark_swept(behind.seen_xid, actor=system("cards"), now=present())
    if changed:
        log.info("card_faces_rewritten", faces=changed)


@periodic(cron="15 * * * *")
@job(name="cards.new_day", lock="cards.sweep", queueing_lock="cards.new_day")
def new_day(timestamp: int) -> None:
    """After midnight rewrite the cards that phones carry: birthdays come and dates pass without anybody writing."""
    at = datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
    if at.astimezone(house_zone()).hour == 0:
        _refreshed(cards_in_wallets())


def _refreshed(card_ids: Sequence[int]) -> int:
    changed = 0
    for start in range(0, len(card_ids), SLICE):
        changed += refresh_faces(card_ids[start : start + SLICE], actor=system("cards"), now=present())
    return changed
