"""What the operations on a customer's file share: locking the file, telling the story, keeping search in step."""

from collections.abc import Mapping
from datetime import datetime

from patron.core.customers.models import Customer
from patron.core.customers.queries import require_visible
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.story import Event, tell
from patron.kernel.actor import Actor
from patron.kernel.errors import NotFound
from patron.kernel.operation import inside_operation


@inside_operation
def locked(customer: Customer, actor: Actor) -> Customer:
    """The customer as it now is, locked against other changes, if `actor` may see it. Raises NotFound."""
    fresh = Customer.objects.select_for_update().filter(pk=customer.pk).first()
    if fresh is None:
        raise NotFound(details={"customer": customer.number})
    return require_visible(fresh, actor)


@inside_operation
def told(
    customer: Customer,
    kind: str,
    *,
    actor: Actor,
    now: datetime,
    channel: str = "",
    source: str = "",
    facts: Mapping[str, object] | None = None,
    found_anew: bool = False,
) -> None:
    """Write the change into the customer's story; `found_anew` says that search terms changed as well."""
    tell(
        Event(
            customer_id=customer.pk,
            kind=kind,
            occurred_at=now,
            channel=channel,
            branch_id=customer.home_branch_id,
            source=source or f"customers.customer:{customer.pk}",
            facts=facts or {},
        ),
        actor=actor,
        now=now,
    )
    if found_anew:
        refresh_search_terms([customer.pk])
