"""The history of what customers were: tier, branch, value class, stage, segment and what they allowed, with its days.

A slowly changing dimension of type 2 in long form: one row for each customer, attribute and value. Tiers and consents
are recorded by the house, decision by decision and answer by answer, and put in anew each time. The others are known
only when a refresh looks: a value that differs from the one before ends it, on the day of the look. Looking again on
the same day replaces that day's look, so that a refresh may be repeated. Month ends before the first look are reckoned
from the data as it is known now. Who is on file no longer has no history.
"""

from collections.abc import Set
from datetime import date

from patron.intelligence.insights.marts.contract import Mart
from patron.intelligence.insights.marts.reach import CHANNELS
from patron.kernel.exports import ExportColumn

CUSTOMER_HISTORY = Mart(
    name="customer_history",
    meaning=(
        "What each customer was, and when: one row for each attribute and value, from valid_from up to but not on "
        "valid_to. patron.intelligence.warehouse.history joins it to facts by their day."
    ),
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn(
            "attribute",
            "string",
            "tier, home_branch, value_class, stage, cluster, or consent_ with purpose and channel: "
            "consent_marketing_sms …",
        ),
        ExportColumn("programme", "string", "Code of the programme, of a tier; empty for others."),
        ExportColumn("value", "string", "What the customer was; a branch by its key; of a consent granted or refused."),
        ExportColumn("valid_from", "date", "First day."),
        ExportColumn("valid_to", "date", "Day on which it no longer held; empty while it holds."),
        ExportColumn(
            "source",
            "string",
            "recorded by the house; observed by a refresh; or reckoned afterwards, for month ends before the first.",
        ),
    ),
    order="attribute, customer_id, programme, valid_from",
    department="loyalty",
)

#: The marts of the analysis of clusters, where it has run. Groups are told by their names: numbers change.
CLUSTERS = ("clusters_customers", "clusters_groups")

_COLUMNS = ", ".join(column.name for column in CUSTOMER_HISTORY.columns)

_OBSERVED = {
    "home_branch": """
        SELECT customer_id, home_branch_id::VARCHAR AS value FROM customers WHERE home_branch_id IS NOT NULL
    """,
    "value_class": "SELECT customer_id, value_class AS value FROM customer_value WHERE value_class IS NOT NULL",
    "stage": "SELECT customer_id, stage AS value FROM customer_stage",
    "cluster": """
        SELECT c.customer_id, g.name AS value FROM clusters_customers c
        JOIN clusters_groups g ON g.cluster = c.cluster AND g.branch_id = 0
        WHERE c.customer_id IN (SELECT customer_id FROM customers)
    """,
}


def customer_history_sql(as_of: date, *, there: Set[str]) -> str:
    """From `history_before` (the mart of the version before, or no row) and the tables and marts as of `as_of`.

    `there` names the analyses' marts that can be read: `cluster` is looked at where its analysis has run.
    """
    day = f"DATE '{as_of.isoformat()}'"
    looks = " UNION ALL ".join(
        f"SELECT customer_id, '{name}' AS attribute, value FROM ({query}) {name}"  # noqa: S608 (our own SQL)
        for name, query in _OBSERVED.items()
        if name != "cluster" or there >= set(CLUSTERS)
    )
    return f"""
        WITH prior AS (
            SELECT customer_id, attribute, '' AS programme, value, valid_from,
                   CASE WHEN valid_to < {day} THEN valid_to END AS valid_to, source
            FROM history_before WHERE source <> 'recorded' AND valid_from < {day}
                AND customer_id IN (SELECT customer_id FROM customers)
        ),
        begun AS (
            SELECT * FROM prior
            UNION ALL
            SELECT * FROM ({_reckoned_sql(day)}) reckoned WHERE NOT EXISTS (SELECT 1 FROM prior)
        ),
        seen AS ({looks}),
        standing AS (
            SELECT b.customer_id, b.attribute, b.programme, b.value, b.valid_from,
                   CASE WHEN s.value = b.value THEN NULL ELSE {day} END AS valid_to, b.source
            FROM begun b LEFT JOIN seen s ON s.customer_id = b.customer_id AND s.attribute = b.attribute
            WHERE b.valid_to IS NULL
        ),
        fresh AS (
            SELECT s.customer_id, s.attribute, '' AS programme, s.value, {day} AS valid_from,
                   CAST(NULL AS DATE) AS valid_to, 'observed' AS source
            FROM seen s
            LEFT JOIN begun b ON b.customer_id = s.customer_id AND b.attribute = s.attribute AND b.valid_to IS NULL
            WHERE b.value IS NULL OR b.value <> s.value
        )
        SELECT {_COLUMNS} FROM begun WHERE valid_to IS NOT NULL
        UNION ALL SELECT {_COLUMNS} FROM standing
        UNION ALL SELECT {_COLUMNS} FROM fresh
        UNION ALL SELECT {_COLUMNS} FROM ({_tiers_sql(day)}) tiers
        UNION ALL SELECT {_COLUMNS} FROM ({_consents_sql(day)}) consents_held
    """  # noqa: S608 (our own SQL)


def _reckoned_sql(day: str) -> str:
    """Stages at past month ends and the value class at the last one, runs of the same value put together."""
    return f"""
        WITH points AS (
            SELECT customer_id, 'stage' AS attribute, to_stage AS value, closed_on AS seen_on FROM inventory_flows
            UNION ALL
            SELECT customer_id, 'stage', from_stage, opened_on FROM inventory_flows
            WHERE opened_on = (SELECT min(opened_on) FROM inventory_flows) AND from_stage <> 'none'
            UNION ALL
            SELECT customer_id, 'value_class', previous_class, last_day(month) FROM customer_value
            CROSS JOIN (SELECT {day} - INTERVAL 1 MONTH AS month) before WHERE previous_class IS NOT NULL
        ),
        steps AS (
            SELECT *, lag(value) OVER (PARTITION BY customer_id, attribute ORDER BY seen_on) AS former
            FROM points WHERE seen_on < {day}
        ),
        changes AS (SELECT * FROM steps WHERE former IS NULL OR former <> value)
        SELECT customer_id, attribute, '' AS programme, value, seen_on AS valid_from,
               lead(seen_on) OVER (PARTITION BY customer_id, attribute ORDER BY seen_on) AS valid_to,
               'reckoned' AS source
        FROM changes
    """  # noqa: S608 (a date)


def _tiers_sql(day: str) -> str:
    """The club's own decisions: the last of a day counts, keeping a tier changes nothing, no tier is no row."""
    return f"""
        WITH decided AS (
            SELECT m.customer_id, m.programme, t.after AS value, t.effective_on,
                   row_number() OVER (
                       PARTITION BY t.membership_id, t.effective_on ORDER BY t.effective_at DESC, t.tier_change_id DESC
                   ) AS place
            FROM tier_changes t JOIN memberships m USING (membership_id) WHERE t.effective_on <= {day}
        ),
        steps AS (
            SELECT *, lag(value) OVER (PARTITION BY customer_id, programme ORDER BY effective_on) AS former
            FROM decided WHERE place = 1
        ),
        spans AS (
            SELECT customer_id, programme, value, effective_on AS valid_from,
                   lead(effective_on) OVER (PARTITION BY customer_id, programme ORDER BY effective_on) AS valid_to
            FROM steps WHERE former IS NULL OR former <> value
        )
        SELECT customer_id, 'tier' AS attribute, programme, value, valid_from, valid_to, 'recorded' AS source
        FROM spans WHERE value <> ''
    """  # noqa: S608 (a date)


def _consents_sql(day: str) -> str:
    """What was said last by each day about a channel, or about any: the last of a day counts, saying it again does not.

    An answer about any channel is one about each.
    """
    channels = " UNION ALL ".join(f"SELECT '{channel}' AS channel" for channel in CHANNELS)
    return f"""
        WITH channels AS ({channels}),
        said AS (
            SELECT s.customer_id, s.purpose, ch.channel, s.granted, s.given_on,
                   lead(s.given_on) OVER (
                       PARTITION BY s.customer_id, s.purpose, ch.channel ORDER BY s.given_at, s.consent_id
                   ) AS next_on
            FROM consents s JOIN channels ch ON s.channel IN (ch.channel, 'any') WHERE s.given_on <= {day}
        ),
        steps AS (
            SELECT customer_id, purpose, channel, granted, given_on,
                   lag(granted) OVER (PARTITION BY customer_id, purpose, channel ORDER BY given_on) AS former
            FROM said WHERE next_on IS NULL OR next_on <> given_on
        )
        SELECT customer_id, concat('consent_', purpose, '_', channel) AS attribute, '' AS programme,
               CASE WHEN granted THEN 'granted' ELSE 'refused' END AS value, given_on AS valid_from,
               lead(given_on) OVER (PARTITION BY customer_id, purpose, channel ORDER BY given_on) AS valid_to,
               'recorded' AS source
        FROM steps WHERE former IS NULL OR former <> granted
    """  # noqa: S608 (constants and a date)
