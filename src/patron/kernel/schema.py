"""Migration operations for rules that live in the database."""

from django.db import migrations


def track_changes(table: str) -> migrations.RunSQL:
    """Stamp `changed_xid` on every update of `table`, whoever makes it."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_changed BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION patron_stamp_changed();
        """,
        f"DROP TRIGGER {table}_changed ON {table};",
    )


def append_only(table: str) -> migrations.RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on `table`: corrections are new rows."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION patron_refuse_change();
        """,
        f"DROP TRIGGER {table}_append_only ON {table};",
    )
