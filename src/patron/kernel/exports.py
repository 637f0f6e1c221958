"""The registry of read models that rooms publish for the warehouse.

A room says, in its `exports.py`, what of its tables may be read and under which names and types; the warehouse asks
the registry and never imports a room's models.
"""

from dataclasses import dataclass, field
from typing import Literal

from patron.kernel.registries import Registry

ColumnType = Literal["int64", "int32", "float64", "decimal(16,2)", "string", "bool", "date", "timestamp"]
LoadKind = Literal["append", "upsert", "snapshot"]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of the contract: its name, warehouse type, and what it means (for the data dictionary)."""

    name: str
    type: ColumnType
    meaning: str
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """One table that a room publishes.

    `select` is a SELECT over the room's tables whose output columns are `columns`, in order; it holds the marker
    `{changed}` where the condition on the tracked table's `changed_xid` belongs (the warehouse fills in
    `true` for everything, or `alias.changed_xid >= 'N'::xid8` for what changed). `tracked_alias` is the alias of
    that table in `select`. `key` names the columns that identify a row. `load`: `append` rows never change,
    `upsert` rows may, `snapshot` tables are small and are read whole each time.
    `reconcile` is a SELECT giving `count` and, where `sum_column` is set, `sum` over all rows.
    """

    name: str
    select: str
    columns: tuple[ExportColumn, ...]
    key: tuple[str, ...]
    load: LoadKind
    reconcile: str
    tracked_alias: str = ""
    sum_column: str = ""
    changed_probe: str = ""
    meaning: str = ""
    sort: tuple[str, ...] = field(default=())


exports: Registry[Export] = Registry("export", name=lambda e: e.name)
