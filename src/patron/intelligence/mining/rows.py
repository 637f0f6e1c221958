"""The input of a model that reads a table of its own, and not purchases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from patron.intelligence.mining.errors import InputError

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Rows:
    """A table whose columns are named by role; the columns of a role that takes several keep their own names.

    ``many``: such a role → its columns.
    """

    table: ir.Table
    many: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, table: pa.Table | ir.Table, **many: Sequence[str]) -> Rows:
        """Rows from an Arrow or Ibis table: ``Rows.of(table, features=("visits", "spend"))``."""
        if isinstance(table, pa.Table):
            import ibis

            table = ibis.memtable(table)
        return cls(table, {role: tuple(columns) for role, columns in many.items()})

    def has(self, role: str) -> bool:
        """Whether there is a column of that role."""
        return role in self.table.columns

    def columns_of(self, role: str) -> tuple[str, ...]:
        """The columns of a role that takes several; none where it was not given."""
        return self.many.get(role, ())

    def arrow(self, *columns: str) -> pa.Table:
        """Those columns (all, without a name) in memory. Raises :class:`InputError` for one that is not there."""
        missing = [name for name in columns if name not in self.table.columns]
        if missing:
            raise InputError(f"The table lacks {', '.join(missing)}; there are: {', '.join(self.table.columns)}.")
        chosen = self.table.select(*columns) if columns else self.table
        return chosen.to_pyarrow()
