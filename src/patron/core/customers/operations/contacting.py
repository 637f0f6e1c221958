"""How a customer is reached, and under which numbers other systems know them."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from patron.core.customers.checking import chosen, normalised_contact
from patron.core.customers.models import Address, ContactPoint, Customer, ExternalId
from patron.core.customers.operations.changes import locked, told
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, InvalidInput, NotFound
from patron.kernel.operation import operation


@operation(permission="customers.edit", private=("value",))
def add_contact_point(
    customer: Customer,
    kind: str,
    value: str,
    *,
    actor: Actor,
    now: datetime,
    label: str = "",
    primary: bool = False,
    source: str = "",
    channel: str = "",
) -> ContactPoint:
    """Add a way to reach the customer, and return it; the same one again gives the one there is.

    The first of its kind is the primary one; with `primary` the new one takes that place.
    Raises InvalidInput naming the field.
    """
    chosen(kind, ContactPoint.Kind.values, "kind")
    normal = normalised_contact(kind, value)
    fresh = locked(customer, actor)
    others = list(ContactPoint.objects.filter(customer=fresh, kind=kind))
    primary = primary or not others
    existing = next((point for point in others if point.value == normal), None)
    if existing and (existing.is_primary or not primary):
        return existing
    if primary:
        ContactPoint.objects.filter(customer=fresh, kind=kind, is_primary=True).update(is_primary=False)
    if existing:
        existing.is_primary = True
        existing.save(update_fields=["is_primary"])
        return existing
    point = ContactPoint.objects.create(
        customer=fresh, kind=kind, value=normal, label=label, is_primary=primary, source=source
    )
    told(
        fresh,
        "customer.contact_added",
        actor=actor,
        now=now,
        channel=channel,
        facts={"contact": str(kind)},
        found_anew=True,
    )
    return point


@operation(permission="customers.edit")
def remove_contact_point(customer: Customer, contact_point_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a way to reach the customer; the oldest other one of its kind becomes primary. Raises NotFound."""
    fresh = locked(customer, actor)
    point = ContactPoint.objects.filter(customer=fresh, pk=contact_point_id).first()
    if point is None:
        raise NotFound(details={"contact_point": contact_point_id})
    point.delete()
    heir = ContactPoint.objects.filter(customer=fresh, kind=point.kind).order_by("pk").first()
    if point.is_primary and heir is not None:
        heir.is_primary = True
        heir.save(update_fields=["is_primary"])
    told(fresh, "customer.contact_removed", actor=actor, now=now, facts={"contact": point.kind}, found_anew=True)


@operation(permission="customers.edit", private=("value",))
def add_external_id(customer: Customer, source: str, value: str, *, actor: Actor, now: datetime) -> ExternalId:
    """Record the number under which system `source` knows the customer, and return it.

    The same again gives the one there is. Raises Conflict where another customer has it.
    """
    source, value = source.strip(), value.strip()
    if not source or not value:
        raise InvalidInput(details={"field": "value" if source else "source"})
    fresh = locked(customer, actor)
    external, created = ExternalId.objects.get_or_create(source=source, value=value, defaults={"customer": fresh})
    if external.customer_id != fresh.pk:
        raise Conflict(_("Another customer already has this number of another system."), details={"source": source})
    if created:
        told(fresh, "customer.updated", actor=actor, now=now, facts={"fields": ["external_ids"]}, found_anew=True)
    return external


@operation(
    permission="customers.edit",
    private=("label", "lines", "district", "city", "region", "country", "postcode", "latitude", "longitude"),
)
def set_address(
    customer: Customer,
    *,
    actor: Actor,
    now: datetime,
    address_id: int | None = None,
    label: str = "",
    lines: str = "",
    district: str = "",
    city: str = "",
    region: str = "",
    country: str = "",
    postcode: str = "",
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    primary: bool = True,
) -> Address:
    """Add an address, or replace the one with `address_id`, and return it.

    Coordinates are degrees (WGS 84), both or none.
    Raises InvalidInput naming the field, NotFound for an address of somebody else.
    """
    if (latitude is None) != (longitude is None):
        raise InvalidInput(_("Give both coordinates or none."), details={"field": "latitude"})
    if latitude is not None and not -90 <= latitude <= 90:
        raise InvalidInput(_("A latitude lies between -90 and 90."), details={"field": "latitude"})
    if longitude is not None and not -180 <= longitude <= 180:
        raise InvalidInput(_("A longitude lies between -180 and 180."), details={"field": "longitude"})
    fresh = locked(customer, actor)
    if address_id is None:
        address = Address(customer=fresh)
    else:
        found = Address.objects.filter(customer=fresh, pk=address_id).first()
        if found is None:
            raise NotFound(details={"address": address_id})
        address = found
    if primary:
        Address.objects.filter(customer=fresh, is_primary=True).exclude(pk=address.pk).update(is_primary=False)
    address.label, address.lines, address.district, address.city = label, lines, district, city
    address.region, address.country, address.postcode = region, country, postcode
    address.latitude, address.longitude, address.is_primary = latitude, longitude, primary
    address.save()
    told(fresh, "customer.address_changed", actor=actor, now=now)
    return address
