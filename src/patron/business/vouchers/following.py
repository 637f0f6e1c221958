"""What vouchers do when something happens in the rooms below: somebody joins, changes tier, or brings a purchase back.

Whoever calls may hold the member's points locked, which tills lock after vouchers. So only what no till can wait for is
done at once (somebody who has just joined has nothing that is locked); the rest is left to a job, queued in
the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, Sum

from patron.business.loyalty.models import Membership, TierChange
from patron.business.purchases.models import Purchase
from patron.business.vouchers import issues
from patron.business.vouchers.models import VoucherDefinition, VoucherUse
from patron.kernel.actor import Actor

IssueOn = VoucherDefinition.IssueOn


def welcome(membership: Membership, *, actor: Actor, now: datetime) -> int:
    """Give somebody who has just joined what new members get; say how many vouchers. Safe to repeat."""
    return give(_active(IssueOn.ENROLMENT, membership), membership, occasion="enrolment", actor=actor, now=now)


def congratulate(membership: Membership, tier: str, *, occasion: str, actor: Actor, now: datetime) -> int:
    """Give a member what those who reach `tier` get, once for the occasion; say how many vouchers."""
    return give(for_tier(membership, tier), membership, occasion=occasion, actor=actor, now=now)


def for_tier(membership: Membership, tier: str) -> list[VoucherDefinition]:
    """The kinds of vouchers that a member who reaches `tier` gets."""
    return [each for each in _active(IssueOn.TIER, membership) if tier in each.issue_terms.get("tiers", [tier])]


def has_risen(membership: Membership) -> bool:
    """Whether the member's last change of tier was one to be glad of: reached, or granted."""
    last = TierChange.objects.filter(membership=membership).order_by("-effective_at", "-pk").first()
    return last is None or last.reason in (TierChange.Reason.UPGRADE, TierChange.Reason.INVITED)


def give(
    definitions: Iterable[VoucherDefinition], membership: Membership, *, occasion: str, actor: Actor, now: datetime
) -> int:
    """One voucher of each kind that can be issued now and is in stock. Locks the definitions in key order."""
    given = 0
    for definition in sorted(definitions, key=lambda each: each.pk):
        locked = issues.lock_definition(definition.pk)
        if not issues.is_issuable(locked, now) or issues.stock_left(locked) == 0:
            continue
        wanted = issues.without_voucher(locked, [membership.pk], occasion)
        given += len(issues.write_vouchers(locked, wanted, occasion=occasion, actor=actor, now=now))
    return given


def is_to_be_undone(purchase: Purchase) -> bool:
    """Whether vouchers were used on a purchase of which nothing stands any more: it was voided, or came back whole."""
    used = VoucherUse.objects.filter(
        purchase=purchase, state=VoucherUse.State.COMMITTED, undone_by__isnull=True
    ).exists()
    if not used or purchase.status == Purchase.Status.VOIDED:
        return used
    standing = purchase.returns.exclude(status=Purchase.Status.VOIDED)
    returned = standing.aggregate(net=Sum("net_amount"))["net"]
    return returned is not None and purchase.net_amount + returned <= 0


def _active(issue_on: str, membership: Membership) -> list[VoucherDefinition]:
    mine = Q(programme=None) | Q(programme_id=membership.programme_id)
    return list(VoucherDefinition.objects.filter(mine, issue_on=issue_on, is_active=True))
