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


def writes_parent(table: str, *, parent: str, column: str) -> migrations.RunSQL:
    """Count a change of `table`, whoever makes it, as a change of the `parent` rows that its `column` points to.

    For details that are exported as part of their parent. Rows of the parent that this transaction has written
    already are left alone, so that loading both at once costs no second write.
    """
    touch = """
        UPDATE {parent} SET id = id
        WHERE id IN (SELECT {column} FROM {written}) AND changed_xid <> pg_current_xact_id();
    """
    statements = []
    for event, names in (("INSERT", ("new",)), ("UPDATE", ("old", "new")), ("DELETE", ("old",))):
        body = "".join(touch.format(parent=parent, column=column, written=f"{name}_rows") for name in names)
        referencing = " ".join(f"{name.upper()} TABLE AS {name}_rows" for name in names)
        function = f"{table}_{event.lower()}_writes_parent"
        statements.append(
            f"""
            CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {body}
                RETURN NULL;
            END $$;
            CREATE TRIGGER {function} AFTER {event} ON {table} REFERENCING {referencing}
                FOR EACH STATEMENT EXECUTE FUNCTION {function}();
            """
        )
    functions = ", ".join(f"{table}_{event}_writes_parent()" for event in ("insert", "update", "delete"))
    return migrations.RunSQL("".join(statements), f"DROP FUNCTION {functions} CASCADE;")
