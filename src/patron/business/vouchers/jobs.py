"""Work of vouchers that runs by the clock."""

from datetime import UTC, datetime

import structlog

from patron.business.loyalty.models import Membership
from patron.business.purchases.models import Purchase
from patron.business.vouchers.following import is_to_be_undone
from patron.business.vouchers.operations import (
    drop_ended_holds,
    expire_vouchers,
    issue_birthday_vouchers,
    issue_tier_vouchers,
    undo_vouchers,
)
from patron.business.vouchers.queries import definitions_for_birthdays
from patron.kernel.actor import system
from patron.kernel.clock import now as present
from patron.kernel.clock import today
from patron.kernel.jobs import job, periodic

MOST_SLICES = 10_000

log = structlog.get_logger(__name__)


@periodic(cron="20 * * * *")
@job(name="vouchers.expire", lock="vouchers.expire", queueing_lock="vouchers.expire")
def expire(timestamp: int) -> None:
    """Mark vouchers whose last day is past, slice by slice; each commits by itself. Safe to repeat.

    Runs every hour, so that it comes soon after midnight in any zone: a run with nothing due costs one index probe.
    """
    day, expired = today(_at(timestamp)), 0
    for _slice in range(MOST_SLICES):
        done = expire_vouchers(as_of=day, actor=system("expiry"), now=present())
        expired += done
        if not done:
            break
    if expired:
        log.info("vouchers_expired", vouchers=expired, day=day.isoformat())


@periodic(cron="*/5 * * * *")
@job(name="vouchers.holds", lock="vouchers.holds", queueing_lock="vouchers.holds")
def drop_holds(timestamp: int) -> None:  # noqa: ARG001 (given by the clock)
    """Give back what tills reserved and never used. Safe to repeat."""
    for _slice in range(MOST_SLICES):
        if not drop_ended_holds(actor=system("expiry"), now=present()):
            break


@periodic(cron="40 * * * *")
@job(name="vouchers.birthdays", lock="vouchers.birthdays", queueing_lock="vouchers.birthdays")
def birthdays(timestamp: int) -> None:  # noqa: ARG001 (given by the clock)
    """Give birthday vouchers that are due; once for each birthday, however often it runs."""
    for definition in definitions_for_birthdays():
        done = issue_birthday_vouchers(definition, actor=system("birthdays"), now=present())
        if done.issued or done.without:
            log.info("birthday_vouchers", definition=definition.code, issued=done.issued, without=done.without)


@job(name="vouchers.tier")
def give_for_tier(membership_id: int, tier: str, occasion: str) -> None:
    """Give a member who reached a tier its vouchers, once for the occasion."""
    membership = Membership.objects.get(pk=membership_id)
    issue_tier_vouchers(membership, tier, occasion=occasion, actor=system("tiers"), now=present())


@job(name="vouchers.undo")
def undo(purchase_id: int) -> None:
    """Give vouchers back whose purchase was voided or came back whole. Safe to repeat."""
    purchase = Purchase.objects.get(pk=purchase_id)
    if is_to_be_undone(purchase):
        undo_vouchers(purchase=purchase, actor=system("returns"), now=present())


def _at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC) if timestamp else present()
