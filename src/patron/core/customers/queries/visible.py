"""Who may see whom. Fetching is authorising: nothing else hands out a customer."""

from django.db.models import QuerySet

from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound, PermissionRefused


def get_visible_customers(actor: Actor) -> QuerySet[Customer]:
    """The customers that `actor` may see: all, or those whose home branch is one of the actor's.

    Raises PermissionRefused without `customers.view`.
    """
    if not actor.can("customers.view"):
        raise PermissionRefused(details={"permission": "customers.view"})
    customers = Customer.objects.all()
    return customers if actor.branch_ids is None else customers.filter(home_branch_id__in=actor.branch_ids)


def get_visible_customer(number: str, actor: Actor) -> Customer:
    """The customer with this number, with home branch and owner. Raises NotFound, also where it may not be seen."""
    customer = (
        get_visible_customers(actor)
        .select_related("home_branch", "owner")
        .filter(number=number.strip().upper())
        .first()
    )
    if customer is None:
        raise NotFound(details={"customer": number})
    return customer


def require_visible(customer: Customer, actor: Actor) -> Customer:
    """`customer` itself if `actor` may see it, else NotFound."""
    if actor.branch_ids is not None and customer.home_branch_id not in actor.branch_ids:
        raise NotFound(details={"customer": customer.number})
    return customer


def sees_personal(actor: Actor) -> bool:
    """Whether `actor` sees phones, e-mails and years of birth as they are."""
    return actor.can("customers.personal")
