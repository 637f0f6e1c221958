"""Rules that the database keeps whoever writes."""

from django.db import migrations

WHOLE = """
ALTER TABLE loyalty_account ADD CONSTRAINT storedvalue_never_owed
    CHECK (unit <> 'stored_value' OR NOT overdraft_allowed);

CREATE FUNCTION patron_stored_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'refund' AND (
        SELECT sum(t.amount) > -min(p.amount)
        FROM loyalty_ledgertransaction p JOIN loyalty_ledgertransaction t ON t.origin_id = p.id AND t.kind = 'refund'
        WHERE p.id = NEW.origin_id AND p.kind = 'spend'
    ) IS DISTINCT FROM false THEN
        RAISE EXCEPTION 'stored value: movement % refunds more than was paid', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'return' AND EXISTS (
        SELECT FROM loyalty_posting p
            JOIN loyalty_lot l ON l.id = p.lot_id
            JOIN loyalty_ledgertransaction o ON o.id = l.opened_by_id
        WHERE p.transaction_id = NEW.id
            AND (o.explanation ->> 'what' = 'bonus') IS DISTINCT FROM (NEW.explanation ->> 'what' = 'bonus_back')
    ) THEN
        RAISE EXCEPTION 'stored value: movement % pays out bonus', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER storedvalue_whole AFTER INSERT ON loyalty_ledgertransaction
    FOR EACH ROW WHEN (NEW.unit = 'stored_value' AND NEW.kind IN ('refund', 'return'))
    EXECUTE FUNCTION patron_stored_value();
ALTER TABLE loyalty_ledgertransaction ENABLE ALWAYS TRIGGER storedvalue_whole;
"""

UNDO = """
DROP TRIGGER storedvalue_whole ON loyalty_ledgertransaction;
DROP FUNCTION patron_stored_value();
ALTER TABLE loyalty_account DROP CONSTRAINT storedvalue_never_owed;
"""

STATEMENT = """
CREATE INDEX storedvalue_by_time ON loyalty_ledgertransaction (occurred_at, id) WHERE unit = 'stored_value';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0002_rules"),
        ("storedvalue", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(WHOLE, UNDO),
        migrations.RunSQL(STATEMENT, "DROP INDEX storedvalue_by_time;"),
    ]
