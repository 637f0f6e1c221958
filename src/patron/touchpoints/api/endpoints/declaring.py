"""How an endpoint declares what it needs."""

from typing import Annotated, Any

from ninja import Query

from patron.kernel.api.cursors import MAX_LIMIT
from patron.touchpoints.api.gate import Key


def needs(scope: str) -> dict[str, Any]:
    """Arguments for the router: the scope that a key must have, checked and described."""
    return {"auth": Key(scope), "openapi_extra": {"x-scope": scope}}


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many rows to give at most.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
