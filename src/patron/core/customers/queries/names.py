"""Names for rows that only know a customer's key: the results of reports."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from patron.core.customers.models import ContactPoint, Customer
from patron.core.customers.phones import shown_phone
from patron.core.customers.queries.visible import sees_personal
from patron.core.customers.rules import masked_phone
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused


@dataclass(frozen=True, slots=True)
class NamedCustomer:
    """How a customer is shown in a row. `phone` is masked where the actor's role does not need it."""

    number: str
    name: str
    home_branch: str
    phone: str


def get_named_customers(customer_ids: Iterable[int], actor: Actor) -> dict[int, NamedCustomer]:
    """Number, name, branch and first phone by key, in two queries; those that `actor` may not see are left out.

    Raises PermissionRefused without `customers.view`.
    """
    if not actor.can("customers.view"):
        raise PermissionRefused(details={"permission": "customers.view"})
    ids = list(customer_ids)
    customers = Customer.objects.filter(pk__in=ids)
    if actor.branch_ids is not None:
        customers = customers.filter(home_branch_id__in=actor.branch_ids)
    rows = list(customers.values_list("pk", "number", "name", "home_branch__name"))
    phones: dict[int, str] = {}
    for customer_id, value in (
        ContactPoint.objects.filter(customer_id__in=[row[0] for row in rows], kind=ContactPoint.Kind.PHONE)
        .order_by("customer_id", "-is_primary", "id")
        .values_list("customer_id", "value")
    ):
        phones.setdefault(customer_id, value)
    region, unmasked = settings.PHONE_REGION, sees_personal(actor)
    shown = {key: shown_phone(value, region=region) for key, value in phones.items()}
    return {
        key: NamedCustomer(
            number=number,
            name=name or number,
            home_branch=branch or "",
            phone=(shown[key] if unmasked else masked_phone(shown[key])) if key in shown else "",
        )
        for key, number, name, branch in rows
    }
