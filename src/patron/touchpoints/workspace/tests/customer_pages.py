"""What the tests of the customers' pages share: people with published insights, and browsers signed in as staff."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from patron.core.accounts.models import Branch
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import make_staff
from patron.core.customers.models import Customer, Insight, InsightRun
from patron.core.customers.search import refresh_search_terms
from patron.core.customers.testing import CHAN, Character, make_customer
from patron.kernel import clock

VALUE_PARAMETERS = {"window_days": 365, "class_a_share": 0.8, "class_b_share": 0.95, "vip_share": 0.2}


def signed_in(role: Role = Role.ADMINISTRATOR, *, branches: Iterable[Branch] = (), username: str = "") -> Client:
    """A browser in which someone in `role` has signed in."""
    client = Client()
    client.force_login(
        make_staff(role, username=username, branches=branches), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def make_runs(as_of: date) -> dict[str, InsightRun]:
    """A run of each model."""
    at = datetime(as_of.year, as_of.month, as_of.day, 22, tzinfo=UTC)
    return {
        model: InsightRun.objects.create(
            model=model, as_of=as_of, computed_at=at, parameters=parameters, metrics={"customers": 100}
        )
        for model, parameters in (("value", VALUE_PARAMETERS), ("lifecycle", {}))
    }


def judge(
    customer: Customer,
    runs: dict[str, InsightRun],
    *,
    rank: int = 1,
    label: str = "A",
    sales: Decimal = Decimal(12_430),
    stage: str = "mature",
    reason: str = "on_rhythm",
    vip: bool = False,
    at_risk: bool = False,
    days: int = 4,
) -> None:
    """Publish what the models say of one customer: `days` is the silence on the day of the run."""
    last_on = (runs["lifecycle"].as_of - timedelta(days=days)).isoformat()
    Insight.objects.create(
        customer=customer, model="value", run=runs["value"], label=label, score=sales, rank=rank,
        reason_code="vip" if vip else f"class_{label.lower()}", reason="English of the model",
        facts={"vip": vip, "frequency": 58, "share": 0.0041, "recency_days": days, "last_on": last_on,
               "recency_score": 5, "frequency_score": 4, "monetary_score": 5, "previous_label": "B"},
    )  # fmt: skip
    Insight.objects.create(
        customer=customer, model="lifecycle", run=runs["lifecycle"], label=stage, score=sales, reason_code=reason,
        reason="English of the model",
        facts={"at_risk": at_risk, "days_since_last": days, "typical_gap_days": 6.0, "last_on": last_on,
               "lost_after_days": 90, "declining_after_days": 24, "first_on": "2019-01-20", "purchases": 210},
    )  # fmt: skip


def make_judged(
    count: int, *, character: Character = CHAN, branch: Branch | None = None, **said: Any
) -> Sequence[Customer]:
    """`count` customers of one character, ranked from 1, with search terms and insights as of yesterday."""
    runs = make_runs(clock.today(clock.now()) - timedelta(days=1))
    customers = [make_customer(character, branch=branch) for _ in range(count)]
    for rank, customer in enumerate(customers, start=1):
        judge(customer, runs, rank=rank, sales=Decimal(100_000 - rank), **said)
    refresh_search_terms([customer.pk for customer in customers])
    return customers
