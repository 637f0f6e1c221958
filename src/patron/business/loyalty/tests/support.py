"""What the tests of the ledger share: purchases written as the purchases room would, and looks at the ledger."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from django.db import connection, transaction

from patron.business.loyalty.models import Account, LedgerTransaction, Lot, Membership, Posting
from patron.business.loyalty.operations import expire_lots
from patron.business.purchases.followers import followers
from patron.business.purchases.models import Purchase
from patron.core.customers.models import Customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import today

DAY = datetime(2026, 1, 10, 4, 0, tzinfo=UTC)
"""Saturday 10 January 2026, noon in Hong Kong."""

_keys = count(1)


def write_purchase(
    customer: Customer | None,
    net: Decimal | str,
    *,
    at: datetime = DAY,
    original: Purchase | None = None,
    currency: str = "HKD",
) -> Purchase:
    """A purchase (with `original`: a return, its amount below zero) that nobody has followed yet."""
    amount = Decimal(net)
    return Purchase.objects.create(
        source="test",
        source_key=str(next(_keys)),
        kind=Purchase.Kind.SALE if original is None else Purchase.Kind.RETURN,
        customer=customer,
        occurred_at=at,
        currency=currency,
        gross_amount=amount,
        net_amount=amount,
        line_count=1,
        original=original,
    )


def sell(customer: Customer | None, net: Decimal | str, *, at: datetime = DAY) -> Purchase:
    """A sale that loyalty has followed."""
    return follow(write_purchase(customer, net, at=at))


def give_back(original: Purchase, net: Decimal | str, *, at: datetime = DAY + timedelta(days=1)) -> Purchase:
    """A return of goods worth `net`, that loyalty has followed."""
    return follow(write_purchase(original.customer, -Decimal(net), at=at, original=original))


def follow(purchase: Purchase) -> Purchase:
    with transaction.atomic():
        followers.get("loyalty").on_recorded(purchase, actor=SYSTEM, now=purchase.occurred_at)
    return purchase


def void(purchase: Purchase, *, at: datetime = DAY + timedelta(days=1)) -> Purchase:
    """Void a purchase, as the purchases room does, and let loyalty follow."""
    purchase.status, purchase.voided_at = Purchase.Status.VOIDED, at
    with transaction.atomic():
        purchase.save(update_fields=["status", "voided_at"])
        followers.get("loyalty").on_voided(purchase, actor=SYSTEM, now=at)
    return purchase


def follow_in_bulk(purchases: list[Purchase]) -> None:
    """Let loyalty follow many purchases at once, from a temp table as an import gives it."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS new_purchases")
        cursor.execute(
            "CREATE TEMP TABLE new_purchases AS SELECT id AS purchase_id, customer_id, branch_id, kind::text AS kind, "
            "occurred_at, currency::text AS currency, net_amount, original_id FROM purchases_purchase "
            "WHERE id = ANY(%s) ORDER BY occurred_at, id",
            [[purchase.pk for purchase in purchases]],
        )
        followers.get("loyalty").on_batch(cursor, "new_purchases", actor=SYSTEM, now=DAY)


def expire(at: datetime) -> None:
    """Expire what is due on the day of `at`, in this test's own transaction.

    The job itself works over connections of its own, which commit: in a test that is rolled back they would leave rows
    behind, and not see the test's.
    """
    while expire_lots(as_of=today(at), actor=SYSTEM, now=at).due:
        pass


def available(membership: Membership) -> Decimal:
    return Account.objects.get(membership=membership, unit="points", bucket="available").balance


def open_lots(membership: Membership) -> list[tuple[str, Decimal]]:
    """(date of expiry, points left) of the open lots, in order of use."""
    lots = Lot.objects.filter(account__membership=membership, remaining__gt=0).order_by("expires_on", "pk")
    return [(str(lot.expires_on), lot.remaining) for lot in lots]


def last(membership: Membership) -> LedgerTransaction:
    return LedgerTransaction.objects.filter(membership=membership).latest("pk")


def counts() -> tuple[int, int, int]:
    """Ledger transactions, postings and lots there are."""
    return LedgerTransaction.objects.count(), Posting.objects.count(), Lot.objects.count()
