"""Bulk posting under a rich programme, expiry of lots, and the review of tiers, on generated members."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import django

TERMS = {
    "bonuses": [
        {"code": "weekend", "name": "Double weekend", "effect": "multiply", "factor": "2", "weekdays": [6, 7]},
        {"code": "fifth", "name": "Every fifth visit", "effect": "fixed", "points": "50", "every_nth_visit": 5},
        {"code": "birthday", "name": "Birthday month", "effect": "multiply", "factor": "2", "birthday": "month"},
    ],
    "cap": {"day": "2000"},
    "tiers": {
        "measure": "spend",
        "soft_landing": True,
        "ladder": [
            {"code": "silver", "name": "Silver", "threshold": "2000", "multiplier": "1.25"},
            {"code": "gold", "name": "Gold", "threshold": "4000", "multiplier": "1.5"},
            {"code": "black", "name": "Black", "threshold": "8000", "multiplier": "2"},
        ],
    },
}
PURCHASES_EACH, LOTS_EACH = 8, 4

MEMBERS = """
INSERT INTO customers_customer (number, kind, status, name, family_name, given_name, latin_name, sex, occupation,
    language, preferred_channel, preferences, photo, attributes)
SELECT 'L' || n, 'individual', 'active', '', '', '', '', '', '', '', '', '', '', '{}' FROM generate_series(1, %(n)s) n;
INSERT INTO loyalty_membership (programme_id, customer_id, status, joined_on, tier, tier_since, tier_until)
SELECT %(programme)s, id, 'active', '2020-01-01', (array['silver', 'gold', 'black'])[1 + id %% 3], '2025-01-01',
    '2025-12-31' FROM customers_customer;
INSERT INTO loyalty_account (membership_id, unit, bucket, balance, overdraft_allowed)
SELECT m.id, 'points', bucket, 0, bucket = 'available'
FROM loyalty_membership m, unnest(array['available', 'issued']) bucket;
"""

PURCHASES = """
INSERT INTO purchases_purchase (source, source_key, kind, status, customer_id, occurred_at, currency, gross_amount,
    discount_amount, net_amount, line_count, channel, terminal, cashier)
SELECT 'bench', c.id || '-' || n, 'sale', 'completed', c.id,
    timestamptz '2025-01-10' + n * interval '40 days' + c.id %% 86400 * interval '1 second', 'HKD',
    100 + (c.id * 37) %% 900, 0, 100 + (c.id * 37) %% 900, 1, 'store', '', ''
FROM generate_series(1, %(each)s) n, customers_customer c
"""

BATCH = """
CREATE TEMP TABLE batch AS
SELECT id AS purchase_id, customer_id, branch_id, kind, occurred_at, currency, net_amount, original_id
FROM purchases_purchase ORDER BY id LIMIT %s
"""

LOTS = """
CREATE TEMP TABLE made AS
SELECT nextval('loyalty_ledgertransaction_id_seq') AS t, nextval('loyalty_lot_id_seq') AS l, a.id AS a, i.id AS i,
    m.id AS m, n
FROM loyalty_membership m
    JOIN loyalty_account a ON a.membership_id = m.id AND a.unit = 'points' AND a.bucket = 'available'
    JOIN loyalty_account i ON i.membership_id = m.id AND i.unit = 'points' AND i.bucket = 'issued'
    CROSS JOIN generate_series(1, %(each)s) n;
WITH w AS (
    INSERT INTO loyalty_ledgertransaction (id, membership_id, unit, kind, request_key, amount, occurred_at, explanation,
        actor)
    SELECT t, m, 'points', 'earn', 'bench:' || t, 10, timestamptz '2021-01-01' + n * interval '9 days', '{}', 'system'
    FROM made
), o AS (
    INSERT INTO loyalty_lot (id, account_id, opened_by_id, earned_at, expires_on, amount, remaining)
    SELECT l, a, t, '2021-01-01', date '2022-01-01' + n * 40, 10, 10 FROM made
)
INSERT INTO loyalty_posting (transaction_id, line_no, account_id, lot_id, amount)
SELECT t, 1, i, NULL::bigint, -10 FROM made UNION ALL SELECT t, 2, a, l, 10 FROM made
"""


def main(members: int) -> None:
    from django.db import connection, transaction

    from benchmarks.__main__ import rate, say, seconds
    from patron.business.loyalty.ledger.bulk import earn_batch
    from patron.business.loyalty.operations import create_programme
    from patron.business.loyalty.rules.terms import Terms
    from patron.kernel import clock
    from patron.kernel.actor import SYSTEM

    now = clock.now()
    programme = create_programme(
        code="bench", name="Bench", currency="HKD", rules_from=datetime(2000, 1, 1, tzinfo=UTC),
        terms=Terms.read(TERMS), actor=SYSTEM, now=now,
    )  # fmt: skip
    values = {"n": members, "programme": programme.pk, "each": PURCHASES_EACH}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(MEMBERS, values)
        cursor.execute(PURCHASES, values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    posted = min(members * PURCHASES_EACH, 200_000)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BATCH, [posted])
        cursor.execute("ANALYZE batch")
        started = time.perf_counter()
        earn_batch(cursor, "batch", actor=SYSTEM, now=now)
        took = time.perf_counter() - started
    say("bulk posting under bonuses, caps and tiers", rate(posted, took, "purchases"), "≥ 5,000 purchases/s")
    took, worst = _review(date(2026, 1, 1))
    say(f"review of {members:,} tiers", seconds(took), f"≤ {120 * members / 1e6:,.0f} s (2 min for a million)")
    say("the longest slice of it (95 % of them)", f"{worst:,.0f} ms", "≤ 50 ms")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(LOTS, {"each": LOTS_EACH})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE loyalty_lot")
        cursor.execute("VACUUM ANALYZE loyalty_account")
    lots, took, worst = _expire(date(2024, 1, 1))
    say(f"expiry of {lots:,} lots", seconds(took), f"≤ {60 * lots / 1e6:,.0f} s (60 s for a million)")
    say("the longest slice of it (95 % of them)", f"{worst:,.0f} ms", "≤ 50 ms")


def _review(as_of: date) -> tuple[float, float]:
    """Seconds of the whole review, and the 95th percentile of its slices in milliseconds."""
    from benchmarks.pages import p95
    from patron.business.loyalty.operations.tiers import START, review_tiers
    from patron.kernel import clock
    from patron.kernel.actor import SYSTEM

    started, slices, after = time.perf_counter(), [], START
    while True:
        begun = time.perf_counter()
        done = review_tiers(as_of=as_of, actor=SYSTEM, now=clock.now(), after=after)
        if not done.due:
            return time.perf_counter() - started, p95(slices)
        slices.append((time.perf_counter() - begun) * 1000)
        after = done.last


def _expire(as_of: date) -> tuple[int, float, float]:
    """Lots expired, seconds of it all, and the 95th percentile of the slices in milliseconds: as the job does it."""
    from django.db import connection

    from benchmarks.pages import p95
    from patron.business.loyalty.jobs import WORKERS
    from patron.business.loyalty.operations import expire_lots
    from patron.business.loyalty.operations.expiring import START
    from patron.kernel import clock
    from patron.kernel.actor import SYSTEM

    def work(share: int) -> tuple[int, list[float]]:
        lots, slices, after = 0, [], START
        while True:
            begun = time.perf_counter()
            done = expire_lots(as_of=as_of, actor=SYSTEM, now=clock.now(), share=share, of=WORKERS, after=after)
            after = done.last
            if not done.due:
                connection.close()
                return lots, slices
            lots += done.lots
            slices.append((time.perf_counter() - begun) * 1000)

    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(work, range(WORKERS)))
    took = time.perf_counter() - started
    return sum(lots for lots, _ in parts), took, p95([one for _, slices in parts for one in slices])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "patron.config.settings")
    django.setup()
    main(int(sys.argv[1]))
