"""A small published warehouse without a database: generated sales, for tests of engines, of the door, of notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from patron.intelligence.warehouse import engine
from patron.intelligence.warehouse.corrections import CORRECTIONS_COLUMNS
from patron.intelligence.warehouse.dates import DATES_COLUMNS, dates_sql
from patron.intelligence.warehouse.extraction import describe, write_parts
from patron.intelligence.warehouse.manifest import Manifest, Table, columns_sql
from patron.intelligence.warehouse.store import Store
from patron.kernel.exports import ExportColumn, columns_of, exports

AS_OF = date(2026, 3, 2)
TAKEN_AT = "2026-03-02T04:00:00+00:00"
CATEGORIES = (("Food", "Dairy"), ("Food", "Bakery"), ("Drinks", "Tea"), ("Home", "Cleaning"))

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much to generate."""

    customers: int = 120
    receipts: int = 1500
    products: int = 24
    branches: int = 3
    days: int = 500


def published(root: Path, tables: Mapping[str, Rows], *, version: int = 1) -> Manifest:
    """Publish `tables` (rows by column name) in the directory `root`; whatever else rooms export is there, empty."""
    store = Store(root)
    duck = engine.connect(memory_mb=200)
    made: dict[str, Table] = {}
    for export in exports:
        columns, rows = columns_of(export), tables.get(export.name, ())
        made[export.name] = Table(columns_sql(columns), totals={"count": str(len(rows))})
        if rows:
            duck.register("given", _arrow(columns, rows))
            chosen = ", ".join(f'"{c.name}"::{c.sql_type} AS "{c.name}"' for c in columns)
            query = f"SELECT {chosen} FROM given ORDER BY {', '.join(export.key)}"  # noqa: S608 (our own SQL)
            parts = write_parts(store, duck, export, query)
            duck.unregister("given")
            made[export.name] = Table(columns_sql(columns), tuple(parts), {"count": str(len(rows))})
    file = store.new_part("dates")
    engine.write_parquet(duck, dates_sql(AS_OF.year - 2, AS_OF.year), store.path(file))
    made["dates"] = Table(columns_sql(DATES_COLUMNS), (describe(store, duck, "year", file),))
    made["corrections"] = Table(columns_sql(CORRECTIONS_COLUMNS))
    duck.close()
    manifest = Manifest(version, taken_at=TAKEN_AT, snapshot="1:1:", fingerprint="generated", tables=made)
    store.publish(manifest)
    return manifest


def generated(*, seed: int, size: Size | None = None) -> dict[str, Rows]:
    """Sales of some 500 days up to `AS_OF` with all that figures must cope with.

    Returns, voided receipts, receipts without a customer or a branch, another currency, costs known for some, some
    discounts, customers who never bought, members of two tiers, points earned, redeemed and expired.
    """
    rng, size = np.random.default_rng(seed), size or Size()
    products = [
        {
            "product_id": 1 + i, "code": f"P{1 + i:03}", "name": f"Product {1 + i}", "brand": f"Brand {i % 5}",
            "category_1": CATEGORIES[i % 4][0], "category_2": CATEGORIES[i % 4][1],
            "category": " > ".join(CATEGORIES[i % 4]), "unit": "piece", "list_price": _money(5 + 7 * i),
            "cost": None if i % 3 == 0 else _money(3 + 4 * i), "is_active": True,
        }
        for i in range(size.products)
    ]  # fmt: skip
    customers = [
        {
            "customer_id": 1 + i, "number": f"C{1 + i:05}", "kind": "individual", "status": "active",
            "sex": ("female", "male", "")[i % 3], "birth_year": 1950 + i % 55, "language": "zh-hant",
            "home_branch_id": None if i % 7 == 0 else 1 + i % size.branches,
            "registered_on": AS_OF - timedelta(days=int(rng.integers(0, 900))),
            "has_phone": i % 5 != 0, "has_email": i % 2 == 0, "has_chat": i % 9 == 0, "has_post": i % 4 != 3,
        }
        for i in range(size.customers)
    ]  # fmt: skip
    purchases, lines = _sales(rng, size, products)
    memberships = [
        {"membership_id": 1 + i, "customer_id": 1 + i, "programme": "club",
         "status": "closed" if i % 11 == 0 else "active",
         "joined_on": AS_OF - timedelta(days=int(rng.integers(1, 400)))}
        for i in range(size.customers // 2)
    ]  # fmt: skip
    return {
        "branches": [
            {"branch_id": 1 + i, "code": f"B{1 + i}", "name": f"Branch {1 + i}", "time_zone": "", "is_active": True}
            for i in range(size.branches)
        ],
        "products": products,
        "customers": customers,
        "purchases": purchases,
        "purchase_lines": lines,
        "consents": _consents(size.customers),
        "memberships": memberships,
        "tier_changes": _tier_changes(rng, len(memberships)),
        "points": _points(rng, purchases, len(memberships)),
        "stored_value": _stored_value(rng, len(memberships)),
        "activities": [
            {"activity_id": row["purchase_id"], "customer_id": row["customer_id"], "kind": "purchase.completed",
             "occurred_at": row["occurred_at"], "occurred_on": row["occurred_on"], "channel": row["channel"],
             "branch_id": row["branch_id"]}
            for row in purchases
        ],
        **_vouchers(rng, purchases),
    }  # fmt: skip


def _sales(rng: np.random.Generator, size: Size, products: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    purchases: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    # Some buy often and much: ranks must mean something.
    weight = 1 / np.arange(1, size.customers + 1)
    weight[-size.customers // 10 :] = 0
    who = rng.choice(size.customers, size.receipts, p=weight / weight.sum()) + 1
    ago = np.sort(rng.integers(0, size.days, size.receipts))[::-1]
    for i in range(size.receipts):
        number, day = 1 + i, AS_OF - timedelta(days=int(ago[i]))
        sign = -1 if i % 29 == 0 else 1
        head = {
            "purchase_id": number, "customer_id": None if i % 13 == 0 else int(who[i]),
            "branch_id": None if i % 41 == 0 else 1 + int(rng.integers(size.branches)),
            "kind": "return" if sign < 0 else "sale", "is_voided": i % 37 == 0, "occurred_on": day,
            "currency": "USD" if i % 53 == 0 else "HKD",
        }  # fmt: skip
        own = []
        for line_no in range(1, 1 + int(rng.integers(1, 5))):
            product = products[int(rng.integers(len(products)))]
            quantity = sign * int(rng.integers(1, 4))
            gross = product["list_price"] * quantity
            discount = _money(int(rng.integers(0, 100)) / 100 * float(gross)) if line_no == 2 else Decimal(0)
            own.append(
                {**head, "line_no": line_no, "product_id": product["product_id"], "quantity": Decimal(quantity),
                 "unit_price": product["list_price"], "discount_amount": discount, "net_amount": gross - discount,
                 "cost_amount": _money(2 * abs(quantity)) if i % 17 == 0 else None}
            )  # fmt: skip
        gross, discount = (
            sum((line["unit_price"] * line["quantity"] for line in own), Decimal(0)),
            sum((line["discount_amount"] for line in own), Decimal(0)),
        )
        purchases.append(
            {**head, "occurred_at": datetime(day.year, day.month, day.day, 4, i % 60),  # noqa: DTZ001 (UTC, as stored)
             "channel": "web" if i % 5 == 0 else "store", "gross_amount": gross, "discount_amount": discount,
             "net_amount": gross - discount, "cost_amount": None, "line_count": len(own)}
        )  # fmt: skip
        lines.extend(own)
    return purchases, lines


def _consents(customers: int) -> list[dict[str, Any]]:
    """Most say something, some about any channel, some change their minds, also within a day."""
    rows: list[dict[str, Any]] = []
    channels = ("any", "sms", "email", "phone", "post", "app")
    for customer in range(1, customers + 1):
        for number in range(customer % 5):
            day = AS_OF - timedelta(days=30 * customer % 400 - 60 * (number // 2))
            rows.append(
                {"consent_id": len(rows) + 1, "customer_id": customer, "channel": channels[customer * number % 6],
                 "purpose": "service" if customer % 10 == 9 else "marketing", "granted": (customer + number) % 3 > 0,
                 "given_at": datetime(day.year, day.month, day.day, 3, number), "given_on": day,  # noqa: DTZ001 (UTC)
                 "source": "form"}
            )  # fmt: skip
    return rows


def _tier_changes(rng: np.random.Generator, members: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for member in range(1, members + 1, 2):
        before, day = "", AS_OF - timedelta(days=int(rng.integers(200, 400)))
        for after, reason in (("silver", "upgrade"), ("gold", "upgrade"), ("gold", "kept"), ("silver", "down")):
            at = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 (UTC, as stored)
            rows.append(
                {"tier_change_id": len(rows) + 1, "membership_id": member, "before": before, "after": after,
                 "reason": reason, "effective_at": at, "effective_on": day, "measure": "spend"}
            )  # fmt: skip
            before, day = after, day + timedelta(days=int(rng.integers(20, 60)))
            if rng.random() < 0.3:
                break
    return rows


def _points(rng: np.random.Generator, purchases: Rows, members: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for receipt in purchases:
        if receipt["customer_id"] is None or receipt["customer_id"] > members:
            continue
        kind, share = [("earn", 1.0), ("earn", 1.0), ("spend", -0.5), ("expire", -0.2)][int(rng.integers(4))]
        rows.append(
            {"transaction_id": len(rows) + 1, "membership_id": receipt["customer_id"], "unit": "points", "kind": kind,
             "amount": _money(share * abs(float(receipt["net_amount"]))), "occurred_at": receipt["occurred_at"],
             "occurred_on": receipt["occurred_on"], "purchase_id": None if kind == "expire" else receipt["purchase_id"]}
        )  # fmt: skip
    return rows


def _stored_value(rng: np.random.Generator, members: int) -> list[dict[str, Any]]:
    whats = (("deposit", 500), ("bonus", 50), ("payment", -120), ("refund", 30))
    rows: list[dict[str, Any]] = []
    for number in range(1, 41):
        (what, amount), day = whats[number % 4], AS_OF - timedelta(days=int(rng.integers(0, 200)))
        rows.append(
            {"transaction_id": 100_000 + number, "membership_id": 1 + number % members, "branch_id": 1 + number % 3,
             "what": what, "amount": _money(amount), "occurred_on": day,
             "occurred_at": datetime(day.year, day.month, day.day, 5)}  # noqa: DTZ001 (UTC, as stored)
        )  # fmt: skip
    return rows


def _vouchers(rng: np.random.Generator, purchases: Rows) -> dict[str, Rows]:
    vouchers: list[dict[str, Any]] = []
    uses: list[dict[str, Any]] = []
    for number in range(1, 61):
        issued = AS_OF - timedelta(days=int(rng.integers(10, 200)))
        status = ("issued", "used", "expired", "cancelled")[number % 4]
        vouchers.append(
            {"voucher_id": number, "membership_id": number, "definition": f"V{number % 3}", "kind": "amount",
             "status": status, "uses": 1, "uses_left": 0 if status == "used" else 1, "amount": _money(50),
             "issued_on": issued, "occasion": ("birthday", "campaign")[number % 2]}
        )  # fmt: skip
        if status == "used":
            receipt = purchases[number]
            for state in ("committed", "undone", "committed")[: 1 if number % 8 else 3]:
                uses.append(
                    {"use_id": len(uses) + 1, "voucher_id": number, "branch_id": receipt["branch_id"], "state": state,
                     "purchase_id": receipt["purchase_id"], "amount": _money(-50 if state == "undone" else 50),
                     "basket_amount": receipt["net_amount"], "used_on": issued + timedelta(days=5)}
                )  # fmt: skip
    return {"vouchers": vouchers, "voucher_uses": uses}


def _money(amount: float) -> Decimal:
    return Decimal(str(round(amount, 2)))


def _arrow(columns: Sequence[ExportColumn], rows: Rows) -> pa.Table:
    kinds = {"int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(), "string": pa.string(),
             "bool": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us")}  # fmt: skip
    arrays = []
    for column in columns:
        kind = kinds.get(column.type) or pa.decimal128(18, column.scale or 0)
        arrays.append(pa.array([row.get(column.name) for row in rows], kind))
    return pa.table(dict(zip([column.name for column in columns], arrays, strict=True)))
