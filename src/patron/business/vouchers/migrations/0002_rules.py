"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes

REFUSALS = """
CREATE FUNCTION patron_voucher_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is kept by issues, holds and uses: % by hand refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Write a voucher, a hold or a use.';
END $$;

-- Depth 0: a statement that somebody wrote, not a trigger of holds and uses.
CREATE TRIGGER vouchers_voucher_by_hand
    BEFORE UPDATE OF uses, uses_left, amount, remaining, held, code, definition_id, issued_to_id, occasion OR DELETE
    ON vouchers_voucher
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_voucher_by_hand();
CREATE TRIGGER vouchers_voucher_born_whole BEFORE INSERT ON vouchers_voucher
    FOR EACH ROW WHEN (NEW.uses_left <> NEW.uses OR NEW.held <> 0 OR NEW.status <> 'issued'
        OR NEW.remaining IS DISTINCT FROM NEW.amount)
    EXECUTE FUNCTION patron_voucher_by_hand();
CREATE TRIGGER vouchers_voucherdefinition_by_hand BEFORE UPDATE OF issued, spent OR DELETE ON vouchers_voucherdefinition
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_voucher_by_hand();
CREATE TRIGGER vouchers_voucherdefinition_born_empty BEFORE INSERT ON vouchers_voucherdefinition
    FOR EACH ROW WHEN (NEW.issued <> 0 OR NEW.spent <> 0) EXECUTE FUNCTION patron_voucher_by_hand();
ALTER TABLE vouchers_voucher ENABLE ALWAYS TRIGGER vouchers_voucher_by_hand;
ALTER TABLE vouchers_voucher ENABLE ALWAYS TRIGGER vouchers_voucher_born_whole;
ALTER TABLE vouchers_voucher ENABLE ALWAYS TRIGGER vouchers_voucher_changed;
ALTER TABLE vouchers_voucherdefinition ENABLE ALWAYS TRIGGER vouchers_voucherdefinition_by_hand;
ALTER TABLE vouchers_voucherdefinition ENABLE ALWAYS TRIGGER vouchers_voucherdefinition_changed;
"""

PROMISES = """
CREATE FUNCTION patron_voucher_promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.issued > 0 AND (NEW.terms IS DISTINCT FROM OLD.terms OR NEW.member_limit IS DISTINCT FROM OLD.member_limit) THEN
        RAISE EXCEPTION 'vouchers have been issued under these terms' USING ERRCODE = 'restrict_violation',
            CONSTRAINT = 'voucher_terms_frozen', HINT = 'Make another definition.';
    END IF;
    -- What was given before there was a budget counts towards it.
    IF OLD.budget IS NULL AND NEW.budget IS NOT NULL THEN
        NEW.spent := coalesce((
                SELECT sum(CASE u.state WHEN 'committed' THEN u.amount ELSE -u.amount END)
                FROM vouchers_voucheruse u WHERE u.definition_id = NEW.id), 0)
            + coalesce((SELECT sum(h.amount) FROM vouchers_voucherhold h WHERE h.definition_id = NEW.id), 0);
    ELSIF OLD.budget IS NOT NULL AND NEW.budget IS NULL THEN
        NEW.spent := 0;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER vouchers_voucherdefinition_promise BEFORE UPDATE OF terms, member_limit, budget
    ON vouchers_voucherdefinition FOR EACH ROW EXECUTE FUNCTION patron_voucher_promise();
ALTER TABLE vouchers_voucherdefinition ENABLE ALWAYS TRIGGER vouchers_voucherdefinition_promise;
"""

ISSUES = """
CREATE FUNCTION patron_voucher_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE vouchers_voucherdefinition d SET issued = d.issued + w.issued
    FROM (SELECT definition_id, count(*) AS issued FROM written GROUP BY definition_id) w
    WHERE d.id = w.definition_id;
    RETURN NULL;
END $$;

CREATE TRIGGER vouchers_voucher_issued AFTER INSERT ON vouchers_voucher
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION patron_voucher_issued();
ALTER TABLE vouchers_voucher ENABLE ALWAYS TRIGGER vouchers_voucher_issued;
"""

TAKEN = """
CREATE FUNCTION patron_voucher_tally(definition bigint, counted text, allowed int, sign int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF sign < 0 THEN
        UPDATE vouchers_vouchertally SET uses = greatest(uses - 1, 0)
        WHERE definition_id = definition AND scope = counted;
    ELSIF allowed IS NOT NULL THEN
        INSERT INTO vouchers_vouchertally AS t (definition_id, scope, uses, most) VALUES (definition, counted, 1, allowed)
        ON CONFLICT (definition_id, scope) DO UPDATE SET uses = t.uses + 1, most = EXCLUDED.most;
    END IF;
END $$;

-- A hold takes what a use takes, and gives it back when it goes; a use that is undone gives it back too.
CREATE FUNCTION patron_voucher_taken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken record;
    sign int := 1;
    limits record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        taken := OLD;
        sign := -1;
    ELSE
        taken := NEW;
    END IF;

    IF TG_TABLE_NAME = 'vouchers_voucherhold' THEN
        IF sign > 0 THEN
            UPDATE vouchers_voucher v SET held = held + 1
            WHERE v.id = taken.voucher_id AND v.definition_id = taken.definition_id AND v.status IN ('issued', 'expired')
                AND (v.membership_id IS NULL OR v.membership_id = taken.membership_id)
                AND taken.taken_on BETWEEN v.valid_from AND coalesce(v.valid_until, 'infinity')
                AND (v.remaining IS NULL OR v.remaining >= taken.amount);
        ELSE
            UPDATE vouchers_voucher v SET held = held - 1 WHERE v.id = taken.voucher_id;
        END IF;
    ELSE
        IF taken.state = 'undone' THEN
            sign := -1;
            UPDATE vouchers_voucher v SET
                remaining = v.remaining + taken.amount,
                uses_left = CASE WHEN v.remaining IS NULL THEN v.uses_left + 1 ELSE 1 END,
                status = CASE WHEN v.status = 'used' THEN 'issued' ELSE v.status END
            FROM vouchers_voucheruse u
            WHERE v.id = taken.voucher_id AND u.id = taken.undoes_id AND u.state = 'committed'
                AND u.voucher_id = taken.voucher_id AND u.definition_id = taken.definition_id
                AND u.membership_id IS NOT DISTINCT FROM taken.membership_id
                AND u.amount = taken.amount AND u.taken_on = taken.taken_on AND u.terminal = taken.terminal;
        ELSE
            UPDATE vouchers_voucher v SET
                remaining = v.remaining - taken.amount,
                uses_left = CASE WHEN v.remaining IS NULL THEN v.uses_left - 1
                    WHEN v.remaining = taken.amount THEN 0 ELSE v.uses_left END,
                status = CASE WHEN (v.remaining IS NULL AND v.uses_left = 1) OR v.remaining = taken.amount
                    THEN 'used' ELSE v.status END
            WHERE v.id = taken.voucher_id AND v.definition_id = taken.definition_id AND v.status IN ('issued', 'expired')
                AND (v.membership_id IS NULL OR v.membership_id = taken.membership_id)
                AND taken.taken_on BETWEEN v.valid_from AND coalesce(v.valid_until, 'infinity')
                AND (v.remaining IS NULL OR v.held = 0);
        END IF;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'voucher % cannot be taken so', taken.voucher_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_not_usable';
    END IF;

    -- The lock waits for a budget that is just being set.
    SELECT d.budget, d.member_limit, d.member_day_limit, d.terminal_day_limit INTO limits
    FROM vouchers_voucherdefinition d WHERE d.id = taken.definition_id FOR KEY SHARE;
    IF limits.budget IS NOT NULL THEN
        UPDATE vouchers_voucherdefinition SET spent = spent + sign * taken.amount WHERE id = taken.definition_id;
    END IF;
    IF taken.membership_id IS NOT NULL THEN
        PERFORM patron_voucher_tally(
            taken.definition_id, 'member:' || taken.membership_id, limits.member_limit, sign);
        PERFORM patron_voucher_tally(
            taken.definition_id, 'member:' || taken.membership_id || ':' || taken.taken_on, limits.member_day_limit, sign);
    END IF;
    IF taken.terminal <> '' THEN
        PERFORM patron_voucher_tally(
            taken.definition_id, 'terminal:' || taken.terminal || ':' || taken.taken_on, limits.terminal_day_limit, sign);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER vouchers_voucherhold_taken AFTER INSERT OR DELETE ON vouchers_voucherhold
    FOR EACH ROW EXECUTE FUNCTION patron_voucher_taken();
CREATE TRIGGER vouchers_voucheruse_taken AFTER INSERT ON vouchers_voucheruse
    FOR EACH ROW EXECUTE FUNCTION patron_voucher_taken();
CREATE TRIGGER vouchers_voucherhold_fixed BEFORE UPDATE ON vouchers_voucherhold
    FOR EACH STATEMENT EXECUTE FUNCTION patron_voucher_by_hand();
CREATE TRIGGER vouchers_vouchertally_by_hand BEFORE INSERT OR UPDATE OR DELETE ON vouchers_vouchertally
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION patron_voucher_by_hand();
ALTER TABLE vouchers_voucherhold ENABLE ALWAYS TRIGGER vouchers_voucherhold_taken;
ALTER TABLE vouchers_voucheruse ENABLE ALWAYS TRIGGER vouchers_voucheruse_taken;
ALTER TABLE vouchers_voucheruse ENABLE ALWAYS TRIGGER vouchers_voucheruse_append_only;
ALTER TABLE vouchers_vouchertally ENABLE ALWAYS TRIGGER vouchers_vouchertally_by_hand;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_functions"),
        ("vouchers", "0001_initial"),
    ]

    operations = [
        track_changes("vouchers_voucherdefinition"),
        track_changes("vouchers_voucher"),
        append_only("vouchers_voucheruse"),
        migrations.RunSQL(
            REFUSALS,
            """
            DROP TRIGGER vouchers_voucherdefinition_born_empty ON vouchers_voucherdefinition;
            DROP TRIGGER vouchers_voucherdefinition_by_hand ON vouchers_voucherdefinition;
            DROP TRIGGER vouchers_voucher_born_whole ON vouchers_voucher;
            DROP TRIGGER vouchers_voucher_by_hand ON vouchers_voucher;
            DROP FUNCTION patron_voucher_by_hand();
            """,
        ),
        migrations.RunSQL(PROMISES, "DROP FUNCTION patron_voucher_promise() CASCADE;"),
        migrations.RunSQL(ISSUES, "DROP FUNCTION patron_voucher_issued() CASCADE;"),
        migrations.RunSQL(
            TAKEN,
            """
            DROP TRIGGER vouchers_vouchertally_by_hand ON vouchers_vouchertally;
            DROP TRIGGER vouchers_voucherhold_fixed ON vouchers_voucherhold;
            DROP FUNCTION patron_voucher_taken() CASCADE;
            DROP FUNCTION patron_voucher_tally(bigint, text, int, int);
            """,
        ),
    ]
