"""Adjustments above the programme's limit: one person asks, a second one decides."""

from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.errors import CannotApprove, KeyReused
from patron.business.loyalty.models import Approval, LedgerTransaction, Membership
from patron.business.loyalty.operations.posting import adjust
from patron.business.loyalty.requests import check_adjustment, four_eyes_limit, stored_key
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict
from patron.kernel.operation import operation


@operation(permission="loyalty.adjust")
def request_adjustment(
    membership: Membership,
    points: Decimal,
    *,
    reason: str,
    request_key: str,
    actor: Actor,
    now: datetime,
    expires_on: date | None = None,
) -> Approval | LedgerTransaction:
    """Adjust points by hand, or ask for approval where there are too many for one person.

    Returns the movement, or the approval that waits. Raises what `adjust_points` raises; KeyReused where the key was
    used for another request.
    """
    amount = check_adjustment(points, reason=reason, expires_on=expires_on, now=now)
    if abs(amount) <= four_eyes_limit(membership):
        return adjust(
            membership,
            amount,
            reason=reason,
            request_key=request_key,
            actor=actor,
            now=now,
            expires_on=expires_on,
        )
    approval, is_new = Approval.objects.get_or_create(
        request_key=stored_key(request_key),
        defaults={
            "membership": membership,
            "points": amount,
            "reason": reason.strip()[:500],
            "expires_on": expires_on,
            "asked_by": actor.reference,
            "asked_at": now,
        },
    )
    same = (
        approval.membership_id == membership.pk
        and approval.points == amount
        and approval.reason == reason.strip()[:500]
        and approval.expires_on == expires_on
    )
    if not is_new and not same:
        raise KeyReused(details={"request_key": request_key})
    return approval


@operation(permission="loyalty.approve")
def decide_approval(approval: Approval, *, approve: bool, actor: Actor, now: datetime) -> Approval:
    """Approve (the adjustment is posted at once) or refuse. Deciding the same again changes nothing.

    Raises CannotApprove for whoever asked, and where it was decided otherwise; what `adjust_points` raises.
    """
    locked = Approval.objects.select_for_update(of=("self",)).select_related("membership").get(pk=approval.pk)
    wanted = Approval.State.APPROVED if approve else Approval.State.REFUSED
    if locked.asked_by == actor.reference:
        raise CannotApprove(details={"approval": locked.pk})
    if locked.state != Approval.State.WAITING:
        if locked.state != wanted:
            raise Conflict(_("This was decided already."), details={"state": locked.state})
        return locked
    if approve:
        locked.transaction = adjust(
            locked.membership,
            locked.points,
            reason=locked.reason,
            request_key=f"approval:{locked.pk}",
            actor=actor,
            now=now,
            expires_on=locked.expires_on,
        )
    locked.state, locked.decided_by, locked.decided_at = wanted, actor.reference, now
    locked.save(update_fields=["state", "decided_by", "decided_at", "transaction"])
    return locked
