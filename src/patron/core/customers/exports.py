"""What the warehouse may read of customers: no names, no phones, no day of birth."""

from patron.kernel.exports import COUNT, Export, ExportColumn, Total, exports

exports.register(
    Export(
        name="customers",
        meaning="Everyone on file, without names and contacts. One row for each; the place is the primary address.",
        select="""
            SELECT c.id AS customer_id, c.number, c.kind, c.status, c.sex,
                   extract(year FROM c.birth_on)::int AS birth_year, c.occupation, c.language, c.preferred_channel,
                   c.home_branch_id, c.registered_on, a.district, a.city, a.region, a.country, a.latitude, a.longitude
            FROM customers_customer c
            LEFT JOIN LATERAL (
                SELECT district, city, region, country, latitude, longitude
                FROM customers_address WHERE customer_id = c.id AND is_primary ORDER BY id LIMIT 1
            ) a ON true
            WHERE {rows}
        """,
        columns=(
            ExportColumn("customer_id", "int64", "Key of the customer."),
            ExportColumn("number", "string", "Number that staff and letters use."),
            ExportColumn("kind", "string", "individual, household, organisation, intermediary, indirect, internal, …"),
            ExportColumn("status", "string", "active, archived or blocked."),
            ExportColumn("sex", "string", "female, male, other; empty when not known."),
            ExportColumn("birth_year", "int32", "Year of birth."),
            ExportColumn("occupation", "string", "Occupation; empty when not known."),
            ExportColumn("language", "string", "Language the customer prefers."),
            ExportColumn("preferred_channel", "string", "Channel the customer prefers."),
            ExportColumn("home_branch_id", "int64", "Branch that looks after the customer."),
            ExportColumn("registered_on", "date", "Day of registration."),
            ExportColumn("district", "string", "District of the primary address."),
            ExportColumn("city", "string", "City."),
            ExportColumn("region", "string", "Region or province."),
            ExportColumn("country", "string", "Country."),
            ExportColumn("latitude", "decimal(9,6)", "Degrees north."),
            ExportColumn("longitude", "decimal(9,6)", "Degrees east."),
        ),
        key=("customer_id",),
        load="upsert",
        # A change of address writes the customer too (see the migration that keeps it so).
        changed="CHANGED(c)",
        tracked=("customers_customer",),
        tables=("customers_customer", "customers_address"),
        slice_by="c.id",
        slice_table="customers_customer",
        totals_from="customers_customer",
        totals=(COUNT, Total("with_branch", "count(home_branch_id)", "count(home_branch_id)")),
    )
)
