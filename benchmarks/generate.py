"""Seeded files of any size for the benchmarks: the same arguments give the same bytes.

    python benchmarks/generate.py DIRECTORY --customers 1000000 --lines 20000000
    python benchmarks/generate.py DIRECTORY --one-file

writes `customers.csv`, `branches.csv` and `purchases.parquet` (`--csv`: `purchases.csv` as well) of a retail chain over
two years, where few customers bring most of the money; or `one_file.csv`, the shape of a web shop's single export:
half a million lines, a quarter of them without customer, cancellations as invoices that begin with C.
Every number is a hash of the row's position and a seed, so threads and chunks do not matter.
"""

import argparse
from pathlib import Path

import duckdb

SURNAMES = "陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周徐蘇葉莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴"
GIVEN = "志家俊怡雅淑建文美玉惠明宗偉雯婷欣宜哲豪冠宏德國安華嘉詠子浩樂晴朗穎詩琪敏慧珊芳麗秀英傑榮輝強"


def chance(position: str, seed: int) -> str:
    """A DuckDB expression: uniform in [0, 1), decided by `position` and `seed`."""
    return f"((hash({position}, {seed}) >> 11)::DOUBLE / 9007199254740992.0)"


def pick(text: str, position: str, seed: int) -> str:
    return f"'{text}'[1 + floor({chance(position, seed)} * {len(text)})::INT]"


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '3GB'; SET preserve_insertion_order = true")
    return connection


def branches(connection: duckdb.DuckDBPyConnection, directory: Path, count: int) -> None:
    connection.execute(f"""
        COPY (
            SELECT 'B' || lpad(i::VARCHAR, 3, '0') AS code, 'Branch ' || i AS name,
                round(22.2 + {chance("i", 1)} * 0.3, 6) AS latitude,
                round(113.9 + {chance("i", 2)} * 0.4, 6) AS longitude
            FROM range(1, {count + 1}) AS r(i)
        ) TO '{directory}/branches.csv' (HEADER)
    """)


def customers(connection: duckdb.DuckDBPyConnection, directory: Path, count: int, branch_count: int) -> None:
    """One file of people: number, Chinese name, sex, birthday, mobile phone, e-mail, home branch, date of joining."""
    name = pick(SURNAMES, "i", 3), f"{pick(GIVEN, 'i', 4)} || {pick(GIVEN, 'i', 5)}"
    connection.execute(f"""
        COPY (
            SELECT 'M' || lpad(i::VARCHAR, 8, '0') AS customer_no, {name[0]} || {name[1]} AS name,
                CASE WHEN {chance("i", 6)} < 0.56 THEN 'F' ELSE 'M' END AS sex,
                DATE '1945-01-01' + floor({chance("i", 7)} * 22000)::INT AS birthday,
                '6' || lpad((1000000 + (i * 7919) % 8999999)::VARCHAR, 7, '0') AS phone,
                'm' || i || '@example.com' AS email,
                'B' || lpad((1 + floor({chance("i", 8)} * {branch_count}))::INT::VARCHAR, 3, '0') AS branch,
                DATE '2022-01-01' + floor({chance("i", 9)} * 700)::INT AS registered_on
            FROM range({count}) AS r(i)
        ) TO '{directory}/customers.csv' (HEADER)
    """)


def purchases(
    connection: duckdb.DuckDBPyConnection, directory: Path, *, lines: int, people: int, branch_count: int, csv: bool
) -> None:
    """`lines` lines of receipts in the order of their time, about 7.5 to a receipt, one in seven without a customer."""
    receipts = lines // 7 + 1000
    receipt = f"""
        SELECT i, 'R' || lpad(i::VARCHAR, 9, '0') AS receipt_no,
            TIMESTAMP '2024-01-01 09:00:00' + to_days((i * 730 // {receipts})::INT)
                + to_seconds(floor({chance("i", 11)} * 43200)::INT) AS sold_at,
            'B' || lpad((1 + floor({chance("i", 12)} * {branch_count}))::INT::VARCHAR, 3, '0') AS branch,
            CASE WHEN {chance("i", 13)} < 0.857
                THEN 'M' || lpad(floor(pow({chance("i", 14)}, 5) * {people})::BIGINT::VARCHAR, 8, '0')
                END AS customer_no,
            least(60, 1 + floor(-ln(1 - {chance("i", 15)}) * 7.2))::INT AS n
        FROM range({receipts}) AS r(i)
    """
    select = f"""
        SELECT receipt_no, line_no, sold_at, branch, customer_no, 'P' || lpad(p::VARCHAR, 6, '0') AS product_code,
            quantity, unit_price, discount, (quantity * unit_price - discount)::DECIMAL(12, 2) AS amount
        FROM (
            SELECT *, round(exp(1.2 + 3.2 * {chance("p", 22)}), 1)::DECIMAL(10, 2) AS unit_price,
                CASE WHEN {chance("j", 23)} < 0.12 THEN 0.5 ELSE 0 END::DECIMAL(10, 2) AS discount
            FROM (
                SELECT *, i * 64 + line_no AS j,
                    floor(pow({chance("i * 64 + line_no", 20)}, 3) * 40000)::INT AS p,
                    (1 + floor(pow({chance("i * 64 + line_no", 21)}, 6) * 5))::INT AS quantity
                FROM (SELECT *, unnest(range(1, n + 1)) AS line_no FROM ({receipt}))
            )
        )
        LIMIT {lines}
    """
    connection.execute(f"COPY ({select}) TO '{directory}/purchases.parquet' (FORMAT parquet, COMPRESSION zstd)")
    if csv:
        connection.execute(f"COPY (FROM '{directory}/purchases.parquet') TO '{directory}/purchases.csv' (HEADER)")


def one_file(connection: duckdb.DuckDBPyConnection, directory: Path, lines: int = 541_909) -> None:
    """A single export with everything in its lines, as dirty as such exports are."""
    invoices = lines // 20 + 400
    connection.execute(f"""
        COPY (
            WITH invoice AS (
                SELECT i, 536365 + i AS number, {chance("i", 31)} < 0.15 AS cancelled,
                    TIMESTAMP '2010-12-01 08:26:00' + to_minutes((i * 525000 // {invoices})::INT) AS sold_at,
                    CASE WHEN {chance("i", 31)} < 0.15 THEN greatest(0, i - 1 - floor({chance("i", 30)} * 20)::INT)
                        ELSE i END AS origin,
                    CASE WHEN {chance("origin", 32)} < 0.75
                        THEN (12346 + floor(pow({chance("origin", 33)}, 3) * 4372))::INT::VARCHAR ELSE ''
                        END AS customer,
                    CASE WHEN {chance("origin", 34)} < 0.91 THEN 'United Kingdom' ELSE 'Germany' END AS country,
                    CASE WHEN {chance("i", 31)} < 0.15 THEN 2
                        ELSE least(500, 1 + floor(-ln(1 - {chance("i", 35)}) * 26)) END::INT AS n
                FROM range({invoices}) AS r(i)
            ), line AS (
                SELECT *, i * 512 + k AS j, floor(pow({chance("origin * 512 + k", 36)}, 2) * 4070)::INT AS p
                FROM (SELECT *, unnest(range(n)) AS k FROM invoice)
            ), repeated AS (
                SELECT *, unnest(range(CASE WHEN {chance("j", 37)} < 0.01 AND NOT cancelled THEN 2 ELSE 1 END)) AS again
                FROM line
            )
            SELECT CASE WHEN {chance("j", 38)} < 0.000005 THEN 'A' || number
                    WHEN cancelled THEN 'C' || number ELSE number::VARCHAR END AS "InvoiceNo",
                (20000 + p)::VARCHAR || CASE WHEN p % 9 = 0 THEN 'A' ELSE '' END AS "StockCode",
                CASE WHEN {chance("j", 39)} < 0.0027 THEN '' ELSE 'ITEM NO ' || p || ' OF, "GIFTS"'
                    END AS "Description",
                CASE WHEN cancelled THEN -1 ELSE 1 + floor(pow({chance("j", 40)}, 4) * 24) END::INT AS "Quantity",
                strftime(sold_at, '%-m/%-d/%Y %-H:%M') AS "InvoiceDate",
                CASE WHEN {chance("j", 38)} < 0.000005 THEN -11062.06
                    WHEN {chance("j", 41)} < 0.0046 THEN 0
                    ELSE round(0.4 + {chance("p", 42)} * 9, 2) END AS "UnitPrice",
                customer AS "CustomerID", country AS "Country"
            FROM repeated LIMIT {lines}
        ) TO '{directory}/one_file.csv' (HEADER)
    """)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--branches", type=int, default=40)
    parser.add_argument("--csv", action="store_true", help="purchases as CSV too")
    parser.add_argument("--one-file", action="store_true", help="only the single export")
    chosen = parser.parse_args()
    chosen.directory.mkdir(parents=True, exist_ok=True)
    connection = connect()
    if chosen.one_file:
        one_file(connection, chosen.directory)
        return
    branches(connection, chosen.directory, chosen.branches)
    customers(connection, chosen.directory, chosen.customers, chosen.branches)
    purchases(
        connection,
        chosen.directory,
        lines=chosen.lines,
        people=chosen.customers,
        branch_count=chosen.branches,
        csv=chosen.csv,
    )


if __name__ == "__main__":
    main()
