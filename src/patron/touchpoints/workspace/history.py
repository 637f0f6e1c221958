"""What was done to one customer's file, in words: the audit trail for those who may read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patron.core.customers.models import Customer
from patron.kernel.actor import Actor
from patron.kernel.audit import trail_of
from patron.kernel.errors import PermissionRefused

WORDS: Mapping[str, str | Promise] = {
    "register_customer": _("Registered the customer"),
    "update_customer": _("Changed details"),
    "archive_customer": _("Archived the customer"),
    "block_customer": _("Blocked the customer"),
    "reopen_customer": _("Made the customer active again"),
    "unmask_contact": _("Looked at masked contacts"),
    "remove_contact_point": _("Removed a contact"),
    "end_relation": _("Ended a relation"),
    "set_photo": _("Changed the photo"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Who did what, and when."""

    at: datetime
    who: str
    what: str


def changes_of(customer: Customer, actor: Actor, *, limit: int = 50) -> Sequence[Change]:
    """The latest entries about the customer. Raises PermissionRefused without `accounts.audit`."""
    if not actor.can("accounts.audit"):
        raise PermissionRefused(details={"permission": "accounts.audit"})
    return [
        Change(entry.at, entry.actor_name, str(WORDS.get(entry.operation.rpartition(".")[2], entry.operation)))
        for entry in trail_of(f"customers.customer:{customer.pk}", limit=limit)
    ]
