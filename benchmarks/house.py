"""Files of a house whose customers live: the nightly analyses need rhythms, tastes, prices and people who leave.

    python -m benchmarks.house DIRECTORY --customers 1000000 [--until 2026-01-31]
    python -m benchmarks.house DIRECTORY --more [--until 2026-01-31]

writes `branches.csv`, `products.csv` (20 departments, 200 categories, 1,000 types; three in four with a cost),
`customers.csv` and `purchases.parquet` in the order of their time: two years, about twenty lines to a customer.
Everybody has a rhythm, a first and a last visit, a home branch, some products bought again and again, and a
liking for offers. Every number is a hash of what it is of, so the same arguments give the same bytes.
"""

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.generate import branches as write_branches
from benchmarks.generate import connect

DAYS = 730
PRODUCTS = 20_000
TASTE = 12
"""So many products are a customer's own; four in five lines are one of them."""


def chance(position: str, seed: int) -> str:
    """A DuckDB expression: uniform in [0, 1) by `position` and `seed` (below 512); two seeds have nothing in common."""
    return f"((hash(({position})::BIGINT * 512 + {seed}) >> 11)::DOUBLE / 9007199254740992.0)"


_PRODUCTS = f"""
    COPY (
        SELECT 'P' || lpad(p::VARCHAR, 6, '0') AS code, 'Product ' || p AS name, 'Brand ' || p % 400 AS brand,
            'Department ' || type % 20 || ' > Category ' || type % 200 || ' > Type ' || type AS category,
            price AS list_price,
            CASE WHEN type % 4 > 0 THEN round(price * (0.5 + {chance("type", 101)} * 0.35), 2) END AS cost
        FROM (
            SELECT p, floor({chance("p", 102)} * 1000)::INT AS type,
                round(exp(0.8 + 2.6 * {chance("p", 103)}), 2) AS price
            FROM range({PRODUCTS}) AS r(p)
        )
    ) TO '{{path}}' (HEADER)
"""

_CUSTOMERS = """
    COPY (
        SELECT 'M' || lpad(i::VARCHAR, 8, '0') AS customer_no, 'Person ' || i AS name,
            CASE WHEN {sex} < 0.56 THEN 'F' ELSE 'M' END AS sex,
            DATE '1945-01-01' + floor({birthday} * 22000)::INT AS birthday,
            '6' || lpad((1000000 + (i * 7919) % 8999999)::VARCHAR, 7, '0') AS phone,
            'm' || i || '@example.com' AS email,
            'B' || lpad((1 + floor({home} * {branches}))::INT::VARCHAR, 3, '0') AS branch,
            (DATE '{first}' + ({start} * {days} * 0.95)::INT - floor({before} * 40)::INT) AS registered_on
        FROM range({customers}) AS r(i)
    ) TO '{path}' (HEADER)
"""

_PURCHASES = """
    COPY (
        WITH person AS (
            SELECT i, (14 + 240 * pow({rhythm}, 1.7))::INT AS gap, floor({start} * {days} * 0.95)::INT AS start,
                ({days} * least(1.0, 0.03 - 0.75 * ln(1 - {life})))::INT AS life, 1 + floor({home} * {branches}) AS home
            FROM range({customers}) AS r(i)
        ), visit AS (
            SELECT i, home, v, i * 128 + v AS k, start + v * gap + floor({late} * gap * 0.8)::INT AS day
            FROM (SELECT *, unnest(range(least(1 + life // gap, 1 + ({days} - start) // gap))) AS v FROM person)
        ), receipt AS (
            SELECT *, row_number() OVER (ORDER BY day, k) AS number,
                least(30, 1 + floor(-ln(1 - {size}) * 2.5))::INT AS lines
            FROM visit WHERE day < {days}
        ), line AS (
            SELECT number, i, home, k, day, unnest(range(lines)) AS n FROM receipt
        ), thing AS (
            SELECT *, k * 32 + n AS j,
                hash(CASE WHEN {own} < 0.8 THEN i * 16 + floor(pow({which}, 1.6) * {taste})::BIGINT
                    ELSE -(k * 32 + n) END) >> 20 AS choice
            FROM line
        ), priced AS (
            SELECT *, floor(pow({popular}, 2.5) * {products})::INT AS p,
                CASE WHEN {liking} > {offer} THEN 0.2 ELSE 0 END AS off
            FROM thing
        )
        SELECT 'R' || lpad(number::VARCHAR, 9, '0') AS receipt_no, n + 1 AS line_no,
            TIMESTAMP '{first} 09:00:00' + to_days(day) + to_seconds(floor({hour} * 43200)::INT) AS sold_at,
            'B' || lpad((CASE WHEN {away} < 0.8 THEN home ELSE 1 + floor({where} * {branches}) END)::INT::VARCHAR,
                3, '0') AS branch,
            'M' || lpad(i::VARCHAR, 8, '0') AS customer_no, 'P' || lpad(p::VARCHAR, 6, '0') AS product_code,
            1 AS quantity, price AS unit_price, round(price * off, 2) AS discount,
            price - round(price * off, 2) AS amount
        FROM (SELECT *, round(exp(0.8 + 2.6 * {price}), 2)::DECIMAL(10, 2) AS price FROM priced)
        ORDER BY number, n
    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def write_house(directory: Path, *, customers: int, until: date, branches: int = 40) -> None:
    """Write the files of a house with its last sales on `until`."""
    directory.mkdir(parents=True, exist_ok=True)
    connection = connect()
    write_branches(connection, directory, branches)
    connection.execute(_PRODUCTS.format(path=directory / "products.csv"))
    shared = {
        "customers": customers,
        "branches": branches,
        "days": DAYS,
        "first": until - timedelta(DAYS - 1),
        "start": f"(0.9 * pow({chance('i', 110)}, 2))",
        "home": chance("i", 111),
    }
    people = {"sex": chance("i", 112), "birthday": chance("i", 113), "before": chance("i", 114)}
    connection.execute(_CUSTOMERS.format(path=directory / "customers.csv", **shared, **people))
    receipts = {
        "rhythm": chance("i", 115), "life": chance("i", 116), "late": chance("i * 128 + v", 117),
        "size": chance("k", 118), "own": chance("k * 32 + n", 119), "which": chance("k * 32 + n", 120),
        "popular": chance("choice", 121), "price": chance("p", 103), "liking": chance("i", 122),
        "offer": f"(0.5 + {chance('j', 123)})", "hour": chance("k", 124), "away": chance("k", 125),
        "where": chance("k", 126),
    }  # fmt: skip
    connection.execute(
        _PURCHASES.format(path=directory / "purchases.parquet", taste=TASTE, products=PRODUCTS, **shared, **receipts)
    )


def write_more(directory: Path, *, until: date, share: float = 0.01) -> None:
    """`more.parquet` with `share` of the house's receipts once more under other numbers, all sold on `until`."""
    connect().execute(f"""
        COPY (
            SELECT * REPLACE ('N' || receipt_no AS receipt_no,
                TIMESTAMP '{until} 00:00:00' + (sold_at - date_trunc('day', sold_at)) AS sold_at)
            FROM '{directory}/purchases.parquet'
            WHERE {chance("substr(receipt_no, 2)", 127)} < {share}
        ) TO '{directory}/more.parquet' (FORMAT parquet)
    """)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(1))
    parser.add_argument("--more", action="store_true", help="one per cent of the receipts there once more")
    chosen = parser.parse_args()
    if chosen.more:
        write_more(chosen.directory, until=chosen.until)
        return
    write_house(chosen.directory, customers=chosen.customers, until=chosen.until)


if __name__ == "__main__":
    main()
