"""Customers: finding, registering, changing."""

from typing import Annotated

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Status

from patron.core.customers.operations import (
    CustomerChanges,
    add_contact_point,
    add_external_id,
    record_consent,
    register_customer,
    update_customer,
)
from patron.core.customers.queries import get_visible_customer, sees_personal
from patron.core.customers.queries.api import find_customer_records, get_customer_record, get_customer_records
from patron.core.customers.queries.identifying import identify_customer
from patron.kernel.api import cursors
from patron.kernel.errors import InvalidInput
from patron.touchpoints.api.endpoints.branches import branch_named
from patron.touchpoints.api.endpoints.declaring import Cursor, Limit, needs
from patron.touchpoints.api.gate import ApiRequest
from patron.touchpoints.api.schemas.customers import (
    ConsentIn,
    ConsentOut,
    ContactIn,
    ContactOut,
    CustomerChangesIn,
    CustomerIn,
    CustomerOut,
    ExternalIdIn,
    ExternalIdOut,
    IdentifiedOut,
    IdentifyIn,
)
from patron.touchpoints.api.schemas.parts import Page

router = Router(tags=["Customers"])

Search = Annotated[
    str | None,
    Query(
        max_length=200, description="Name, pinyin, phone tail, card number or e-mail; gives the best matches, no pages."
    ),
]


@router.get("/customers", response=Page[CustomerOut], summary="List or search customers", **needs("customers.view"))
def list_customers(
    request: ApiRequest,
    search: Search = None,
    branch: Annotated[str | None, Query(max_length=64, description="Code of the home branch.")] = None,
    external_source: Annotated[str | None, Query(max_length=60)] = None,
    external_value: Annotated[str | None, Query(max_length=120, description="With `external_source`.")] = None,
    limit: Limit = cursors.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[CustomerOut]:
    """Customers in the order in which they came on file; or, with `search`, the best matches first."""
    if (external_source is None) != (external_value is None):
        raise InvalidInput(_("Give external_source and external_value together."), details={"field": "external_source"})
    if search is not None:
        found = find_customer_records(search, actor=request.actor, limit=limit)
        return Page[CustomerOut](items=[CustomerOut.of(record) for record in found], next=None)
    after = cursors.read_cursor("customers", cursor)
    records = get_customer_records(
        request.actor,
        after=None if after is None else int(after[0]),
        limit=limit + 1,
        branch=branch or "",
        external_id=None if external_source is None or external_value is None else (external_source, external_value),
    )
    page, following = cursors.cut(records, of="customers", limit=limit, key=lambda record: (record.customer.pk,))
    return Page[CustomerOut](items=[CustomerOut.of(record) for record in page], next=following)


@router.get("/customers/{number}", response=CustomerOut, summary="Get a customer", **needs("customers.view"))
def get_customer(request: ApiRequest, number: str) -> CustomerOut:
    """One customer by number."""
    return CustomerOut.of(get_customer_record(number, request.actor))


@router.post("/identify", response=IdentifiedOut, summary="Identify a customer", **needs("customers.view"))
def identify(request: ApiRequest, asked: Body[IdentifyIn]) -> IdentifiedOut:
    """Who shows this card, says this number. Finds customers of other branches too. Changes nothing; it is a POST so
    that phone numbers do not stand in addresses, which get logged."""
    customer = identify_customer(asked.code, actor=request.actor)
    return IdentifiedOut.model_construct(
        number=customer.number,
        name=customer.name,
        kind=customer.kind,
        status=customer.status,
        language=customer.language,
        home_branch=customer.home_branch.code if customer.home_branch else None,
    )


@router.post("/customers", response={201: CustomerOut}, summary="Register a customer", **needs("customers.register"))
def create_customer(request: ApiRequest, response: HttpResponse, customer: Body[CustomerIn]) -> Status[CustomerOut]:
    """Put somebody on file. A key bound to a branch registers for that branch."""
    given = customer.model_dump(exclude={"external_ids", "home_branch"})
    registered = register_customer(
        **given,
        home_branch=branch_named(customer.home_branch, request.actor, field="home_branch"),
        external_ids=_by_source(customer.external_ids),
        actor=request.actor,
        now=request.now,
    )
    response.headers["Location"] = f"/api/v1/customers/{registered.number}"
    return Status(201, CustomerOut.of(get_customer_record(registered.number, request.actor)))


@router.patch("/customers/{number}", response=CustomerOut, summary="Change a customer", **needs("customers.edit"))
def change_customer(request: ApiRequest, number: str, changes: Body[CustomerChangesIn]) -> CustomerOut:
    """Change what is given and leave the rest. A new family or given name also makes a new full name."""
    given = CustomerChanges(**changes.model_dump(exclude_unset=True))  # type: ignore[typeddict-item]
    if "home_branch" in changes.model_fields_set:
        given["home_branch"] = branch_named(changes.home_branch, request.actor, field="home_branch")
    customer = get_visible_customer(number, request.actor)
    update_customer(customer, given, actor=request.actor, now=request.now)
    return CustomerOut.of(get_customer_record(number, request.actor))


@router.post(
    "/customers/{number}/contacts", response={201: ContactOut}, summary="Add a contact", **needs("customers.edit")
)
def add_contact(request: ApiRequest, number: str, contact: Body[ContactIn]) -> Status[ContactOut]:
    """Add a phone, an e-mail address or another way to reach the customer; the same one again changes nothing."""
    point = add_contact_point(
        get_visible_customer(number, request.actor), **contact.model_dump(), actor=request.actor, now=request.now
    )
    return Status(201, ContactOut.of(point, personal=sees_personal(request.actor)))


@router.post(
    "/customers/{number}/consents", response={201: ConsentOut}, summary="Record a consent", **needs("customers.consent")
)
def add_consent(request: ApiRequest, number: str, consent: Body[ConsentIn]) -> Status[ConsentOut]:
    """Record that the customer allowed or refused something. The latest word on each purpose and channel counts."""
    recorded = record_consent(
        get_visible_customer(number, request.actor), **consent.model_dump(), actor=request.actor, now=request.now
    )
    return Status(201, ConsentOut.of(recorded))


@router.post(
    "/customers/{number}/external-ids",
    response={201: ExternalIdOut},
    summary="Add an external id",
    **needs("customers.edit"),
)
def add_number_elsewhere(request: ApiRequest, number: str, external: Body[ExternalIdIn]) -> Status[ExternalIdOut]:
    """Record under which number another system knows the customer; the same again changes nothing."""
    recorded = add_external_id(
        get_visible_customer(number, request.actor), **external.model_dump(), actor=request.actor, now=request.now
    )
    return Status(201, ExternalIdOut.of(recorded))


def _by_source(external_ids: list[ExternalIdIn]) -> dict[str, str]:
    numbers = {external.source: external.value for external in external_ids}
    if len(numbers) != len(external_ids):
        raise InvalidInput(_("Give one number for each source."), details={"field": "external_ids"})
    return numbers
