"""Work of tiers and of events that earn, done by the clock or after a new ladder was published. See `jobs`."""

import time
from datetime import UTC, datetime

import structlog

from patron.business.loyalty.models import Programme
from patron.business.loyalty.operations.events import pay_referrals
from patron.business.loyalty.operations.tiers import START, announce_tiers, place_members, review_tiers
from patron.kernel.actor import system
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.jobs import job, periodic

PATIENCE = 20
"""How often a pass may leave out busy members before they are left to the next run."""

REFERRALS = 200

log = structlog.get_logger(__name__)


@periodic(cron="20 * * * *")
@job(name="loyalty.review_tiers", lock="loyalty.review_tiers", queueing_lock="loyalty.review_tiers")
def review(timestamp: int) -> None:
    """Review every tier whose time is up, slice by slice; each slice commits by itself. Safe to repeat.

    Runs every hour, so that it comes soon after midnight in any zone: a run with nothing due costs one index probe.
    """
    at = datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
    reviewed, changed = 0, 0
    for _ in range(PATIENCE):
        after, skipped = START, 0
        while True:
            done = review_tiers(as_of=today(at), actor=system("tiers"), now=present(), after=after)
            if not done.due:
                break
            after, skipped = done.last, skipped + done.due - done.reviewed
            reviewed, changed = reviewed + done.reviewed, changed + done.changed
        if not skipped:
            break
        time.sleep(0.2)
    if reviewed:
        log.info("tiers_reviewed", members=reviewed, changed=changed, day=today(at).isoformat())


@job(name="loyalty.place_members", lock="loyalty.place_members")
def place(programme_id: int) -> None:
    """Give the members of a programme the tiers of its new ladder that they have reached. Safe to repeat."""
    programme = Programme.objects.get(pk=programme_id)
    after, risen = 0, 0
    while (done := place_members(programme, actor=system("tiers"), now=present(), after=after)).seen:
        after, risen = done.last, risen + done.risen
    log.info("members_placed", programme=programme.code, risen=risen)


@job(name="loyalty.announce_tiers")
def announce(change_ids: str) -> None:
    """Tell those who follow members of what a review or a placement changed: ids of history, with commas."""
    announce_tiers([int(one) for one in change_ids.split(",")], actor=system("tiers"), now=present())


@periodic(cron="*/15 * * * *")
@job(name="loyalty.referrals", lock="loyalty.referrals", queueing_lock="loyalty.referrals")
def referrals(timestamp: int) -> None:
    """Pay those who brought members whose first purchase has come. Safe to repeat."""
    del timestamp
    while (paid := pay_referrals(actor=system("referrals"), now=present(), batch=REFERRALS)) == REFERRALS:
        log.info("referrals_paid", members=paid)
