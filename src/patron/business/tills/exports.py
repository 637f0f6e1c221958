"""What the warehouse may read of tills: neither their keys nor the answers they got."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="terminals",
        meaning="Tills. One row for each.",
        select="""
            SELECT t.id AS terminal_id, t.code, t.name, t.branch_id, t.is_active, t.most_amount, t.most_points,
                t.most_voucher_amount, t.offline_days, t.created_at
            FROM tills_terminal t WHERE {rows}
        """,
        columns=(
            ExportColumn("terminal_id", "int64", "Key of the till."),
            ExportColumn("code", "string", "Its code: the terminal of `purchases`."),
            ExportColumn("name", "string", "What people call it."),
            ExportColumn("branch_id", "int64", "Where it stands."),
            ExportColumn("is_active", "bool", "Whether it may sell."),
            ExportColumn("most_amount", "decimal(16,2)", "What one sale may come to; empty for no limit."),
            ExportColumn("most_points", "decimal(18,2)", "Points that it may take a day; empty for no limit."),
            ExportColumn("most_voucher_amount", "decimal(16,2)", "Money of vouchers that it may take a day."),
            ExportColumn("offline_days", "int32", "How many days old a sale may be that it tells of afterwards."),
            ExportColumn("created_at", "timestamp", "When it was set up."),
        ),
        key=("terminal_id",),
        load="upsert",
        changed="CHANGED(t)",
        tracked=("tills_terminal",),
        tables=("tills_terminal",),
        slice_by="t.id",
        slice_table="tills_terminal",
        totals_from="tills_terminal",
    )
)

exports.register(
    Export(
        name="till_entries",
        meaning="What tills told: sales, returns, voids. One row for each; recorded after occurred is told offline.",
        select="""
            SELECT e.id AS entry_id, e.terminal_id, e.kind, e.purchase_id, e.membership_id, e.points_spent,
                e.voucher_amount, e.occurred_at, e.recorded_at,
                (e.recorded_at AT TIME ZONE {zone})::date AS recorded_on
            FROM tills_tillentry e WHERE {rows}
        """,
        columns=(
            ExportColumn("entry_id", "int64", "Key of the entry."),
            ExportColumn("terminal_id", "int64", "The till."),
            ExportColumn("kind", "string", "sale, return or void."),
            ExportColumn("purchase_id", "int64", "The receipt: of a void the sale that it cancelled."),
            ExportColumn("membership_id", "int64", "The member; empty when nobody was identified."),
            ExportColumn("points_spent", "decimal(18,2)", "Points that paid for a part of it."),
            ExportColumn("voucher_amount", "decimal(16,2)", "Money that vouchers gave."),
            ExportColumn("occurred_at", "timestamp", "When it happened, by our clock."),
            ExportColumn("recorded_at", "timestamp", "When the till told of it."),
            ExportColumn("recorded_on", "date", "Calendar day of that in the house's time zone."),
        ),
        key=("entry_id",),
        load="append",
        # A till's word is written with its receipt, and voiding writes the receipt: no column, no index on the way.
        changed="e.purchase_id IN (SELECT p.id FROM purchases_purchase p WHERE CHANGED(p))",
        tracked=("purchases_purchase",),
        tables=("purchases_purchase", "tills_tillentry"),
        month_of="recorded_on",
        detail=True,
        slice_by="e.id",
        slice_table="tills_tillentry",
        totals_from="tills_tillentry",
        totals=(COUNT, Total("points_spent", "sum(points_spent)", "sum(points_spent)")),
    )
)
