"""Reads of staff, roles and branches."""

from collections.abc import Iterable

from patron.core.accounts.models import Branch, Staff
from patron.kernel.actor import Actor
from patron.kernel.registries import permissions_of


def actor_for(staff: Staff) -> Actor:
    """The actor that a member of staff is: permissions of the role, branches where the role is bound to them."""
    branch_ids: frozenset[int] | None = None
    if staff.is_branch_bound:
        branch_ids = frozenset(staff.branches.values_list("id", flat=True))
    return Actor(
        kind="staff",
        id=staff.pk,
        name=staff.name or staff.username,
        role=staff.role,
        permissions=permissions_of(staff.role),
        branch_ids=branch_ids,
    )


def get_visible_branches(actor: Actor) -> list[Branch]:
    """The branches whose rows `actor` may see, by code."""
    branches = Branch.objects.filter(is_active=True)
    if actor.branch_ids is not None:
        branches = branches.filter(pk__in=actor.branch_ids)
    return list(branches.order_by("code"))


def get_branches_by_code(codes: Iterable[str]) -> list[Branch]:
    """The branches with these codes, by code; unknown codes are left out."""
    return list(Branch.objects.filter(code__in=list(codes)).order_by("code"))


def has_staff() -> bool:
    """Whether anybody can sign in yet."""
    return Staff.objects.exists()
