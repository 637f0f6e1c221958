"""What is known of customers early: who they are, and what they did in their first 30 days."""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa

from patron.intelligence.insights.analyses.contract import Context

FIRST_DAYS: Final = 30
#: Known of anybody on file, prospects included.
DEMOGRAPHY: Final = ("age", "sex", "occupation", "district", "language")
#: Known of whoever has bought.
FIRST_PURCHASES: Final = ("first_visits", "first_spend", "first_basket", "first_discount", "first_department")


def early_features(context: Context, *, seen_by: date) -> pa.Table:
    """One row per customer on file, by customer: demography, first purchases, ``first_on`` (up to ``seen_by``).

    The features of the first 30 days are empty for those who had not bought, or whose 30 days were not over by then.
    """
    context.lines()
    return context.warehouse.arrow(
        f"""
        WITH receipts AS (
            SELECT customer_id, occurred_on, net_amount, gross_amount, discount_amount FROM purchases
            WHERE NOT is_voided AND kind = 'sale' AND customer_id IS NOT NULL AND currency = '{context.currency}'
              AND occurred_on <= DATE '{seen_by}'
        ),
        begun AS (SELECT customer_id, min(occurred_on) AS first_on FROM receipts GROUP BY customer_id),
        early AS (
            SELECT r.customer_id, count(DISTINCT r.occurred_on) AS first_visits,
                   sum(r.net_amount)::DOUBLE AS first_spend, avg(r.net_amount)::DOUBLE AS first_basket,
                   (sum(r.discount_amount) / nullif(sum(r.gross_amount), 0))::DOUBLE AS first_discount
            FROM receipts r JOIN begun b USING (customer_id)
            WHERE r.occurred_on < b.first_on + INTERVAL {FIRST_DAYS} DAY
              AND b.first_on + INTERVAL {FIRST_DAYS} DAY <= DATE '{seen_by}' GROUP BY r.customer_id
        ),
        department AS (
            SELECT customer_id, arg_max(category_1, (amount, category_1)) AS first_department FROM (
                SELECT l.customer AS customer_id, l.category_1, sum(l.amount) AS amount
                FROM lines_counted l JOIN begun b ON b.customer_id = l.customer
                WHERE l.date < b.first_on + INTERVAL {FIRST_DAYS} DAY AND l.category_1 <> '' GROUP BY ALL
            ) GROUP BY customer_id
        )
        SELECT c.customer_id, c.home_branch_id AS branch_id, year(DATE '{seen_by}') - c.birth_year AS age, c.sex,
               c.occupation, c.district, c.language, b.first_on, e.first_visits, e.first_spend, e.first_basket,
               e.first_discount, CASE WHEN e.customer_id IS NOT NULL THEN d.first_department END AS first_department,
               c.kind = 'prospect' OR c.status = 'prospect' AS prospect
        FROM customers c LEFT JOIN begun b USING (customer_id) LEFT JOIN early e USING (customer_id)
        LEFT JOIN department d USING (customer_id) ORDER BY c.customer_id
        """  # noqa: S608 (a currency code, days)
    )
