"""Awards for many purchases at once: what `awards.earn` and `returns.take_back` do one by one, set-based.

What is needed is read by a few queries, every sale is decided by the same pure function as at the till, in the order of
time, and one INSERT … SELECT writes all three ledger tables; the repayment of debts is a running sum. Returns, of which
there are few, go through the book.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from patron.business.loyalty.ledger.awards import counts_qualifying
from patron.business.loyalty.ledger.gathering import Entry, gather
from patron.business.loyalty.ledger.references import references_resolved
from patron.business.loyalty.ledger.returns import Undone, take_back
from patron.business.loyalty.ledger.tiering import write_rises
from patron.business.loyalty.rules.earning import Award, Rulebook
from patron.business.loyalty.rules.sales import Rise, advance, decide_sale
from patron.core.activities.operations import log_activities_from
from patron.kernel.actor import Actor
from patron.kernel.clock import today

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

DECIDED = """
CREATE TEMP TABLE loyalty_decided (
    place bigint, purchase_id bigint, membership_id bigint, programme_id bigint, rule_id bigint,
    points numeric(18, 2), qualifying numeric(18, 2), stamps numeric(18, 2), expires_on date, available_on date,
    explanation jsonb
) ON COMMIT DROP
"""
COPY = (
    "COPY loyalty_decided (place, purchase_id, membership_id, programme_id, rule_id, points, qualifying, stamps, "
    "expires_on, available_on, explanation) FROM STDIN"
)

ACCOUNTS = """
INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
SELECT DISTINCT d.membership_id, wanted.unit, wanted.bucket, 0, false
FROM loyalty_decided d JOIN (VALUES
    ('points', 'pending'), ('qualifying', 'available'), ('qualifying', 'issued'), ('stamps', 'available'),
    ('stamps', 'issued')
) AS wanted (unit, bucket) ON CASE wanted.unit
    WHEN 'points' THEN d.available_on IS NOT NULL
    WHEN 'qualifying' THEN d.qualifying > 0 ELSE d.stamps > 0 END
ORDER BY 1, 2, 3
ON CONFLICT (membership_id, unit, bucket) DO NOTHING
"""

AWARDS = """
CREATE TEMP TABLE loyalty_awards ON COMMIT DROP AS
SELECT nextval('loyalty_ledgertransaction_id_seq') AS id,
    CASE WHEN points > 0 THEN nextval('loyalty_lot_id_seq') END AS lot_id,
    CASE WHEN qualifying > 0 THEN nextval('loyalty_ledgertransaction_id_seq') END AS qualifying_id,
    CASE WHEN stamps > 0 THEN nextval('loyalty_ledgertransaction_id_seq') END AS stamps_id, *
FROM (
    SELECT d.*, p.customer_id, p.branch_id, p.occurred_at, p.net_amount, a.id AS available_id, i.id AS issued_id,
        w.id AS pending_id, CASE WHEN d.available_on IS NULL THEN greatest(-a.balance, 0) ELSE 0 END AS debt,
        0.00::numeric(18, 2) AS repaid
    FROM loyalty_decided d
        JOIN {table} p ON p.purchase_id = d.purchase_id
        JOIN loyalty_account a ON a.membership_id = d.membership_id AND a.unit = 'points' AND a.bucket = 'available'
        JOIN loyalty_account i ON i.membership_id = d.membership_id AND i.unit = 'points' AND i.bucket = 'issued'
        LEFT JOIN loyalty_account w ON d.available_on IS NOT NULL
            AND w.membership_id = d.membership_id AND w.unit = 'points' AND w.bucket = 'pending'
    ORDER BY d.place
) earned
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
        explanation || CASE WHEN repaid > 0 THEN jsonb_build_object('repaid', repaid::text) ELSE '{}' END,
        %(actor)s
    FROM loyalty_awards
), opened AS (
    INSERT INTO loyalty_lot (id, account_id, opened_by_id, earned_at, expires_on, available_on, amount, remaining)
    SELECT lot_id, coalesce(pending_id, available_id), id, occurred_at, expires_on, available_on, points - repaid,
        points - repaid
    FROM loyalty_awards WHERE lot_id IS NOT NULL
)
INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
SELECT id, 1, issued_id, NULL::bigint, -points FROM loyalty_awards WHERE points > 0
UNION ALL
SELECT id, 2, available_id, NULL, repaid FROM loyalty_awards WHERE repaid > 0
UNION ALL
SELECT id, CASE WHEN repaid > 0 THEN 3 ELSE 2 END, coalesce(pending_id, available_id), lot_id, points - repaid
FROM loyalty_awards WHERE lot_id IS NOT NULL
"""

COUNT = """
WITH counted AS MATERIALIZED (
    SELECT w.{unit}_id AS id, w.id AS origin_id, w.membership_id, w.{unit} AS amount, w.occurred_at, w.purchase_id,
        w.rule_id, w.programme_id, a.id AS available_id, i.id AS issued_id
    FROM loyalty_awards w
        JOIN loyalty_account a ON a.membership_id = w.membership_id AND a.unit = '{unit}' AND a.bucket = 'available'
        JOIN loyalty_account i ON i.membership_id = w.membership_id AND i.unit = '{unit}' AND i.bucket = 'issued'
    WHERE w.{unit} > 0 ORDER BY w.id
), written AS (
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, occurred_at,
        purchase_id, origin_id, rule_id, explanation, actor)
    SELECT id, membership_id, '{unit}', 'earn', '{word}:' || programme_id || ':' || purchase_id, amount, occurred_at,
        purchase_id, origin_id, rule_id, '{{}}', %(actor)s
    FROM counted
)
INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
SELECT id, 1, issued_id, NULL::bigint, -amount FROM counted
UNION ALL SELECT id, 2, available_id, NULL, amount FROM counted
"""

TELL = """
SELECT customer_id, 'points.earned' AS kind, occurred_at, '' AS channel, branch_id,
    'loyalty.ledgertransaction:' || id AS source,
    jsonb_build_object('points', trim_scale(points), 'purchase', purchase_id) AS facts
FROM loyalty_awards WHERE points > 0
"""

TELL_STAMPS = """
SELECT customer_id, 'stamps.earned' AS kind, occurred_at, '' AS channel, branch_id,
    'loyalty.ledgertransaction:' || stamps_id AS source,
    jsonb_build_object('stamps', trim_scale(stamps), 'purchase', purchase_id) AS facts
FROM loyalty_awards WHERE stamps > 0
"""

ROLL = """
UPDATE loyalty_lot l SET expires_on = r.until
FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS r (membership_id, day, until)
    JOIN loyalty_account a ON a.membership_id = r.membership_id AND a.unit = 'points'
        AND a.bucket IN ('available', 'pending')
WHERE l.account_id = a.id AND l.remaining > 0 AND l.expires_on >= r.day AND l.expires_on < r.until
"""

CHANGES = """
SELECT DISTINCT r.valid_from
FROM loyalty_programmeversion r
    JOIN (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM {table} WHERE kind = 'sale') b
        ON r.valid_from > b.first AND r.valid_from <= b.last
ORDER BY 1
"""

SLICE = """
CREATE TEMP TABLE loyalty_slice ON COMMIT DROP AS
SELECT * FROM {table}
WHERE kind = 'sale' AND (%s::timestamptz IS NULL OR occurred_at >= %s::timestamptz)
    AND (%s::timestamptz IS NULL OR occurred_at < %s::timestamptz)
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
    awards = sum(_earn(cursor, part, table, actor=actor, now=now) for part in _parts(cursor, table))
    cursor.execute(RETURNS.format(table=table))
    returns = [Undone(*row) for row in cursor.fetchall()]
    if returns:
        take_back(returns, actor=actor, now=now)
    return awards


def _earn(cursor: Any, table: str, whole: str, *, actor: Actor, now: datetime) -> int:
    decided = decide_all(gather(cursor, table, whole=whole), now=now)
    if decided.rows:
        _write(cursor, table, decided, actor=actor, now=now)
    for rulebook, rises in decided.rises.values():
        write_rises(rulebook, rises, actor=actor, now=now)
    return len(decided.rows)


def _parts(cursor: Any, table: str) -> Iterator[str]:
    """Tables of the sales that go by the same versions, one after another: nearly always the batch itself.

    What one version asks of a member is then read from what earlier ones wrote, as at the till.
    """
    cursor.execute(CHANGES.format(table=table))
    moments = [moment for (moment,) in cursor.fetchall()]
    if not moments:
        yield table
        return
    for since, until in pairwise([None, *moments, None]):
        cursor.execute("DROP TABLE IF EXISTS loyalty_slice")
        cursor.execute(SLICE.format(table=table), [since, since, until, until])
        yield "loyalty_slice"
    cursor.execute("DROP TABLE loyalty_slice")


@dataclass(slots=True)
class Decided:
    """Awards as rows for COPY, in the order of time; tiers reached, by version; and how far old lots now live."""

    rows: list[list[Any]] = field(default_factory=list)
    rises: dict[int, tuple[Rulebook, list[tuple[int, Rise]]]] = field(default_factory=dict)
    rolled: dict[int, list[tuple[date, date]]] = field(default_factory=dict)
    counts: bool = False
    stamps: bool = False


def decide_all(entries: Iterator[Entry], *, now: datetime) -> Decided:
    """Decide sale after sale. Pure but for the entries, which are read from the database."""
    found = Decided()
    current_day = today(now)
    chains: dict[int, list[Any]] = {}
    for entry in entries:
        rulebook, state, sale = entry.rulebook, entry.state, entry.sale
        award = decide_sale(rulebook, state, sale)
        if (rise := advance(rulebook, state, sale, award)) is not None:
            found.rises.setdefault(rulebook.version, (rulebook, []))[1].append((state.membership_id, rise))
        qualifying = award.qualifying if counts_qualifying(rulebook) else 0
        if not (award.points or qualifying or award.stamps):
            continue
        found.counts = found.counts or bool(qualifying)
        found.stamps = found.stamps or bool(award.stamps)
        row = _row(entry, award, qualifying, current_day)
        row[0] = len(found.rows)
        found.rows.append(row)
        if rulebook.terms.expiry.rolls:
            _chain(chains, found, entry, row)
    return found


def _row(entry: Entry, award: Award, qualifying: Any, current_day: date) -> list[Any]:
    terms, day = entry.rulebook.terms, entry.sale.day
    explanation = award.explanation
    available_on = None
    if terms.pending_days and (due := day + timedelta(days=terms.pending_days)) > current_day:
        available_on = due
        explanation |= {"available_on": due.isoformat()}
    return [
        0,
        entry.sale.purchase_id,
        entry.state.membership_id,
        entry.programme_id,
        entry.rulebook.version,
        award.points,
        qualifying,
        award.stamps,
        terms.expiry.last_day(day),
        available_on,
        json.dumps(explanation),
    ]


def _chain(chains: dict[int, list[Any]], found: Decided, entry: Entry, row: list[Any]) -> None:
    """Expiry that rolls: each sale lets the lots live on that are still usable on its day, those of earlier sales of
    the batch (`chains`) and those on file (`rolled`: spans of dates, and the last day of each is what they now get)."""
    member, day, until = entry.state.membership_id, entry.sale.day, row[8]
    if until is None:
        return
    spans = found.rolled.setdefault(member, [])
    if spans and day <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(until, spans[-1][1]))
    else:
        spans.append((day, until))
        chains[member] = []
    for earlier in chains[member]:
        earlier[8] = max(earlier[8], until)
    chains[member].append(row)


def _write(cursor: Any, table: str, decided: Decided, *, actor: Actor, now: datetime) -> None:
    cursor.execute("DROP TABLE IF EXISTS loyalty_decided, loyalty_awards")
    cursor.execute(DECIDED)
    with cursor.copy(COPY) as copy:
        for row in decided.rows:
            copy.write_row(row)
    cursor.execute("ANALYZE loyalty_decided")
    if decided.rolled:
        spans = [(member, *span) for member, those in decided.rolled.items() for span in those]
        cursor.execute(ROLL, [list(column) for column in zip(*spans, strict=True)])
    cursor.execute(ACCOUNTS)
    cursor.execute(AWARDS.format(table=table))
    cursor.execute("ANALYZE loyalty_awards (id, membership_id)")
    cursor.execute(REPAY)
    with references_resolved(cursor), _planned_for_many(cursor):
        cursor.execute(WRITE, {"actor": actor.reference})
        log_activities_from(TELL, actor=actor, now=now)
        if decided.counts:
            cursor.execute(COUNT.format(unit="qualifying", word="qualify"), {"actor": actor.reference})
        if decided.stamps:
            cursor.execute(COUNT.format(unit="stamps", word="stamps"), {"actor": actor.reference})
            log_activities_from(TELL_STAMPS, actor=actor, now=now)
    cursor.execute("DROP TABLE loyalty_awards, loyalty_decided")


@contextmanager
def _planned_for_many(cursor: Any) -> Iterator[None]:
    """Let the ledger's triggers plan anew, for this many rows, and again afterwards for the few of a till."""
    cursor.execute("DISCARD PLANS")
    yield
    cursor.execute("DISCARD PLANS")
