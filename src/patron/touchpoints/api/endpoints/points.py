"""Points: balance and statement of a member."""

from datetime import datetime

from ninja import Router

from patron.business.loyalty.queries import get_membership, points_balance, statement
from patron.core.customers.queries import get_visible_customer
from patron.kernel.api import cursors
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.parts import Page
from patron.touchpoints.api.schemas.points import MovementOut, PointsOut

router = Router(tags=["Points"])


@router.get("/customers/{number}/points", response=PointsOut, summary="Get points", **needs("loyalty.view"))
def get_points(request: ApiRequest, number: str) -> PointsOut:
    """What a member has now. 404 for who is not a member. Needs the scope `customers.view` as well."""
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    cards = [card.number for card in membership.active_cards]  # type: ignore[attr-defined]
    balance = points_balance(membership, now=request.now)
    return PointsOut.of(membership, balance, card=cards[0] if cards else None)


@router.get(
    "/customers/{number}/points/statement",
    response=Page[MovementOut],
    summary="Get the statement of points",
    **needs("loyalty.view"),
)
def get_statement(
    request: ApiRequest, number: str, limit: Limit = cursors.DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[MovementOut]:
    """Every movement of a member's points with its reason, newest first. Needs the scope `customers.view` as well."""
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    name = f"statement of {membership.pk}"
    after = cursors.read_cursor(name, cursor)
    before = None if after is None else (datetime.fromisoformat(str(after[0])), int(after[1]))
    lines = statement(membership, before=before, limit=limit)
    following = None
    if lines.following is not None:
        at, key = lines.following
        following = cursors.write_cursor(name, (at.isoformat(), key))
    return Page[MovementOut](items=[MovementOut.of(line) for line in lines.lines], next=following)
