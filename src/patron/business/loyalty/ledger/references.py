"""Leaving out foreign-key checks, row by row, where a join has just made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def references_resolved(cursor: Any) -> Iterator[None]:
    """Leave out the row-by-row foreign-key checks of an INSERT … SELECT whose references all came by join.

    Members and purchases were joined in this transaction and are never deleted. The triggers of the ledger fire all the
    same (they are ENABLE ALWAYS). Where the database role may not set this, the checks are made.
    """
    cursor.execute(
        "SELECT current_setting('server_version_num')::int >= 150000 "
        "AND has_parameter_privilege('session_replication_role', 'SET')"
    )
    (allowed,) = cursor.fetchone()
    if not allowed:
        yield
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")
