"""Database functions that the triggers of `patron.kernel.schema` call."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION patron_stamp_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.changed_xid := pg_current_xact_id();
                RETURN NEW;
            END $$;

            CREATE FUNCTION patron_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                -- A test database is emptied between tests; nothing else may set this.
                IF TG_OP = 'TRUNCATE' AND current_setting('patron.testing', true) = 'on' THEN
                    RETURN NULL;
                END IF;
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'restrict_violation', HINT = 'Write a new row that corrects the old one.';
            END $$;
            """,
            """
            DROP FUNCTION patron_refuse_change();
            DROP FUNCTION patron_stamp_changed();
            """,
        ),
    ]
