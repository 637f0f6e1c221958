"""Attributes of customers, on a few receipts that can be added up by hand."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import pytest

from patron.intelligence.mining.attributing import Attribute, Facts, attribute_table, attributes, facts_of

AS_OF = dt.date(2026, 3, 2)  # a Monday
CHAN, WANG, LI = 1, 2, 3

CUSTOMERS = "customer_id BIGINT, registered_on DATE"
PRODUCTS = "product_id BIGINT, category_1 VARCHAR"
PURCHASES = (
    "customer_id BIGINT, branch_id BIGINT, kind VARCHAR, is_voided BOOLEAN, occurred_on DATE, currency VARCHAR, "
    "gross_amount DECIMAL(16,2), discount_amount DECIMAL(16,2), net_amount DECIMAL(16,2)"
)
LINES = (
    "customer_id BIGINT, product_id BIGINT, quantity DECIMAL(14,3), kind VARCHAR, is_voided BOOLEAN, occurred_on DATE, "
    "currency VARCHAR, net_amount DECIMAL(16,2)"
)


def facts(as_of: dt.date = AS_OF) -> Facts:
    """Chan comes to A twice and to B once, once at a weekend; Wang came long ago; Li never did."""
    duck = duckdb.connect()
    for name, columns in {"customers": CUSTOMERS, "products": PRODUCTS, "purchases": PURCHASES, "lines": LINES}.items():
        duck.execute(f"CREATE TABLE {name} ({columns})")
    duck.execute("INSERT INTO customers VALUES (1, DATE '2025-03-02'), (2, NULL), (3, DATE '2026-03-02')")
    duck.execute("INSERT INTO products VALUES (10, 'Food'), (11, 'Drinks'), (12, NULL)")
    duck.execute(
        """INSERT INTO purchases VALUES
        (1, 100, 'sale', false, '2026-03-01', 'HKD', 120, 20, 100),
        (1, 100, 'sale', false, '2025-12-02', 'HKD', 50, 0, 50),
        (1, 200, 'sale', false, '2025-12-03', 'HKD', 30, 0, 30),
        (1, 200, 'return', false, '2026-03-02', 'HKD', -9, 0, -9),
        (1, 300, 'sale', true, '2026-03-02', 'HKD', 999, 0, 999),
        (1, 300, 'sale', false, '2026-03-02', 'USD', 888, 0, 888),
        (1, 300, 'sale', false, '2026-03-03', 'HKD', 777, 0, 777),
        (NULL, 300, 'sale', false, '2026-03-02', 'HKD', 666, 0, 666),
        (2, NULL, 'sale', false, '2024-05-01', 'HKD', 70, 0, 70)"""
    )
    duck.execute(
        """INSERT INTO lines VALUES
        (1, 10, 1, 'sale', false, '2026-03-01', 'HKD', 60), (1, 11, 1, 'sale', false, '2026-03-01', 'HKD', 40),
        (1, 10, 1, 'sale', false, '2025-12-02', 'HKD', 50), (1, 12, 1, 'sale', false, '2025-12-03', 'HKD', 30),
        (2, 11, 1, 'sale', false, '2024-05-01', 'HKD', 70)"""
    )
    duck.execute("CREATE TABLE reach (customer_id BIGINT, channel VARCHAR, reachable BOOLEAN)")
    duck.execute("INSERT INTO reach VALUES (1, 'email', true), (1, 'sms', true), (1, 'app', false), (2, 'post', true)")
    backend = ibis.duckdb.from_connection(duck)
    tables = {name: backend.table(name) for name in ("customers", "purchases", "lines", "products", "reach")}
    return facts_of(**tables, as_of=as_of, currency="HKD")


EXPECTED: dict[str, tuple[Any, Any, Any]] = {
    "average_basket": (60.0, None, None),
    "branches_visited": (2, 0, 0),
    "categories_bought": (2, 1, 0),
    "days_since_last": (1, 670, None),
    "discount_share": (0.1, None, None),
    "favourite_branch": (100, None, None),
    "favourite_category": ("Food", "Drinks", None),
    "largest_basket": (Decimal("100.00"), Decimal("70.00"), None),
    "reachable_by": ("sms, email", "post", ""),
    "reachable_channels": (2, 1, 0),
    "return_share": (0.05, None, None),
    "spend_365d": (Decimal("171.00"), Decimal("0.00"), Decimal("0.00")),
    "spend_90d": (Decimal("121.00"), Decimal("0.00"), Decimal("0.00")),
    "tenure_days": (365, None, 0),
    "visits_365d": (3, 0, 0),
    "visits_90d": (2, 0, 0),
    "weekend_share": (1 / 3, None, None),
}


def test_every_attribute_has_its_value() -> None:
    rows = attribute_table(attributes(), facts()).order_by("customer_id").to_pyarrow().to_pylist()
    found = {name: tuple(row[name] for row in rows) for name in attributes()}
    assert found == EXPECTED
    assert [row["customer_id"] for row in rows] == [CHAN, WANG, LI]


def test_one_attribute_as_of_an_earlier_day() -> None:
    chosen = {"visits_90d": attributes()["visits_90d"]}
    table = attribute_table(chosen, facts(dt.date(2025, 12, 2)))
    assert table.order_by("customer_id").to_pyarrow().to_pylist() == [
        {"customer_id": CHAN, "visits_90d": 1},
        {"customer_id": WANG, "visits_90d": 0},
        {"customer_id": LI, "visits_90d": 0},
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "Big Spender"}, "no name of an attribute"),
        ({"type": "money"}, "is not known"),
        ({"meaning": "No sentence"}, "needs a title"),
    ],
)
def test_an_attribute_that_breaks_the_contract_is_refused(changed: dict[str, Any], says: str) -> None:
    given = {"name": "a", "title": "A", "meaning": "A.", "type": "int64", "over": "receipts", "value": lambda t, _: t}
    with pytest.raises(TypeError, match=says):
        Attribute(**{**given, **changed})
