"""Up to which day the purchases are complete: a till that has not sent its week must not make everybody look late."""

from __future__ import annotations

from datetime import date
from typing import Final

from patron.intelligence.insights.analyses.contract import Context

_LOOK_BACK_DAYS: Final = 84
#: A day with less than this share of the usual number of customers is not complete.
_COMPLETE: Final = 0.2
#: With fewer customers a day than this, an empty day says nothing.
_LEAST: Final = 20


def last_full_day(context: Context) -> date:
    """The last day with purchases as usual, at most four weeks back; the as-of day where that cannot be told."""
    rows = context.warehouse.rows(
        f"""
        WITH days AS (
            SELECT occurred_on, count(DISTINCT customer_id) AS customers FROM purchases
            WHERE NOT is_voided AND customer_id IS NOT NULL AND currency = ?
              AND occurred_on > ?::DATE - INTERVAL {_LOOK_BACK_DAYS} DAY AND occurred_on <= ?
            GROUP BY occurred_on
        ), usual AS (SELECT median(customers) AS customers FROM days)
        SELECT max(d.occurred_on) FROM days d, usual u
        WHERE u.customers >= {_LEAST} AND d.customers >= {_COMPLETE} * u.customers
          AND d.occurred_on >= ?::DATE - INTERVAL 28 DAY
        """,  # noqa: S608 (numbers of ours)
        [context.currency, context.as_of, context.as_of, context.as_of],
    )
    found: date | None = rows[0][0]
    return found or context.as_of
