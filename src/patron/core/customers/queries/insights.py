"""What the models say, beside a customer or a handful of them."""

from collections.abc import Iterable

from patron.core.customers.models import Customer, Insight

VALUE, LIFECYCLE = "value", "lifecycle"


def insights_of(customer: Customer) -> dict[str, Insight]:
    """The published results on `customer` by model, each with its run, in one query.

    The caller has made sure that the reader may see the customer.
    """
    rows = Insight.objects.filter(customer=customer).select_related("run")
    return {insight.model: insight for insight in rows}


def stages_of(customer_ids: Iterable[int]) -> dict[int, str]:
    """The life-cycle stage of each of these customers who has one, in one query."""
    rows = Insight.objects.filter(customer_id__in=list(customer_ids), model=LIFECYCLE)
    return dict(rows.values_list("customer_id", "label"))
