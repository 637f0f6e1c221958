"""Statements that a till sends all day: planned once by the server, then only filled in.

Django sends every statement as a text that PostgreSQL reads and plans anew; for the few statements of a sale at the
till that is most of their cost. These go over the same connection, in the same transaction, as prepared statements
(psycopg keeps them, also across a pooler that understands them). Write the type of every parameter into the statement
(`%s::bigint`).
"""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.models import JSONField, Model
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


def columns(model: type[Model], alias: str) -> str:
    """The columns of a table as `fetch_models` wants them selected, under an alias."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def fetch_models(
    models: Sequence[type[Model]], sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """Rows as instances: the statement selects the `columns` of each of `models`, one after the other.

    A model whose key is null (of an outer join) is None. JSON columns are read as Django reads them.
    """
    shapes = [([field.attname for field in model._meta.concrete_fields], _json_places(model)) for model in models]
    found = []
    for row in fetch(sql, parameters):
        start, instances = 0, []
        for model, (names, json_places) in zip(models, shapes, strict=True):
            values = list(row[start : start + len(names)])
            start += len(names)
            for place in json_places:
                if isinstance(values[place], str):
                    values[place] = json.loads(values[place])
            instances.append(None if values[0] is None else model.from_db("default", names, values))
        found.append(tuple(instances))
    return found


def _json_places(model: type[Model]) -> list[int]:
    return [place for place, field in enumerate(model._meta.concrete_fields) if isinstance(field, JSONField)]
