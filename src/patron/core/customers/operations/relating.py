"""Who belongs to whom: households, key persons of organisations, payers; and what people look like."""

from datetime import date, datetime

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from patron.core.customers.checking import chosen
from patron.core.customers.models import Customer, Relation
from patron.core.customers.operations.changes import locked, told
from patron.kernel.actor import Actor
from patron.kernel.errors import InvalidInput, NotFound
from patron.kernel.operation import operation

LARGEST_PHOTO_BYTES = 5_000_000
_SIGNATURES = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}


@operation(permission="customers.edit")
def relate_customers(
    customer: Customer,
    other: Customer,
    *,
    kind: str,
    actor: Actor,
    now: datetime,
    role: str = "",
    since_on: date | None = None,
) -> Relation:
    """Record that `customer` is `kind` of `other` (a member of a household, a key person of an organisation…).

    `role` is what a key person does there. The same again changes role and date. A household has members and an
    organisation has key persons; other kinds hold between any two. Raises InvalidInput naming the field.
    """
    chosen(kind, Relation.Kind.values, "kind")
    first, second = (locked(one, actor) for one in (customer, other))
    if first.pk == second.pk:
        raise InvalidInput(_("Choose two different customers."), details={"field": "other"})
    if kind == Relation.Kind.MEMBER and second.kind not in (Customer.Kind.HOUSEHOLD, Customer.Kind.COMMUNITY):
        raise InvalidInput(_("Only a household or a club has members."), details={"field": "other"})
    if kind == Relation.Kind.KEY_PERSON and second.kind in (Customer.Kind.INDIVIDUAL, Customer.Kind.HOUSEHOLD):
        raise InvalidInput(_("Only an organisation has key persons."), details={"field": "other"})
    relation, created = Relation.objects.update_or_create(
        customer=first, other=second, kind=kind, defaults={"role": role.strip()[:100], "since_on": since_on}
    )
    if created:
        for one, whom in ((first, second), (second, first)):
            told(
                one,
                "customer.related",
                actor=actor,
                now=now,
                source=f"customers.relation:{relation.pk}",
                facts={"kind": str(kind), "other": whom.number, "role": relation.role},
            )
    return relation


@operation(permission="customers.edit")
def end_relation(customer: Customer, relation_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a relation in which the customer stands on either side. Raises NotFound."""
    fresh = locked(customer, actor)
    relation = Relation.objects.select_related("customer", "other").filter(pk=relation_id).first()
    if relation is None or fresh.pk not in (relation.customer_id, relation.other_id):
        raise NotFound(details={"relation": relation_id})
    relation.delete()
    for one, whom in ((relation.customer, relation.other), (relation.other, relation.customer)):
        told(one, "customer.relation_ended", actor=actor, now=now, facts={"kind": relation.kind, "other": whom.number})


@operation(permission="customers.edit", private=("photo",))
def set_photo(customer: Customer, photo: "File[bytes]", *, actor: Actor, now: datetime) -> Customer:
    """Keep a picture of the customer (JPEG or PNG, 5 MB at most) in place of the one there was.

    Raises InvalidInput for anything else.
    """
    fresh = locked(customer, actor)
    head = photo.read(8)
    photo.seek(0)
    ending = next((end for signature, end in _SIGNATURES.items() if head.startswith(signature)), None)
    if ending is None or (photo.size or 0) > LARGEST_PHOTO_BYTES:
        raise InvalidInput(_("A photo is a JPEG or PNG picture of 5 MB at most."), details={"field": "photo"})
    fresh.photo.save(f"{fresh.number}.{ending}", photo, save=False)
    fresh.save(update_fields=["photo"])
    told(fresh, "customer.updated", actor=actor, now=now, facts={"fields": ["photo"]})
    return fresh
