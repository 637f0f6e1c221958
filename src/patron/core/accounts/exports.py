"""What the warehouse may read of branches."""

from patron.kernel.exports import Export, ExportColumn, exports

exports.register(
    Export(
        name="branches",
        meaning="Stores, clinics, hotels: the places where customers are met. One row for each.",
        select="""
            SELECT b.id AS branch_id, b.code, b.name, b.city, b.country, b.latitude, b.longitude, b.time_zone,
                   b.is_active
            FROM accounts_branch b WHERE {rows}
        """,
        columns=(
            ExportColumn("branch_id", "int64", "Key of the branch."),
            ExportColumn("code", "string", "Code that tills and files use."),
            ExportColumn("name", "string", "Name that people use."),
            ExportColumn("city", "string", "City; empty when not known."),
            ExportColumn("country", "string", "ISO 3166 code of two letters; empty when not known."),
            ExportColumn("latitude", "decimal(9,6)", "Degrees north."),
            ExportColumn("longitude", "decimal(9,6)", "Degrees east."),
            ExportColumn("time_zone", "string", "IANA zone in which the branch's days are counted."),
            ExportColumn("is_active", "bool", "Whether it is open for business."),
        ),
        key=("branch_id",),
        load="upsert",
        changed="CHANGED(b)",
        tracked=("accounts_branch",),
        tables=("accounts_branch",),
        slice_by="b.id",
        slice_table="accounts_branch",
        totals_from="accounts_branch",
    )
)
