"""Registering customers, changing what is on file, archiving and blocking."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypedDict

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from patron.core.accounts.models import Branch, Staff
from patron.core.customers import rules
from patron.core.customers.checking import chosen, normalised_contact
from patron.core.customers.models import ContactPoint, Customer, CustomerNote, ExternalId
from patron.core.customers.operations.changes import locked, told
from patron.kernel.actor import Actor
from patron.kernel.clock import today
from patron.kernel.errors import Conflict, InvalidInput
from patron.kernel.operation import inside_operation, operation

OLDEST = date(1890, 1, 1)
LANGUAGES = ("", *(code for code, _name in settings.LANGUAGES))


class CustomerChanges(TypedDict, total=False):
    """What `update_customer` may change; a key that is absent stays as it is."""

    kind: str
    name: str
    family_name: str
    given_name: str
    latin_name: str
    sex: str
    birth_on: date | None
    occupation: str
    language: str
    preferred_channel: str
    preferences: str
    home_branch: Branch | None
    owner: Staff | None
    registered_on: date | None


_NAMES = ("name", "family_name", "given_name", "latin_name")
_SEARCHED = frozenset({"name", "family_name", "latin_name", "home_branch"})


@inside_operation
def next_number() -> str:
    """A customer number that nobody has: C0000001 and up. Numbers of transactions that fail are not used again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT patron_next_customer_number()")
        return str(cursor.fetchone()[0])


@operation(
    permission="customers.register",
    private=(
        "name", "family_name", "given_name", "latin_name", "birth_on", "phone", "email", "preferences", "occupation",
        "external_ids",
    ),
)  # fmt: skip
def register_customer(
    *,
    actor: Actor,
    now: datetime,
    name: str = "",
    family_name: str = "",
    given_name: str = "",
    latin_name: str = "",
    kind: str = Customer.Kind.INDIVIDUAL,
    sex: str = "",
    birth_on: date | None = None,
    occupation: str = "",
    language: str = "",
    preferred_channel: str = "",
    preferences: str = "",
    home_branch: Branch | None = None,
    owner: Staff | None = None,
    registered_on: date | None = None,
    phone: str = "",
    email: str = "",
    external_ids: Mapping[str, str] | None = None,
    source: str = "",
    channel: str = "",
) -> Customer:
    """Put someone on file and return them.

    A name, a phone or an e-mail is needed. `name` is made of family and given name where it is not given itself.
    `external_ids` maps source to the number there; `source` says where the contact details come from, `channel` over
    which touchpoint the customer came. An actor bound to branches registers for one of them (their only one by
    default).

    Raises InvalidInput naming the field; Conflict when an external id belongs to another customer.
    """
    given = CustomerChanges(
        kind=kind,
        name=name or rules.full_name(family_name, given_name) or latin_name,
        family_name=family_name,
        given_name=given_name,
        latin_name=latin_name,
        sex=sex,
        birth_on=birth_on,
        occupation=occupation,
        language=language,
        preferred_channel=preferred_channel,
        preferences=preferences,
        home_branch=home_branch or _own_branch(actor),
        owner=owner,
        registered_on=registered_on or today(now),
    )
    contacts = [
        (kind_, normalised_contact(kind_, value))
        for kind_, value in ((ContactPoint.Kind.PHONE, phone), (ContactPoint.Kind.EMAIL, email))
        if value.strip()
    ]
    if not given["name"].strip() and not contacts:
        raise InvalidInput(_("Give a name, a phone number or an e-mail address."), details={"field": "name"})
    checked = _checked(given, actor=actor, on=today(now))
    taken = ExternalId.objects.select_for_update().filter(
        source__in=list(external_ids or {}), value__in=list((external_ids or {}).values())
    )
    for external in taken:
        if (external_ids or {}).get(external.source) == external.value:
            raise Conflict(
                _("Another customer already has this number of another system."), details={"source": external.source}
            )
    customer = Customer.objects.create(number=next_number(), **checked)
    ContactPoint.objects.bulk_create(
        ContactPoint(customer=customer, kind=kind_, value=value, is_primary=True, source=source)
        for kind_, value in contacts
    )
    ExternalId.objects.bulk_create(
        ExternalId(customer=customer, source=at, value=value) for at, value in (external_ids or {}).items()
    )
    told(customer, "customer.registered", actor=actor, now=now, channel=channel, found_anew=True)
    return customer


@operation(permission="customers.edit")
def update_customer(customer: Customer, changes: CustomerChanges, *, actor: Actor, now: datetime) -> Customer:
    """Change what is on file and return the customer as it is now.

    A change of family or given name also changes the full name, unless that is given too. What is equal already is no
    change; nothing changed tells no story. Raises InvalidInput naming the field, NotFound for who may not be seen.
    """
    fresh = locked(customer, actor)
    unknown = sorted(set(changes) - set(CustomerChanges.__annotations__))
    if unknown:
        raise InvalidInput(details={"field": unknown[0]})
    if "name" not in changes and ("family_name" in changes or "given_name" in changes):
        whole = rules.full_name(
            changes.get("family_name", fresh.family_name), changes.get("given_name", fresh.given_name)
        )
        changes = {**changes, "name": whole or fresh.name}
    checked = _checked(changes, actor=actor, on=today(now))
    changed = sorted(name for name, value in checked.items() if getattr(fresh, name) != value)
    if not changed:
        return fresh
    for name in changed:
        setattr(fresh, name, checked[name])
    fresh.save(update_fields=changed)
    told(
        fresh,
        "customer.updated",
        actor=actor,
        now=now,
        facts={"fields": changed},
        found_anew=bool(_SEARCHED.intersection(changed)),
    )
    return fresh


@operation(permission="customers.block")
def archive_customer(customer: Customer, *, actor: Actor, now: datetime) -> Customer:
    """Put a customer aside: no longer active, still found. Does nothing where that is so already."""
    return _set_status(customer, Customer.Status.ARCHIVED, "customer.archived", actor=actor, now=now)


@operation(permission="customers.block", private=("reason",))
def block_customer(customer: Customer, *, reason: str, actor: Actor, now: datetime) -> Customer:
    """Stop serving a customer. `reason` is needed, and shown to the front desk. Raises InvalidInput without one."""
    if not reason.strip():
        raise InvalidInput(_("Say why this customer is blocked."), details={"field": "reason"})
    blocked = _set_status(customer, Customer.Status.BLOCKED, "customer.blocked", actor=actor, now=now)
    CustomerNote.objects.create(
        customer=blocked, text=reason.strip(), for_front_desk=True, written_by=actor.name, written_at=now
    )
    return blocked


@operation(permission="customers.block")
def reopen_customer(customer: Customer, *, actor: Actor, now: datetime) -> Customer:
    """Make an archived or blocked customer active again."""
    return _set_status(customer, Customer.Status.ACTIVE, "customer.reopened", actor=actor, now=now)


def _set_status(customer: Customer, status: str, kind: str, *, actor: Actor, now: datetime) -> Customer:
    fresh = locked(customer, actor)
    if fresh.status != status:
        before, fresh.status = fresh.status, status
        fresh.save(update_fields=["status"])
        told(fresh, kind, actor=actor, now=now, facts={"before": before})
    return fresh


def _own_branch(actor: Actor) -> Branch | None:
    """The branch of an actor who has just one."""
    if actor.branch_ids is None or len(actor.branch_ids) != 1:
        return None
    return Branch.objects.get(pk=next(iter(actor.branch_ids)))


def _checked(changes: CustomerChanges, *, actor: Actor, on: date) -> dict[str, object]:
    """`changes` tidied, or InvalidInput that names the field."""
    checked: dict[str, object] = {
        name: " ".join(value.split()) if isinstance(value, str) and name != "preferences" else value
        for name, value in changes.items()
    }
    if "kind" in changes:
        chosen(changes["kind"], Customer.Kind.values, "kind")
    if "sex" in changes:
        chosen(changes["sex"], Customer.Sex.values, "sex")
    if "language" in changes:
        chosen(changes["language"], list(LANGUAGES), "language")
    for name in (*_NAMES, "occupation", "preferred_channel"):
        longest = getattr(Customer._meta.get_field(name), "max_length", None)
        if longest and len(str(checked.get(name, ""))) > longest:
            raise InvalidInput(
                _("This is too long: %(longest)s characters at most.") % {"longest": longest},
                details={"field": name, "longest": longest},
            )
    if changes.get("birth_on") and not OLDEST <= (changes["birth_on"] or on) <= on:
        raise InvalidInput(_("A birthday lies in the past, and not before 1890."), details={"field": "birth_on"})
    if "home_branch" in changes and actor.branch_ids is not None:
        branch = changes["home_branch"]
        if branch is None or branch.pk not in actor.branch_ids:
            raise InvalidInput(_("Choose one of your own branches."), details={"field": "home_branch"})
    return checked
