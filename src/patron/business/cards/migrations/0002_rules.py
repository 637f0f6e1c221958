"""Rules that the database keeps whoever writes."""

from django.db import migrations

from patron.kernel.schema import append_only, track_changes

# Members' cards and phones were drawn by a version that was active: it stays as it was.
DESIGNS = """
CREATE FUNCTION patron_card_design_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (NEW.status = 'draft'
        OR (NEW.programme_id, NEW.name, NEW.version, NEW.tier, NEW.spec, NEW.logo, NEW.picture)
            IS DISTINCT FROM (OLD.programme_id, OLD.name, OLD.version, OLD.tier, OLD.spec, OLD.logo, OLD.picture))
    THEN
        RAISE EXCEPTION 'version % of card design % has been active and stays as it is', OLD.version, OLD.name
            USING ERRCODE = 'check_violation', HINT = 'Make the next version.';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cards_carddesign_kept BEFORE UPDATE ON cards_carddesign
    FOR EACH ROW EXECUTE FUNCTION patron_card_design_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("cards", "0001_initial"), ("kernel", "0001_functions")]

    operations = [
        migrations.RunSQL(DESIGNS, "DROP FUNCTION patron_card_design_kept() CASCADE;"),
        track_changes("cards_carddesign"),
        append_only("cards_facechange"),
    ]
