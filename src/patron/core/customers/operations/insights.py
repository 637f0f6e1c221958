"""Publishing what the models found out about customers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from patron.core.customers.models import InsightRun
from patron.kernel.actor import Actor
from patron.kernel.operation import operation

COLUMNS = {
    "customer_id": pa.int64(),
    "label": pa.string(),
    "score": pa.string(),
    "rank": pa.int64(),
    "reason_code": pa.string(),
    "reason": pa.string(),
    "facts": pa.string(),
}
"""What the table to publish holds: `score` a number to four decimals, `facts` a JSON object as text."""

_BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the rows of a model."""

    added: int
    changed: int
    removed: int
    unchanged: int


@operation(permission="customers.insights")
def publish_insights(
    *,
    actor: Actor,
    now: datetime,
    model: str,
    as_of: date,
    table: pa.Table | pa.RecordBatchReader,
    parameters: Mapping[str, object],
    metrics: Mapping[str, object],
    data_version: str,
) -> Published:
    """Make `table` what `model` says of customers, in place of what it said before.

    `table` has the columns of `COLUMNS` (numbers may be of any width), one row per customer; rows of customers who are
    not on file are left out. A reader of batches does for what should not lie in memory at once. Set-based: only rows
    that differ are written, and those of customers no longer covered are deleted, so that publishing the same again
    writes nothing but the run. All within the operation's transaction: readers see the old results or the new.
    """
    run = InsightRun.objects.create(
        model=model,
        as_of=as_of,
        computed_at=now,
        parameters=dict(parameters),
        metrics=dict(metrics),
        data_version=data_version,
        rows=0,
    )
    with connection.cursor() as cursor:
        # Matching a million rows by hash instead of by a million look-ups.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        _load(cursor, table)
        cursor.execute(_UPDATE, {"model": model, "run": run.pk})
        changed = cursor.rowcount
        cursor.execute(_DELETE, {"model": model})
        removed = cursor.rowcount
        cursor.execute(_INSERT, {"model": model, "run": run.pk})
        added = cursor.rowcount
        cursor.execute("SELECT count(*) FROM customers_insight WHERE model = %s", [model])
        rows = int(cursor.fetchone()[0])
        cursor.execute("DROP TABLE insight_arrived")
        cursor.execute("SET LOCAL work_mem TO DEFAULT")
    InsightRun.objects.filter(pk=run.pk).update(rows=rows)
    return Published(added=added, changed=changed, removed=removed, unchanged=rows - added - changed)


def _load(cursor: Any, table: pa.Table) -> None:
    cursor.execute(
        "CREATE TEMP TABLE insight_arrived (customer_id bigint, label text, score numeric(18,4), rank bigint, "
        "reason_code text, reason text, facts jsonb) ON COMMIT DROP"
    )
    named = ", ".join(COLUMNS)
    with cursor.copy(f"COPY insight_arrived ({named}) FROM STDIN") as copy:
        for block in _copy_text(table):
            copy.write(block)
    cursor.execute("CREATE UNIQUE INDEX ON insight_arrived (customer_id)")
    cursor.execute("ANALYZE insight_arrived")


def _copy_text(table: pa.Table | pa.RecordBatchReader) -> Iterator[memoryview]:
    """The rows in PostgreSQL's COPY text format, in blocks. Whole columns at a time: no Python per row."""
    for batch in _batches(table):
        if not batch.num_rows:
            continue
        fields = [_field(batch.column(name)) for name in COLUMNS]
        rows = pc.binary_join_element_wise(*fields, "\t")
        lines = pc.binary_join_element_wise(rows, "\n", "")
        # The texts of an Arrow column lie end to end in one buffer: that is the block, without a copy.
        offsets, data = lines.buffers()[1:]
        bounds = memoryview(offsets).cast("i")
        start, end = bounds[lines.offset], bounds[lines.offset + len(lines)]
        yield memoryview(data)[start:end]


def _batches(table: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Batches small enough for one block: texts of an array have 32-bit places."""
    if isinstance(table, pa.Table):
        yield from table.to_batches(max_chunksize=_BATCH_ROWS)
        return
    for batch in table:
        for first in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(first, _BATCH_ROWS)


def _field(column: pa.Array) -> pa.Array:
    text = column.cast(pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
            text = pc.replace_substring(text, plain, escaped)
    return pc.fill_null(text, "\\N")


_UPDATE = """
    UPDATE customers_insight i
    SET run_id = %(run)s, label = a.label, score = a.score, rank = a.rank, reason_code = a.reason_code,
        reason = a.reason, facts = a.facts
    FROM insight_arrived a
    WHERE i.customer_id = a.customer_id AND i.model = %(model)s
      AND (i.label, i.score, i.rank, i.reason_code, i.reason, i.facts)
          IS DISTINCT FROM (a.label, a.score, a.rank, a.reason_code, a.reason, a.facts)
"""
_DELETE = """
    DELETE FROM customers_insight i
    WHERE i.model = %(model)s AND NOT EXISTS (SELECT FROM insight_arrived a WHERE a.customer_id = i.customer_id)
"""
_INSERT = """
    INSERT INTO customers_insight (customer_id, model, run_id, label, score, rank, reason_code, reason, facts)
    SELECT a.customer_id, %(model)s, %(run)s, a.label, a.score, a.rank, a.reason_code, a.reason, a.facts
    FROM insight_arrived a JOIN customers_customer c ON c.id = a.customer_id
    WHERE NOT EXISTS (SELECT FROM customers_insight i WHERE i.customer_id = a.customer_id AND i.model = %(model)s)
    ORDER BY a.customer_id
"""
