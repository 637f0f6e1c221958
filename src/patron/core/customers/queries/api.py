"""Customers' records for machines: page by page in the order of their ids, each with what other systems need."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from patron.core.customers.models import Consent, ContactPoint, Customer, ExternalId, Insight, InsightRun
from patron.core.customers.queries.visible import get_visible_customer, get_visible_customers, sees_personal
from patron.core.customers.search import search_customers
from patron.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer with home branch, contact points, numbers elsewhere, and the consents that count.

    `personal` says whether the asker may see phones, e-mails and the day of birth as they are.
    """

    customer: Customer
    contact_points: Sequence[ContactPoint]
    external_ids: Sequence[ExternalId]
    consents: Sequence[Consent]
    personal: bool


def get_customer_records(
    actor: Actor, *, after: int | None, limit: int, branch: str = "", external_id: tuple[str, str] | None = None
) -> list[CustomerRecord]:
    """At most `limit` records with ids above `after`, in four queries; `external_id` is source and value, `branch`
    the code of the home branch.

    Raises PermissionRefused without `customers.view`.
    """
    customers = get_visible_customers(actor).select_related("home_branch").order_by("id")
    if after is not None:
        customers = customers.filter(pk__gt=after)
    if branch:
        customers = customers.filter(home_branch__code=branch)
    if external_id is not None:
        source, value = external_id
        customers = customers.filter(external_ids__source=source, external_ids__value=value)
    return _records(list(customers[:limit]), actor)


def find_customer_records(text: str, *, actor: Actor, limit: int) -> list[CustomerRecord]:
    """The records of those whom `text` may mean, best first: as the search box finds them."""
    found = search_customers(text, actor=actor, limit=limit)
    customers = get_visible_customers(actor).select_related("home_branch").in_bulk([hit.id for hit in found])
    return _records([customers[hit.id] for hit in found if hit.id in customers], actor)


def get_customer_record(number: str, actor: Actor) -> CustomerRecord:
    """One record. Raises NotFound, also where the customer may not be seen."""
    return _records([get_visible_customer(number, actor)], actor)[0]


def get_insights_of(customer: Customer, actor: Actor) -> list[Insight]:
    """What the models say of a customer whom `actor` may see, by model. Raises NotFound, PermissionRefused."""
    get_visible_customer(customer.number, actor)
    return list(Insight.objects.filter(customer=customer).select_related("run", "customer").order_by("model"))


def get_insight_runs() -> list[InsightRun]:
    """The latest run of each model."""
    return list(InsightRun.objects.order_by("model", "-id").distinct("model"))


def get_insight_page(
    actor: Actor,
    model: str,
    *,
    limit: int,
    label: str = "",
    vip: bool | None = None,
    by_rank: bool = False,
    after: int | None = None,
) -> list[Insight]:
    """At most `limit` results of `model` beyond the position `after`: of a rank, or (by default) of a customer's id.

    By rank, customers without one are left out. Raises PermissionRefused without `customers.view`.
    """
    visible = get_visible_customers(actor)
    insights = Insight.objects.filter(model=model).select_related("run", "customer")
    if actor.branch_ids is not None:
        insights = insights.filter(customer__in=visible)
    if label:
        insights = insights.filter(label=label)
    if vip is not None:
        insights = insights.filter(facts__vip=True) if vip else insights.exclude(facts__vip=True)
    position = "rank" if by_rank else "customer_id"
    insights = insights.filter(Q(**{f"{position}__gt": -1 if after is None else after})).order_by(position)
    return list(insights[:limit])


def _records(customers: Sequence[Customer], actor: Actor) -> list[CustomerRecord]:
    ids = [customer.pk for customer in customers]
    contacts: dict[int, list[ContactPoint]] = {key: [] for key in ids}
    numbers: dict[int, list[ExternalId]] = {key: [] for key in ids}
    consents: dict[int, list[Consent]] = {key: [] for key in ids}
    for point in ContactPoint.objects.filter(customer__in=ids).order_by("kind", "-is_primary", "id"):
        contacts[point.customer_id].append(point)
    for number in ExternalId.objects.filter(customer__in=ids).order_by("source", "id"):
        numbers[number.customer_id].append(number)
    latest = ("customer_id", "purpose", "channel")
    for consent in Consent.objects.filter(customer__in=ids).order_by(*latest, "-given_at", "-id").distinct(*latest):
        consents[consent.customer_id].append(consent)
    personal = sees_personal(actor)
    return [
        CustomerRecord(
            customer=customer,
            contact_points=contacts[customer.pk],
            external_ids=numbers[customer.pk],
            consents=consents[customer.pk],
            personal=personal,
        )
        for customer in customers
    ]
