"""Purchases straight into the tables, and a refresh of a warehouse in a directory of one's own, for tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo

from patron.business.purchases.models import Purchase, PurchaseLine
from patron.core.accounts.models import Branch
from patron.core.catalog.models import Product
from patron.core.customers.models import Customer
from patron.intelligence.warehouse.reader import Warehouse, open_warehouse
from patron.intelligence.warehouse.store import Store
from patron.intelligence.warehouse.update import Update, update
from patron.kernel.exports import Export, exports

ZONE = "Asia/Hong_Kong"
TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

_keys = count(1)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be sold: amount for all of it, and cost where known."""

    amount: str
    product: Product | None = None
    cost: str | None = None
    quantity: str = "1"


def sell(
    customer: Customer | None,
    *lines: str | Line,
    branch: Branch | None = None,
    days_ago: int = 0,
    currency: str = "HKD",
    kind: str = "sale",
) -> Purchase:
    """A receipt of `lines` (amounts will do), `days_ago` before 2 March 2026 at noon in Hong Kong."""
    whole = [line if isinstance(line, Line) else Line(line) for line in lines]
    total = sum((Decimal(line.amount) for line in whole), Decimal(0))
    purchase = Purchase.objects.create(
        source="test",
        source_key=f"T{next(_keys)}",
        kind=kind,
        customer=customer,
        branch=branch,
        occurred_at=NOON - timedelta(days=days_ago),
        currency=currency,
        gross_amount=total,
        net_amount=total,
        line_count=len(whole),
    )
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=purchase,
            line_no=number,
            product=line.product,
            quantity=Decimal(line.quantity),
            unit_price=Decimal(line.amount),
            net_amount=Decimal(line.amount),
            cost_amount=None if line.cost is None else Decimal(line.cost),
        )
        for number, line in enumerate(whole, start=1)
    )
    return purchase


def void(purchase: Purchase) -> None:
    """Cancel a receipt afterwards."""
    purchase.status = Purchase.Status.VOIDED
    purchase.voided_at = NOON
    purchase.save(update_fields=["status", "voided_at"])


@contextmanager
def behind_the_stamps(table: str) -> Iterator[None]:
    """Change `table` without its triggers: as a hand at the database, or a bug, might."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def conninfo() -> str:
    """The test database, for connections that are not Django's."""
    given = connection.settings_dict
    return make_conninfo("", host=given["HOST"], dbname=given["NAME"], user=given["USER"])


def run_update(root: Path, *, full: bool = False, chosen: Sequence[Export] | None = None) -> Update:
    """Update the warehouse in `root` from the test database and publish it, without mining."""
    store = Store(root)
    with store.locked():
        store.clear()
        with store.workplace() as work:
            found = update(
                store,
                tuple(exports) if chosen is None else chosen,
                conninfo(),
                zone=ZONE,
                now=NOON,
                today=TODAY,
                work=work,
                full=full,
            )
        if found.mode != "unchanged":
            store.publish(found.manifest)
            store.clear()
    return found


def contents(root: Path, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table as published, in the order of their columns."""
    warehouse: Warehouse = open_warehouse(root)
    return warehouse.rows(f'SELECT * FROM "{table}" ORDER BY ALL')  # noqa: S608 (a table's name)
