"""What the database keeps of reservations, counted units and expiry that rolls.

Reserved points, qualifying points and stamps have no lots: their accounts cannot fall below zero, which is all there is to
keep. A lot's date may be moved (expiry that rolls with activity); its amounts may not.
"""

from django.db import migrations

from patron.kernel.schema import append_only

POSTINGS = """
CREATE OR REPLACE FUNCTION patron_ledger_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    -- One pass over all that the statement wrote: whole movements, each of one member, on known rows, adding up.
    SELECT transaction_id INTO wrong FROM (
        SELECT w.transaction_id, w.amount, w.line_no, t.amount AS given,
            CASE WHEN a.bucket IN ('available', 'pending', 'reserved') AND t.kind NOT IN ('reserve', 'release', 'mature')
                THEN w.amount END AS held,
            a.membership_id = t.membership_id AND a.unit = t.unit
                AND (w.lot_id IS NULL OR l.account_id = w.account_id)
                AND (w.lot_id IS NOT NULL OR w.amount > 0 OR t.kind = 'return'
                     OR a.bucket NOT IN ('available', 'pending')
                     OR a.unit IN ('qualifying', 'stamps')) AS sound
        FROM written w
            LEFT JOIN loyalty_ledgertransaction t ON t.id = w.transaction_id
            LEFT JOIN loyalty_account a ON a.id = w.account_id
            LEFT JOIN loyalty_lot l ON l.id = w.lot_id
    ) side
    GROUP BY transaction_id
    HAVING sum(amount) <> 0 OR bool_and(coalesce(sound, false)) IS FALSE OR sum(held) <> min(given)
        OR min(line_no) <> 1 OR max(line_no) <> count(*)
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the postings of ledger transaction % %', wrong, (
            SELECT CASE
                WHEN sum(w.amount) <> 0 THEN 'do not sum to zero'
                WHEN bool_or(t.id IS NULL) THEN 'belong to no transaction'
                WHEN bool_or(a.id IS NULL OR a.membership_id <> t.membership_id OR a.unit <> t.unit)
                    THEN 'stand on accounts of another member or unit'
                WHEN bool_or(w.lot_id IS NOT NULL AND l.account_id IS DISTINCT FROM w.account_id)
                    THEN 'draw on lots of another account'
                WHEN bool_or(w.lot_id IS NULL AND w.amount < 0 AND t.kind <> 'return'
                             AND a.bucket IN ('available', 'pending') AND a.unit NOT IN ('qualifying', 'stamps'))
                    THEN 'leave a debt, which only points taken back may'
                WHEN min(w.line_no) <> 1 OR max(w.line_no) <> count(*) THEN 'are not written in one statement'
                ELSE 'do not give the member its amount' END
            FROM written w
                LEFT JOIN loyalty_ledgertransaction t ON t.id = w.transaction_id
                LEFT JOIN loyalty_account a ON a.id = w.account_id
                LEFT JOIN loyalty_lot l ON l.id = w.lot_id
            WHERE w.transaction_id = wrong
        ) USING ERRCODE = 'check_violation', HINT = 'Write all sides of a movement in one statement.';
    END IF;

    UPDATE loyalty_account a SET balance = a.balance + s.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM written GROUP BY account_id) s
    WHERE a.id = s.account_id AND s.amount <> 0;

    -- A lot is born full by the posting that opens it; every other posting changes what remains.
    UPDATE loyalty_lot l SET remaining = l.remaining + s.amount
    FROM (
        SELECT w.lot_id, sum(w.amount) AS amount
        FROM written w JOIN loyalty_lot o ON o.id = w.lot_id
        WHERE o.opened_by_id <> w.transaction_id OR w.amount < 0
        GROUP BY w.lot_id
    ) s
    WHERE l.id = s.lot_id AND s.amount <> 0;
    RETURN NULL;
END $$;
"""

LOTS = """
DROP TRIGGER loyalty_lot_by_hand ON loyalty_lot;
CREATE TRIGGER loyalty_lot_by_hand
    BEFORE UPDATE OF id, account_id, opened_by_id, earned_at, available_on, amount, remaining OR DELETE ON loyalty_lot
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_refuse_by_hand();
ALTER TABLE loyalty_lot ENABLE ALWAYS TRIGGER loyalty_lot_by_hand;
"""

BEFORE = """
DROP TRIGGER loyalty_lot_by_hand ON loyalty_lot;
CREATE TRIGGER loyalty_lot_by_hand BEFORE UPDATE OR DELETE ON loyalty_lot
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_refuse_by_hand();
ALTER TABLE loyalty_lot ENABLE ALWAYS TRIGGER loyalty_lot_by_hand;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_tiers_and_reservations")]

    operations = [
        migrations.RunSQL(POSTINGS, migrations.RunSQL.noop),
        migrations.RunSQL(LOTS, BEFORE),
        append_only("loyalty_tierchange"),
    ]
