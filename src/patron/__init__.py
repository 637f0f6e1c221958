"""Patron (貴客): find the customers who matter, keep them, and lift the rest."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from patron.intelligence.warehouse.door import Door

__all__ = ["open_warehouse"]


def open_warehouse(path: "Path | str | None" = None, *, engine: str | None = None) -> "Door":
    """The warehouse for analysts: its tables as Ibis tables, to be read and not to be changed.

        import patron

        warehouse = patron.open_warehouse()
        warehouse.names
        sales = warehouse.table("purchase_lines")

    `path` is the warehouse directory, by default that of the installation (`PATRON_WAREHOUSE`, else `warehouse` in
    `PATRON_HOME`). `engine` is `duckdb`, `local[2]` or `spark://host:port`, by default `PATRON_WAREHOUSE_ENGINE`.
    Raises `patron.intelligence.warehouse.errors.WarehouseError`, with what to do.
    """
    from patron.intelligence.warehouse.door import open_door  # neither Django nor an engine is loaded before it is used

    return open_door(path, engine=engine)
