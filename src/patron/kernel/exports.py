"""The registry of read models that rooms publish for the warehouse.

A room says, in its `exports.py`, what of its tables may be read and under which names and types; the warehouse asks
the registry and never imports a room's models. What is personal (names, phones, e-mail) is not exported.
"""

import re
from dataclasses import dataclass
from typing import Literal

from patron.kernel.registries import Registry

LoadKind = Literal["append", "upsert", "replace"]

COLUMN_TYPES = re.compile(r"int64|int32|float64|decimal\(\d+,\d+\)|string|bool|date|timestamp")
_SQL_TYPES = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "bool": "BOOLEAN",
}
_CHANGED = re.compile(r"CHANGED\((\w+)\)")


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of the contract: its name, its type in the warehouse, and what it means (for the data dictionary).

    Types: `int64`, `int32`, `float64`, `decimal(p,s)` (p ≤ 18, exact), `string`, `bool`, `date`, `timestamp` (UTC).
    """

    name: str
    type: str
    meaning: str

    def __post_init__(self) -> None:
        if not COLUMN_TYPES.fullmatch(self.type):
            raise ValueError(f"column {self.name}: {self.type!r} is not a type of the warehouse")

    @property
    def sql_type(self) -> str:
        """The type in the warehouse's SQL (DuckDB)."""
        return _SQL_TYPES.get(self.type, self.type.upper())

    @property
    def scale(self) -> int | None:
        """Digits after the point of a decimal, else None."""
        return int(self.type.split(",")[1].rstrip(")")) if self.type.startswith("decimal") else None


@dataclass(frozen=True, slots=True)
class Carried:
    """Columns that the rows of a detail table take from their parent export, found by the parent's key `on`.

    The parent must be read in the same run under the same condition: `changed` of the detail follows the parent's.
    """

    parent: str
    on: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """A figure that must be the same on both sides: two aggregates, over `totals_from` and over the warehouse table."""

    name: str
    source: str
    warehouse: str


COUNT = Total("count", "count(*)", "count(*)")


@dataclass(frozen=True, slots=True)
class Export:
    """One table that a room publishes.

    `select` is a SELECT over the room's tables whose output columns are `columns`, in order; it holds the marker
    `{rows}` in its WHERE, where the warehouse puts `true`, a slice of `slice_by`, or the condition `changed`. In
    `changed`, `CHANGED(alias)` stands for "the tracked table with this alias was written since the last visit".
    `tracked` names the tables with `changed_xid` that the condition looks at; `tables` all tables that `select` reads.
    `{zone}` in `select` stands for the organisation's time zone as an SQL literal.
    `key` names the columns that identify a row; the first is a whole number. Rows of an `append` table never change;
    those of an `upsert` table may. Those of a `replace` table may also be deleted: it is read whole whenever something
    of it was written or a total is another one, so it should be small. `slice_by` is a whole-number expression in
    `select` for reading in slices, with its bounds from column `slice_column` of table `slice_table`. `totals` are
    reconciled in every run, `count` always; each is a count or a sum, so that parts add up. `month_of` names the date
    column whose months the files are split by.
    `detail` is a table that may be let go after some months, where the installation says so.
    """

    name: str
    meaning: str
    select: str
    columns: tuple[ExportColumn, ...]
    key: tuple[str, ...]
    load: LoadKind
    changed: str
    tracked: tuple[str, ...]
    tables: tuple[str, ...]
    slice_by: str
    slice_table: str
    totals_from: str
    slice_column: str = "id"
    totals: tuple[Total, ...] = (COUNT,)
    carried: Carried | None = None
    month_of: str = ""
    detail: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if "{rows}" not in self.select:
            raise ValueError(f"export {self.name}: select lacks the marker {{rows}}")
        if missing := set(self.key) - set(names):
            raise ValueError(f"export {self.name}: key columns {sorted(missing)} are not exported")
        if len(set(names)) != len(names):
            raise ValueError(f"export {self.name}: a column name occurs twice")
        if self.detail and not self.month_of:
            raise ValueError(f"export {self.name}: only what is split by month can be let go by month")
        if self.load == "replace" and (self.carried or self.month_of):
            raise ValueError(f"export {self.name}: what is read whole stands alone and is not split by month")
        if COUNT not in self.totals:
            raise ValueError(f"export {self.name}: totals lack COUNT")

    def changed_since(self, snapshot: str, *, before: int) -> str:
        """`changed` for what snapshot `snapshot` did not see; see the function of this name."""
        return changed_since(self.changed, snapshot, before=before)


def changed_since(condition: str, snapshot: str, *, before: int) -> str:
    """Fill in every `CHANGED(alias)` of `condition`: written by a transaction that `snapshot` did not see.

    `snapshot` is the text of a `pg_snapshot`: its first number is the oldest transaction that was still open then, so
    one that commits late is found whenever it does. `before` is the first transaction id not yet given out: it leaves
    out rows that a restored dump brought with ids from the future of this server.
    """
    oldest = int(snapshot.split(":", 1)[0])
    unseen = (
        rf"(\1.changed_xid >= '{oldest}'::xid8 AND \1.changed_xid < '{before}'::xid8 "
        rf"AND NOT pg_visible_in_snapshot(\1.changed_xid, '{snapshot}'::pg_snapshot))"
    )
    return f"({_CHANGED.sub(unseen, condition)})"


exports: Registry[Export] = Registry("export", name=lambda e: e.name)


def columns_of(export: Export) -> tuple[ExportColumn, ...]:
    """The columns of the warehouse table: the export's own, then those it carries from its parent."""
    if export.carried is None:
        return export.columns
    parent = {column.name: column for column in exports.get(export.carried.parent).columns}
    return (*export.columns, *(parent[name] for name in export.carried.columns))
