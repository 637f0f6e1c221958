"""The codes of this room with their words, in the order of forms and filters."""

from patron.core.customers.models import Consent, ContactPoint, Customer, Relation

Choices = list[tuple[str, str]]


def _choices(pairs: list[tuple[str, object]]) -> Choices:
    return [(code, str(label)) for code, label in pairs]


def kind_choices() -> Choices:
    """What a customer may be: individual, household, organisation…"""
    return _choices(list(Customer.Kind.choices))


def sex_choices() -> Choices:
    """Not known first."""
    return [("", str(Customer.Sex.UNKNOWN.label)), *(c for c in _choices(list(Customer.Sex.choices)) if c[0])]


def status_choices() -> Choices:
    """Active, archived, blocked."""
    return _choices(list(Customer.Status.choices))


def contact_kind_choices() -> Choices:
    """Ways to reach somebody."""
    return _choices(list(ContactPoint.Kind.choices))


def consent_purpose_choices() -> Choices:
    """What a consent is for."""
    return _choices(list(Consent.Purpose.choices))


def consent_channel_choices() -> Choices:
    """What a consent is about."""
    return _choices(list(Consent.Channel.choices))


def relation_kind_choices() -> Choices:
    """How two customers may belong together."""
    return _choices(list(Relation.Kind.choices))
