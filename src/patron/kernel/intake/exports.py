"""What the warehouse may read of import runs: how many rows of what, not the files or what is wrong in them."""

from patron.kernel.exports import Export, ExportColumn, exports

exports.register(
    Export(
        name="import_runs",
        meaning="Files that went in, or were to. One row for each run.",
        select="""
            SELECT i.id AS run_id, i.importer, i.source, i.format, i.status, i.rows_total, i.rows_done,
                (i.counts #>> '{applied,added}')::bigint AS added,
                (i.counts #>> '{applied,updated}')::bigint AS updated,
                (i.counts #>> '{applied,unchanged}')::bigint AS unchanged,
                (i.details #>> '{findings,rejected}')::bigint + coalesce(
                    (SELECT sum(e.value::bigint) FROM jsonb_each_text(nullif(i.counts -> 'refused', 'null')) e), 0
                ) AS rows_rejected,
                i.created_at, i.started_at, i.finished_at
            FROM kernel_importrun i WHERE {rows}
        """,
        columns=(
            ExportColumn("run_id", "int64", "Key of the run."),
            ExportColumn("importer", "string", "What the file holds: customers, purchases …"),
            ExportColumn("source", "string", "System that the file comes from."),
            ExportColumn("format", "string", "Format of the file."),
            ExportColumn("status", "string", "uploaded, checked, running, done, failed or cancelled."),
            ExportColumn("rows_total", "int64", "Rows of the file."),
            ExportColumn("rows_done", "int64", "Rows that are through."),
            ExportColumn("added", "int64", "Customers, products, receipts … that were new; empty before it ran."),
            ExportColumn("updated", "int64", "Ones that were there and changed."),
            ExportColumn("unchanged", "int64", "Ones that were there already."),
            ExportColumn("rows_rejected", "int64", "Rows that went to the error file; empty before the check."),
            ExportColumn("created_at", "timestamp", "When the file came."),
            ExportColumn("started_at", "timestamp", "When it began to go in."),
            ExportColumn("finished_at", "timestamp", "When it ended."),
        ),
        key=("run_id",),
        load="upsert",
        changed="CHANGED(i)",
        tracked=("kernel_importrun",),
        tables=("kernel_importrun",),
        slice_by="i.id",
        slice_table="kernel_importrun",
        totals_from="kernel_importrun",
    )
)
