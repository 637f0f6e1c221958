"""Purchases: finding, recording, returning, voiding."""

from datetime import datetime
from typing import Annotated

from django.http import HttpResponse
from ninja import Body, Path, Query, Router, Status

from patron.business.purchases.finding import PurchaseFilter, find_purchases, get_own_purchase
from patron.business.purchases.operations import Receipt, record_purchase, record_return, void_purchase
from patron.business.purchases.queries import get_visible_purchase
from patron.business.purchases.rules import CouponPart, Line, ReturnedLine, TenderPart
from patron.core.customers.queries.identifying import identify_customer
from patron.kernel.api import cursors
from patron.kernel.errors import InvalidInput, NotFound
from patron.touchpoints.api.endpoints.branches import branch_named, own_branch
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.parts import Instant, Page
from patron.touchpoints.api.schemas.purchases import PurchaseDetailsOut, PurchaseIn, PurchaseOut, ReceiptIn, ReturnIn

router = Router(tags=["Purchases"])

PurchaseId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/purchases", response=Page[PurchaseOut], summary="List purchases", **needs("purchases.view"))
def list_purchases(
    request: ApiRequest,
    customer: Annotated[str | None, Query(max_length=20, description="The customer's number.")] = None,
    branch: Annotated[str | None, Query(max_length=64, description="The code of the branch.")] = None,
    since: Annotated[Instant | None, Query(description="Not before this instant.")] = None,
    until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
    source: Annotated[str | None, Query(max_length=60)] = None,
    source_key: Annotated[str | None, Query(max_length=120, description="The receipt's number.")] = None,
    limit: Limit = cursors.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[PurchaseOut]:
    """Purchases, newest first."""
    wanted = PurchaseFilter(
        customer=customer or "",
        branch=branch or "",
        since=since,
        until=until,
        source=source or "",
        source_key=source_key or "",
    )
    after = cursors.read_cursor("purchases", cursor)
    before = None if after is None else (datetime.fromisoformat(str(after[0])), int(after[1]))
    rows = find_purchases(request.actor, wanted, before=before, limit=limit + 1)
    page, following = cursors.cut(rows, of="purchases", limit=limit, key=lambda p: (p.occurred_at.isoformat(), p.pk))
    return Page[PurchaseOut](items=[PurchaseOut.of(purchase) for purchase in page], next=following)


@router.get(
    "/purchases/{purchase_id}", response=PurchaseDetailsOut, summary="Get a purchase", **needs("purchases.view")
)
def get_purchase(request: ApiRequest, purchase_id: PurchaseId) -> PurchaseDetailsOut:
    """A receipt with its lines, payments, coupons and returns."""
    return PurchaseDetailsOut.of_details(get_visible_purchase(purchase_id, request.actor))


@router.post("/purchases", response={201: PurchaseOut}, summary="Record a sale", **needs("purchases.record"))
def create_purchase(request: ApiRequest, response: HttpResponse, sale: Body[PurchaseIn]) -> Status[PurchaseOut]:
    """Record a sale; points follow in the same moment. Safe to send again: the same receipt gives the same purchase.
    Naming a customer needs the scope `customers.view` as well."""
    customer = None
    if sale.customer is not None:
        try:
            customer = identify_customer(sale.customer, actor=request.actor)
        except NotFound as error:
            raise InvalidInput(error.message, details={"field": "customer"}) from error
    purchase = record_purchase(
        receipt=_receipt(request, sale),
        lines=[
            Line(
                product_code=line.product,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_amount=line.discount_amount,
                net_amount=line.net_amount,
            )
            for line in sale.lines
        ],
        customer=customer,
        tenders=[TenderPart(kind=t.kind, amount=t.amount, reference=t.reference) for t in sale.tenders],
        coupons=[CouponPart(code=c.code, amount=c.amount, line_no=c.line_no) for c in sale.coupons],
        actor=request.actor,
        now=request.now,
    )
    response.headers["Location"] = f"/api/v1/purchases/{purchase.pk}"
    return Status(201, PurchaseOut.of(purchase))


@router.post(
    "/purchases/{purchase_id}/returns",
    response={201: PurchaseOut},
    summary="Record a return",
    **needs("purchases.record"),
)
def create_return(
    request: ApiRequest, response: HttpResponse, purchase_id: PurchaseId, returned: Body[ReturnIn]
) -> Status[PurchaseOut]:
    """Record that lines of a sale came back, wholly or in part; the points they gave are taken back. Needs the scope
    `purchases.view` as well."""
    purchase = record_return(
        original=get_visible_purchase(purchase_id, request.actor).purchase,
        receipt=_receipt(request, returned),
        lines=[ReturnedLine(line_no=line.line_no, quantity=line.quantity) for line in returned.lines],
        actor=request.actor,
        now=request.now,
    )
    response.headers["Location"] = f"/api/v1/purchases/{purchase.pk}"
    return Status(201, PurchaseOut.of(purchase))


@router.post(
    "/purchases/{purchase_id}/void", response=PurchaseOut, summary="Void a purchase", **needs("purchases.void")
)
def cancel_purchase(request: ApiRequest, purchase_id: PurchaseId) -> PurchaseOut:
    """Cancel a purchase of the key's own branch as if it had not been; its points go back. Again changes nothing."""
    purchase = void_purchase(
        purchase=get_own_purchase(purchase_id, request.actor), actor=request.actor, now=request.now
    )
    return PurchaseOut.of(purchase)


def _receipt(request: ApiRequest, given: ReceiptIn) -> Receipt:
    return Receipt(
        source=given.source,
        source_key=given.source_key,
        occurred_at=given.occurred_at,
        branch=branch_named(given.branch, request.actor, field="branch") or own_branch(request.actor),
        channel=given.channel,
        currency=given.currency or "",
        terminal=given.terminal,
        cashier=given.cashier,
    )
