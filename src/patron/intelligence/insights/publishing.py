"""From the marts of a version to the insights that pages show beside a customer."""

from dataclasses import dataclass
from typing import Any

from patron.intelligence.warehouse.reader import Warehouse


@dataclass(frozen=True, slots=True)
class Publication:
    """How the results of a model become insights: a query over the marts with the columns of an insight.

    In the order of the customers, so that writing a million of them walks through the database's pages once.
    """

    model: str
    query: str


PUBLICATIONS = (
    Publication(
        "value",
        """
        SELECT customer_id, value_class AS label, monetary::VARCHAR AS score, rank::BIGINT AS rank, reason_code, reason,
               to_json({
                   'vip': vip, 'recency_days': recency_days, 'frequency': frequency, 'share': round(share, 6),
                   'cumulative_share': round(cumulative_share, 6), 'recency_score': recency_score,
                   'frequency_score': frequency_score, 'monetary_score': monetary_score, 'last_on': last_on,
                   'gross_profit': gross_profit, 'previous_label': previous_class, 'previous_vip': previous_vip,
                   'previous_rank': previous_rank, 'movement': movement
               })::VARCHAR AS facts
        FROM customer_value WHERE rank IS NOT NULL ORDER BY customer_id
        """,
    ),
    Publication(
        "lifecycle",
        """
        SELECT customer_id, stage AS label, money_per_year::VARCHAR AS score, NULL::BIGINT AS rank, reason_code, reason,
               to_json({
                   'typical_gap_days': typical_gap_days, 'days_since_last': days_since_last,
                   'silence_ratio': silence_ratio, 'at_risk': at_risk, 'first_on': first_on, 'last_on': last_on,
                   'purchases': purchases, 'declining_after_days': declining_after_days,
                   'lost_after_days': lost_after_days, 'trend_days': trend_days, 'spend_recent': spend_recent,
                   'spend_before': spend_before, 'visits_recent': visits_recent, 'visits_before': visits_before,
                   'came_back_on': came_back_on, 'away_days': away_days
               })::VARCHAR AS facts
        FROM customer_stage ORDER BY customer_id
        """,
    ),
)


def insights_of(warehouse: Warehouse, publication: Publication) -> Any:
    """The rows to publish, as a `pyarrow.Table`."""
    return warehouse.arrow(publication.query)
