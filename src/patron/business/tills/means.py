"""How a sale was paid, and what earlier returns of it gave back."""

from decimal import Decimal

from django.db.models import Sum

from patron.business.loyalty.models import LedgerTransaction
from patron.business.purchases.models import Purchase, Tender
from patron.business.tills.models import TillEntry
from patron.business.tills.rules import POINTS, STORED_VALUE, Back, Means

NOTHING = Back(Decimal(0), Decimal(0), Decimal(0))


def paid_by(purchase: Purchase) -> Means:
    """How a sale was paid: the points that went, and the money of each means."""
    money = dict(Tender.objects.filter(purchase=purchase).values_list("kind").annotate(total=Sum("amount")))
    spends = LedgerTransaction.objects.filter(purchase=purchase, kind=LedgerTransaction.Kind.SPEND, unit="points")
    return Means(
        points=-(spends.aggregate(all=Sum("amount"))["all"] or Decimal(0)),
        points_money=money.get(POINTS, Decimal(0)),
        stored_value=money.get(STORED_VALUE, Decimal(0)),
    )


def returned_so_far(original: Purchase) -> Decimal:
    """The money of what has come back of a sale so far."""
    standing = original.returns.filter(status=Purchase.Status.COMPLETED).aggregate(all=Sum("net_amount"))
    return -(standing["all"] or Decimal(0))


def given_so_far(original: Purchase) -> Back:
    """What earlier returns of a sale gave back, by means."""
    found = {"points_back": Decimal(0), "stored_value_back": Decimal(0), "money_back": Decimal(0)}
    entries = TillEntry.objects.filter(
        purchase__original=original, purchase__status=Purchase.Status.COMPLETED, kind=TillEntry.Kind.RETURN
    )
    for answer in entries.values_list("answer", flat=True):
        for name in found:
            found[name] += Decimal(answer.get(name, 0))
    return Back(found["points_back"], found["stored_value_back"], found["money_back"])
