"""What the models say, beside a customer or a handful of them."""

from collections.abc import Iterable
from typing import Final

from django.core.cache import cache
from django.db.models import Count, F

from patron.core.customers.models import Customer, Insight, InsightRun
from patron.kernel.actor import Actor

VALUE, LIFECYCLE = "value", "lifecycle"
_REMEMBERED_SECONDS: Final = 600


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


def label_counts(model: str, actor: Actor) -> dict[str, int]:
    """How many customers that `actor` may see have each label of `model`.

    Remembered for ten minutes, until the model's next run: counting a million of them takes too long for a page.
    """
    run = InsightRun.objects.filter(model=model).order_by("-id").values_list("id", flat=True).first()
    rows = Insight.objects.filter(model=model)
    if actor.branch_ids is not None:
        rows = rows.filter(customer__home_branch_id__in=actor.branch_ids)
    branches = "all" if actor.branch_ids is None else ",".join(map(str, sorted(actor.branch_ids)))
    counted: dict[str, int] | None = cache.get_or_set(
        f"labels-{model}-{run}-{branches}",
        lambda: dict(rows.values_list("label").annotate(Count("pk")).order_by("label")),
        _REMEMBERED_SECONDS,
    )
    return dict(counted or {})


def customers_labelled(model: str, label: str, *, limit: int) -> list[int]:
    """The customers with a label of `model`, the highest score first; also those that a reader may not see."""
    rows = Insight.objects.filter(model=model, label=label).order_by(F("score").desc(nulls_last=True), "customer_id")
    return list(rows.values_list("customer_id", flat=True)[:limit])
