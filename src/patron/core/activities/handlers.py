"""Listens to the rooms below the log, and names the kinds that they tell of."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from patron.core.activities.kinds import ActivityKind, kinds
from patron.core.activities.operations import log_activities_from, log_activity
from patron.core.customers.story import Event, Listener, listeners
from patron.kernel.actor import Actor

for _kind in (
    ActivityKind("customer.registered", _("Registered"), icon="user-plus", topic="customer"),
    ActivityKind("customer.updated", _("Details changed"), icon="user-edit", topic="customer"),
    ActivityKind("customer.contact_added", _("Contact added"), icon="address-book", topic="customer"),
    ActivityKind("customer.contact_removed", _("Contact removed"), icon="address-book-off", topic="customer"),
    ActivityKind("customer.address_changed", _("Address changed"), icon="map-pin", topic="customer"),
    ActivityKind("customer.consent_recorded", _("Consent recorded"), icon="shield-check", topic="customer"),
    ActivityKind("customer.note_written", _("Note written"), icon="note", topic="customer"),
    ActivityKind("customer.related", _("Relation added"), icon="users", topic="customer"),
    ActivityKind("customer.relation_ended", _("Relation ended"), icon="user-minus", topic="customer"),
    ActivityKind("customer.archived", _("Archived"), icon="archive", topic="customer"),
    ActivityKind("customer.blocked", _("Blocked"), icon="ban", topic="customer"),
    ActivityKind("customer.reopened", _("Active again"), icon="user-check", topic="customer"),
    ActivityKind("contact.called", _("Call"), icon="phone", topic="contact"),
    ActivityKind("contact.visited", _("Visit"), icon="walk", topic="contact"),
):
    kinds.register(_kind)


def _write_down(event: Event, actor: Actor, now: datetime) -> None:
    log_activity(
        actor=actor,
        now=now,
        customer_id=event.customer_id,
        kind=event.kind,
        occurred_at=event.occurred_at,
        channel=event.channel,
        branch_id=event.branch_id,
        source=event.source,
        facts=event.facts,
    )


listeners.register(Listener("activity log", on_event=_write_down, on_events=log_activities_from))
