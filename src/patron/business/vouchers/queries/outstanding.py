"""What the house still owes by vouchers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, Sum

from patron.business.vouchers.models import Voucher
from patron.kernel.actor import Actor
from patron.kernel.errors import PermissionRefused


@dataclass(frozen=True, slots=True)
class VouchersOutstanding:
    """Vouchers that can be used on a day: how many, how many of them hold money, and how much that is."""

    usable: int
    with_money: int
    money: Decimal


def vouchers_outstanding(actor: Actor, *, day: date) -> VouchersOutstanding:
    """What is issued and not past its date on `day`. One query. Raises PermissionRefused without `vouchers.view`."""
    if not actor.can("vouchers.view"):
        raise PermissionRefused(details={"permission": "vouchers.view"})
    found = Voucher.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=day), status="issued").aggregate(
        usable=Count("pk"), with_money=Count("pk", filter=Q(remaining__gt=0)), money=Sum("remaining")
    )
    return VouchersOutstanding(found["usable"], found["with_money"], found["money"] or Decimal("0.00"))
