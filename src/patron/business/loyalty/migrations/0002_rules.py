"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("loyalty", "0001_initial"),
    ]

    operations = [
        track_changes("loyalty_membership"),
        track_changes("loyalty_account"),
        append_only("loyalty_ledgertransaction"),
        append_only("loyalty_posting"),
        migrations.RunSQL(
            """
            CREATE FUNCTION patron_postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM written GROUP BY transaction_id HAVING sum(amount) <> 0) THEN
                    RAISE EXCEPTION 'the postings of a ledger transaction must sum to zero'
                        USING ERRCODE = 'check_violation', HINT = 'Write both sides in one statement.';
                END IF;
                RETURN NULL;
            END $$;

            CREATE TRIGGER loyalty_posting_balance AFTER INSERT ON loyalty_posting
                REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_postings_balance();
            """,
            """
            DROP TRIGGER loyalty_posting_balance ON loyalty_posting;
            DROP FUNCTION patron_postings_balance();
            """,
        ),
    ]
