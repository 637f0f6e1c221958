"""The error file: the rows that did not go in, as they stood, with the reason beside them, ready to be mended.

CSV with a byte-order mark, so that spreadsheet programs read the Chinese; no cell can act as a formula.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from patron.kernel.downloads import neutralised
from patron.kernel.intake.readers import ERROR_COLUMNS
from patron.kernel.intake.sql import literal

_BATCH = 10_000


def write_error_file(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    headers: tuple[str, ...],
    *,
    chunks_done: int,
    skipping: set[str],
    words: Mapping[str, str],
    labels: Mapping[str, str],
) -> Path | None:
    """Write `errors.csv` into `directory`; None where every row went in.

    `words` are the messages by code, `labels` the headers by field. Rows that later chunks would reject are not in it.
    """
    _collect(connection, directory, chunks_done, skipping)
    target = directory / "errors.csv"
    written = 0
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*ERROR_COLUMNS, *(neutralised(h) for h in headers)])
        for row_no, code, field, message, cells in _rows(connection, len(headers)):
            reason = message or words.get(code, code)
            writer.writerow([row_no, labels.get(field, ""), reason, *(neutralised(cell or "") for cell in cells)])
            written += 1
    if written == 0:
        target.unlink()
        return None
    return target


def _collect(connection: duckdb.DuckDBPyConnection, directory: Path, chunks_done: int, skipping: set[str]) -> None:
    skipped = ", ".join(literal(code) for code in skipping) or "''"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE refused AS
        SELECT row_no, split_part(verdict, ':', 1) AS code, split_part(verdict, ':', 2) AS field, '' AS message
        FROM judged WHERE verdict IS NOT NULL AND split_part(verdict, ':', 1) NOT IN ({skipped})
    """)
    for number in range(1, chunks_done + 1):
        file = directory / f"rejects-{number}.json"
        if file.exists():
            connection.execute(
                "INSERT INTO refused SELECT row_no, code, '', message FROM "
                "(SELECT unnest(?::BIGINT[]) AS row_no, unnest(?::VARCHAR[]) AS code, unnest(?::VARCHAR[]) AS message)",
                [list(column) for column in zip(*json.loads(file.read_text(encoding="utf-8")), strict=True)],
            )


def _rows(connection: duckdb.DuckDBPyConnection, width: int) -> Iterator[tuple[int, str, str, str, list[str | None]]]:
    cells = ", ".join(f"c{i}::VARCHAR" for i in range(width))
    result = connection.execute(f"""
        SELECT row_no, code, field, message, [{cells}] AS cells FROM refused JOIN raw USING (row_no)
        UNION ALL BY NAME SELECT row_no, code, '' AS field, '' AS message, cells FROM unreadable
        ORDER BY row_no
    """)
    while rows := result.fetchmany(_BATCH):
        yield from rows
