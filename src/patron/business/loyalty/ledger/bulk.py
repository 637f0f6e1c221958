"""Awards for many purchases at once: what `awards.earn` and `awards.take_back` do one by one, set-based.

Sales go in by SQL alone, one INSERT … SELECT for all three ledger tables: the arithmetic is that of
`rules.decide_earning`, the repayment of debts a running sum. Returns, of which there are few, go through the book.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings

from patron.business.loyalty.ledger.awards import Undone, take_back
from patron.business.loyalty.rules import MOST_POINTS
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor

LOCK = """
SELECT count(*) FROM (
    SELECT a.id FROM loyalty_account a
    WHERE a.unit = 'points' AND a.bucket = 'available' AND a.membership_id IN (
        SELECT m.id FROM loyalty_membership m
        WHERE m.customer_id IN (SELECT customer_id FROM {table} WHERE kind = 'sale' AND net_amount > 0)
        UNION
        SELECT t.membership_id FROM loyalty_ledgertransaction t
        WHERE t.purchase_id IN (SELECT original_id FROM {table} WHERE original_id IS NOT NULL) AND t.kind = 'earn'
    )
    ORDER BY a.id
    FOR NO KEY UPDATE
) locked
"""
"""Everyone whom the batch concerns, in key order, before anything is read."""

AWARDS = """
CREATE TEMP TABLE loyalty_awards ON COMMIT DROP AS
WITH version AS (
    SELECT DISTINCT ON (programme_id, valid_from) * FROM loyalty_earningrule
    ORDER BY programme_id, valid_from, version DESC
), rule AS (
    SELECT *, lead(valid_from, 1, 'infinity') OVER (PARTITION BY programme_id ORDER BY valid_from) AS valid_until
    FROM version
), award AS (
    SELECT p.*, (p.occurred_at AT TIME ZONE %(zone)s)::date AS day, m.id AS membership_id, m.programme_id, m.joined_on,
        r.id AS rule_id, r.points_per_unit, r.unit_amount, r.expiry_months,
        a.id AS available_id, i.id AS issued_id, greatest(-a.balance, 0) AS debt,
        div(p.net_amount, r.unit_amount) AS units,
        least(trunc(div(p.net_amount, r.unit_amount) * r.points_per_unit), %(most)s)::numeric(18, 2) AS points,
        0.00::numeric(18, 2) AS repaid
    FROM {table} p
        JOIN loyalty_membership m ON m.customer_id = p.customer_id AND m.status = 'active'
        JOIN loyalty_programme g ON g.id = m.programme_id AND g.is_active AND g.currency = p.currency
        JOIN rule r ON r.programme_id = g.id AND p.occurred_at >= r.valid_from AND p.occurred_at < r.valid_until
        JOIN loyalty_account a ON a.membership_id = m.id AND a.unit = 'points' AND a.bucket = 'available'
        JOIN loyalty_account i ON i.membership_id = m.id AND i.unit = 'points' AND i.bucket = 'issued'
    WHERE p.kind = 'sale' AND p.net_amount > 0
), earned AS (
    SELECT * FROM award WHERE points > 0 AND joined_on <= day ORDER BY occurred_at, purchase_id, membership_id
)
SELECT nextval('loyalty_ledgertransaction_id_seq') AS id, nextval('loyalty_lot_id_seq') AS lot_id,
    CASE WHEN expiry_months IS NOT NULL
        THEN (date_trunc('month', day) + make_interval(months => expiry_months + 1) - interval '1 day')::date
    END AS expires_on,
    *
FROM earned
"""

REPAY = """
UPDATE loyalty_awards w SET
    repaid = least(w.points, greatest(0, w.debt - d.before)),
    lot_id = CASE WHEN w.points + d.before > w.debt THEN w.lot_id END
FROM (
    SELECT id, coalesce(sum(points) OVER (
        PARTITION BY available_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM loyalty_awards WHERE debt > 0
) d
WHERE w.id = d.id AND w.debt > d.before
"""
"""Of the few members in debt: earlier awards of the batch repay it, and only what is left over opens a lot."""

WRITE = """
WITH written AS (
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, basis_amount,
        occurred_at, purchase_id, rule_id, explanation, actor)
    SELECT id, membership_id, 'points', 'earn', 'earn:' || programme_id || ':' || purchase_id, points, net_amount,
        occurred_at, purchase_id, rule_id,
        jsonb_build_object('rule', rule_id, 'net', net_amount::numeric(16, 2)::text, 'unit', unit_amount::text,
            'rate', points_per_unit::text, 'units', units)
            || CASE WHEN repaid > 0 THEN jsonb_build_object('repaid', repaid::text) ELSE '{}' END,
        %(actor)s
    FROM loyalty_awards
), opened AS (
    INSERT INTO loyalty_lot (id, account_id, opened_by_id, earned_at, expires_on, amount, remaining)
    SELECT lot_id, available_id, id, occurred_at, expires_on, points - repaid, points - repaid
    FROM loyalty_awards WHERE lot_id IS NOT NULL
)
INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
SELECT id, 1, issued_id, NULL::bigint, -points FROM loyalty_awards
UNION ALL
SELECT id, 2, available_id, NULL, repaid FROM loyalty_awards WHERE repaid > 0
UNION ALL
SELECT id, CASE WHEN repaid > 0 THEN 3 ELSE 2 END, available_id, lot_id, points - repaid
FROM loyalty_awards WHERE lot_id IS NOT NULL
"""

TELL = """
SELECT customer_id, 'points.earned' AS kind, occurred_at, '' AS channel, branch_id,
    'loyalty.ledgertransaction:' || id AS source,
    jsonb_build_object('points', trim_scale(points), 'purchase', purchase_id) AS facts
FROM loyalty_awards
"""

RETURNS = """
SELECT purchase_id, original_id, occurred_at, net_amount, branch_id FROM {table}
WHERE kind = 'return' AND original_id IS NOT NULL
ORDER BY occurred_at, purchase_id
"""


def earn_batch(cursor: Any, table: str, *, actor: Actor, now: datetime) -> int:
    """Post what the purchases of temp table `table` earn and what its returns take back; return how many awards.

    The same as posting the sales in order of time, then the returns in order of time, one by one. The purchases are
    new in this transaction. Locks the members concerned, in key order, until the transaction ends.
    """
    cursor.execute(LOCK.format(table=table))
    cursor.execute("DROP TABLE IF EXISTS loyalty_awards")
    cursor.execute(AWARDS.format(table=table), {"zone": settings.TIME_ZONE, "most": MOST_POINTS})
    awards: int = cursor.rowcount
    if awards:
        cursor.execute("ANALYZE loyalty_awards (id)")
        cursor.execute(REPAY)
        with _references_resolved(cursor), _planned_for_many(cursor):
            cursor.execute(WRITE, {"actor": actor.reference})
            log_activities_from(TELL, actor=actor, now=now)
    cursor.execute("DROP TABLE loyalty_awards")
    cursor.execute(RETURNS.format(table=table))
    returns = [Undone(*row) for row in cursor.fetchall()]
    if returns:
        take_back(returns, actor=actor, now=now)
    return awards


@contextmanager
def _planned_for_many(cursor: Any) -> Iterator[None]:
    """Let the ledger's triggers plan anew, for this many rows, and again afterwards for the few of a till."""
    cursor.execute("DISCARD PLANS")
    yield
    cursor.execute("DISCARD PLANS")


@contextmanager
def _references_resolved(cursor: Any) -> Iterator[None]:
    """Leave out the row-by-row foreign-key checks of an INSERT … SELECT whose references all came by join.

    Members and purchases were joined in this transaction and are never deleted. The triggers of the ledger fire all the
    same (they are ENABLE ALWAYS). Where the database role may not set this, the checks are made.
    """
    cursor.execute(
        "SELECT current_setting('server_version_num')::int >= 150000 "
        "AND has_parameter_privilege('session_replication_role', 'SET')"
    )
    (allowed,) = cursor.fetchone()
    if not allowed:
        yield
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")
