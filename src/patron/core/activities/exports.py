"""What the warehouse may read of the activity log."""

from patron.kernel.exports import Export, ExportColumn, exports

exports.register(
    Export(
        name="activities",
        meaning="The log: one row for each thing that happened with a customer.",
        select="""
            SELECT a.id AS activity_id, a.customer_id, a.kind, a.occurred_at,
                (a.occurred_at AT TIME ZONE {zone})::date AS occurred_on, a.channel, a.branch_id, a.source
            FROM activities_activity a WHERE {rows}
        """,
        columns=(
            ExportColumn("activity_id", "int64", "Key of the row."),
            ExportColumn("customer_id", "int64", "Customer, where there is one."),
            ExportColumn("kind", "string", "Dotted code, for example purchase.completed."),
            ExportColumn("occurred_at", "timestamp", "When it happened."),
            ExportColumn("occurred_on", "date", "Calendar day in the house's time zone."),
            ExportColumn("channel", "string", "Touchpoint: store, web, phone …"),
            ExportColumn("branch_id", "int64", "Branch, where there is one."),
            ExportColumn("source", "string", "The row it tells of, as label:id."),
        ),
        key=("activity_id",),
        load="append",
        changed="CHANGED(a)",
        tracked=("activities_activity",),
        tables=("activities_activity",),
        month_of="occurred_on",
        detail=True,
        slice_by="a.id",
        slice_table="activities_activity",
        totals_from="activities_activity",
    )
)
