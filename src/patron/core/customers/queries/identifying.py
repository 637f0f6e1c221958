"""Who stands here: exact identification, for anybody who serves customers."""

from django.utils.translation import gettext_lazy as _

from patron.core.customers.models import Customer
from patron.core.customers.search import exact_ids
from patron.kernel.actor import Actor
from patron.kernel.errors import Conflict, NotFound, PermissionRefused


def identify_customer(text: str, *, actor: Actor) -> Customer:
    """The one customer whose card, number, whole phone, e-mail or external id `text` is, with home branch.

    Also finds customers of other branches: whoever shows a card is served. Raises NotFound where nobody has it,
    Conflict (with the numbers in `details`) where several do, PermissionRefused without `customers.view`.
    """
    if not actor.can("customers.view"):
        raise PermissionRefused(details={"permission": "customers.view"})
    customers = list(Customer.objects.select_related("home_branch").filter(pk__in=exact_ids(text)[:6]).order_by("pk"))
    if not customers:
        raise NotFound(_("Nobody on file has this card, number, phone or e-mail."))
    active = [customer for customer in customers if customer.status != Customer.Status.ARCHIVED] or customers
    if len(active) > 1:
        raise Conflict(
            _("Several customers share this. Ask for the card or the customer number."),
            details={"numbers": [customer.number for customer in active]},
        )
    return active[0]
