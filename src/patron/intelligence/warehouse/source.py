"""One consistent view of the database: everything a run reads comes from a single exported snapshot. No Django."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from types import TracebackType
from typing import Any, Self

import psycopg

from patron.kernel.exports import Export, changed_since

_READ_ONLY = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the life of the database the snapshot stands.

    `snapshot` is the text of the `pg_snapshot`: which transactions it sees. What the others write must be looked for
    next time. `before` is the first transaction id not yet given out.
    """

    snapshot: str
    before: int


class Source:
    """A snapshot of the database, open inside `with`. `conninfo` is libpq's."""

    def __init__(self, conninfo: str, *, zone: str) -> None:
        self._conninfo = conninfo
        self._zone = zone
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._connection = psycopg.connect(self._conninfo, autocommit=True, application_name="patron refresh")
        try:
            # A run at scale keeps this connection idle while others read: no server setting may end it.
            self._connection.execute("SET idle_in_transaction_session_timeout = 0")
            self._connection.execute("SET statement_timeout = 0")
            self._connection.execute("BEGIN")
            self._connection.execute(_READ_ONLY)
            name, snapshot, before = self._row(
                "SELECT pg_export_snapshot(), s::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() s"
            )
        except BaseException:
            self._connection.close()
            raise
        self._snapshot = str(name)
        self.position = Position(str(snapshot), int(before))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def fingerprint(self, exports: Iterable[Export]) -> str:
        """Names this very database and the contract.

        It changes with the server, the database, a point-in-time recovery, a restored or rewritten table, and an
        export's SELECT or columns: in all these cases what was extracted before may not be continued.
        """
        tables = sorted({table for export in exports for table in (*export.tables, *export.tracked)})
        identity = self._row(
            "SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), "
            "(SELECT array_agg(pg_relation_filenode(t::regclass)::bigint ORDER BY t) FROM unnest(%s::text[]) t)",
            [tables],
        )
        contract = sorted(
            f"{e.name} {e.select} {e.columns} {e.carried} {e.key} {e.month_of} {self._zone}" for e in exports
        )
        return sha256(repr((self._cluster(), identity, contract)).encode()).hexdigest()[:32]

    def _cluster(self) -> tuple[Any, ...]:
        """System identifier and timeline of the server; nothing where a hosted server does not tell."""
        functions = "has_function_privilege('pg_control_system()', 'EXECUTE')"
        functions += " AND has_function_privilege('pg_control_checkpoint()', 'EXECUTE')"
        if not self._row(f"SELECT {functions}")[0]:
            return ()
        return self._row("SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()")

    def has_changed(self, export: Export, since: str) -> bool:
        """Whether a tracked table holds rows that snapshot `since` did not see. One index look-up each."""
        unseen = changed_since("CHANGED(t)", since, before=self.position.before)
        asked = " OR ".join(f"EXISTS (SELECT FROM {table} t WHERE {unseen})" for table in export.tracked)
        return bool(self._row(f"SELECT {asked}")[0])

    def count_changed(self, export: Export, since: str, *, at_most: int) -> int:
        """How many rows of the tracked tables snapshot `since` did not see; stops at `at_most`."""
        unseen = changed_since("CHANGED(t)", since, before=self.position.before)
        rows = " UNION ALL ".join(f"SELECT 1 FROM {table} t WHERE {unseen}" for table in export.tracked)  # noqa: S608
        return int(self._row(f"SELECT count(*) FROM (SELECT * FROM ({rows}) r LIMIT {int(at_most)}) r")[0])  # noqa: S608

    def totals(self, export: Export) -> dict[str, str]:
        """The export's totals over all rows, as text in one form (see `plain`)."""
        asked = ", ".join(f"({total.source}) AS {total.name}" for total in export.totals)
        row = self._row(f"SELECT {asked} FROM {export.totals_from}")  # noqa: S608
        return {total.name: plain(value) for total, value in zip(export.totals, row, strict=True)}

    def bounds(self, export: Export) -> tuple[int, int] | None:
        """Smallest and largest value of what the export is sliced by; None for an empty table."""
        column = export.slice_column
        low, high = self._row(f"SELECT min({column}), max({column}) FROM {export.slice_table}")  # noqa: S608
        return None if low is None else (int(low), int(high))

    def select(self, export: Export, rows: str) -> str:
        """The export's SELECT over `rows`, each column in the form in which it is fetched.

        Decimals come as whole smallest units: the driver would hand them over as text otherwise.
        """
        fetched = ", ".join(_fetched(column.name, column.type, column.scale) for column in export.columns)
        inner = export.select.replace("{rows}", f"({rows})").replace("{zone}", _literal(self._zone))
        return f"SELECT {fetched} FROM ({inner}) AS exported"  # noqa: S608

    def reader(self) -> "SnapshotReader":
        """Another connection that sees the same snapshot."""
        return SnapshotReader(self._conninfo, self._snapshot)

    def _row(self, statement: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        with self._lock:
            row = self._connection.execute(statement, parameters).fetchone()
        if row is None:
            raise RuntimeError("the database gave no row")
        return tuple(row)


class SnapshotReader:
    """A connection that streams Arrow batches out of the snapshot."""

    def __init__(self, conninfo: str, snapshot: str) -> None:
        import adbc_driver_postgresql.dbapi as adbc  # loaded only when there is something to read

        self._connection = adbc.connect(conninfo)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_READ_ONLY)
                cursor.execute(f"SET TRANSACTION SNAPSHOT {_literal(snapshot)}")
                cursor.execute("SET LOCAL work_mem = '128MB'")
                cursor.execute("SET LOCAL statement_timeout = 0")
        except BaseException:
            self._connection.close()
            raise

    def cursor(self) -> Any:
        """A DB-API cursor of ADBC; `fetch_record_batch()` streams."""
        return self._connection.cursor()

    def close(self) -> None:
        self._connection.close()


def plain(value: object) -> str:
    """A total as text that is equal whenever the number is: '0' for none, no trailing zeros."""
    if value is None:
        return "0"
    number = Decimal(str(value))
    return format(number.normalize() + 0, "f")


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Per total that differs: what the database says and what the warehouse holds."""
    return {
        name: f"database {value}, warehouse {found.get(name, 'nothing')}"
        for name, value in expected.items()
        if found.get(name) != value
    }


_FETCH = {
    "int64": "int8",
    "int32": "int4",
    "float64": "float8",
    "string": "text",
    "bool": "bool",
    "date": "date",
    "timestamp": "timestamptz",
}


def _fetched(name: str, kind: str, scale: int | None) -> str:
    if scale is not None:
        return f"({name} * {10**scale})::int8 AS {name}"
    return f"{name}::{_FETCH[kind]} AS {name}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
