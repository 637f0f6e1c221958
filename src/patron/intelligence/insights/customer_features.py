"""What each customer did in a stretch of time, in one row: the features that groups are made from. DuckDB's SQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import pyarrow as pa

from patron.intelligence.warehouse.reader import Warehouse

YEAR: Final = 365
MONTH_DAYS: Final = 30.4375


def customer_features(warehouse: Warehouse, *, as_of: date, currency: str, days: int = YEAR) -> pa.Table:
    """One row per customer with a sale in the ``days`` up to and including ``as_of``, by customer.

    ``customer``, ``branch`` (home), ``recency_days``, ``visits`` (days with a sale), ``purchases``, ``returns``,
    ``spend`` (net), ``basket`` (spend per sale), ``discount_share`` (0 to 1 of the full price), ``categories`` and
    ``products`` (different ones), ``tenure_months`` (since registration or the first sale, whichever was first),
    ``profit`` and ``covered`` (gross profit of the lines whose cost is known, and their money). Nothing dated after
    ``as_of`` is read, but the catalogue and the home branch are today's.
    """
    since = as_of - timedelta(days)
    counted = "NOT is_voided AND customer_id IS NOT NULL AND currency = ?"
    return warehouse.arrow(
        f"""
        WITH receipts AS (
            SELECT customer_id, occurred_on, kind, net_amount, gross_amount, discount_amount
            FROM purchases WHERE {counted} AND occurred_on > ? AND occurred_on <= ?
        ),
        sums AS (
            SELECT customer_id,
                   date_diff('day', max(occurred_on) FILTER (kind = 'sale'), CAST(? AS DATE)) AS recency_days,
                   count(DISTINCT occurred_on) FILTER (kind = 'sale') AS visits,
                   count(*) FILTER (kind = 'sale') AS purchases, count(*) FILTER (kind = 'return') AS returns,
                   sum(net_amount)::DOUBLE AS spend, sum(gross_amount)::DOUBLE AS gross,
                   sum(discount_amount)::DOUBLE AS discount
            FROM receipts GROUP BY customer_id HAVING count(*) FILTER (kind = 'sale') > 0
        ),
        firsts AS (
            SELECT customer_id, min(occurred_on) AS first_on
            FROM purchases WHERE {counted} AND kind = 'sale' AND occurred_on <= ? GROUP BY customer_id
        ),
        goods AS (
            SELECT l.customer_id, count(DISTINCT p.category) AS categories, count(DISTINCT l.product_id) AS products,
                   sum(l.net_amount - coalesce(l.cost_amount, p.cost * l.quantity))::DOUBLE AS profit,
                   sum(l.net_amount) FILTER (coalesce(l.cost_amount, p.cost) IS NOT NULL)::DOUBLE AS covered
            FROM purchase_lines l LEFT JOIN products p USING (product_id)
            WHERE NOT l.is_voided AND l.customer_id IS NOT NULL AND l.currency = ?
              AND l.occurred_on > ? AND l.occurred_on <= ?
            GROUP BY l.customer_id
        )
        SELECT s.customer_id AS customer, c.home_branch_id AS branch, s.recency_days, s.visits, s.purchases, s.returns,
               s.spend, s.spend / s.purchases AS basket,
               CASE WHEN s.gross > 0 THEN greatest(least(s.discount / s.gross, 1), 0) ELSE 0 END AS discount_share,
               coalesce(g.categories, 0) AS categories, coalesce(g.products, 0) AS products,
               date_diff('day', least(f.first_on, c.registered_on), CAST(? AS DATE)) / {MONTH_DAYS} AS tenure_months,
               coalesce(g.profit, 0) AS profit, coalesce(g.covered, 0) AS covered
        FROM sums s JOIN firsts f USING (customer_id) JOIN customers c USING (customer_id)
        LEFT JOIN goods g USING (customer_id)
        ORDER BY s.customer_id
        """,  # noqa: S608 (constants)
        [currency, since, as_of, as_of, currency, as_of, currency, since, as_of, as_of],
    )


def first_day(warehouse: Warehouse, currency: str) -> date | None:
    """The day of the first receipt of an identified customer; none without one."""
    found: list[tuple[date | None]] = warehouse.rows(
        "SELECT min(occurred_on) FROM purchases WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = ?",
        [currency],
    )
    return found[0][0]
