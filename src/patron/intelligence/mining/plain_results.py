"""Results of a model as files: whole or not at all, and safe to open in a spreadsheet."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from patron.intelligence.mining.errors import InputError


def write_table(table: pa.Table, path: Path) -> None:
    """Write CSV or Parquet by the name's ending; an existing file is replaced only when the new one is whole.

    In CSV a text that a spreadsheet would take for a formula gets an apostrophe in front, and the items of a list are
    joined by " | " (those of a list in a list by " + ").
    """
    check_output(path)
    with _replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            pyarrow.parquet.write_table(table, temporary)
        else:
            pyarrow.csv.write_csv(_without_formulas(_with_lists_as_text(table)), temporary)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8; an existing file is replaced only when the new one is whole."""
    with _replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_output(path: Path) -> None:
    """Raises :class:`InputError` when a table cannot be written there; ask before the work, not after it."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path} must end in .csv or .parquet.")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raises :class:`InputError` when the folder of ``path`` does not exist."""
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} does not exist.")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    check_folder(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files for the owner alone; give the result the mode that a plain open() would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _with_lists_as_text(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            table = table.set_column(place, field.name, _joined(table.column(place)))
    return table


def _joined(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(lists.type.value_type):
        inner = [[" + ".join(map(str, each)) for each in row] if row is not None else None for row in lists.to_pylist()]
        lists = pa.chunked_array([pa.array(inner, pa.list_(pa.string()))])
    return pc.binary_join(lists.cast(pa.list_(pa.string())), " | ")


def _without_formulas(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if not pa.types.is_string(field.type):
            continue
        column = table.column(place)
        risky = pc.and_(
            pc.match_substring_regex(column, r"^[=+\-@\t\r]"), pc.invert(pc.match_substring_regex(column, r"^-?\d+$"))
        )
        safe = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
        table = table.set_column(place, field.name, safe)
    return table
