"""Branches."""

from django.utils.translation import gettext as _
from ninja import Router

from patron.core.accounts.models import Branch
from patron.core.accounts.queries import get_visible_branches
from patron.kernel.actor import Actor
from patron.kernel.api import cursors
from patron.kernel.errors import InvalidInput, NotFound
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.branches import BranchOut
from patron.touchpoints.api.schemas.parts import Page

router = Router(tags=["Branches"])


@router.get("/branches", response=Page[BranchOut], summary="List branches", **needs("branches.view"))
def list_branches(request: ApiRequest, limit: Limit = cursors.DEFAULT_LIMIT, cursor: Cursor = None) -> Page[BranchOut]:
    """The branches that are open, by code."""
    after = cursors.read_cursor("branches", cursor)
    rows = [b for b in get_visible_branches(request.actor) if after is None or b.code > str(after[0])]
    page, following = cursors.cut(rows[: limit + 1], of="branches", limit=limit, key=lambda branch: (branch.code,))
    return Page[BranchOut](items=[BranchOut.of(branch) for branch in page], next=following)


@router.get("/branches/{code}", response=BranchOut, summary="Get a branch", **needs("branches.view"))
def get_branch(request: ApiRequest, code: str) -> BranchOut:
    """One branch by its code."""
    for branch in get_visible_branches(request.actor):
        if branch.code == code:
            return BranchOut.of(branch)
    raise NotFound


def branch_named(code: str | None, actor: Actor, *, field: str) -> Branch | None:
    """The branch with this code if `actor` may see it, None for no code. Raises InvalidInput that names `field`."""
    if code is None:
        return None
    for branch in get_visible_branches(actor):
        if branch.code == code:
            return branch
    raise InvalidInput(_("There is no branch with this code, or it is not one of yours."), details={"field": field})


def own_branch(actor: Actor) -> Branch | None:
    """The branch of a key that is bound to one."""
    return next(iter(get_visible_branches(actor)), None) if actor.branch_ids else None
