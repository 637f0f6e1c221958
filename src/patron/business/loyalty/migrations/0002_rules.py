"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes

POSTINGS = """
CREATE FUNCTION patron_ledger_postings() RETURNS trigger LANGUAGE plpgsql AS $$
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
                     OR a.bucket NOT IN ('available', 'pending', 'reserved')) AS sound
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
                             AND a.bucket IN ('available', 'pending', 'reserved'))
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

CREATE TRIGGER loyalty_posting_whole AFTER INSERT ON loyalty_posting
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_ledger_postings();
ALTER TABLE loyalty_posting ENABLE ALWAYS TRIGGER loyalty_posting_whole;
ALTER TABLE loyalty_posting ENABLE ALWAYS TRIGGER loyalty_posting_append_only;
"""

LOTS = """
CREATE FUNCTION patron_ledger_lots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written w
            LEFT JOIN loyalty_posting p
                ON p.transaction_id = w.opened_by_id AND p.lot_id = w.id AND p.amount = w.amount
        WHERE p.transaction_id IS NULL OR w.remaining <> w.amount
    ) THEN
        RAISE EXCEPTION 'a lot is written in one statement with the posting that opens it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER loyalty_lot_whole AFTER INSERT ON loyalty_lot
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_ledger_lots();
ALTER TABLE loyalty_lot ENABLE ALWAYS TRIGGER loyalty_lot_whole;
"""

TRANSACTIONS = """
CREATE FUNCTION patron_ledger_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written w
            LEFT JOIN loyalty_posting p ON p.transaction_id = w.id AND p.line_no = 1
        WHERE p.transaction_id IS NULL AND w.amount <> 0
    ) THEN
        RAISE EXCEPTION 'a ledger transaction is written in one statement with its postings'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rule_id FROM written) w
            LEFT JOIN loyalty_earningrule r ON r.id = w.rule_id
        WHERE w.rule_id IS NOT NULL AND r.id IS NULL
    ) THEN
        RAISE EXCEPTION 'a ledger transaction names a rule that does not exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER loyalty_ledgertransaction_whole AFTER INSERT ON loyalty_ledgertransaction
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_ledger_transactions();
ALTER TABLE loyalty_ledgertransaction ENABLE ALWAYS TRIGGER loyalty_ledgertransaction_whole;
ALTER TABLE loyalty_ledgertransaction ENABLE ALWAYS TRIGGER loyalty_ledgertransaction_append_only;
"""

RUNNING_TOTALS = """
CREATE FUNCTION patron_refuse_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is kept by the postings: % by hand refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Write a movement with its postings.';
END $$;

-- Depth 0: a statement that somebody wrote, not the trigger of the postings.
CREATE TRIGGER loyalty_account_by_hand BEFORE UPDATE OF balance OR DELETE ON loyalty_account
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_refuse_by_hand();
CREATE TRIGGER loyalty_account_born_empty BEFORE INSERT ON loyalty_account
    FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION patron_refuse_by_hand();
CREATE TRIGGER loyalty_lot_by_hand BEFORE UPDATE OR DELETE ON loyalty_lot
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_refuse_by_hand();
ALTER TABLE loyalty_account ENABLE ALWAYS TRIGGER loyalty_account_by_hand;
ALTER TABLE loyalty_account ENABLE ALWAYS TRIGGER loyalty_account_born_empty;
ALTER TABLE loyalty_account ENABLE ALWAYS TRIGGER loyalty_account_changed;
ALTER TABLE loyalty_lot ENABLE ALWAYS TRIGGER loyalty_lot_by_hand;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("loyalty", "0001_initial"),
    ]

    operations = [
        track_changes("loyalty_membership"),
        track_changes("loyalty_account"),
        append_only("loyalty_earningrule"),
        append_only("loyalty_ledgertransaction"),
        append_only("loyalty_posting"),
        migrations.RunSQL(
            POSTINGS,
            "DROP TRIGGER loyalty_posting_whole ON loyalty_posting; DROP FUNCTION patron_ledger_postings();",
        ),
        migrations.RunSQL(LOTS, "DROP TRIGGER loyalty_lot_whole ON loyalty_lot; DROP FUNCTION patron_ledger_lots();"),
        migrations.RunSQL(
            TRANSACTIONS,
            """
            DROP TRIGGER loyalty_ledgertransaction_whole ON loyalty_ledgertransaction;
            DROP FUNCTION patron_ledger_transactions();
            """,
        ),
        migrations.RunSQL(
            RUNNING_TOTALS,
            """
            DROP TRIGGER loyalty_lot_by_hand ON loyalty_lot;
            DROP TRIGGER loyalty_account_born_empty ON loyalty_account;
            DROP TRIGGER loyalty_account_by_hand ON loyalty_account;
            DROP FUNCTION patron_refuse_by_hand();
            """,
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE loyalty_card_serial AS bigint;",
            "DROP SEQUENCE loyalty_card_serial;",
        ),
    ]
