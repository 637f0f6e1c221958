"""Statements that a till sends all day: planned once by the server, then only filled in.

Django sends every statement as a text that PostgreSQL reads and plans anew; for the few statements of a sale at the
till that is most of their cost. These go over the same connection, in the same transaction, as prepared statements
(psycopg keeps them, also across a pooler that understands them). Write the type of every parameter into the statement
(`%s::bigint`).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.types.numeric import Int8Dumper


def fetch(sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement of our own, prepared, and return its rows (none for a statement that gives none).

    Raises what Django's cursor raises (django.db.utils.IntegrityError, …). Numbers go as bigint whatever their size:
    another type would be another statement.
    """
    if connection.force_debug_cursor:  # somebody counts statements
        with connection.cursor() as counted:
            counted.execute(sql, parameters)
            return list(counted.fetchall()) if counted.description else []
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.adapters.register_dumper(int, Int8Dumper)

        def execute(statement: Any, given: Any, _many: bool, _context: Mapping[str, Any]) -> Any:
            return cursor.execute(statement, given, prepare=True)

        run: Callable[..., Any] = execute
        for wrapper in reversed(connection.execute_wrappers):
            run = functools.partial(wrapper, run)
        run(sql, parameters, False, {"connection": connection, "cursor": cursor})
        return cursor.fetchall() if cursor.description else []
