"""Adjustments that wait for a second person, and those decided lately."""

from collections.abc import Sequence

from django.db.models import QuerySet

from patron.business.loyalty.models import Approval, Membership
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused


def waiting_approvals(actor: Actor, *, limit: int = 100) -> Sequence[Approval]:
    """What waits, oldest first, with member and customer. Raises PermissionRefused for who may not ask nor decide."""
    return list(_visible(actor).filter(state=Approval.State.WAITING).order_by("asked_at", "pk")[:limit])


def decided_approvals(actor: Actor, *, limit: int = 30) -> Sequence[Approval]:
    """What was decided, latest first. Raises the same."""
    return list(_visible(actor).exclude(state=Approval.State.WAITING).order_by("-decided_at", "-pk")[:limit])


def approvals_of(membership: Membership) -> Sequence[Approval]:
    """What waits for one member, oldest first."""
    return list(membership.approvals.filter(state=Approval.State.WAITING).order_by("asked_at", "pk"))


def get_approval(approval_id: int, actor: Actor) -> Approval:
    """One that the actor may see. Raises NotFound, PermissionRefused."""
    approval = _visible(actor).filter(pk=approval_id).first()
    if approval is None:
        raise NotFound(details={"approval": approval_id})
    return approval


def _visible(actor: Actor) -> "QuerySet[Approval]":
    if not (actor.can("loyalty.adjust") or actor.can("loyalty.approve")):
        raise PermissionRefused(details={"permission": "loyalty.adjust"})
    found = Approval.objects.select_related("membership__customer", "membership__programme")
    if actor.branch_ids is not None:
        found = found.filter(membership__customer__home_branch_id__in=actor.branch_ids)
    return found
