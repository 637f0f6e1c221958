"""Expiry in slices: each is one transaction, so that no till waits for long."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection

from patron.business.loyalty.ledger.book import Book
from patron.business.loyalty.ledger.references import references_resolved
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor
from patron.kernel.operation import operation

SLICE = 200
"""Lots of one slice: some 20 ms of work, which is how long a till may have to wait for a member among them."""

Place = tuple[date, int]
"""Where a lot stands in the order of expiry: its last day, and its id."""
START: Place = (date.min, 0)

CHOOSE = """
SELECT id, account_id, expires_on FROM loyalty_lot
WHERE remaining > 0 AND expires_on < %s AND (expires_on, id) > (%s, %s)
    AND available_on IS NULL AND account_id %% %s = %s
ORDER BY expires_on, id LIMIT %s
"""
"""What is pending becomes available first (it may repay a debt), and only then expires."""

LOCK = """
SELECT id FROM loyalty_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
"""Members whom a till serves just now are left for the next slice."""

OPEN_COUNTERPARTS = """
INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
SELECT membership_id, unit, 'expired', 0, false FROM loyalty_account WHERE id = ANY(%s)
ON CONFLICT (membership_id, unit, bucket) DO NOTHING
"""

WRITE = """
WITH movement AS MATERIALIZED (
    SELECT nextval('loyalty_ledgertransaction_id_seq') AS id, g.*
    FROM (
        SELECT l.account_id, l.expires_on, a.membership_id, a.unit, e.id AS expired_id, sum(l.remaining) AS points,
            array_agg(l.id ORDER BY l.id) AS lots, array_agg(l.remaining ORDER BY l.id) AS parts
        FROM loyalty_lot l
            JOIN loyalty_account a ON a.id = l.account_id
            JOIN loyalty_account e ON e.membership_id = a.membership_id AND e.unit = a.unit AND e.bucket = 'expired'
        WHERE l.id = ANY(%(lots)s) AND l.account_id = ANY(%(accounts)s) AND l.remaining > 0
        GROUP BY 1, 2, 3, 4, 5 ORDER BY expires_on, account_id
    ) g
), written AS (
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, occurred_at,
        explanation, actor)
    SELECT id, membership_id, unit, 'expire', 'expire:' || id, -points,
        (expires_on + 1)::timestamp AT TIME ZONE %(zone)s, jsonb_build_object('expires_on', expires_on), %(actor)s
    FROM movement
), posted AS (
    INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
    SELECT id, 1, expired_id, NULL, points FROM movement
    UNION ALL
    SELECT m.id, d.place + 1, m.account_id, d.lot_id, -d.remaining
    FROM movement m CROSS JOIN LATERAL unnest(m.lots, m.parts) WITH ORDINALITY AS d (lot_id, remaining, place)
)
SELECT coalesce(array_agg(id), '{}'), coalesce(sum(cardinality(lots)), 0)::int, coalesce(sum(points), 0) FROM movement
"""

TELL = """
SELECT m.customer_id, u.kind, t.occurred_at, '' AS channel, NULL::bigint AS branch_id,
    'loyalty.ledgertransaction:' || t.id AS source, jsonb_build_object(u.name, trim_scale(t.amount)) AS facts
FROM loyalty_ledgertransaction t
    JOIN loyalty_membership m ON m.id = t.membership_id
    JOIN (VALUES ('points', 'points.expired', 'points'), ('stored_value', 'stored_value.expired', 'amount'))
        AS u (unit, kind, name) ON u.unit = t.unit
WHERE t.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Expired:
    """What a slice did. `due` counts the lots it chose; `lots` those it could expire, of `points` in all; `last` is the
    place of the last lot it chose."""

    due: int
    lots: int
    points: Decimal
    last: Place


@operation(permission="loyalty.expire")
def expire_lots(
    *,
    as_of: date,
    actor: Actor,
    now: datetime,
    batch: int = SLICE,
    share: int = 0,
    of: int = 1,
    after: Place = START,
) -> Expired:
    """Expire up to `batch` lots that are no longer usable on day `as_of` (a lot is, up to and on its date).

    A movement for each member and date of expiry, dated the midnight that ended it. Call it until `due` is 0; the
    same day again finds nothing. Several may work side by side, each on its own `share` `of` the accounts. `after` goes
    on where the slice before ended (its `last`), so that no slice walks over what the others have done. Locks the
    members concerned in key order and skips those that are locked.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # what a crash loses is expired again
        cursor.execute(CHOOSE, [as_of, *after, of, share, batch])
        chosen = cursor.fetchall()
        cursor.execute(LOCK, [sorted({account_id for _, account_id, _ in chosen})])
        held = [account_id for (account_id,) in cursor.fetchall()]
        last = (chosen[-1][2], chosen[-1][0]) if chosen else after
        if not held:
            return Expired(due=len(chosen), lots=0, points=Decimal(0), last=last)
        with references_resolved(cursor):
            cursor.execute(OPEN_COUNTERPARTS, [held])
            cursor.execute(
                WRITE,
                {
                    "lots": [lot_id for lot_id, _, _ in chosen],
                    "accounts": held,
                    "zone": settings.TIME_ZONE,
                    "actor": actor.reference,
                },
            )
            ((movements, lots, points),) = cursor.fetchall()
            log_activities_from(TELL, [movements], actor=actor, now=now)
    return Expired(due=len(chosen), lots=lots, points=points, last=last)


@operation(permission="loyalty.expire")
def mature_lots(*, as_of: date, actor: Actor, now: datetime, batch: int = SLICE) -> int:
    """Let up to `batch` pending lots that are due by day `as_of` become available; return how many were due.

    Call it until that is 0. Locks the members concerned in key order.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.membership_id FROM loyalty_lot l JOIN loyalty_account a ON a.id = l.account_id "
            "WHERE l.remaining > 0 AND l.available_on <= %s ORDER BY l.available_on, l.id LIMIT %s",
            [as_of, batch],
        )
        due = [membership_id for (membership_id,) in cursor.fetchall()]
    if due:
        book = Book(set(due))
        for holding in book.holdings.values():
            book.mature(holding, on=as_of)
        book.close(actor=actor, now=now)
    return len(due)
