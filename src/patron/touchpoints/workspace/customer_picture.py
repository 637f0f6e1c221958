"""One customer seen from every room: what the 360 degree page shows, read once and in one place.

The head of the page costs the same few queries for everybody; each tab adds its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils.functional import cached_property

from patron.business.loyalty.models import Membership
from patron.business.loyalty.queries import get_visible_memberships
from patron.business.purchases.models import Purchase
from patron.business.purchases.queries import get_purchases_of
from patron.core.customers.models import Customer, CustomerNote, Insight
from patron.core.customers.queries.file import CustomerBrief, CustomerFile, customer_brief, customer_file
from patron.core.customers.queries.insights import LIFECYCLE, VALUE, insights_of
from patron.core.customers.queries.visible import get_visible_customer
from patron.kernel import charts
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.touchpoints.workspace.forms.customers import CHANNELS
from patron.touchpoints.workspace.reasons import stage_reason, value_reason
from patron.touchpoints.workspace.rhythm import usual_days
from patron.touchpoints.workspace.said import Said, said_of

RHYTHM_DAYS = 182
RHYTHM_PURCHASES = 120


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says of the customer, in the reader's language."""

    label: str
    reason: str
    as_of: date
    computed_at: datetime
    insight: Insight


class Picture:
    """A customer for one reader at one moment. Parts that a page does not show are not read.

    Raises NotFound where the reader may not see the customer.
    """

    def __init__(self, number: str, actor: Actor, now: datetime) -> None:
        self.actor = actor
        self.now = now
        self.today = today(now)
        self.customer: Customer = get_visible_customer(number, actor)

    @cached_property
    def file(self) -> CustomerFile:
        """What is on file, masked where it must be."""
        return customer_file(self.customer, self.actor)

    @cached_property
    def memberships(self) -> Sequence[Membership]:
        """The customer's memberships, oldest first; none for a reader who may not see members."""
        return get_visible_memberships(self.customer, self.actor) if self.actor.can("loyalty.view") else []

    @cached_property
    def brief(self) -> CustomerBrief:
        """What the front desk should know."""
        return customer_brief(self.customer, self.actor, today=self.today)

    @cached_property
    def _insights(self) -> Mapping[str, Insight]:
        return insights_of(self.customer)

    @cached_property
    def stage(self) -> Judgement | None:
        """The stage of the life cycle, and why."""
        insight = self._insights.get(LIFECYCLE)
        if insight is None:
            return None
        facts = {**insight.facts}
        if "days_since_last" in facts:
            facts["days_since_last"] = int(facts["days_since_last"]) + self._days_behind(insight.run.as_of)
        reason = stage_reason(insight.reason_code, facts, otherwise=insight.reason, currency=settings.CURRENCY)
        return Judgement(insight.label, reason, insight.run.as_of, insight.run.computed_at, insight)

    @cached_property
    def value(self) -> Judgement | None:
        """The value class, and why."""
        insight = self._insights.get(VALUE)
        if insight is None:
            return None
        run = insight.run
        reason = value_reason(
            insight.reason_code,
            insight.facts,
            rank=insight.rank,
            customers=run.metrics.get("customers"),
            window_days=int(run.parameters.get("window_days", 365)),
            otherwise=insight.reason,
        )
        return Judgement(insight.label, reason, run.as_of, run.computed_at, insight)

    @cached_property
    def said(self) -> Sequence[Said]:
        """What the other analyses say."""
        return said_of(self._insights)

    @cached_property
    def is_vip(self) -> bool:
        """Whether the customer is among the few who bring most."""
        return self.value is not None and self.value.insight.facts.get("vip") is True

    @cached_property
    def is_at_risk(self) -> bool:
        """Whether the life-cycle model fears to lose the customer."""
        return self.stage is not None and self.stage.insight.facts.get("at_risk") is True

    def _days_behind(self, as_of: date) -> int:
        """By how many days silence has grown since the model looked; 0 where the customer has come since."""
        last = self.last_purchase_on
        return 0 if last is not None and last > as_of else max((self.today - as_of).days, 0)

    @cached_property
    def last_purchase_on(self) -> date | None:
        """The day of the last sale among the latest purchases."""
        sales = [p.occurred_at for p in self.recent_purchases if p.kind == "sale" and p.status == "completed"]
        return today(sales[0]) if sales else None

    @property
    def desk_notes(self) -> Sequence[CustomerNote]:
        """The notes that whoever meets the customer should read."""
        return [note for note in self.file.notes if note.for_front_desk]

    @property
    def channel_label(self) -> str:
        """How the customer likes to be reached, in words; empty where that is not known."""
        code = self.customer.preferred_channel
        return str(dict(CHANNELS).get(code, code)) if code else ""

    @cached_property
    def recent_purchases(self) -> Sequence[Purchase]:
        """The latest purchases, newest first; nothing for a reader who may not see purchases."""
        if not self.actor.can("purchases.view"):
            return ()
        return get_purchases_of(self.customer, self.actor, limit=RHYTHM_PURCHASES).purchases

    def rhythm(self, purchase_url: str) -> charts.Chart:
        """Visits of the last half year, and the days after which the next one was to be expected.

        `purchase_url` is the address of a purchase up to its key.
        """
        paid: dict[date, Decimal] = {}
        url: dict[date, str] = {}
        sales = [p for p in self.recent_purchases if p.kind == "sale" and p.status == "completed"]
        for purchase in sales:
            on = today(purchase.occurred_at)
            paid[on] = paid.get(on, Decimal(0)) + purchase.net_amount
            url.setdefault(on, f"{purchase_url}{purchase.pk}")
        latest = max(paid, default=self.today)
        since = min(self.today, latest) - timedelta(days=RHYTHM_DAYS)
        visits = [charts.Visit(on, amount, url[on]) for on, amount in paid.items() if on >= since]
        return charts.rhythm(visits, as_of=self.today, usual_days=usual_days(list(paid)), currency=settings.CURRENCY)
