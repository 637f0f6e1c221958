"""Small tables of transactions for tests: a named cast, or rows of your own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from patron.intelligence.mining.transactions import Purchases, prepare

#: customer, day, amount
Row = tuple[str | int, dt.date, Decimal]

_TYPES: Final = {
    "date": pa.date32(),
    "amount": pa.decimal128(12, 2),
    "profit": pa.decimal128(12, 2),
    "cost": pa.decimal128(12, 2),
    "purchase": pa.string(),
    "branch": pa.string(),
}


def row(customer: str | int, day: str | dt.date, amount: str | int = 100) -> Row:
    """``row("陳大文", "2025-03-01", "120.50")``."""
    return (customer, dt.date.fromisoformat(day) if isinstance(day, str) else day, Decimal(amount))


def transactions(
    rows: Sequence[Sequence[object]],
    columns: Sequence[str] = ("customer", "date", "amount"),
    *,
    customer_type: pa.DataType | None = None,
) -> ir.Table:
    """An Ibis table in a DuckDB of its own, with the columns named by role."""
    types = {"customer": customer_type or pa.string(), **_TYPES}
    arrays = [pa.array([each[place] for each in rows], types[name]) for place, name in enumerate(columns)]
    connection = duckdb.connect()
    connection.register("rows", pa.table(dict(zip(columns, arrays, strict=True))))
    return ibis.duckdb.from_connection(connection).table("rows")


def purchases(rows: Sequence[Row], *, customer_type: pa.DataType | None = None) -> Purchases:
    """Prepared purchases of ``rows``."""
    return prepare(transactions(rows, customer_type=customer_type))
