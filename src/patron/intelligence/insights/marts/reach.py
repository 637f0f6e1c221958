"""Marts of reach: whom marketing may speak to, over which channel, and how much of the money that is."""

from datetime import date

from patron.intelligence.insights.marts.contract import ALL_BRANCHES, Mart
from patron.kernel.exports import ExportColumn

#: Channel → what must be on file for it: a column of `customers`.
CHANNELS = {"sms": "has_phone", "email": "has_email", "phone": "has_phone", "post": "has_post", "app": "has_chat"}

CUSTOMER_REACH = Mart(
    name="customer_reach",
    meaning=(
        "Who can be reached by what for marketing: one row for each customer and channel with a contact on file or an "
        "answer. What was said last counts, of the channel or of any; nothing said is no."
    ),
    columns=(
        ExportColumn("customer_id", "int64", "Customer."),
        ExportColumn("branch_id", "int64", "Home branch."),
        ExportColumn("channel", "string", "sms, email, phone, post or app."),
        ExportColumn("has_contact", "bool", "Whether a number, address or account for it is on file."),
        ExportColumn("permission", "string", "granted, refused or not_asked."),
        ExportColumn("since", "date", "Day of the answer that counts; empty where nothing was said."),
        ExportColumn("reachable", "bool", "Contact on file, permission granted, customer active."),
    ),
    order="channel, reachable DESC, customer_id",
)

REACH = Mart(
    name="reach",
    meaning="How many active customers, and how much of what they bring, marketing reaches over each channel.",
    columns=(
        ExportColumn("branch_id", "int64", "Home branch; 0 for the whole organisation; empty when not known."),
        ExportColumn("channel", "string", "sms, email, phone, post, app; any for those reached by at least one."),
        ExportColumn("customers", "int64", "Active customers on file."),
        ExportColumn("with_contact", "int64", "Of these, with a contact for the channel on file."),
        ExportColumn("granted", "int64", "Of all, who allowed it."),
        ExportColumn("refused", "int64", "Who refused it."),
        ExportColumn("not_asked", "int64", "Who have said nothing: ask those with a contact first."),
        ExportColumn("reachable", "int64", "With contact and permission."),
        ExportColumn("vips", "int64", "VIPs among the customers."),
        ExportColumn("vips_reachable", "int64", "Of these, who can be reached."),
        ExportColumn("money", "decimal(18,2)", "What the customers bring in the window of the value model."),
        ExportColumn("money_reachable", "decimal(18,2)", "Of this, from who can be reached."),
    ),
    order="branch_id, channel",
)

REACH_MARTS = (CUSTOMER_REACH, REACH)

_CHANNELS = " UNION ALL ".join(f"SELECT '{channel}' AS channel" for channel in CHANNELS)
_CONTACT = " ".join(f"WHEN '{channel}' THEN c.{column}" for channel, column in CHANNELS.items())


def reach_sql(as_of: date) -> str:
    """Every customer and channel with what is known of it as of a day; from `customers` and `consents`."""
    later = "s.given_at > a.given_at OR (s.given_at = a.given_at AND s.consent_id > a.consent_id)"
    return f"""
        WITH channels AS ({_CHANNELS}),
        answers AS (
            SELECT customer_id, channel, granted, given_at, given_on, consent_id,
                   row_number() OVER (
                       PARTITION BY customer_id, channel ORDER BY given_at DESC, consent_id DESC
                   ) AS place
            FROM consents WHERE purpose = 'marketing' AND given_on <= DATE '{as_of.isoformat()}'
        ),
        said AS (SELECT * FROM answers WHERE place = 1),
        known AS (
            SELECT c.customer_id, c.home_branch_id AS branch_id, c.status = 'active' AS is_active, ch.channel,
                   CASE ch.channel {_CONTACT} END AS has_contact
            FROM customers c CROSS JOIN channels ch
        ),
        judged AS (
            SELECT k.*, CASE WHEN a.consent_id IS NULL OR {later} THEN s.granted ELSE a.granted END AS granted,
                   CASE WHEN a.consent_id IS NULL OR {later} THEN s.given_on ELSE a.given_on END AS since
            FROM known k
            LEFT JOIN said s ON s.customer_id = k.customer_id AND s.channel = k.channel
            LEFT JOIN said a ON a.customer_id = k.customer_id AND a.channel = 'any'
        )
        SELECT customer_id, branch_id, is_active, channel, coalesce(has_contact, false) AS has_contact,
               CASE WHEN granted THEN 'granted' WHEN granted IS NULL THEN 'not_asked' ELSE 'refused' END AS permission,
               since, coalesce(has_contact AND granted AND is_active, false) AS reachable
        FROM judged
    """  # noqa: S608 (constants and a date)


#: From `reach_now`, the rows of `reach_sql`.
CUSTOMER_REACH_SQL = "SELECT * FROM reach_now WHERE has_contact OR permission <> 'not_asked'"

#: From `reach_now` and the mart `customer_value`.
REACH_SQL = f"""
    WITH told AS (
        SELECT customer_id, branch_id, channel, has_contact, permission, reachable FROM reach_now WHERE is_active
        UNION ALL
        SELECT customer_id, branch_id, 'any' AS channel, bool_or(has_contact) AS has_contact,
               CASE WHEN bool_or(permission = 'granted') THEN 'granted'
                    WHEN bool_or(permission = 'refused') THEN 'refused' ELSE 'not_asked' END AS permission,
               bool_or(reachable) AS reachable
        FROM reach_now WHERE is_active GROUP BY customer_id, branch_id
    ),
    worth AS (
        SELECT t.branch_id, t.channel, t.has_contact, t.permission, t.reachable, coalesce(v.vip, false) AS vip,
               coalesce(v.monetary, 0) AS monetary
        FROM told t LEFT JOIN customer_value v ON v.customer_id = t.customer_id AND v.rank IS NOT NULL
    )
    SELECT CASE WHEN grouping(branch_id) = 1 THEN {ALL_BRANCHES} ELSE branch_id END AS branch_id, channel,
           count(*) AS customers, count(*) FILTER (WHERE has_contact) AS with_contact,
           count(*) FILTER (WHERE permission = 'granted') AS granted,
           count(*) FILTER (WHERE permission = 'refused') AS refused,
           count(*) FILTER (WHERE permission = 'not_asked') AS not_asked,
           count(*) FILTER (WHERE reachable) AS reachable, count(*) FILTER (WHERE vip) AS vips,
           count(*) FILTER (WHERE vip AND reachable) AS vips_reachable, sum(monetary) AS money,
           coalesce(sum(monetary) FILTER (WHERE reachable), 0) AS money_reachable
    FROM worth GROUP BY GROUPING SETS ((branch_id, channel), (channel))
"""  # noqa: S608 (a constant)
