"""Points for events such as surveys and check-ins, and how far members are on the ladder of tiers."""

from ninja import Body, Router

from patron.business.loyalty.operations import award_event
from patron.business.loyalty.queries import get_membership, tier_progress
from patron.core.customers.queries import get_visible_customer
from patron.kernel.errors import NotFound
from patron.touchpoints.api.endpoints.declaring import needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.loyalty_events import EventIn, EventOut, TierOut

router = Router(tags=["Points"])


@router.post(
    "/customers/{number}/events", response=EventOut, summary="Give points for an event", **needs("loyalty.award")
)
def post_event(request: ApiRequest, number: str, event: Body[EventIn]) -> EventOut:
    """Tell of something that a member did and that the programme gives points for.

    It counts as often as the terms say: once ever, a year, a day, or for each reference. Telling of it again gives the
    first answer. Needs the scopes `customers.view` and `loyalty.view` as well.
    """
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    movement = award_event(membership, event.event, reference=event.reference, actor=request.actor, now=request.now)
    return EventOut.of(movement)


@router.get("/customers/{number}/tier", response=TierOut, summary="Get the tier", **needs("loyalty.view"))
def get_tier(request: ApiRequest, number: str) -> TierOut:
    """The tier of a member and how far the next one is. 404 where the programme has no tiers."""
    membership = get_membership(get_visible_customer(number, request.actor), request.actor)
    found = tier_progress(membership, request.now)
    if found is None:
        raise NotFound(details={"customer": number})
    return TierOut.of(found)
