"""Who the customers of a year are, by everything one can compare them by, and what effort they caused. DuckDB's SQL."""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from patron.intelligence.insights.customer_features import YEAR, customer_features
from patron.intelligence.mining.arrays import Real
from patron.intelligence.mining.profiles.serving import EFFORTS
from patron.intelligence.warehouse.reader import Warehouse

YOUNG_BELOW: Final = 35


def people(warehouse: Warehouse, *, as_of: date, currency: str) -> pa.Table:
    """The columns of ``customer_features`` for the year, with who each customer is.

    ``sex``, ``occupation``, ``district`` (empty where not known), ``young``, ``age`` (by the age reached in the year of
    ``as_of``), ``newcomer`` and ``tenure`` as the marts of the profile name them; ``length_days`` since the first
    purchase and ``discount``, the reductions of the year.
    """
    duck = warehouse.connection
    duck.register("profile_features", customer_features(warehouse, as_of=as_of, currency=currency))
    table = warehouse.arrow(_PEOPLE, [as_of] * 4 + [currency, as_of])
    duck.unregister("profile_features")
    return table


def efforts(warehouse: Warehouse, customers: pa.ChunkedArray, *, as_of: date) -> dict[str, Real]:
    """How many messages, calls, visits, cases and gifts each customer had in the year, by the log.

    One array for each of the efforts, with a value for each of ``customers``.
    """
    kinds = " ".join(
        f"WHEN {' OR '.join(f'''kind LIKE '{start}%' ''' for start in starts)} THEN '{name}'"
        for name, starts in EFFORTS.items()
    )
    found = warehouse.arrow(
        f"""
        SELECT customer_id, effort, count(*)::DOUBLE AS times
        FROM (SELECT customer_id, CASE {kinds} END AS effort FROM activities
              WHERE customer_id IS NOT NULL AND occurred_at > CAST(? AS DATE) - {YEAR}
                AND occurred_at < CAST(? AS DATE) + 1)
        WHERE effort IS NOT NULL GROUP BY customer_id, effort
        """,  # noqa: S608 (constants)
        [as_of, as_of],
    )
    counted = {}
    for name in EFFORTS:
        own = found.filter(pc.equal(found["effort"], name))
        place = pc.index_in(customers.combine_chunks(), value_set=own["customer_id"].combine_chunks())
        counted[name] = own["times"].combine_chunks().take(place).fill_null(0.0).to_numpy()
    return counted


_PEOPLE: Final = f"""
    WITH people AS (
        SELECT f.*, nullif(c.sex, '') AS sex, nullif(c.occupation, '') AS occupation,
               nullif(c.district, '') AS district,
               CASE WHEN c.birth_year IS NOT NULL THEN year(CAST(? AS DATE)) - c.birth_year END AS age_years
        FROM profile_features f JOIN customers c ON c.customer_id = f.customer
    ),
    firsts AS (
        SELECT customer_id, date_diff('day', min(occurred_on), CAST(? AS DATE)) AS length_days
        FROM purchases WHERE NOT is_voided AND kind = 'sale' AND occurred_on <= ? GROUP BY customer_id
    ),
    reductions AS (
        SELECT customer_id, sum(discount_amount)::DOUBLE AS discount
        FROM purchases WHERE NOT is_voided AND occurred_on > CAST(? AS DATE) - {YEAR} AND currency = ?
          AND occurred_on <= ? GROUP BY customer_id
    )
    SELECT p.*, r.discount, coalesce(f.length_days, 0) AS length_days,
           CASE WHEN age_years IS NULL THEN NULL WHEN age_years < {YOUNG_BELOW} THEN 'under_35'
                ELSE '35_and_over' END AS young,
           CASE WHEN age_years IS NULL THEN NULL WHEN age_years < 25 THEN 'under_25' WHEN age_years < 35 THEN '25_34'
                WHEN age_years < 45 THEN '35_44' WHEN age_years < 55 THEN '45_54' WHEN age_years < 65 THEN '55_64'
                ELSE '65_and_over' END AS age,
           CASE WHEN tenure_months < 12 THEN 'new' ELSE 'existing' END AS newcomer,
           CASE WHEN tenure_months < 12 THEN 'under_1' WHEN tenure_months < 24 THEN '1_2'
                WHEN tenure_months < 48 THEN '2_4' ELSE '4_and_over' END AS tenure
    FROM people p
    LEFT JOIN firsts f ON f.customer_id = p.customer
    LEFT JOIN reductions r ON r.customer_id = p.customer
    ORDER BY p.customer
"""  # noqa: S608 (constants)
