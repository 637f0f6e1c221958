"""What input must look like before an operation takes it. Everything raises InvalidInput that names the field."""

import re
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from patron.core.customers.models import ContactPoint
from patron.core.customers.phones import normalised_phone
from patron.kernel.errors import InvalidInput

_EMAIL = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\".]+(?:\.[^\s@,;<>\".]+)+")


def normalised_contact(kind: str, value: str) -> str:
    """`value` in the form in which contact points are kept: phones in E.164, e-mails in lower case.

    A number without country code is taken to be from the organisation's region. Raises InvalidInput naming the field.
    """
    text = value.strip()
    if kind in (ContactPoint.Kind.PHONE, ContactPoint.Kind.WHATSAPP):
        number = normalised_phone(text, region=settings.PHONE_REGION)
        if number is None:
            raise InvalidInput(
                _("This is not a phone number. Write numbers from abroad with + and the country code."),
                details={"field": str(kind)},
            )
        return number
    if kind == ContactPoint.Kind.EMAIL:
        if not _EMAIL.fullmatch(text) or len(text) > 200:
            raise InvalidInput(_("This is not an e-mail address."), details={"field": "email"})
        return text.lower()
    if not text or len(text) > 200:
        raise InvalidInput(details={"field": str(kind)})
    return text


def chosen(value: str, choices: Sequence[str], field: str) -> str:
    """`value` if it is one of `choices`."""
    if value not in choices:
        raise InvalidInput(details={"field": field, "choices": list(choices)})
    return value
