"""From an Ibis expression to Arrow, whichever engine stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


def fetched(table: ir.Table) -> pa.Table:
    """The rows of ``table``, in its order where it has one; the types are the engine's."""
    backend = table.get_backend()
    if backend.name == "pyspark":
        # Ibis would go through pandas: slower, twice the memory, and whole numbers with gaps would come as floats.
        return backend.raw_sql(backend.compile(table)).toArrow()
    return table.to_pyarrow()
