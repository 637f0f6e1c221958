"""Insights: what the models say of customers."""

from typing import Annotated, Literal

from ninja import Query, Router

from patron.core.customers.queries import get_visible_customer
from patron.core.customers.queries.api import get_insight_page, get_insight_runs, get_insights_of
from patron.kernel.api import cursors
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.insights import InsightOut, ModelOut
from patron.touchpoints.api.schemas.parts import Page

router = Router(tags=["Insights"])


@router.get("/insights", response=list[ModelOut], summary="List models", **needs("customers.insights_view"))
def list_models(request: ApiRequest) -> list[ModelOut]:  # noqa: ARG001 (the router's signature)
    """The models with results, and how old these are."""
    return [ModelOut.of(run) for run in get_insight_runs()]


@router.get(
    "/insights/{model}",
    response=Page[InsightOut],
    summary="List results of a model",
    **needs("customers.insights_view"),
)
def list_insights(
    request: ApiRequest,
    model: str,
    label: Annotated[str | None, Query(max_length=40, description="Only this class or stage.")] = None,
    vip: Annotated[bool | None, Query(description="Only VIPs, or only others.")] = None,
    order: Annotated[Literal["customer", "rank"], Query(description="`rank`: best first.")] = "customer",
    limit: Limit = cursors.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[InsightOut]:
    """What a model says of customers. The VIPs, best first: `/insights/value?vip=true&order=rank`. Needs the scope
    `customers.view` as well."""
    name = f"insights by {order}"
    after = cursors.read_cursor(name, cursor)
    rows = get_insight_page(
        request.actor,
        model,
        label=label or "",
        vip=vip,
        by_rank=order == "rank",
        after=None if after is None else int(after[0]),
        limit=limit + 1,
    )
    page, following = cursors.cut(
        rows,
        of=name,
        limit=limit,
        key=lambda insight: (insight.customer_id if order == "customer" else insight.rank or 0,),
    )
    return Page[InsightOut](items=[InsightOut.of(insight) for insight in page], next=following)


@router.get(
    "/customers/{number}/insights",
    response=list[InsightOut],
    summary="Get a customer's insights",
    **needs("customers.insights_view"),
)
def get_insights(request: ApiRequest, number: str) -> list[InsightOut]:
    """What every model says of one customer. Needs the scope `customers.view` as well."""
    customer = get_visible_customer(number, request.actor)
    return [InsightOut.of(insight) for insight in get_insights_of(customer, request.actor)]
